"""The report of an incident: what a reader finds in it, however it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.approval import Approval, ApprovalState, Decision
from opsbot.core.audit import AuditEntry
from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Citation, Gap
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Plan, PlannedStep, Run, StepRecord, StepState
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.report import verdict, write

OPENED = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
TARGET = Target("agents", "Deployment", "agents", "prod", "u1")
CITED = (Citation("e4", "pod_logs", 7, mask("WARN task 17 timed out waiting for a free worker")),)
FOUND = Finding("workers_saturated", "overload", TARGET, mask("too much work"), 0.85, CITED, rank=1, cause=True)
STEP = PlannedStep("scale", {"to": 6}, "scale 4 -> 6", timedelta(seconds=30))


def later(minutes: float) -> datetime:
    return OPENED + timedelta(minutes=minutes)


PLAN = Plan(
    playbook="scale_up_agents", playbook_digest="d", target=TARGET, inputs={}, steps=(STEP,), undo=(), reads={},
    before={}, permission="approve:scale", quorum=1, second_person=False, limits="l", made_at=later(1),
    expires_at=later(16), nonce="n", why=mask("overload: too much work"), origin="finding",
)  # fmt: skip
APPROVAL = Approval(
    "a1", PLAN.digest, "approve:scale", 1, later(1), later(16), state=ApprovalState.USED,
    decisions=(Decision("Ana", True, later(2), "cli", mask("looks right")),),
)  # fmt: skip
DONE = StepRecord(0, False, "x.0", StepState.DONE, later(2), later(3), STEP.says)
RUN = Run("r1", PLAN.digest, later(2), (DONE,))
RESOLVED = Incident(
    id=7, key=TARGET.key, version=9, state=State.RESOLVED, severity="critical", title=mask("tasks are slow"),
    opened_at=OPENED, since=later(5.5), target=TARGET, reason="verified", resolved_at=later(5.5),
    findings=(FOUND,),
    gaps=(Gap("events", mask("403 forbidden")),), plan=PLAN, approval=APPROVAL, run=RUN,
)  # fmt: skip
ENTRIES = (AuditEntry(7, 1, OPENED, "monitor", "opened", "alert_fired", {}, record="r", previous="p", digest="d"),)


def test_a_report_holds_what_why_who_and_when() -> None:
    assert write(RESOLVED, ENTRIES) == (
        "# Incident 7: tasks are slow\n\n"
        "Resolved after 5m30s: verified. Severity critical, target Deployment/agents -n agents, "
        "opened 2026-03-04 10:00:00 UTC.\n\n"
        "## Why\n\n"
        "- **overload** on Deployment/agents -n agents: too much work\n"
        "  - pod_logs e4:7: `WARN task 17 timed out waiting for a free worker`\n"
        "- not seen: events: 403 forbidden\n\n"
        "## What was done\n\n"
        "`scale_up_agents` was proposed because overload: too much work.\n"
        "- Ana approved it at 2026-03-04 10:02:00 UTC: looks right\n"
        "- step 1: scale 4 -> 6: done at 2026-03-04 10:03:00 UTC\n\n"
        "## Time line\n\n"
        "- 2026-03-04 10:00:00 UTC monitor: opened (alert fired)\n"
    )


@pytest.mark.parametrize(
    ("incident", "says"),
    [
        (RESOLVED, "Resolved after 5m30s: verified."),
        (replace(RESOLVED, state=State.ESCALATED, reason="not_better"), "Handed to a human: not better."),
        (replace(RESOLVED, state=State.AWAITING_APPROVAL), "Not ended: awaiting approval."),
    ],
    ids=["resolved", "escalated", "still open"],
)
def test_the_verdict_is_one_sentence(incident: Incident, says: str) -> None:
    assert verdict(incident) == says


@pytest.mark.parametrize(
    ("incident", "says"),
    [
        (replace(RESOLVED, findings=()), "No cause was found."),
        (replace(RESOLVED, plan=None, approval=None, run=None), "Nothing was changed."),
        (replace(RESOLVED, run=None), "Nothing was changed."),
        (replace(RESOLVED, target=None), "target none"),
    ],
    ids=["no cause", "no plan", "a plan without a run", "no target"],
)
def test_what_is_missing_is_said(incident: Incident, says: str) -> None:
    assert says in write(incident, ENTRIES)
