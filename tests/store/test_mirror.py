"""What is kept of the alerts that were read says what the database says, whoever has changed it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident, advance
from opsbot.store import SqlStore, mirror, open_store

NOTE = Note("monitor", "opened")
Make = Callable[[str], Incident]


@pytest.fixture
def other(store: SqlStore, url: str, now: datetime) -> Iterator[SqlStore]:
    """Another process with the same file."""
    store.due()
    opened = open_store(url, now)
    yield opened
    opened.close()


def alert(name: str, now: datetime, state: AlertState = AlertState.FIRING, value: float = 1.0) -> Alert:
    return Alert("rule-1", "slow", name, "critical", {"pod": name}, state, now, value=value)


def told(store: SqlStore) -> object:
    """All that is answered from what is kept."""
    return (
        store.alerts(), store.owners(), store.due(), store.incidents(), store.known(["a1", "a2", "a3"]),
        [store.load(number) for number in (1, 2, 3)],
    )  # fmt: skip


def test_changes_of_another_process_are_seen(store: SqlStore, other: SqlStore, now: datetime, incident: Make) -> None:
    one, two = alert("a1", now), alert("a2", now)
    other.receive([one])
    assert store.alerts() == (one,)
    made = other.create(incident("k"), NOTE, now, ["a1"])
    assert (store.owners(), store.due()) == ({"a1": 1}, (made,))
    other.receive([two, replace(one, value=2.0)])
    other.attach(1, ["a2"], NOTE, now)
    assert store.due() == (replace(made, alerts=(replace(one, value=2.0), two)),)
    other.forget(["a1"])
    assert (store.alerts(), store.due()) == ((two,), (replace(made, alerts=(two,)),))


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_it_says_what_is_read_anew(
    store: SqlStore,
    other: SqlStore,
    url: str,
    now: datetime,
    incident: Make,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mirror, "ROOM", seed % 3)
    monkeypatch.setattr(mirror, "KEPT", 5 if seed % 2 else 500)
    dice, names = random.Random(seed), [f"a{n}" for n in range(8)]
    for number in (1, 2, 3):
        store.create(incident(f"k{number}"), NOTE, now)
    for step in range(60):
        _one_change(dice.choice((store, other)), dice, names, now + timedelta(seconds=step))
        if dice.random() < 0.5:
            fresh = open_store(url, now)
            assert told(store) == told(fresh)
            fresh.close()
    assert told(store) == told(other)
    assert store.verify() == ()


def _one_change(store: SqlStore, dice: random.Random, names: list[str], now: datetime) -> None:
    some = dice.sample(names, dice.randint(1, 4))
    there = [one.fingerprint for one in store.alerts()]
    what = dice.randrange(5)
    if what == 0:
        store.forget(some)
    elif what == 1 and there:
        store.attach(dice.choice((1, 2, 3)), dice.sample(there, 1), NOTE, now)
    elif what == 2:
        one = store.load(dice.choice((1, 2, 3)))
        assert one is not None
        store.save(advance(one, "cleared" if one.unresolved else "refired", now), NOTE, now)
    else:
        state = dice.choice((AlertState.FIRING, AlertState.RESOLVED))
        store.receive([alert(name, now, state, dice.random()) for name in some])


def test_what_was_taken_back_was_never_there(store: SqlStore, other: SqlStore, now: datetime, incident: Make) -> None:
    store.receive([alert("a1", now)])
    with pytest.raises(PermanentError):
        store.create(incident("k"), NOTE, now, ["a1", "never"])
    assert (store.owners(), store.due(), other.owners()) == ({}, (), {})


def test_a_hand_is_seen(store: SqlStore, file: Path, now: datetime, incident: Make) -> None:
    store.receive([alert("a1", now), alert("a2", now)])
    store.create(incident("k"), NOTE, now, ["a1"])
    assert len(store.alerts()) == 2
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alerts SET body = replace(body, '\"slow\"', '\"slower\"') WHERE fingerprint = 'a1'")
        raw.execute("DELETE FROM alerts WHERE fingerprint = 'a2'")
    raw.close()
    assert [one.name for one in store.alerts()] == ["slower"]
    assert [one.name for one in store.due()[0].alerts] == ["slower"]
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alerts SET fingerprint = 'a3'")
    raw.close()
    assert list(store.owners()) == ["a3"]


def test_the_list_of_changes_stays_short(
    store: SqlStore, file: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "KEPT", 20)
    for value in range(50):
        store.receive([alert("a1", now, value=float(value)), alert("a2", now)])
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM alert_changes").fetchone()[0] <= 21
    raw.close()


def test_what_was_let_go_is_not_kept_for_ever(
    store: SqlStore, now: datetime, incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "ROOM", 10)
    for number in range(1, 21):
        names = [f"a{number}-{place}" for place in range(5)]
        store.receive([alert(name, now, AlertState.RESOLVED) for name in names])
        made = store.create(incident(f"k{number}"), NOTE, now, names)
        store.forget(names)
        closed = store.save(advance(made, "closed", now), NOTE, now)
        store.add_report(closed.id, closed.version, "over", now)
        store.due()
        loaded = store.load(number)
        assert loaded is not None
        assert len(loaded.alerts) == 5
        assert len(store._mirror._rows) <= 15
    assert store.alerts() == ()


def test_one_that_was_spoilt_is_logged_once_and_hides_no_other(
    store: SqlStore, file: Path, now: datetime, incident: Make, caplog: pytest.LogCaptureFixture
) -> None:
    store.receive([alert("a1", now), alert("a2", now)])
    store.create(incident("k"), NOTE, now, ["a1"])
    store.create(incident("other"), NOTE, now, ["a2"])
    store.due()
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alerts SET body = '{' WHERE fingerprint = 'a1'")
    raw.close()
    for _ in range(3):
        assert [one.fingerprint for one in store.alerts()] == ["a2"]
    assert caplog.text.count("an alert cannot be read back") == 1
    assert [one.key for one in store.due()] == ["other"]
    with pytest.raises(PermanentError, match="the record of incident 1 cannot be read back"):
        store.load(1)
