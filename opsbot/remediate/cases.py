"""A playbook's own cases: facts made up from the case in, what would be planned or refused out. Touches no cluster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from opsbot.config import Limits
from opsbot.core.playbook import Playbook, PlaybookCase
from opsbot.core.target import Target
from opsbot.core.task import Mode
from opsbot.mask import mask
from opsbot.remediate import facts as reading
from opsbot.remediate.drafting import Draft, Seen, draft
from opsbot.remediate.guardrails import Surroundings, allowed_kinds
from opsbot.remediate.plan import Order, Terms
from opsbot.remediate.steps import BY_NAME, Facts

NOW = datetime(2026, 1, 1, tzinfo=UTC)
UID = "00000000-0000-0000-0000-000000000000"


class Result(NamedTuple):
    """How a case went: `expected` and `got` are the steps in words, or `refuses REASON`."""

    name: str
    passed: bool
    expected: str
    got: str


def run(playbook: Playbook) -> list[Result]:
    """Every case of a playbook, in the order of its file."""
    return [_result(playbook, case) for case in playbook.cases]


def facts_of(playbook: Playbook, case: PlaybookCase) -> Facts:
    """A healthy workload with the case's facts; counts of ready pods follow its replicas unless the case says more."""
    kind = next(iter(allowed_kinds(playbook)), "Deployment")
    space = next(iter(playbook.guardrails.namespaces), "default")
    replicas = case.cluster.get("replicas", reading.SAMPLE["replicas"])
    counts = dict.fromkeys(("ready_replicas", "updated_replicas", "available_replicas"), replicas)
    return {**reading.SAMPLE, "kind": kind, "namespace": space, **counts, **case.cluster}


def _result(playbook: Playbook, case: PlaybookCase) -> Result:
    made = _draft(playbook, case)
    expected = f"refuses {case.refuses}" if case.refuses else "; ".join(case.plans or ())
    denied = made.denied
    got = f"refuses {denied.reason}" if denied else "; ".join(changes(made))
    return Result(case.name, got == expected, expected, got)


def changes(made: Draft) -> list[str]:
    """The steps of a draft that change something, in words."""
    return [step.says for step in (made.plan.steps if made.plan else ()) if BY_NAME[step.do].writes]


def _draft(playbook: Playbook, case: PlaybookCase) -> Draft:
    facts = facts_of(playbook, case)
    target = Target(facts["namespace"], facts["kind"], facts["name"])
    limits = Limits()
    around = Surroundings(limits, Mode.PROPOSE, "", "", (), NOW)
    order = Order(playbook, target, case.inputs, mask(""), "case")
    return draft(order, Seen(UID, facts), around, Terms(limits.digest, NOW, "case"))
