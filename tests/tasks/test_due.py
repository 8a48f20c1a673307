"""What waits, and when to look again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.approval import Approval
from opsbot.core.incident import Incident, State
from opsbot.core.ports import Claim
from opsbot.core.task import Mode, Skill, Task
from opsbot.mask import mask
from opsbot.tasks.due import next_time, waiting

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LATER, LATEST = NOW + timedelta(minutes=1), NOW + timedelta(minutes=15)
ASKED = Approval("ap", "p" * 64, "approve:x", 1, NOW, LATEST)


def _incident(number: int, state: State, **given: object) -> Incident:
    plain = Incident(number, f"k{number}", 1, state, "info", mask("t"), NOW, NOW, told="1.0.0")
    return replace(plain, **given)  # type: ignore[arg-type]


INCIDENTS = (
    _incident(1, State.OPEN), _incident(2, State.DIAGNOSED), _incident(3, State.AWAITING_APPROVAL, approval=ASKED),
    _incident(4, State.RUNNING), _incident(5, State.RESOLVED), _incident(6, State.ESCALATED, reported=1),
    _incident(7, State.RESOLVED, reported=1, told="", open_question=True),
    _incident(8, State.ESCALATED, reported=1, open_question=True),
)  # fmt: skip
COLLECT, RUN, REPORT = (1, "collect_evidence"), (4, "run_playbook"), (5, "report")
NOTIFY, ASK = (7, "notify"), (8, "ask_model")


@pytest.mark.parametrize(
    ("now", "mode", "without", "held", "want"),
    [
        (NOW, Mode.PROPOSE, (), (), [COLLECT, (2, "plan"), RUN, REPORT, NOTIFY, ASK]),
        (NOW, Mode.OBSERVE, (), (), [COLLECT, RUN, REPORT, NOTIFY, ASK]),
        (NOW, Mode.PROPOSE, ("run_playbook",), (), [COLLECT, (2, "plan"), REPORT, NOTIFY, ASK]),
        (NOW, Mode.OBSERVE, ("notify", "ask_model"), (), [COLLECT, RUN, REPORT]),
        (NOW, Mode.PROPOSE, (), (1, 2), [RUN, REPORT, NOTIFY, ASK]),
        (LATEST, Mode.OBSERVE, (), (1, 4, 5, 7), [(3, "plan"), ASK]),
    ],
    ids=["all", "mode observe", "no writer here", "no chat and no model here", "held by somebody",
         "an expired question"],
)  # fmt: skip
def test_what_waits(
    now: datetime, mode: Mode, without: tuple[str, ...], held: tuple[int, ...], want: list[tuple[int, str]]
) -> None:
    claims = [Claim(n, skill, "w", LATEST, None) for n in held for skill in Skill]
    runnable = [skill for skill in Skill if skill.value not in without]
    got = waiting(INCIDENTS, claims, now, mode, runnable)
    assert [(task.incident, task.skill.value) for task in got] == want


def test_a_task_carries_what_it_is_weighed_by() -> None:
    (task,) = waiting([_incident(1, State.OPEN, severity="critical", since=LATER)], [], NOW, Mode.PROPOSE, list(Skill))
    assert task == Task(1, Skill.COLLECT_EVIDENCE, "critical", LATER)


@pytest.mark.parametrize(
    ("claims", "now", "want"),
    [
        ([], NOW, LATEST),
        ([Claim(1, Skill.PLAN, "w", LATER, None)], NOW, LATER),
        ([Claim(1, Skill.PLAN, "w", None, LATER)], NOW, LATER),
        ([Claim(1, Skill.PLAN, "w", None, LATER)], LATER, LATEST),
        ([], LATEST, None),
    ],
    ids=["an expiry", "a lease", "an end of waiting", "only what is to come", "nothing"],
)
def test_when_something_becomes_due_by_itself(claims: list[Claim], now: datetime, want: datetime | None) -> None:
    assert next_time(INCIDENTS, claims, now) == want
