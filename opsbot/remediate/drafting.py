"""Plan and judge in one: an order and what the cluster says in, a plan or the ruling that denies it out. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from opsbot.core.errors import Refused
from opsbot.core.playbook import Plan, Ruling
from opsbot.remediate.guardrails import Situation, Surroundings, denial, judge
from opsbot.remediate.plan import Order, Terms, make, settle
from opsbot.remediate.steps import Facts


@dataclass(frozen=True, slots=True)
class Seen:
    """The object that bears the target's name: its uid and facts."""

    uid: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Draft:
    """A plan that all guardrails let pass, or None and the ruling that denies it."""

    playbook: str
    plan: Plan | None
    rulings: tuple[Ruling, ...]

    @property
    def denied(self) -> Ruling | None:
        """The ruling that denies."""
        return denial(self.rulings)


def draft(order: Order, seen: Seen | None, around: Surroundings, terms: Terms, *, begun: bool = False) -> Draft:
    """Plan an order on what was seen (None: there is no such object) and judge the plan."""
    bound, plan = _planned(order, seen, terms)
    rulings = judge(situation(bound, seen, around, plan, begun=begun))
    kept = plan if isinstance(plan, Plan) and denial(rulings) is None else None
    return Draft(order.playbook.name, kept, rulings)


def situation(
    order: Order, seen: Seen | None, around: Surroundings, plan: Plan | Refused | None, *, begun: bool
) -> Situation:
    """What guardrails judge, put together."""
    facts, uid = (seen.facts, seen.uid) if seen else (None, "")
    return Situation(around, order, facts, uid, plan, begun)


def _planned(order: Order, seen: Seen | None, terms: Terms) -> tuple[Order, Plan | Refused | None]:
    """The order with settled inputs and its plan, bound to the object's uid; what cannot be is kept as Refused."""
    try:
        settled = replace(order, inputs=settle(order.playbook, order.inputs))
        if seen is None or order.target is None:
            return settled, None
        return settled, make(replace(settled, target=order.target.named(seen.uid)), seen.facts, terms)
    except Refused as error:
        return order, error


def first(drafts: Iterable[Draft]) -> tuple[Draft | None, list[Draft]]:
    """The first draft with a plan, and all that were made until then."""
    made: list[Draft] = []
    for one in drafts:
        made.append(one)
        if one.plan is not None:
            return one, made
    return None, made
