"""What is carried out where, and how long an end of the process waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from opsbot.chat import inbox
from opsbot.chat.inbox import AT_ONCE, Inbox
from opsbot.chat.payload import Pins
from opsbot.chat.pool import Pool
from opsbot.core.message import Said
from opsbot.store import SqlStore
from opsbot.testing.clock import ManualClock
from tests.chat.chat_world import ANA, NOW

PINS = Pins("T01", "A01", "C01")


def typed(text: str, place: int = 0) -> dict[str, str]:
    return {
        "command": "/opsbot", "text": text, "team_id": "T01", "api_app_id": "A01", "channel_id": "C01", "user_id": ANA,
        "trigger_id": f"1.{place}.{abs(hash(text))}",
    }  # fmt: skip


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.set()


def soon(look: Callable[[], object]) -> None:
    until = time.monotonic() + 5
    while not look():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("text", "slow"),
    [
        ("diagnose deploy/agents -n agents", True),
        ("DIAGNOSE deploy/agents -n agents", True),
        ("  Diagnose 1", True),
        ("'diagnose' 1", True),
        ("diagnose", False),
        ("diagnosed 1", False),
        ("show 1", False),
        ("ack 1 diagnose", False),
        ("reject 1 --reason diagnose", False),
        ("help diagnose", False),
        ("diagnose 'deploy", False),
        ("", False),
    ],
    ids=lambda value: str(value)[:20] or "nothing",
)
def test_only_a_diagnosis_is_slow(store: SqlStore, clock: ManualClock, text: str, slow: bool) -> None:
    threads: list[str] = []
    box = Inbox(store, PINS, clock, lambda _: threads.append(threading.current_thread().name))
    assert box.hear(typed(text)).status == 200
    soon(lambda: threads)
    assert threads[0].startswith("slack-slow" if slow else "slack-quick")
    box.close()


@pytest.mark.parametrize("text", ["diagnose deploy/agents -n agents", "show 1"])
def test_an_end_does_not_wait_for_what_takes_long(
    store: SqlStore, clock: ManualClock, gate: threading.Event, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """The row is kept, and the next process treats it, and what was not even begun."""
    monkeypatch.setattr(inbox, "PATIENCE", 0.1)
    begun: list[str] = []

    def slowly(said: Said) -> None:
        begun.append(said.id)
        gate.wait(30)

    first = Inbox(store, PINS, clock, slowly)
    for place in range(AT_ONCE + 3):
        assert first.hear(typed(text, place)).status == 200
    soon(lambda: len(begun) == AT_ONCE)
    closing = threading.Thread(target=first.close)
    closing.start()
    closing.join(5)
    assert not closing.is_alive()
    assert len(store.untreated()) == AT_ONCE + 3
    done: list[str] = []

    def swiftly(said: Said) -> None:
        done.append(said.id)
        store.treated(said.id, NOW)

    second = Inbox(store, PINS, clock, swiftly)
    second.catch_up()
    soon(lambda: not store.untreated())
    second.close()
    assert len(done) == len(set(done)) == AT_ONCE + 3
    assert len(begun) == AT_ONCE


def test_an_end_waits_for_what_is_nearly_done(store: SqlStore, clock: ManualClock) -> None:
    begun = threading.Event()

    def treat(said: Said) -> None:
        begun.set()
        time.sleep(0.1)
        store.treated(said.id, NOW)

    box = Inbox(store, PINS, clock, treat)
    box.hear(typed("show 1"))
    begun.wait(5)
    box.close()
    assert store.untreated() == ()


def _waits(gate: threading.Event) -> None:
    gate.wait(30)


def test_threads_of_a_pool_keep_no_process(gate: threading.Event) -> None:
    pool = Pool(2, "kept")
    pool.submit(partial(_waits, gate))
    assert all(made.daemon for made in threading.enumerate() if made.name.startswith("kept"))
    pool.close()
    assert not pool.join(time.monotonic())
    gate.set()
    assert pool.join(time.monotonic() + 5)


@pytest.mark.parametrize("reason", ["other_channel", "other_team", "other_app"])
@pytest.mark.parametrize("kind", ["mention", "command"])
def test_what_comes_from_elsewhere(
    store: SqlStore, clock: ManualClock, caplog: pytest.LogCaptureFixture, kind: str, reason: str
) -> None:
    """A person who speaks in another channel is heard, or Slack would count failures; a foreigner never is."""
    box = Inbox(store, PINS, clock, lambda _: None)
    other = {"other_channel": ("channel", "C9"), "other_team": ("team_id", "T9"), "other_app": ("api_app_id", "A9")}
    key, value = other[reason]
    event = {"type": "app_mention", "user": ANA, "channel": "C01", "text": "status"}
    body = {"type": "event_callback", "team_id": "T01", "api_app_id": "A01", "event_id": "Ev1", "event": event}
    made = typed("status") | {f"{key}_id" if key == "channel" else key: value} if kind == "command" else (
        body | {"event": event | {key: value}} if key == "channel" else body | {key: value}
    )  # fmt: skip
    assert box.hear(made).status == (200 if reason == "other_channel" else 403)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert store.untreated() == ()
    box.close()
