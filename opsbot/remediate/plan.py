"""From a playbook and facts to a plan: absolute steps, undo, and the fields that the plan is bound to. Pure.

A step is planned on the facts that the steps before it will leave, and undo on the facts after the last one. What
cannot be planned is Refused by name; a plan is never bent to fit a bound.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from opsbot.core import template
from opsbot.core.errors import Refused
from opsbot.core.evidence import MaskedText
from opsbot.core.playbook import Plan, PlannedStep, Playbook, Scalar, StepSpec
from opsbot.core.target import Target
from opsbot.remediate import condition
from opsbot.remediate import facts as reading
from opsbot.remediate.steps import BY_NAME, Facts, StepKind, Subject


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be planned: a playbook for a target (with its uid, once that is known), the inputs, and why."""

    playbook: Playbook
    target: Target | None
    inputs: Mapping[str, Scalar]
    why: MaskedText
    origin: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is made under: the digest of the limits, the time, and a word that makes it unlike any other.

    For a new plan in the middle of a run, `skip` is the number of steps done, and `before` that of the first plan.
    """

    limits: str
    now: datetime
    nonce: str
    skip: int = 0
    before: Mapping[str, Any] | None = None


def make(order: Order, facts: Facts, terms: Terms) -> Plan:
    """Freeze a plan; Refused names the step's reason why it makes no sense on this object."""
    if order.target is None:
        raise Refused("no_target", "nothing is planned without a target")
    playbook, values = order.playbook, {"inputs": {**order.inputs, **_target_input(order)}}
    before = terms.before if terms.before is not None else reading.bound(facts, _before(playbook))
    binder = _Binder(order.target, terms.now, facts)
    steps = binder.chain(playbook.steps[terms.skip :], values)
    undo = binder.chain(playbook.undo, {**values, "before": before}, spare=("nothing_to_do",))
    spec = playbook.approval
    return Plan(
        playbook=playbook.name, playbook_digest=playbook.digest, target=order.target, inputs=order.inputs,
        steps=steps, undo=undo, reads=reading.bound(facts, read_by(playbook)), before=before,
        permission=spec.permission, quorum=spec.quorum, second_person=_second_person(playbook, steps),
        limits=terms.limits, made_at=terms.now, expires_at=terms.now + spec.expires_in, nonce=terms.nonce,
        why=order.why, origin=order.origin, verify=playbook.verify,
    )  # fmt: skip


def read_by(playbook: Playbook) -> set[str]:
    """The names of the facts that a plan of this playbook is made from."""
    conditions = condition.fields(playbook.when, "target")
    named = set(reading.BOUND) if "*" in conditions else set(conditions)
    for step in (*playbook.steps, *playbook.undo):
        named.update(BY_NAME[step.do].reads)
    return named | set(playbook.guardrails.not_if) | _before(playbook)


def expected(plan: Plan, done: Iterable[PlannedStep]) -> Facts:
    """What the bound fields read once these steps are done and nobody else has touched them."""
    left: Facts = plan.reads
    for step in done:
        left = {name: value for name, value in BY_NAME[step.do].after(step, left).items() if name in plan.reads}
    return left


def changed(plan: Plan, facts: Facts, done: Iterable[PlannedStep] = ()) -> tuple[str, ...]:
    """What of the bound fields is not as the plan (and its done steps) left it, in words; empty when all is."""
    return reading.differences(expected(plan, done), facts)


def settle(playbook: Playbook, given: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """The inputs of a plan: what was given, else the defaults; Refused("bad_input") says what is wrong with one."""
    known = {item.name: item for item in playbook.inputs if item.type != "target"}
    for name in given:
        if name not in known:
            raise Refused(
                "bad_input", f"{playbook.name} has no input {name[:40]!r}; it has: {', '.join(known) or 'none'}"
            )
    settled = {name: given.get(name, item.default) for name, item in known.items()}
    for name, value in settled.items():
        wrong = wrong_value(known[name], value)
        if wrong:
            raise Refused("bad_input", f"input {name}: {wrong}")
    return settled


_TYPES: Mapping[str, tuple[type, ...]] = {
    "integer": (int,), "number": (int, float), "string": (str,), "boolean": (bool,),
}  # fmt: skip


def wrong_value(item: Any, value: Scalar) -> str:
    """What is wrong with a value for an input, in words; empty when nothing is."""
    if value is None:
        return "is not given and has no default"
    if not isinstance(value, _TYPES[item.type]) or (isinstance(value, bool) and item.type != "boolean"):
        return f"{value!r} is no {item.type}"
    if item.one_of and value not in item.one_of:
        return f"{value!r} is none of {', '.join(item.one_of)}"
    if isinstance(value, int | float) and item.minimum is not None and value < item.minimum:
        return f"{value} is below the minimum {item.minimum:g}"
    if isinstance(value, int | float) and item.maximum is not None and value > item.maximum:
        return f"{value} is above the maximum {item.maximum:g}"
    return ""


@dataclass(slots=True)
class _Binder:
    """Binds steps to a target one after the other, each on the facts that those before it leave."""

    target: Target
    now: datetime
    facts: Facts

    def chain(
        self, specs: Sequence[StepSpec], values: Mapping[str, Any], spare: Collection[str] = ()
    ) -> tuple[PlannedStep, ...]:
        """The steps as planned; one that is refused for a reason in `spare` is left out."""
        planned: list[PlannedStep] = []
        for spec in specs:
            try:
                planned.append(self.bind(spec, values))
            except Refused as error:
                if error.reason not in spare:
                    raise
        return tuple(planned)

    def bind(self, spec: StepSpec, values: Mapping[str, Any]) -> PlannedStep:
        kind = BY_NAME[spec.do]
        step = kind.plan(_arguments(kind, spec, values), Subject(self.target, self.facts, self.now, spec.timeout))
        self.facts = kind.after(step, self.facts)
        return step


def _arguments(kind: StepKind, spec: StepSpec, values: Mapping[str, Any]) -> Any:
    try:
        return kind.schema.model_validate(template.render(spec.arguments, values))
    except KeyError as error:
        raise Refused("bad_input", f"step {spec.do}: nothing is known of {error.args[0]!r}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise Refused("bad_input", f"step {spec.do}: {name}: {first['msg'].removeprefix('Value error, ')}") from error


def _target_input(order: Order) -> dict[str, str]:
    return {item.name: str(order.target) for item in order.playbook.inputs if item.type == "target"}


def _before(playbook: Playbook) -> set[str]:
    paths = template.references([step.arguments for step in playbook.undo])
    return {path.partition(".")[2] for path in paths if path.startswith("before.")}


def _second_person(playbook: Playbook, steps: Iterable[PlannedStep]) -> bool:
    asked = playbook.approval.second_person
    return any(not step.reversible for step in steps) if asked is None else asked
