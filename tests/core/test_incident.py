"""The table of edges: where an incident may go, what that does to its approval, and where it may not go."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import ApprovalState
from opsbot.core.canonical import plain
from opsbot.core.diagnosis import Hypothesis, Quote
from opsbot.core.errors import Refused
from opsbot.core.evidence import Gap
from opsbot.core.incident import EDGES, Incident, State, advance
from opsbot.core.playbook import StepState
from opsbot.mask import mask
from tests.core.conftest import TARGET, At

# The table of the states chapter, written out once more by hand: an edge that comes or goes must be meant.
WALKS = """
open               diagnosed     diagnosed
diagnosed          proposed      awaiting_approval
diagnosed          trusted       approved
diagnosed          stuck         escalated
diagnosed          again         open
awaiting_approval  approved      approved
awaiting_approval  rejected      escalated
awaiting_approval  expired       escalated
approved           started       running
approved           asked_again   awaiting_approval
approved           refused       escalated
approved           parked        parked
running            ran           verifying
running            asked_again   awaiting_approval
running            parked        parked
running            failed        escalated
parked             lifted        approved
parked             went_on       running
parked             asked_again   awaiting_approval
parked             refused       escalated
verifying          verified      resolved
verifying          not_verified  escalated
escalated          again         open
escalated          refired       open
resolved           refired       open
open               cleared       resolved
diagnosed          cleared       resolved
awaiting_approval  cleared       resolved
approved           cleared       resolved
parked             cleared       resolved
escalated          cleared       resolved
open               closed        resolved
diagnosed          closed        resolved
awaiting_approval  closed        resolved
approved           closed        resolved
parked             closed        resolved
escalated          closed        resolved
"""
TABLE = [
    (State(here), event, State(there)) for here, event, there in (line.split() for line in WALKS.split("\n") if line)
]
EVENTS = sorted({event for _, event in EDGES})
NO_EDGES = [(state, event) for state in State for event in [*EVENTS, "nonsense", ""] if (state, event) not in EDGES]


@pytest.mark.parametrize(("here", "event", "there"), TABLE, ids=[f"{here}-{event}" for here, event, _ in TABLE])
def test_every_edge(at: At, now: datetime, here: State, event: str, there: State) -> None:
    later = now + timedelta(minutes=1)
    moved = advance(at(here), event, later, "because")
    assert (moved.state, moved.since, moved.reason) == (there, later, "because")
    assert moved.resolved_at == (later if there is State.RESOLVED else None)
    assert moved.version == 3


def test_there_are_no_other_edges() -> None:
    assert {(here, event): there for here, event, there in TABLE} == EDGES


@pytest.mark.parametrize(("state", "event"), NO_EDGES, ids=[f"{state}-{event}" for state, event in NO_EDGES])
def test_what_is_no_edge_is_refused(at: At, now: datetime, state: State, event: str) -> None:
    with pytest.raises(Refused) as refused:
        advance(at(state), event, now)
    assert refused.value.reason == "no_such_edge"


def test_without_a_reason_the_event_is_the_reason(at: At, now: datetime) -> None:
    assert advance(at(State.OPEN), "diagnosed", now).reason == "diagnosed"


W, A, U = ApprovalState.WAITING, ApprovalState.APPROVED, ApprovalState.USED


@pytest.mark.parametrize(
    ("here", "before", "event", "after"),
    [
        (State.AWAITING_APPROVAL, W, "approved", A),
        (State.AWAITING_APPROVAL, W, "rejected", ApprovalState.REJECTED),
        (State.AWAITING_APPROVAL, W, "expired", ApprovalState.EXPIRED),
        (State.AWAITING_APPROVAL, W, "cleared", ApprovalState.WITHDRAWN),
        (State.AWAITING_APPROVAL, W, "closed", ApprovalState.WITHDRAWN),
        (State.DIAGNOSED, W, "trusted", A),
        (State.DIAGNOSED, W, "proposed", W),
        (State.APPROVED, A, "started", U),
        (State.APPROVED, A, "parked", A),
        (State.APPROVED, A, "refused", ApprovalState.WITHDRAWN),
        (State.APPROVED, A, "cleared", ApprovalState.WITHDRAWN),
        (State.APPROVED, A, "closed", ApprovalState.WITHDRAWN),
        (State.PARKED, A, "lifted", A),
        (State.PARKED, A, "cleared", ApprovalState.WITHDRAWN),
        (State.PARKED, A, "refused", ApprovalState.WITHDRAWN),
        (State.PARKED, U, "went_on", U),
        (State.RUNNING, U, "ran", U),
        (State.RUNNING, U, "failed", U),
        (State.RUNNING, U, "parked", U),
        (State.VERIFYING, U, "verified", U),
        (State.ESCALATED, ApprovalState.REJECTED, "cleared", ApprovalState.REJECTED),
        (State.ESCALATED, ApprovalState.EXPIRED, "closed", ApprovalState.EXPIRED),
    ],
    ids=lambda value: str(value),  # noqa: PLW0108 - pytest takes a bare `str` for a list of ids of enums
)
def test_what_an_edge_does_to_the_approval(
    at: At, now: datetime, here: State, before: ApprovalState, event: str, after: ApprovalState
) -> None:
    moved = advance(at(here, before), event, now)
    assert moved.approval is not None
    assert moved.approval.state is after


@pytest.mark.parametrize("event", ["cleared", "closed"])
@pytest.mark.parametrize(
    ("step", "held"),
    [(None, False), (StepState.FAILED, False), (StepState.INTENDED, True), (StepState.WAITING, True),
     (StepState.DONE, True), (StepState.UNKNOWN, True)],
    ids=str,
)  # fmt: skip
def test_a_parked_run_that_has_begun_cannot_be_cleared_or_closed(
    at: At, now: datetime, event: str, step: StepState | None, held: bool
) -> None:
    parked = at(State.PARKED, A, step)
    assert parked.begun is held
    if held:
        with pytest.raises(Refused) as refused:
            advance(parked, event, now)
        assert refused.value.reason == "no_such_edge"
    else:
        assert advance(parked, event, now).state is State.RESOLVED


@pytest.mark.parametrize(
    ("here", "event", "reopened"),
    [
        (State.DIAGNOSED, "again", 0),
        (State.ESCALATED, "again", 0),
        (State.ESCALATED, "refired", 1),
        (State.RESOLVED, "refired", 1),
    ],
    ids=lambda value: str(value),  # noqa: PLW0108
)
def test_a_new_round_starts_with_nothing(at: At, now: datetime, here: State, event: str, reopened: int) -> None:
    last = replace(
        at(here, ApprovalState.USED, StepState.DONE), collected_at=now, diagnosed_at=now, says=mask("x"),
        resolved_at=now, open_question=True, acked_by="ana", told="3.0.0",
        gaps=(Gap("pods", mask("403")),),
    )  # fmt: skip
    fresh = advance(last, event, now)
    assert (fresh.round, fresh.reopened) == (2, reopened)
    assert (fresh.plan, fresh.approval, fresh.run, fresh.says) == (None, None, None, None)
    assert (fresh.collected_at, fresh.diagnosed_at, fresh.resolved_at) == (None, None, None)
    assert (fresh.findings, fresh.gaps, fresh.proposals, fresh.rulings) == ((), (), (), ())
    assert (fresh.open_question, fresh.acked_by, fresh.told) == (False, "ana", "3.0.0")
    assert (fresh.key, fresh.title, fresh.opened_at) == (last.key, last.title, last.opened_at)


def alert(now: datetime, state: AlertState) -> Alert:
    return Alert("r", "A", state.value, "critical", {}, state, now)


def test_what_lives_in_other_rows_is_no_part_of_the_record(at: At, now: datetime) -> None:
    bare: Incident = at(State.OPEN)
    thought = Hypothesis("overload", TARGET, mask("too much"), 0.5, (Quote("e1", mask("busy")),))
    loaded = replace(
        bare, alerts=(alert(now, AlertState.FIRING),), reported=3, hypotheses=(thought,), asked=True, told="3.0.0"
    )
    assert loaded.record == bare
    assert loaded.digest == bare.digest
    for change in ({"reason": "other"}, {"acked_by": "ana"}, {"open_question": True}):
        assert replace(bare, **change).digest != bare.digest


def test_a_record_that_knew_neither_ack_nor_question_keeps_its_digest(at: At) -> None:
    """What the audit digested before there were such fields."""
    said = plain(at(State.OPEN))
    assert not {"acked_by", "open_question", "asked", "told"} & said.keys()
    assert plain(replace(at(State.OPEN), acked_by="ana"))["acked_by"] == "ana"
    assert at(State.OPEN).digest == "70207aeafbc81dcca4af7cdbd6d74317155d72fa9c96dc3be2c72256fc303a33"


def test_the_mark_differs_when_there_is_something_new_to_tell(at: At) -> None:
    bare = at(State.OPEN)
    thought = Hypothesis("overload", TARGET, mask("too much"), 0.5, ())
    asked = replace(bare, asked=True)
    marks = [bare.mark, replace(bare, version=4).mark, asked.mark, replace(asked, hypotheses=(thought,)).mark]
    assert len(set(marks)) == 4
    assert replace(bare, told="3.0.0", reported=9).mark == bare.mark


def test_which_alerts_are_up(at: At, now: datetime) -> None:
    alerts = tuple(alert(now, state) for state in AlertState)
    assert [one.state for one in replace(at(State.OPEN), alerts=alerts).firing] == [AlertState.FIRING]


def test_all_but_resolved_count_as_unresolved(at: At) -> None:
    assert [state for state in State if not at(state).unresolved] == [State.RESOLVED]
