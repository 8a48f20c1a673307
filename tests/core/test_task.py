"""What is due next, for every state, in every mode: to walk on, to tell, to ask."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsbot.core.approval import ApprovalState
from opsbot.core.incident import Incident, State
from opsbot.core.task import Mode, Skill, next_change, next_skills
from tests.core.conftest import At

OBSERVE, PROPOSE, ACT = Mode.OBSERVE, Mode.PROPOSE, Mode.ACT
EVERY = (OBSERVE, PROPOSE, ACT)
DUE: list[tuple[State, tuple[Mode, ...], tuple[Skill, ...]]] = [
    (State.OPEN, EVERY, (Skill.COLLECT_EVIDENCE,)),
    (State.DIAGNOSED, (OBSERVE,), ()),
    (State.DIAGNOSED, (PROPOSE, ACT), (Skill.PLAN,)),
    (State.AWAITING_APPROVAL, EVERY, ()),
    (State.APPROVED, EVERY, (Skill.RUN_PLAYBOOK,)),
    (State.RUNNING, EVERY, (Skill.RUN_PLAYBOOK,)),
    (State.PARKED, EVERY, (Skill.RUN_PLAYBOOK,)),
    (State.VERIFYING, EVERY, (Skill.VERIFY,)),
    (State.ESCALATED, EVERY, (Skill.REPORT,)),
    (State.RESOLVED, EVERY, (Skill.REPORT,)),
]
CASES = [(state, mode, due) for state, modes, due in DUE for mode in modes]


def test_every_state_is_in_the_table_in_every_mode() -> None:
    assert sorted((state, mode) for state, mode, _ in CASES) == sorted(
        (state, mode) for state in State for mode in Mode
    )


def told(incident: Incident) -> Incident:
    """The incident, with all told that there is to tell."""
    return replace(incident, told=incident.mark)


@pytest.mark.parametrize(("state", "mode", "due"), CASES, ids=[f"{state}-{mode}" for state, mode, _ in CASES])
def test_what_is_due(at: At, now: datetime, state: State, mode: Mode, due: tuple[Skill, ...]) -> None:
    incident = at(state, ApprovalState.WAITING)
    assert next_skills(told(incident), now, mode) == due
    assert next_skills(incident, now, mode) == (*due, Skill.NOTIFY)


@pytest.mark.parametrize("mode", EVERY, ids=str)
def test_rules_are_matched_once_evidence_is_there(at: At, now: datetime, mode: Mode) -> None:
    collected = told(replace(at(State.OPEN), collected_at=now))
    assert next_skills(collected, now, mode) == (Skill.MATCH_RULES,)


@pytest.mark.parametrize("mode", EVERY, ids=str)
def test_an_expired_question_is_put_away(at: At, now: datetime, mode: Mode) -> None:
    waiting = told(at(State.AWAITING_APPROVAL, ApprovalState.WAITING))
    expiry = next_change(waiting)
    assert expiry == now + timedelta(minutes=15)
    assert next_skills(waiting, expiry - timedelta(microseconds=1), mode) == ()
    assert next_skills(waiting, expiry, mode) == (Skill.PLAN,)


def test_a_question_that_is_not_there_cannot_be_waited_for(at: At, now: datetime) -> None:
    assert next_skills(told(at(State.AWAITING_APPROVAL)), now, PROPOSE) == (Skill.PLAN,)


@pytest.mark.parametrize("state", [State.ESCALATED, State.RESOLVED], ids=str)
@pytest.mark.parametrize(("reported", "due"), [(0, True), (2, True), (3, False)])
def test_each_version_is_reported_once(at: At, now: datetime, state: State, reported: int, due: bool) -> None:
    incident = told(replace(at(state), reported=reported))
    assert next_skills(incident, now, PROPOSE) == ((Skill.REPORT,) if due else ())


@pytest.mark.parametrize(
    "news",
    [{"told": ""}, {"told": "2.0.0"}, {"version": 4}, {"asked": True}, {"hypotheses": ("one",)}],
    ids=["never told", "told of an older version", "a new version", "a model was asked", "hypotheses"],
)
def test_what_is_new_is_told_after_what_walks_on(at: At, now: datetime, news: dict[str, Any]) -> None:
    assert next_skills(told(at(State.OPEN)), now, OBSERVE) == (Skill.COLLECT_EVIDENCE,)
    changed = replace(told(at(State.OPEN)), **news)
    assert next_skills(changed, now, OBSERVE) == (Skill.COLLECT_EVIDENCE, Skill.NOTIFY)
    assert next_skills(told(changed), now, OBSERVE) == (Skill.COLLECT_EVIDENCE,)


@pytest.mark.parametrize("state", list(State), ids=str)
@pytest.mark.parametrize("mode", EVERY, ids=str)
def test_a_model_is_asked_once_and_last_while_the_incident_is_unresolved(
    at: At, now: datetime, state: State, mode: Mode
) -> None:
    plain = at(state, ApprovalState.WAITING)
    asks = (Skill.ASK_MODEL,) if state is not State.RESOLVED else ()
    wondering = replace(plain, open_question=True)
    assert next_skills(wondering, now, mode) == (*next_skills(plain, now, mode), *asks)
    assert Skill.ASK_MODEL not in next_skills(replace(wondering, asked=True), now, mode)


@pytest.mark.parametrize("state", [state for state in State if state is not State.AWAITING_APPROVAL], ids=str)
def test_time_alone_changes_nothing_but_a_question(at: At, state: State) -> None:
    assert next_change(at(state, ApprovalState.WAITING)) is None
    assert next_change(at(State.AWAITING_APPROVAL)) is None
