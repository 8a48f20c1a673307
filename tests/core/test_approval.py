"""Who may say yes, how often, how late, and to what."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.approval import Approval, ApprovalState, Decision, decide, enough
from opsbot.core.errors import Refused

NOW = datetime(2026, 1, 2, 12, tzinfo=UTC)
PLAN = "0123456789abcdef" * 4
ASKED = Approval("a1", PLAN, "approve:scale", 1, NOW, NOW + timedelta(minutes=15))


def yes(person: str = "ana", after: float = 60) -> Decision:
    return Decision(person, True, NOW + timedelta(seconds=after), "cli")


def no(person: str = "ana") -> Decision:
    return replace(yes(person), approves=False)


def test_one_yes_approves_what_asks_for_one() -> None:
    approved = decide(ASKED, yes(), PLAN[:8])
    assert approved.state is ApprovalState.APPROVED
    assert approved.decisions == (yes(),)
    assert ASKED.decisions == ()


def test_a_no_rejects_at_once_even_where_two_must_approve() -> None:
    first = decide(replace(ASKED, quorum=2), yes("ana"), PLAN)
    assert decide(first, no("bob"), PLAN).state is ApprovalState.REJECTED


def test_who_has_approved_may_still_reject() -> None:
    first = decide(replace(ASKED, quorum=2), yes("ana"), PLAN)
    assert decide(first, no("ana"), PLAN).state is ApprovalState.REJECTED


def test_a_quorum_counts_persons() -> None:
    first = decide(replace(ASKED, quorum=2), yes("ana"), PLAN)
    assert first.state is ApprovalState.WAITING
    assert decide(first, yes("bob"), PLAN).state is ApprovalState.APPROVED


@pytest.mark.parametrize(
    ("approval", "decision", "prefix", "reason"),
    [
        *((replace(ASKED, state=state), yes(), PLAN, f"approval_{state}")
          for state in ApprovalState if state is not ApprovalState.WAITING),
        (ASKED, yes(after=15 * 60), PLAN, "approval_expired"),
        (ASKED, replace(no(), at=NOW + timedelta(hours=1)), PLAN, "approval_expired"),
        (ASKED, yes(), "", "other_plan"),
        (ASKED, yes(), PLAN[:7], "other_plan"),
        (ASKED, yes(), "fedcba98", "other_plan"),
        (ASKED, no(), "fedcba98", "other_plan"),
        (ASKED, yes(), PLAN + "0", "other_plan"),
        (replace(ASKED, quorum=2, decisions=(yes(),)), yes(), PLAN, "same_person"),
        (replace(ASKED, quorum=2, decisions=(yes(),)), replace(yes(), door="slack"), PLAN, "same_person"),
        (replace(ASKED, asked_by="ana", second_person=True), yes(), PLAN, "second_person"),
    ],
    ids=[*(state.value for state in ApprovalState if state is not ApprovalState.WAITING), "late", "late no",
    "no digest",
         "short digest", "other digest", "no to another plan", "too long a digest", "twice", "twice by another door",
         "who asked"],
)  # fmt: skip
def test_what_does_not_count_is_refused_by_name(
    approval: Approval, decision: Decision, prefix: str, reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        decide(approval, decision, prefix)
    assert refused.value.reason == reason
    assert str(refused.value) != reason


def test_who_asked_may_approve_where_no_second_person_is_wanted_and_may_always_reject() -> None:
    assert decide(replace(ASKED, asked_by="ana"), yes(), PLAN).state is ApprovalState.APPROVED
    asked = replace(ASKED, asked_by="ana", second_person=True)
    assert decide(asked, no(), PLAN).state is ApprovalState.REJECTED
    assert decide(asked, yes("bob"), PLAN).state is ApprovalState.APPROVED


def test_an_approval_serves_once() -> None:
    approved = decide(ASKED, yes(), PLAN)
    with pytest.raises(Refused):
        decide(approved, yes("bob"), PLAN)


@pytest.mark.parametrize(
    ("allowed", "sufficient"),
    [(None, True), ({"ana", "bob"}, True), ({"ana"}, False), (set(), False), ({"ana", "eve"}, False)],
    ids=["not asked", "both", "one lost the right", "all lost it", "another has it"],
)
def test_only_who_still_has_the_right_counts(allowed: set[str] | None, sufficient: bool) -> None:
    approved = replace(ASKED, quorum=2, decisions=(yes("ana"), yes("bob"), no("eve")))
    assert enough(approved, allowed) is sufficient


def test_it_expires_at_its_very_moment() -> None:
    assert not ASKED.expired(ASKED.expires_at - timedelta(microseconds=1))
    assert ASKED.expired(ASKED.expires_at)
