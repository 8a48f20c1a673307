"""Every way in which opsbot says no to a person in Slack: in private, in plain words, and with what to do next."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from opsbot.access import Access
from opsbot.commands.sentence import sentence
from opsbot.config import Person
from opsbot.core.approval import ApprovalState, Decision
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, Refused
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import StepState
from tests.chat.chat_world import (
    ACCESS,
    ANA,
    BEN,
    EVE,
    NOW,
    PLAN,
    Office,
    approval_of,
    awaiting,
    incident_in,
    made_plan,
    run_of,
)  # fmt: skip

pytestmark = pytest.mark.leaves_sockets

CY = "U0CY"
TWO = replace(
    ACCESS, people=(*ACCESS.people, Person("Cy", slack=CY)), groups={**ACCESS.groups, "lead": ("Cy",)},
    permissions={**ACCESS.permissions, "lead": ("approve:scale",)},
)  # fmt: skip
YES = Decision("Ana", True, NOW, "slack")
APPROVED = incident_in(
    State.APPROVED, plan=PLAN, approval=approval_of(PLAN, state=ApprovalState.APPROVED, decisions=(YES,))
)
HALF = awaiting(made_plan(quorum=2), approval=approval_of(made_plan(quorum=2), decisions=(YES,)))
OWNED = made_plan(second_person=True)
OWN = awaiting(OWNED, approval=approval_of(OWNED, second_person=True, asked_by="Ana"))
RUNNING = incident_in(State.RUNNING, plan=PLAN, run=run_of(StepState.WAITING))
RESOLVED = incident_in(State.RESOLVED, resolved_at=NOW)
OPEN, WAITING = incident_in(), awaiting()

REFUSALS: dict[str, tuple[str, Incident, str, str, str]] = {
    "a stranger types": ("not_allowed", WAITING, EVE, "ack 1", "ask Ana (sre)"),
    "a stranger is told that they are one": (
        "not_allowed", WAITING, EVE, "ack 1", "access.people knows no U0EVE here",
    ),
    "no right to close": ("not_allowed", WAITING, BEN, "close 1", "Ben may not close; ask Ana (sre)"),
    "no right to approve": ("not_allowed", WAITING, BEN, "approve 1 {plan}", "ask Ana (sre), Cy (lead)"),
    "no right to reject": ("not_allowed", WAITING, BEN, "reject 1", "ask Ana (sre), Cy (lead)"),
    "a stranger clicks": ("not_allowed", WAITING, EVE, "click", "you may not approve:scale; ask Ana (sre), Cy (lead)"),
    "another plan": ("other_plan", WAITING, ANA, "approve 1 00000000", "`show` tells which one does"),
    "too little of a plan": ("other_plan", WAITING, ANA, "approve 1 1f0", "`show` tells which one does"),
    "nothing waits": ("not_waiting", OPEN, ANA, "approve 1 {plan}", "incident 1 is open; `show 1` tells the rest"),
    "somebody was quicker": ("not_waiting", APPROVED, ANA, "reject 1", "is approved, its last question approved"),
    "too late": ("approval_expired", WAITING, ANA, "late approve 1 {plan}", "`diagnose ID` leads to a new plan"),
    "too late for a click": ("approval_expired", WAITING, ANA, "late click", "has expired, and nothing is changed"),
    "the same person twice": ("same_person", HALF, ANA, "approve 1 {plan}", "it takes one more person; ask Cy (lead)"),
    "their own run": ("second_person", OWN, ANA, "approve 1 {plan}", "ask Cy (lead)"),
    "nothing left to look into": ("resolved", RESOLVED, ANA, "ack 1", "is resolved already; `show 1` tells how"),
    "closed in the middle": ("no_such_edge", RUNNING, ANA, "close 1", "(running); ask again when it has ended"),
    "closed twice": ("no_such_edge", RESOLVED, ANA, "close 1", "is resolved already; `show 1` tells how"),
    "diagnosed while a plan waits": ("no_such_edge", WAITING, ANA, "diagnose 1", "`reject 1` first"),
    "diagnosed while it is": ("no_such_edge", OPEN, ANA, "diagnose 1", "ask again in a moment"),
    "no such incident": ("", WAITING, ANA, "ack 7", "`opsbot incidents --all` lists them"),
}  # fmt: skip
CODE = re.compile(r"\b[a-z]+_[a-z_]+\b|refused", re.IGNORECASE)


@pytest.mark.parametrize(("reason", "incident", "who", "words", "says"), REFUSALS.values(), ids=REFUSALS)
def test_a_no_is_private_plain_and_says_what_next(
    office: Office, reason: str, incident: Incident, who: str, words: str, says: str
) -> None:
    office.access = TWO
    before = office.add(incident)
    late, words = words.startswith("late "), words.removeprefix("late ")
    with office.open():
        ts = office.card_ts(before) if words == "click" else ""
        if late:
            office.clock.advance(15 * 60)
        if ts:
            office.slack.click(who, ts, "approve").wait()
        else:
            plan = before.plan.digest[:8] if before.plan else PLAN.digest[:8]
            office.slack.type_command(who, "/opsbot", words.format(plan=plan)).wait()
        said = office.private(who)[0]
    assert says in said
    assert said.startswith("Sorry, that was not done")
    assert not reason or reason == "resolved" or reason not in said
    assert not CODE.search(said)
    assert office.load(before.id).record == before.record


def test_when_others_keep_changing_it_one_is_asked_to_look_again(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object) -> Any:
        raise Conflict("somebody was quicker")

    office.add(WAITING)
    with office.open():
        monkeypatch.setattr(office.store, "save", changed)
        for count, words in enumerate((f"approve 1 {PLAN.digest[:8]}", "ack 1"), 1):
            office.slack.type_command(ANA, "/opsbot", words).wait()
            said = office.private(ANA, count)[-1]
            assert "look again" in said
            assert not CODE.search(said)


def test_a_click_on_an_old_card_is_told_what_is_asked_now(office: Office) -> None:
    incident = office.add(WAITING)
    with office.open():
        ts = office.card_ts(incident)
        newer = made_plan(nonce="n2")
        saved = replace(office.load(incident.id), plan=newer, approval=approval_of(newer))
        office.store.save(saved, Note("remediation", "asked"), office.clock())
        office.slack.click(ANA, ts, "approve").wait()
        said = office.private(ANA)[0]
    assert "incident 1 is awaiting approval; its card shows what is asked now" in said
    assert not CODE.search(said)


def test_an_approver_needs_no_other_right(office: Office) -> None:
    """Whoever may approve the plan that waits clicks, types and looks, though nobody gave them `read`."""
    office.access = Access(
        people=(Person("Cy", slack=CY), Person("Ben", slack=BEN)), groups={"lead": ("Cy",)},
        permissions={"lead": ("approve:scale",)},
    )  # fmt: skip
    office.slack.person(CY, "cy")
    plans = [made_plan(nonce=f"n{n}") for n in range(3)]
    first, second, third = (office.add(awaiting(plan, key=plan.nonce)) for plan in plans)
    with office.open():
        office.slack.click(CY, office.card_ts(first), "approve").wait()
        office.private(CY)
        office.slack.type_command(CY, "/opsbot", f"approve {second.id} {plans[1].digest[:8]}").wait()
        office.private(CY, 2)
        office.slack.click(CY, office.card_ts(third), "reject").wait()
        office.slack.submit(CY, office.modal(CY).id, {"reason": "no"}).wait()
        office.private(CY, 3)
        office.slack.type_command(BEN, "/opsbot", "show 1").wait()
        assert "Ben may not read; ask Cy (lead)" in office.private(BEN)[0]
    assert [office.load(one.id).state for one in (first, second, third)] == [
        State.APPROVED, State.APPROVED, State.ESCALATED,
    ]  # fmt: skip


@pytest.mark.parametrize("reason", ["not_allowed", "other_plan", "gone", "busy", "over_budget"])
def test_no_door_says_the_name_of_a_refusal(reason: str) -> None:
    assert sentence(Refused(reason, "Ben may not close; ask Ana")) == "Ben may not close; ask Ana"
