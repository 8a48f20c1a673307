"""The door from end to end: people in a fake Slack, the real Socket Mode client, a real store."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.chat import inbox, socketmode
from opsbot.core.approval import Decision
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident, State
from opsbot.core.message import Said
from opsbot.remediate import approvals
from opsbot.testing.slack.faults import rate_limited
from tests.chat.chat_world import ACCESS, ANA, BEN, EVE, PLAN, Office, awaiting, incident_in, made_plan, spoken

pytestmark = pytest.mark.leaves_sockets


def decided(office: Office, incident: Incident, count: int = 1) -> list[Decision]:
    """The decisions, once there are so many."""
    office.slack.wait_for(lambda: len(_decisions(office, incident)) >= count)
    return _decisions(office, incident)


def _decisions(office: Office, incident: Incident) -> list[Decision]:
    found = office.load(incident.id).approval
    return list(found.decisions) if found else []


# one walk -------------------------------------------------------------------------------------------------------------


def test_an_incident_is_shown_approved_and_resolved(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        assert office.slack.click(ANA, ts, "approve").wait()
        assert [(said.person, said.door) for said in decided(office, incident)] == [("Ana", "slack")]
        assert "Your yes is counted." in office.private(ANA)[0]
        office.notify(incident)
        office.slack.wait_for(lambda: "Approved, about to run" in spoken(office.slack.message(ts)))
        saved = office.load(incident.id)
        done = replace(saved, state=State.RESOLVED, resolved_at=office.clock(), reason="verified")
        office.store.save(done, Note("remediation", "verified"), office.clock())
        office.notify(incident)
        office.slack.wait_for(lambda: "Resolved" in spoken(office.slack.message(ts)))
        thread = office.slack.wait_for(lambda: _report(office, ts))
    assert office.woken == [incident.id]
    assert len(office.slack.messages()) == 1
    assert "Resolved after 2m: verified." in thread


def _report(office: Office, ts: str) -> str:
    last = spoken(office.slack.messages(thread_ts=ts)[-1])
    return last if "Report" in last else ""


def test_a_rejection_asks_why(office: Office) -> None:
    incident = office.add()
    with office.open():
        office.slack.click(ANA, office.card_ts(incident), "reject").wait()
        view = office.modal(ANA)
        assert view.private_metadata == PLAN.digest[:16]
        assert office.load(incident.id).state is State.AWAITING_APPROVAL
        assert office.slack.submit(ANA, view.id, {"reason": "wrong hour"}).wait()
        made = decided(office, incident)
        assert (made[0].person, made[0].approves, made[0].reason) == ("Ana", False, "wrong hour")
        assert "Your no is counted." in office.private(ANA)[0]
    assert office.load(incident.id).state is State.ESCALATED


# who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [BEN, EVE], ids=["known, without the right", "unknown"])
@pytest.mark.parametrize("button", ["approve", "reject"])
def test_a_click_without_the_right_gets_a_private_reason(office: Office, who: str, button: str) -> None:
    incident = office.add()
    with office.open():
        office.slack.click(who, office.card_ts(incident), button).wait()
        said = office.private(who)[0]
        assert "may not approve:scale; ask Ana" in said
        assert "Sorry" in said
        assert office.slack.view(who) is None
    assert _decisions(office, incident) == []
    assert not office.slack.ephemeral(ANA)


def test_a_right_that_was_lost_meanwhile_does_not_count(office: Office) -> None:
    incident = office.add()
    with office.open():
        office.slack.click(ANA, office.card_ts(incident), "reject").wait()
        view = office.modal(ANA)
        office.access = replace(ACCESS, groups={})
        office.slack.submit(ANA, view.id, {"reason": "no"}).wait()
        assert "may not approve:scale" in office.private(ANA)[0]
    assert _decisions(office, incident) == []


@pytest.mark.parametrize(
    ("who", "text", "says"),
    [
        (EVE, "ack 1", "may not ack; ask Ana"),
        (EVE, "close 1", "may not close; ask Ana"),
        (EVE, "diagnose 1", "may not diagnose; ask Ana"),
        (BEN, "approve 1 {plan}", "may not approve:scale; ask Ana"),
        (EVE, "approve 1 00000000", "you may not approve:scale; ask Ana (sre) (access.people knows no U0EVE here)"),
        (EVE, "reject 1", "you may not approve:scale; ask Ana"),
        (BEN, "reject 1", "Ben may not approve:scale; ask Ana"),
        (ANA, "approve 1 00000000", "that is not the plan that waits now"),
        (ANA, "approve 7 {plan}", "there is no incident 7"),
        (ANA, "show 99999999999999999999", "there is no incident"),
        (ANA, "shwo 1", "did you mean show?"),
        (ANA, "serve", "is nothing that opsbot knows here"),
        (ANA, "check /etc/passwd", "is nothing that opsbot knows here"),
        (ANA, "diagnose \u00b2 -n x", "is no target"),
        (ANA, "approve 1 '{plan}", "a quotation mark is not closed"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_refused_is_explained_in_private(office: Office, who: str, text: str, says: str) -> None:
    incident = office.add()
    with office.open():
        assert office.slack.type_command(who, "/opsbot", text.format(plan=PLAN.digest[:8])).wait()
        assert says in office.private(who)[0]
    assert office.load(incident.id) == incident
    assert not office.slack.messages()


# words ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "/opsbot approve ID PLAN [--reason REASON]: say yes to the plan that you have read"),
        ("help approve", "first 8 characters of the plan's digest"),
        ("status", "Waits for a human:"),
        ("incidents", "High Task Latency on Deployment/agents -n agents in cluster prod-1 (critical, plan"),
        ("show 1", "queue is full (512)"),
        ("ack 1", "Noted: you look into it."),
        ("diagnose 2", "It will be diagnosed again."),
        ("close 1 --reason 'known maintenance'", "Closed."),
        ("approve 1 {plan}", "Your yes is counted."),
        ("reject 1 --reason 'wrong hour'", "Your no is counted."),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.parametrize("spoken_in", ["command", "mention", "thread"])
def test_each_verb_is_answered_in_private(office: Office, text: str, says: str, spoken_in: str) -> None:
    office.add()
    office.add(incident_in(State.DIAGNOSED, key="other"))
    words = text.format(plan=PLAN.digest[:8])
    with office.open():
        thread = office.slack.say(EVE, "what now?").ts if spoken_in == "thread" else ""
        if spoken_in == "command":
            office.slack.type_command(ANA, "/opsbot", words).wait()
        else:
            office.slack.mention(ANA, words, thread_ts=thread).wait()
        assert says in office.private(ANA)[0]
        assert office.slack.ephemeral(ANA)[0].thread_ts == thread
    assert not [message for message in office.slack.messages() if message.user == office.slack.bot_user]


def test_what_show_says_can_be_approved(office: Office) -> None:
    incident = office.add()
    with office.open():
        office.slack.type_command(ANA, "/opsbot", "show 1").wait()
        office.private(ANA)
        office.slack.click(ANA, office.slack.ephemeral(ANA)[0].ts, "approve").wait()
        assert [said.person for said in decided(office, incident)] == ["Ana"]


def test_it_does_not_listen_to_itself(office: Office) -> None:
    with office.open() as opened:
        sent = office.slack.mention(ANA, "status")
        sent.wait()
        event = {**sent.payload["event"], "bot_id": office.slack.bot}
        body = {**sent.payload, "event_id": "EvBOT", "event": event}
        assert opened.inbox.hear(body).status == 403


# twice, late, from elsewhere ------------------------------------------------------------------------------------------


def test_two_clicks_at_once_are_one_decision(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        clicks = [office.slack.click(ANA, ts, "approve") for _ in range(6)]
        assert all(click.wait() for click in clicks)
        answers = office.private(ANA, 6)
    assert sum("Your yes is counted." in answer for answer in answers) == 1
    assert len(_decisions(office, incident)) == 1
    assert sum(entry.act == "approved" for entry in office.store.audit(incident.id)) == 1


def test_of_a_yes_and_a_no_at_once_one_counts(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        office.slack.type_command(ANA, "/opsbot", f"reject {incident.id}")
        office.slack.click(ANA, ts, "approve")
        office.private(ANA, 2)
    assert len(_decisions(office, incident)) == 1


def test_a_click_on_an_outdated_card(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        other = made_plan(nonce="n2")
        newer = awaiting(other, id=incident.id, version=office.load(incident.id).version)
        office.store.save(newer, Note("remediation", "asked_again"), office.clock())
        office.slack.click(ANA, ts, "approve").wait()
        said = office.private(ANA)[0]
    assert "that plan is not the one that waits" in said
    assert f"incident {incident.id} is awaiting approval" in said
    assert _decisions(office, incident) == []


def test_a_click_after_the_end(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        office.clock.advance(timedelta(minutes=15))
        office.slack.click(ANA, ts, "approve").wait()
        assert "has expired" in office.private(ANA)[0]
    assert _decisions(office, incident) == []


def test_forged_replayed_and_foreign_deliveries_do_nothing(office: Office) -> None:
    """Socket Mode authenticates the sender; a message of another team, app or channel is refused all the same."""
    incident = office.add()
    office.slack.add_channel("C0OTHER", "other")
    with office.open() as opened:
        ts = office.card_ts(incident)
        typed = office.slack.type_command(ANA, "/opsbot", "ack 1")
        assert typed.wait()
        office.slack.wait_for(lambda: office.load(incident.id).acked_by)
        before = office.load(incident.id)
        click = {**office.slack.click(EVE, ts, "approve").payload}
        office.private(EVE)
        told = _said_by_opsbot(office)
        foreign = [
            office.slack.forged(delivery, {"user": ANA, **other}, None)
            for delivery in (click, typed.payload)
            for other in ({"team": "T0OTHER"}, {"app": "A0OTHER"}, {"channel": "C0OTHER"})
        ]
        statuses = [opened.inbox.hear(body).status for body in [*foreign, typed.payload, click]]
        assert statuses == [403, 403, 403, 403, 403, 200, 409, 409]
        assert office.slack.forge(typed, team="T0OTHER").wait() is False
    assert office.load(incident.id) == before
    assert _said_by_opsbot(office) == told


def _said_by_opsbot(office: Office) -> list[str]:
    return [message.text for message in office.slack.ephemeral(ANA) if message.user == office.slack.bot_user]


def test_in_another_channel_a_person_is_told_where(office: Office) -> None:
    office.slack.add_channel("C0OTHER", "other")
    with office.open():
        sent = office.slack.type_command(ANA, "/opsbot", "status", "C0OTHER")
        assert sent.wait()
    assert sent.answer == {"text": "opsbot listens in its own channel only."}


def test_a_mention_in_another_channel_is_acknowledged_and_nothing_is_done(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    incident = office.add()
    office.slack.add_channel("C0OTHER", "other")
    with office.open():
        sent = office.slack.mention(ANA, "ack 1", "C0OTHER")
        assert sent.wait()
    assert len(sent.envelopes) == 1
    assert sum("other_channel" in record.getMessage() for record in caplog.records) == 1
    assert office.load(incident.id) == incident
    assert not [message for message in office.slack.ephemeral(ANA) if message.user == office.slack.bot_user]


def test_a_stranger_of_a_shared_channel_is_refused(office: Office) -> None:
    incident = office.add()
    with office.open() as opened:
        click = office.slack.click(BEN, office.card_ts(incident), "approve").payload
        office.private(BEN)
        user = {**click["user"], "id": ANA, "team_id": "T0OTHER"}
        assert opened.inbox.hear({**click, "trigger_id": "9.9.x", "user": user}).status == 403
    assert _decisions(office, incident) == []


# trouble --------------------------------------------------------------------------------------------------------------


def test_slack_is_down_and_the_terminal_approves(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        office.slack.down()
        yes = Decision("Ana", True, office.clock(), "cli")
        approvals.decide(office.load(incident.id), yes, PLAN.digest[:8], ACCESS, office.store)
        office.notify(incident)
        office.slack.wait_for(lambda: office.store.next_messages(office.clock()) == ())
        assert "Waits for approval" in spoken(office.slack.message(ts))
        office.slack.up()
        office.clock.advance(60)
        office.slack.wait_for(lambda: "Approved, about to run" in spoken(office.slack.message(ts)))
        office.slack.wait_for(
            lambda: any("Ana approved it" in spoken(m) and "(cli)" in spoken(m) for m in _thread(office, ts))
        )


def _thread(office: Office, ts: str) -> list[Any]:
    return office.slack.messages(thread_ts=ts)[1:]


def test_a_door_opens_while_slack_is_down(office: Office) -> None:
    incident = office.add()
    office.slack.down()
    made = office.door()
    made.start()
    try:
        office.notify(incident)
        office.slack.wait_for(lambda: office.store.next_messages(office.clock()) == ())
        office.slack.up()
        office.clock.advance(60)
        assert office.slack.wait_connected()
        office.slack.wait_for(lambda: office.store.card(incident.id))
        office.slack.type_command(ANA, "/opsbot", "ack 1").wait()
        office.slack.wait_for(lambda: office.load(incident.id).acked_by == "Ana")
    finally:
        made.stop()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket that looks after itself so often that a test need not wait."""
    monkeypatch.setattr(socketmode, "PING", 0.2)


@pytest.mark.usefixtures("impatient")
def test_a_broken_socket_stands_again(office: Office) -> None:
    with office.open():
        office.slack.drop()
        assert office.slack.wait_connected(timeout=20)
        assert office.slack.type_command(ANA, "/opsbot", "status").wait()
        office.private(ANA)


@pytest.mark.usefixtures("impatient")
def test_a_socket_that_stands_again_wakes_the_outbox(office: Office) -> None:
    """The clock stands still: only the hello of the new line ends the rest."""
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        office.slack.down()
        office.store.save(replace(office.load(incident.id), acked_by="Ben"), Note("Ben", "acked"), office.clock())
        office.notify(incident)
        office.slack.wait_for(lambda: office.store.next_messages(office.clock()) == ())
        office.slack.up()
        office.slack.wait_for(lambda: "Ben looks into it" in spoken(office.slack.message(ts)), 20)


def test_slack_is_asked_no_sooner_than_it_says(office: Office) -> None:
    incident = office.add()
    with office.open():
        office.slack.fail_next(rate_limited(30), "chat.postMessage")
        office.notify(incident)
        office.slack.wait_for(lambda: office.store.next_messages(office.clock()) == ())
        office.clock.advance(29)
        assert not office.slack.messages()
        office.clock.advance(1)
        office.slack.wait_for(lambda: office.store.card(incident.id))
    assert len(office.slack.messages()) == 1


def test_a_card_that_was_deleted_is_posted_anew(office: Office) -> None:
    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        with office.slack.world.lock:
            del office.slack.world.messages[(office.slack.channel, ts)]
        office.store.save(replace(office.load(incident.id), acked_by="Ben"), Note("Ben", "acked"), office.clock())
        office.notify(incident)
        place = office.slack.wait_for(lambda: _moved(office, incident, ts))
        assert "Ben looks into it" in spoken(office.slack.message(place))
        office.slack.click(ANA, place, "approve").wait()
        assert [said.person for said in decided(office, incident)] == ["Ana"]


def _moved(office: Office, incident: Incident, ts: str) -> str:
    place = office.store.card(incident.id)
    return place.ts if place and place.ts != ts else ""


def test_a_crash_between_ack_and_deed_loses_nothing(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first process acknowledges and ends before it does anything; the next one does it."""
    incident = office.add()
    with monkeypatch.context() as patched:
        patched.setattr(inbox.Inbox, "_begin", lambda *_: None)
        with office.open():
            ts = office.card_ts(incident)
            assert office.slack.click(ANA, ts, "approve").wait()
            assert office.slack.type_command(ANA, "/opsbot", "ack 1").wait()
    assert _decisions(office, incident) == []
    with office.open():
        assert [said.person for said in decided(office, incident)] == ["Ana"]
        office.slack.wait_for(lambda: office.load(incident.id).acked_by == "Ana")
        office.slack.wait_for(lambda: not office.store.untreated())
    with office.open():
        assert len(_decisions(office, incident)) == 1


def test_what_cannot_be_kept_is_not_acknowledged(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> bool:
        raise PermanentError("the disk is full")

    incident = office.add()
    with office.open():
        ts = office.card_ts(incident)
        monkeypatch.setattr(office.store, "take", full)
        assert not office.slack.click(ANA, ts, "approve").wait()
    assert _decisions(office, incident) == []


def test_a_verb_that_breaks_is_answered_and_logged(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> Any:
        raise ZeroDivisionError("password=hunter2hunter2")

    with office.open():
        original = office.store.incidents
        office.store.incidents = lambda **_: broken()  # type: ignore[method-assign]
        office.slack.type_command(ANA, "/opsbot", "status").wait()
        assert "something is wrong in opsbot itself" in office.private(ANA)[0]
        office.store.incidents = original  # type: ignore[method-assign]
        office.slack.type_command(ANA, "/opsbot", "status").wait()
        assert "Mode" in office.private(ANA, 2)[1]
    assert "ZeroDivisionError" in caplog.text


def test_a_long_diagnosis_keeps_no_click_waiting(office: Office) -> None:
    gate = threading.Event()
    incident = office.add()
    with office.open() as opened:
        ts = office.card_ts(incident)
        treat = opened.inbox._treat

        def slowly(said: Said) -> None:
            if "diagnose" in str(said.what):
                gate.wait(10)
            else:
                treat(said)

        opened.inbox._treat = slowly
        for _ in range(8):
            assert office.slack.type_command(ANA, "/opsbot", "diagnose deploy/agents -n agents").wait()
        assert office.slack.click(ANA, ts, "approve").wait()
        assert decided(office, incident)
        gate.set()


@pytest.mark.usefixtures("impatient")
def test_no_token_is_in_a_log_or_a_repr(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    incident = office.add()
    with office.open() as opened:
        office.card_ts(incident)
        office.slack.click(ANA, office.card_ts(incident), "approve").wait()
        office.slack.drop()
        assert office.slack.wait_connected(timeout=20)
        shown = f"{opened!r} {vars(opened)!r} {vars(opened.way)!r}"
    for secret in (office.slack.bot_token, office.slack.app_token, office.slack.signing_secret):
        assert secret not in caplog.text
        assert secret not in shown
