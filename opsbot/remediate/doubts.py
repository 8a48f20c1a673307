"""Whether a plan may still be done: what was approved against what holds now. Pure; words out, empty for no doubt."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from opsbot.core.duration import spell
from opsbot.core.incident import Incident
from opsbot.core.playbook import Plan, PlannedStep, StepState
from opsbot.remediate import approvals
from opsbot.remediate.means import Means
from opsbot.remediate.plan import changed
from opsbot.remediate.steps import BY_NAME, Facts


class Doubt(NamedTuple):
    """A named reason why a plan must be asked about again, and what changed, in words."""

    reason: str
    says: str


def of_approval(means: Means, incident: Incident, plan: Plan, now: datetime) -> Iterator[Doubt]:
    """Doubts about what was approved: the approval itself, its givers' rights, the playbook, the limits."""
    approval = incident.approval
    if approval is None or approval.plan != plan.digest:
        yield Doubt("other_plan", "the approval is not for this plan")
        return
    if approval.expired(now):
        yield Doubt("approval_expired", f"the approval expired {spell(now - approval.expires_at)} ago")
    for words in approvals.doubts(approval, means.access):
        yield Doubt("approver_lost_right", words)
    playbook = means.playbooks.get(plan.playbook)
    if playbook is None or playbook.digest != plan.playbook_digest:
        yield Doubt("playbook_changed", f"the playbook {plan.playbook} was edited after the plan was made")
    if means.limits.digest != plan.limits:
        yield Doubt("limits_changed", "the limits were changed after the plan was made")


def of_target(plan: Plan, facts: Facts, done: tuple[PlannedStep, ...]) -> Iterator[Doubt]:
    """Doubts about the target: fields that the plan read and that are not as its done steps left them."""
    for words in changed(plan, facts, done):
        yield Doubt("target_changed", words)


def done_steps(incident: Incident, plan: Plan) -> tuple[PlannedStep, ...]:
    """The steps of the present plan, and of its undo, that are done and wrote something, in the order of doing."""
    records = sorted(incident.run.steps if incident.run else (), key=lambda record: record.index)
    done = [record for record in records if record.index >= 0 and record.state is StepState.DONE]
    forward = [plan.steps[record.index] for record in done if not record.undo]
    back = [plan.undo[record.index] for record in done if record.undo]
    return tuple(step for step in (*forward, *back) if BY_NAME[step.do].writes)
