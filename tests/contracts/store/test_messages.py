"""What every store promises of messages: in order per incident, at least once, the newest card wins, notes once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident
from opsbot.core.message import Draft, Kind, Message, Place
from opsbot.core.ports import Store
from opsbot.mask import mask

NOTE = Note("monitor", "opened")
HERE, THERE = Place("C1", "1.1"), Place("C1", "2.2")
Make = Callable[..., Incident]


def card(key: str, **body: Any) -> Draft:
    return Draft(Kind.CARD, key, {"text": f"card {key}"} | body)


def note(key: str, **body: Any) -> Draft:
    return Draft(Kind.NOTE, key, {"text": f"note {key}"} | body)


@pytest.fixture
def made(store: Store, now: datetime, incident: Make) -> Incident:
    return store.create(incident(), NOTE, now)


def keys(store: Store, now: datetime) -> list[tuple[int, str]]:
    return [(message.incident, message.key) for message in store.next_messages(now)]


def send_all(store: Store, now: datetime, ts: str = "1.1") -> list[str]:
    """Send whatever can be sent, one after another; the keys in the order in which they went."""
    sent = []
    while found := store.next_messages(now):
        sent.append(found[0].key)
        store.message_sent(found[0].id, found[0].place or Place("C1", ts), now)
    return sent


def test_a_draft_comes_back_as_a_message(store: Store, now: datetime, made: Incident) -> None:
    body = {"text": mask("a & b"), "blocks": [{"n": 1.5, "on": True, "none": None}], "\u202e": "\x00'; --"}
    store.add_messages(made.id, [card("c1", **body)], made.mark, now)
    (message,) = store.next_messages(now)
    assert message == Message(message.id, made.id, Kind.CARD, "c1", body, 0, None)


def test_telling_sets_the_mark_and_leaves_version_and_audit(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1")], made.mark, now)
    assert store.load(made.id) == replace(made, told="1.0.0")
    later = store.save(replace(made, severity="info"), NOTE, now)
    assert (later.told, later.mark) == ("1.0.0", "2.0.0")
    assert store.load(made.id) == later
    store.add_messages(made.id, [], later.mark, now)
    assert store.incidents()[0] == store.due()[0] == replace(later, told="2.0.0")
    assert len(store.audit()) == 2
    assert store.verify() == ()


def test_messages_of_an_incident_go_out_in_order(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1"), note("n1"), note("n2")], "1", now)
    store.add_messages(made.id, [note("n3")], "2", now)
    assert send_all(store, now) == ["c1", "n1", "n2", "n3"]
    store.add_messages(made.id, [note("n4"), card("c2"), note("n5")], "3", now)
    assert send_all(store, now) == ["n4", "c2", "n5"]


def test_one_message_per_incident_the_longest_waiting_first(store: Store, now: datetime, incident: Make) -> None:
    for key in "abc":
        store.create(incident(key=key), NOTE, now)
    for number in (2, 3, 1):
        store.add_messages(number, [card("c"), note("n")], "1", now)
    assert keys(store, now) == [(2, "c"), (3, "c"), (1, "c")]
    assert [m.incident for m in store.next_messages(now, limit=2)] == [2, 3]
    assert store.next_messages(now, limit=0) == store.next_messages(now, limit=-1) == ()
    store.message_sent(store.next_messages(now)[0].id, HERE, now)
    assert keys(store, now) == [(3, "c"), (1, "c"), (2, "n")]


def test_cards_go_before_the_notes_of_other_incidents(store: Store, now: datetime, incident: Make) -> None:
    """In a storm a new alert's card must not wait behind what others have to say."""
    for number, key in enumerate("abcd", 1):
        store.create(incident(key=key), NOTE, now)
        store.add_messages(number, [card("c")], "1", now)
        store.message_sent(store.next_messages(now)[0].id, Place("C1", f"{number}"), now)
    store.add_messages(1, [note("n"), card("edit")], "2", now)
    store.add_messages(2, [note("n")], "2", now)
    store.add_messages(4, [card("edit")], "2", now)
    store.add_messages(3, [card("edit")], "2", now)
    assert keys(store, now) == [(4, "edit"), (3, "edit"), (1, "n"), (2, "n")]
    assert [message.incident for message in store.next_messages(now, limit=3)] == [4, 3, 1]
    store.message_put_off(store.next_messages(now)[0].id, now + timedelta(seconds=9))
    assert keys(store, now) == [(3, "edit"), (1, "n"), (2, "n")]


def test_a_card_goes_before_notes_while_it_stands_nowhere(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [note("n1")], "1", now)
    assert store.next_messages(now) == ()
    store.add_messages(made.id, [note("n2"), card("c1")], "2", now)
    assert send_all(store, now) == ["c1", "n1", "n2"]


def test_each_message_knows_where_the_card_stands(store: Store, now: datetime, made: Incident) -> None:
    assert (store.card(made.id), store.incident_at(HERE)) == (None, None)
    store.add_messages(made.id, [card("c1"), note("n1"), card("c2")], "1", now)
    (first,) = store.next_messages(now)
    assert (first.key, first.place) == ("c2", None)
    store.message_sent(first.id, HERE, now)
    (second,) = store.next_messages(now)
    assert (second.key, second.place) == ("n1", HERE)
    store.message_sent(second.id, THERE, now)
    assert (store.card(made.id), store.incident_at(HERE), store.incident_at(THERE)) == (HERE, made.id, None)
    assert store.incident_at(Place("C2", HERE.ts)) is None


def test_a_card_put_somewhere_else_stands_there_alone(store: Store, now: datetime, made: Incident) -> None:
    for key, place in (("c1", HERE), ("c2", THERE)):
        store.add_messages(made.id, [card(key)], key, now)
        store.message_sent(store.next_messages(now)[0].id, place, now)
    assert (store.card(made.id), store.incident_at(HERE), store.incident_at(THERE)) == (THERE, None, made.id)


def test_a_place_belongs_to_one_card(store: Store, now: datetime, made: Incident, incident: Make) -> None:
    other = store.create(incident(key="other"), NOTE, now)
    for number in (made.id, other.id):
        store.add_messages(number, [card("c")], "1", now)
        store.message_sent(store.next_messages(now)[0].id, HERE, now)
    assert store.incident_at(HERE) == other.id
    assert store.card(made.id) is None


# the newest card wins


def test_a_new_card_replaces_an_unsent_one_in_its_turn(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1")], "1", now)
    send_all(store, now)
    store.add_messages(made.id, [note("n1"), card("c2"), note("n2")], "2", now)
    store.add_messages(made.id, [card("c3"), note("n3"), card("c4")], "3", now)
    assert send_all(store, now) == ["n1", "c4", "n2", "n3"]


def test_a_card_keeps_its_place_among_incidents_when_replaced(store: Store, now: datetime, incident: Make) -> None:
    for number, key in enumerate("ab", 1):
        store.create(incident(key=key), NOTE, now)
        store.add_messages(number, [card("old")], "1", now)
    store.add_messages(1, [card("new")], "2", now)
    assert keys(store, now) == [(1, "new"), (2, "old")]


@pytest.mark.parametrize("key", ["c1", "c2"], ids=["same key", "another key"])
def test_a_card_replaced_while_it_is_being_sent_is_not_lost(
    store: Store, now: datetime, made: Incident, key: str
) -> None:
    store.add_messages(made.id, [card("c1"), note("n1")], "1", now)
    (on_its_way,) = store.next_messages(now)
    store.add_messages(made.id, [card(key, edited=True)], "2", now)
    store.message_sent(on_its_way.id, HERE, now)
    (edit,) = store.next_messages(now)
    assert (edit.key, edit.body["edited"], edit.place) == (key, True, HERE)
    assert send_all(store, now) == [key, "n1"]


def test_a_card_replaced_while_sending_it_fails_puts_off_the_new_one(
    store: Store, now: datetime, made: Incident
) -> None:
    store.add_messages(made.id, [card("c1")], "1", now)
    (on_its_way,) = store.next_messages(now)
    store.add_messages(made.id, [card("c2")], "2", now)
    store.message_put_off(on_its_way.id, now + timedelta(seconds=30))
    assert store.next_messages(now) == ()
    (edit,) = store.next_messages(now + timedelta(seconds=30))
    assert (edit.key, edit.tries) == ("c2", 1)


@pytest.mark.parametrize("sent", [False, True], ids=["unsent", "sent"])
def test_a_card_that_says_nothing_new_is_left_out(store: Store, now: datetime, made: Incident, sent: bool) -> None:
    store.add_messages(made.id, [card("c1")], "1", now)
    before = [message.id for message in store.next_messages(now)]
    if sent:
        send_all(store, now)
    store.add_messages(made.id, [card("c1")], "2", now)
    assert [message.id for message in store.next_messages(now)] == ([] if sent else before)


@pytest.mark.parametrize("again", [card("c1"), card("c2", text="card c1")], ids=["as it was first", "another key"])
def test_a_card_may_go_back_to_what_it_said_before(store: Store, now: datetime, made: Incident, again: Draft) -> None:
    for draft in (card("c1"), card("c1", text="meanwhile"), again):
        store.add_messages(made.id, [draft], "1", now)
        assert send_all(store, now) == [draft.key]


# notes once


def test_a_note_is_told_once_for_ever(store: Store, now: datetime, made: Incident, incident: Make) -> None:
    store.add_messages(made.id, [card("c1"), note("n1"), note("n1", text="other words")], "1", now)
    store.add_messages(made.id, [note("n1")], "1", now)
    assert send_all(store, now) == ["c1", "n1"]
    store.add_messages(made.id, [note("n1"), note("n2")], "2", now + timedelta(days=400))
    assert keys(store, now) == [(made.id, "n2")]
    other = store.create(incident(key="other"), NOTE, now)
    store.add_messages(other.id, [note("n1"), card("n1")], "1", now)
    assert send_all(store, now, "9.9") == ["n1", "n2", "n1"]


# put off


def test_a_message_that_is_put_off_holds_back_its_incident_alone(store: Store, now: datetime, incident: Make) -> None:
    for number, key in enumerate("ab", 1):
        store.create(incident(key=key), NOTE, now)
        store.add_messages(number, [card("c"), note("n")], "1", now)
    later = now + timedelta(seconds=30)
    first = store.next_messages(now)[0]
    store.message_put_off(first.id, later)
    store.message_put_off(store.next_messages(later)[0].id, later)
    assert keys(store, now) == keys(store, later - timedelta(microseconds=1)) == [(2, "c")]
    assert keys(store, later) == [(1, "c"), (2, "c")]
    assert store.next_messages(later)[0] == replace(first, tries=2)


def test_a_new_card_waits_as_long_as_the_one_that_it_replaces(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1")], "1", now)
    store.message_put_off(store.next_messages(now)[0].id, now + timedelta(seconds=30))
    store.add_messages(made.id, [card("c2")], "2", now)
    assert store.next_messages(now) == ()
    (edit,) = store.next_messages(now + timedelta(seconds=30))
    assert (edit.key, edit.tries) == ("c2", 1)


def test_a_note_that_is_put_off_does_not_let_later_ones_by(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1"), note("n1"), card("c2"), note("n2")], "1", now)
    store.message_sent(store.next_messages(now)[0].id, HERE, now)
    store.add_messages(made.id, [card("c3")], "1", now)
    store.message_put_off(store.next_messages(now)[0].id, now + timedelta(seconds=1))
    assert store.next_messages(now) == ()
    assert send_all(store, now + timedelta(seconds=1)) == ["n1", "n2", "c3"]


# said twice, said wrongly


def test_saying_again_that_it_was_sent_is_harmless(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1"), note("n1")], "1", now)
    (first,) = store.next_messages(now)
    store.message_sent(first.id, HERE, now)
    store.message_sent(first.id, THERE, now)
    store.message_put_off(first.id, now + timedelta(hours=1))
    assert store.card(made.id) == HERE
    assert keys(store, now) == [(made.id, "n1")]
    store.add_messages(made.id, [card("c2")], "2", now)
    assert send_all(store, now) == ["n1", "c2"]
    store.message_sent(first.id, THERE, now)
    assert store.card(made.id) == HERE


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda store, now: store.add_messages(7, [card("c")], "1", now), "incident 7"),
        (lambda store, now: store.add_messages(7, [], "1", now), "incident 7"),
        (lambda store, now: store.message_sent(7, HERE, now), "message 7"),
        (lambda store, now: store.message_put_off(7, now), "message 7"),
    ],
    ids=["add", "add nothing", "sent", "put off"],
)
def test_what_is_not_there_is_refused(
    store: Store, now: datetime, act: Callable[[Store, datetime], None], says: str
) -> None:
    with pytest.raises(PermanentError, match=says):
        act(store, now)


@pytest.mark.parametrize(
    "value",
    [float("nan"), object(), timedelta(1), b"x", "\ud800"],
    ids=["not a number", "object", "duration", "bytes", "half a surrogate"],
)
def test_what_is_no_plain_json_is_refused_and_nothing_is_told(
    store: Store, now: datetime, made: Incident, value: object
) -> None:
    with pytest.raises(PermanentError, match="stored"):
        store.add_messages(made.id, [card("c1"), note("n1", odd=value)], made.mark, now)
    assert store.next_messages(now) == ()
    assert store.load(made.id) == made


def test_a_storm_is_told_card_by_card(store: Store, now: datetime, incident: Make) -> None:
    for n in range(60):
        made = store.create(incident(key=f"k{n}"), NOTE, now)
        store.add_messages(made.id, [card("c1"), note("n1")], "1", now)
    sent = 0
    while found := store.next_messages(now):
        assert len({message.incident for message in found}) == len(found) <= 50
        for message in found:
            store.message_sent(message.id, message.place or Place("C1", f"{message.incident}"), now)
        sent += len(found)
    assert sent == 120
    assert [store.incident_at(Place("C1", f"{n}")) for n in (1, 60)] == [1, 60]


def test_saying_again_that_a_replaced_card_was_sent_moves_nothing(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [card("c1")], "1", now)
    (on_its_way,) = store.next_messages(now)
    store.add_messages(made.id, [card("c2")], "2", now)
    store.message_sent(on_its_way.id, HERE, now)
    store.message_sent(store.next_messages(now)[0].id, THERE, now)
    store.message_sent(on_its_way.id, HERE, now)
    assert store.card(made.id) == THERE
