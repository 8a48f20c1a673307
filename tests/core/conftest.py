"""An incident, a plan and a run to start from."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.approval import Approval, ApprovalState
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Plan, Run, StepRecord, StepState
from opsbot.core.target import Target
from opsbot.mask import mask

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
TARGET = Target("shop", "Deployment", "web", "c", "u-1")
PLAN = Plan(
    playbook="scale", playbook_digest="d", target=TARGET, inputs={}, steps=(), undo=(), reads={}, before={},
    permission="approve:scale", quorum=1, second_person=False, limits="l", made_at=NOW,
    expires_at=NOW + timedelta(minutes=15), nonce="n", why=mask("why"), origin="finding",
)  # fmt: skip
APPROVAL = Approval("a1", PLAN.digest, "approve:scale", 1, NOW, NOW + timedelta(minutes=15))

At = Callable[..., Incident]


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def at() -> At:
    """An incident in a state, with an approval in a state and a run whose only step is in a state."""

    def made(state: State, approval: ApprovalState | None = None, step: StepState | None = None) -> Incident:
        run = step and Run("r1", PLAN.digest, NOW, (StepRecord(0, False, "act-1", step, NOW),))
        return Incident(
            id=7, key=TARGET.key, version=3, state=state, severity="critical", title=mask("High Task Latency"),
            opened_at=NOW, since=NOW, target=TARGET, plan=PLAN if approval or run else None, run=run or None,
            approval=replace(APPROVAL, state=approval) if approval else None,
        )  # fmt: skip

    return made
