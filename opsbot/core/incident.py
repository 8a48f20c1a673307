"""The incident: one record, walked forward along a table of edges.

Everything that agents know of an incident is in this value; what is due next is read off it (`core.task`). A state
changes through `advance` alone, which also settles what the change means for the approval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import Approval, ApprovalState
from opsbot.core.canonical import LATER, digest
from opsbot.core.diagnosis import Finding, Hypothesis, Proposal
from opsbot.core.errors import Refused
from opsbot.core.evidence import Gap, MaskedText
from opsbot.core.playbook import Plan, Ruling, Run, Scalar, StepState
from opsbot.core.target import Target


class State(StrEnum):
    """Where an incident is on its walk."""

    OPEN = "open"
    DIAGNOSED = "diagnosed"
    AWAITING_APPROVAL = "awaiting_approval"
    APPROVED = "approved"
    RUNNING = "running"
    VERIFYING = "verifying"
    PARKED = "parked"
    ESCALATED = "escalated"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident. `round` counts diagnoses; findings, plan, approval and run are those of the present round.

    `key` is made of the target (of the rule where there is none). `reason` names why the state is what it is, `since`
    when it came to be. `inputs` are those that a human gave for a run of their own, `acked_by` who looks into it.
    `open_question` says that no cause explains all that was found, so that a model may be asked. `alerts`,
    `hypotheses`, `asked` (whether a model was), `reported` (the version last reported) and `told` (the mark last told
    in chat) live in rows of their own and are filled in when the record is loaded; they are no part of it. `flaps` are
    the times, not too long ago, at which its alerts fired again after all had cleared; while it is `flapping` it stays
    open until they have been calm for a while.
    """

    id: int
    key: str
    version: int
    state: State
    severity: str
    title: MaskedText
    opened_at: datetime
    since: datetime
    target: Target | None = None
    origin: str = "alert"
    reason: str = ""
    asked_by: str = ""
    acked_by: str = field(default="", metadata=LATER)
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    round: int = 1
    reopened: int = 0
    collected_at: datetime | None = None
    diagnosed_at: datetime | None = None
    open_question: bool = field(default=False, metadata=LATER)
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    plan: Plan | None = None
    approval: Approval | None = None
    run: Run | None = None
    says: MaskedText | None = None
    resolved_at: datetime | None = None
    alerts: tuple[Alert, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    reported: int = 0
    asked: bool = field(default=False, metadata=LATER)
    told: str = field(default="", metadata=LATER)
    flaps: tuple[datetime, ...] = field(default=(), metadata=LATER)
    flapping: bool = field(default=False, metadata=LATER)

    @property
    def record(self) -> Incident:
        """The incident without what lives in other rows: what is saved, and what the audit digests."""
        return replace(self, alerts=(), hypotheses=(), reported=0, asked=False, told="")

    @property
    def mark(self) -> str:
        """Changes whenever there is something new to tell: with the version, and when hypotheses come in."""
        return f"{self.version}.{int(self.asked)}.{len(self.hypotheses)}"

    @property
    def digest(self) -> str:
        """The digest of the record as saved."""
        return digest(self.record)

    @property
    def unresolved(self) -> bool:
        """Whether it still counts: there is at most one such incident per key."""
        return self.state is not State.RESOLVED

    @property
    def firing(self) -> tuple[Alert, ...]:
        """Its alerts that are up."""
        return tuple(alert for alert in self.alerts if alert.state is AlertState.FIRING)

    @property
    def begun(self) -> bool:
        """Whether a run has begun that may have changed the cluster: a clear alert settles nothing then."""
        run = self.run
        sent = (StepState.INTENDED, StepState.WAITING, StepState.DONE, StepState.UNKNOWN)
        return run is not None and any(step.state in sent for step in run.steps)


_BEFORE_RUNNING = (State.OPEN, State.DIAGNOSED, State.AWAITING_APPROVAL, State.APPROVED, State.PARKED)

EDGES: dict[tuple[State, str], State] = {
    (State.OPEN, "diagnosed"): State.DIAGNOSED,
    (State.DIAGNOSED, "proposed"): State.AWAITING_APPROVAL,
    (State.DIAGNOSED, "trusted"): State.APPROVED,
    (State.DIAGNOSED, "stuck"): State.ESCALATED,
    (State.AWAITING_APPROVAL, "approved"): State.APPROVED,
    (State.AWAITING_APPROVAL, "rejected"): State.ESCALATED,
    (State.AWAITING_APPROVAL, "expired"): State.ESCALATED,
    (State.APPROVED, "started"): State.RUNNING,
    (State.APPROVED, "asked_again"): State.AWAITING_APPROVAL,
    (State.APPROVED, "refused"): State.ESCALATED,
    (State.APPROVED, "parked"): State.PARKED,
    (State.RUNNING, "ran"): State.VERIFYING,
    (State.RUNNING, "asked_again"): State.AWAITING_APPROVAL,
    (State.RUNNING, "parked"): State.PARKED,
    (State.RUNNING, "failed"): State.ESCALATED,
    (State.PARKED, "lifted"): State.APPROVED,
    (State.PARKED, "went_on"): State.RUNNING,
    (State.PARKED, "asked_again"): State.AWAITING_APPROVAL,
    (State.PARKED, "refused"): State.ESCALATED,
    (State.VERIFYING, "verified"): State.RESOLVED,
    (State.VERIFYING, "not_verified"): State.ESCALATED,
    (State.DIAGNOSED, "again"): State.OPEN,
    (State.ESCALATED, "again"): State.OPEN,
    (State.ESCALATED, "refired"): State.OPEN,
    (State.RESOLVED, "refired"): State.OPEN,
    **{(state, "cleared"): State.RESOLVED for state in (*_BEFORE_RUNNING, State.ESCALATED)},
    **{(state, "closed"): State.RESOLVED for state in (*_BEFORE_RUNNING, State.ESCALATED)},
}

_APPROVAL_AFTER = {
    "approved": ApprovalState.APPROVED, "rejected": ApprovalState.REJECTED, "expired": ApprovalState.EXPIRED,
    "started": ApprovalState.USED, "trusted": ApprovalState.APPROVED,
}  # fmt: skip
_LIVE = (ApprovalState.WAITING, ApprovalState.APPROVED)


def advance(incident: Incident, event: str, now: datetime, reason: str = "") -> Incident:
    """The incident after an event; Refused("no_such_edge") where the table has none.

    What was said of the state before is no longer said. An approval that is waiting or given is withdrawn when the
    incident leaves by any edge but those that use it.
    """
    to = EDGES.get((incident.state, event))
    if to is None or (event in ("cleared", "closed") and incident.state is State.PARKED and incident.begun):
        raise Refused("no_such_edge", f"an incident that is {incident.state.value} cannot be {event}")
    moved = replace(
        incident, state=to, since=now, reason=reason or event, says=None, approval=_settled(incident, event, to)
    )
    if to is State.OPEN:
        return _fresh(moved, event)
    return replace(moved, resolved_at=now) if to is State.RESOLVED else moved


def _settled(incident: Incident, event: str, to: State) -> Approval | None:
    approval = incident.approval
    if approval is None or approval.state not in _LIVE:
        return approval
    if event in _APPROVAL_AFTER:
        return replace(approval, state=_APPROVAL_AFTER[event])
    if to in (State.ESCALATED, State.RESOLVED):
        return replace(approval, state=ApprovalState.WITHDRAWN)
    return approval


def _fresh(incident: Incident, event: str) -> Incident:
    """A new round: what the last one found, planned and did stays in the audit and in the evidence rows."""
    return replace(
        incident, round=incident.round + 1, reopened=incident.reopened + (event == "refired"), collected_at=None,
        diagnosed_at=None, open_question=False, findings=(), gaps=(), proposals=(), rulings=(), plan=None,
        approval=None, run=None, says=None, resolved_at=None,
    )  # fmt: skip
