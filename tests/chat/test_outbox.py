"""The outbox against a store and a chat that behaves, or does not: order, at least once, the newest edit, patience."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from opsbot.chat.notify import Notifier
from opsbot.chat.outbox import LONGEST_REST, STUBBORN, Outbox
from opsbot.chat.port import Json
from opsbot.core.approval import ApprovalState, Decision
from opsbot.core.audit import Note
from opsbot.core.errors import OpsbotError, PermanentError, Refused, TemporaryError
from opsbot.core.incident import Incident, State
from opsbot.core.message import Draft, Kind, Place
from opsbot.store import SqlStore
from opsbot.testing.clock import ManualClock
from tests.chat.chat_world import ACCESS, awaiting, incident_in

Tell = Callable[..., None]
New = Callable[[str], int]


@dataclass
class FakeChat:
    """`port.Chat` in memory; `trouble` is raised by the next calls, one after the other."""

    trouble: list[OpsbotError] = field(default_factory=list)
    done: list[tuple[str, str, str]] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)

    def _meet(self) -> None:
        if self.trouble:
            raise self.trouble.pop(0)

    def post(self, body: Json, thread: str = "") -> Place:
        self._meet()
        if thread in self.gone:
            raise Refused("gone", "Slack says thread_not_found")
        self.done.append(("post" if not thread else f"below {thread}", body["text"], ("blocks" in body and "b") or ""))
        return Place("C1", f"{len(self.done)}.0")

    def edit(self, place: Place, body: Json) -> Place:
        self._meet()
        if place.ts in self.gone:
            raise Refused("gone", "Slack says message_not_found")
        self.done.append((f"edit {place.ts}", body["text"], ""))
        return place

    def tell(self, person: str, body: Json, thread: str = "") -> None:
        raise AssertionError

    def open(self, trigger: str, view: Json) -> None:
        raise AssertionError

    @property
    def said(self) -> list[str]:
        return [f"{how}: {text}" for how, text, _ in self.done]


@pytest.fixture
def chat() -> FakeChat:
    return FakeChat()


@pytest.fixture
def outbox(store: SqlStore, chat: FakeChat, clock: ManualClock) -> Outbox:
    return Outbox(store, chat, clock)


@pytest.fixture
def new(store: SqlStore, clock: ManualClock) -> Callable[[str], int]:
    def make(key: str) -> int:
        return store.create(replace(incident_in(), key=key), Note("monitor", "opened"), clock()).id

    return make


@pytest.fixture
def tell(store: SqlStore, clock: ManualClock) -> Callable[..., None]:
    def drafted(incident: int, *texts: str, mark: str = "m") -> None:
        drafts = [
            Draft(Kind.CARD if text.startswith("card") else Kind.NOTE, text.split()[0], {"text": text, "blocks": []})
            for text in texts
        ]
        store.add_messages(incident, drafts, mark, clock())

    return drafted


def test_the_card_first_then_its_thread_in_order(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    tell(new("a"), "card", "one", "two")
    assert outbox.drain() == 3
    assert chat.said == ["post: card", "below 1.0: one", "below 1.0: two"]
    assert outbox.drain() == 0


def test_the_card_is_edited_in_place(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    number = new("a")
    tell(number, "card 1")
    outbox.drain()
    tell(number, "card 2")
    outbox.drain()
    assert chat.said == ["post: card 1", "edit 1.0: card 2"]


def test_of_many_edits_only_the_newest_is_sent(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    number = new("a")
    for version in range(200):
        tell(number, f"card {version}", "one", mark=str(version))
    outbox.drain()
    assert chat.said == ["post: card 199", "below 1.0: one"]


def test_while_slack_is_down_nothing_is_lost(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    first, second = new("a"), new("b")
    chat.trouble = [TemporaryError("down", retry_after=0.0)] * 8
    tell(first, "card a", "one")
    tell(second, "card b")
    tries = 0
    while not chat.done:
        tries += 1
        outbox.drain()
        tell(first, f"card a{tries}", f"note{tries}", mark=str(tries))
        clock.advance(LONGEST_REST)
    assert tries == 9
    while outbox.drain():
        pass
    told = [text.split(": ", 1)[1] for text in chat.said]
    assert sum(said.startswith("post") for said in chat.said) == 2
    notes = [text for text in told if not text.startswith("card")]
    assert notes == ["one", *(f"note{place}" for place in range(1, 10))]
    assert [text for text in told if text.startswith("card a")] in (["card a8", "card a9"], ["card a9"])


@pytest.mark.parametrize(("asked", "rests"), [(30.0, 30), (1.0, 1), (0.0, 1)], ids=["as asked", "a second", "unasked"])
def test_slack_says_when_to_come_again(
    asked: float, rests: int, new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [TemporaryError("not so fast", retry_after=asked)]
    tell(new("a"), "card a")
    tell(new("b"), "card b")
    assert outbox.drain() == 0
    clock.advance(timedelta(seconds=rests) - timedelta(milliseconds=1))
    assert outbox.drain() == 0
    assert chat.done == []
    clock.advance(timedelta(milliseconds=1))
    assert outbox.drain() == 2


def test_a_rest_that_slack_asks_for_makes_no_later_rest_longer(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [*[TemporaryError("not so fast", retry_after=1.0)] * 6, TemporaryError("down", retry_after=0.0)]
    tell(new("a"), "card a")
    for _ in range(6):
        outbox.drain()
        clock.advance(1)
    outbox.drain()
    assert (chat.trouble, chat.done) == ([], [])
    clock.advance(1)
    assert outbox.drain() == 1


def test_when_slack_is_back_a_rest_after_trouble_is_over(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [TemporaryError("down", retry_after=0.0)] * 8
    tell(new("a"), "card a", "one")
    tell(new("b"), "card b")
    while chat.trouble:
        outbox.drain()
        clock.advance(LONGEST_REST if len(chat.trouble) > 0 else 1)
    assert outbox.drain() == 0
    outbox.back()
    assert outbox.drain() == 3
    chat.trouble = [TemporaryError("down", retry_after=0.0)]
    tell(new("c"), "card c")
    outbox.drain()
    outbox.back()
    assert outbox.drain() == 1


def test_when_slack_is_back_and_down_again_it_rests_again(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [TemporaryError("down", retry_after=0.0)] * 3
    tell(new("a"), "card a")
    outbox.drain()
    outbox.back()
    outbox.drain()
    assert len(chat.trouble) == 1
    assert outbox.drain() == 0
    assert len(chat.trouble) == 1
    clock.advance(1)
    outbox.drain()
    assert chat.trouble == []


def test_when_slack_is_back_what_it_has_asked_for_and_what_a_human_must_mend_wait_on(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [PermanentError("Slack says no_permission"), TemporaryError("not so fast", retry_after=30.0)]
    tell(new("a"), "card a")
    tell(new("b"), "card b")
    outbox.drain()
    outbox.back()
    assert outbox.drain() == 0
    clock.advance(30)
    assert outbox.drain() == 1
    assert chat.said == ["post: card b"]


def test_rests_grow_and_end(new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock) -> None:
    chat.trouble = [TemporaryError("down", retry_after=0.0)] * 9
    tell(new("a"), "card a")
    rests = []
    begun = clock()
    while chat.trouble:
        before = len(chat.trouble)
        outbox.drain()
        if len(chat.trouble) < before:
            rests.append((clock() - begun).total_seconds())
            begun = clock()
        clock.advance(1)
    assert rests == [0, 1, 2, 4, 8, 16, 32, 60, 60]


def test_a_card_that_is_gone_comes_back_as_a_new_one(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    number = new("a")
    tell(number, "card 1", "one")
    outbox.drain()
    chat.gone = {"1.0"}
    tell(number, "card 2", "two")
    outbox.drain()
    assert chat.said[2:] == ["post: card 2", "below 3.0: two"]


def test_a_note_whose_thread_is_gone_is_told_all_the_same(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat
) -> None:  # fmt: skip
    number = new("a")
    tell(number, "card 1")
    outbox.drain()
    chat.gone = {"1.0"}
    tell(number, "two")
    outbox.drain()
    assert chat.said[1:] == ["post: two"]


def test_a_body_that_slack_does_not_take_goes_as_text(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    chat.trouble = [Refused("bad_body", "Slack says invalid_blocks")]
    tell(new("a"), "card 1")
    outbox.drain()
    assert chat.done == [("post", "card 1", "")]


def test_what_a_human_must_mend_keeps_only_its_own_incident_waiting(
    new: New, tell: Tell, outbox: Outbox, chat: FakeChat, clock: ManualClock
) -> None:
    chat.trouble = [PermanentError("Slack says no_permission")]
    tell(new("a"), "card a", "one")
    tell(new("b"), "card b")
    outbox.drain()
    assert chat.said == ["post: card b"]
    clock.advance(STUBBORN)
    outbox.drain()
    assert chat.said == ["post: card b", "post: card a", "below 2.0: one"]


def test_a_crash_between_sending_and_noting_sends_again(
    new: New, tell: Tell, store: SqlStore, chat: FakeChat, clock: ManualClock
) -> None:
    class Crashes(SqlStore):
        def message_sent(self, *_: object) -> None:
            raise KeyboardInterrupt

    tell(new("a"), "card a")
    crashing = Crashes.__new__(Crashes)
    crashing.__dict__ = store.__dict__
    with pytest.raises(KeyboardInterrupt):
        Outbox(crashing, chat, clock).drain()
    Outbox(store, chat, clock).drain()
    assert chat.said == ["post: card a", "post: card a"]


def test_it_runs_until_it_is_stopped(new: New, tell: Tell, outbox: Outbox, chat: FakeChat) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=outbox.run, args=(stop,))
    thread.start()
    tell(new("a"), "card a")
    outbox.wake()
    for _ in range(500):
        if chat.done:
            break
        threading.Event().wait(0.01)
    stop.set()
    outbox.wake()
    thread.join(5)
    assert not thread.is_alive()
    assert chat.said == ["post: card a"]


# what the notifier drafts ---------------------------------------------------------------------------------------------


@pytest.fixture
def walk(store: SqlStore, clock: ManualClock) -> Callable[..., Incident]:
    """Save an incident's next version and tell of it."""

    def step(incident: Incident, **given: object) -> Incident:
        saved = store.save(replace(incident, **given), Note("test", "moved"), clock())  # type: ignore[arg-type]
        Notifier(store, ACCESS).notify(saved, clock())
        return saved

    return step


def test_telling_twice_tells_once(
    store: SqlStore, clock: ManualClock, outbox: Outbox, chat: FakeChat, walk: Callable[..., Incident]
) -> None:
    made = walk(store.create(awaiting(), Note("monitor", "opened"), clock()))
    outbox.drain()
    before = list(chat.said)
    assert before[0].startswith("post: Incident")
    assert [said.split(":")[1].split()[0] for said in before[1:]] == ["Diagnosis", "Proposed"]
    for _ in range(5):
        Notifier(store, ACCESS).notify(made, clock())
    outbox.drain()
    assert chat.said == before


def test_a_flood_of_versions_makes_few_messages(
    store: SqlStore, clock: ManualClock, outbox: Outbox, chat: FakeChat, walk: Callable[..., Incident]
) -> None:
    made = store.create(incident_in(), Note("monitor", "opened"), clock())
    for place in range(100):
        made = walk(made, reason=f"look_{place}")
    outbox.drain()
    assert len(chat.done) == 1


def test_each_milestone_is_told_once_in_the_thread(
    store: SqlStore, clock: ManualClock, outbox: Outbox, chat: FakeChat, walk: Callable[..., Incident]
) -> None:
    made = walk(store.create(awaiting(), Note("monitor", "opened"), clock()))
    outbox.drain()
    asked = made.approval
    assert asked
    yes = replace(asked, state=ApprovalState.APPROVED, decisions=(Decision("Ana", True, clock(), "slack"),))
    made = walk(made, state=State.APPROVED, approval=yes, acked_by="Ben")
    outbox.drain()
    made = walk(made, state=State.RESOLVED, resolved_at=clock(), reason="verified")
    outbox.drain()
    outbox.drain()
    told = [said.split(": ", 1)[1] for said in chat.said if said.startswith("below")]
    assert [text.split(",")[0].split(" it at")[0] for text in told] == [
        "Diagnosis: overload", "Proposed: scale_up_agents", "Ben looks into it.", "Ana approved",
        "Resolved after 2m: verified. Overload on agents",
    ]  # fmt: skip
    assert sum(said.startswith("post") for said in chat.said) == 1


def test_the_mark_is_kept(store: SqlStore, clock: ManualClock, walk: Callable[..., Incident]) -> None:
    made = walk(store.create(incident_in(), Note("monitor", "opened"), clock()))
    found = store.load(made.id)
    assert found
    assert found.told == found.mark
