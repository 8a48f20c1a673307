"""Figures of a store, and alerts by their fingerprints: what webhooks and metrics ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.incident import Incident, advance
from opsbot.core.message import Draft, Kind
from opsbot.core.ports import Store


def test_of_an_empty_store_everything_is_none(store: Store) -> None:
    found = store.figures()
    assert (found.alerts, found.incidents, found.opened, found.messages) == ({}, {}, 0, 0)
    assert found.size > 0
    assert found.version >= 1


def test_alerts_are_counted_by_state_and_severity(store: Store, alert: Callable[..., Alert]) -> None:
    firing = [alert(name, state=AlertState.FIRING) for name in "abc"]
    store.receive([*firing, alert("d", state=AlertState.RESOLVED, severity="info")])
    assert store.figures().alerts == {("firing", "critical"): 3, ("resolved", "info"): 1}


def test_incidents_are_counted_by_state_while_they_are_unresolved(
    store: Store, incident: Callable[..., Incident], now: datetime
) -> None:
    note = Note("test", "made")
    for key in "ab":
        store.create(incident(key=key), note, now)
    over = store.create(incident(key="c"), note, now)
    store.save(advance(over, "cleared", now), note, now)
    found = store.figures()
    assert (found.incidents, found.opened) == ({"open": 2}, 3)


def test_messages_that_wait_are_counted(store: Store, incident: Callable[..., Incident], now: datetime) -> None:
    made = store.create(incident(), Note("test", "made"), now)
    store.add_messages(made.id, [Draft(Kind.CARD, "card", {"text": "x"})], made.mark, now)
    assert store.figures().messages == 1


def test_alerts_are_found_by_fingerprint(store: Store, alert: Callable[..., Alert]) -> None:
    store.receive([alert(name) for name in "abc"])
    assert {one.fingerprint for one in store.known(["a", "c", "x"])} == {"a", "c"}
    assert store.known([]) == ()


def test_an_alert_that_was_let_go_is_not_known(
    store: Store, alert: Callable[..., Alert], incident: Callable[..., Incident], now: datetime
) -> None:
    over = replace(alert("a"), state=AlertState.RESOLVED)
    store.receive([over])
    store.create(incident(), Note("test", "made"), now, ["a"])
    store.forget(["a"])
    assert store.known(["a"]) == ()


def test_many_are_found_at_once(store: Store, alert: Callable[..., Alert]) -> None:
    names = [f"n{number}" for number in range(2_500)]
    store.receive([alert(name) for name in names])
    assert len(store.known(names)) == 2_500
