"""Why an alert is held back now: the reasons in their order, in words, and when that may change."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.silence import Inhibition, Silence, Window
from opsbot.mask import mask
from opsbot.matchers import parse
from opsbot.monitor.looking.holding import Hold, Holding

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)


def alert(labels: dict[str, str], **given: Any) -> Alert:
    known: dict[str, Any] = {
        "rule": "r", "name": labels.get("alertname", "x"), "fingerprint": repr(sorted(labels.items())),
        "severity": labels.get("severity", "warning"), "state": AlertState.FIRING, "active_at": NOW, "fired_at": NOW,
    }  # fmt: skip
    return Alert(labels=labels, **(known | given))


def silence(number: int, matchers: str = "ns=shop", begins: float = -1, ends: float = 1, **given: Any) -> Silence:
    known: dict[str, Any] = {"author": "Ana", "comment": "load test", "made_at": NOW - HOUR}
    return Silence(number, parse(matchers), starts_at=NOW + begins * HOUR, ends_at=NOW + ends * HOUR, **(known | given))


def window(name: str = "night", begins: int = 11, ends: int = 13, matchers: str = "") -> Window:
    return Window(name, time(begins), time(ends), weekdays=(0,), matchers=parse(matchers))


NODE = alert({"alertname": "NodeDown", "node": "n1", "severity": "critical"})
POD = alert({"alertname": "PodDown", "node": "n1", "ns": "shop"})
BY_NODE = Inhibition(parse("alertname=NodeDown"), parse("alertname=~Pod.*"), ("node",), "nodes")


def held(target: Alert = POD, **given: Any) -> Hold | None:
    return Holding(now=NOW, **given).of(target)


SAID: dict[str, tuple[dict[str, Any], Alert, str, str, float | None]] = {
    "severity none": (
        {}, alert({"alertname": "Watchdog", "severity": "none"}), "severity_none", "severity none", None,
    ),
    "a silence": (
        {"silences": [silence(7)]}, POD, "silenced", "silence 7 of Ana until 2026-05-04 13:00:00 UTC: load test", 1,
    ),
    "an inhibition": (
        {"inhibitions": [BY_NODE], "alerts": [NODE, POD]}, POD, "inhibited",
        'NodeDown is firing (rule nodes): {node="n1", severity="critical"}', None,
    ),
    "a window": ({"windows": [window()]}, POD, "maintenance", "window night until 2026-05-04 13:00:00 UTC", 1),
    "a window with matchers": (
        {"windows": [window("other", matchers="ns=x"), window("shop", matchers="ns=shop")]}, POD, "maintenance",
        "window shop until 2026-05-04 13:00:00 UTC", 1,
    ),
    "the silence that lasts longest": (
        {"silences": [silence(1), silence(2, ends=3), silence(3, ends=2)]}, POD, "silenced",
        "silence 2 of Ana until 2026-05-04 15:00:00 UTC: load test", 3,
    ),
    "the older of two silences": (
        {"silences": [silence(2), silence(1)]}, POD, "silenced",
        "silence 1 of Ana until 2026-05-04 13:00:00 UTC: load test", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "target", "reason", "says", "hours"), SAID.values(), ids=SAID)
def test_held(given: dict[str, Any], target: Alert, reason: str, says: str, hours: float | None) -> None:
    found = held(target, **given)
    assert found
    assert (found.reason, found.until) == (reason, None if hours is None else NOW + hours * HOUR)
    assert says in found.says


FREE: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a silence of others": {"silences": [silence(1, "ns=x")]},
    "a silence to come": {"silences": [silence(1, begins=0.1)]},
    "a silence that is over": {"silences": [silence(1, ends=0)]},
    "a window of others": {"windows": [window(matchers="ns=x")]},
    "a window to come": {"windows": [window(begins=13, ends=14)]},
    "a window that is over": {"windows": [window(ends=12)]},
    "an inhibition without source": {"inhibitions": [BY_NODE], "alerts": [POD]},
    "another node": {"inhibitions": [BY_NODE], "alerts": [alert({"alertname": "NodeDown", "node": "n2"})]},
}


@pytest.mark.parametrize("given", FREE.values(), ids=FREE)
def test_free(given: dict[str, Any]) -> None:
    assert held(**given) is None


def test_the_first_reason_in_order_is_given() -> None:
    """Each is taken away in turn, and the next one shows."""
    every: dict[str, Any] = {
        "silences": [silence(1, "node=n1")], "inhibitions": [BY_NODE], "windows": [window()], "alerts": [NODE],
    }  # fmt: skip
    quiet = alert({**POD.labels, "severity": "none"})
    reasons = [held(quiet, **every), held(**every), held(**{**every, "silences": []})]
    reasons += [held(**{**every, "silences": [], "inhibitions": []})]
    assert [one and one.reason for one in reasons] == ["severity_none", "silenced", "inhibited", "maintenance"]


def test_a_source_that_is_silenced_inhibits_all_the_same() -> None:
    found = Holding(silences=[silence(1, "alertname=NodeDown")], inhibitions=[BY_NODE], alerts=[NODE, POD], now=NOW)
    silenced, inhibited = found.of(NODE), found.of(POD)
    assert silenced
    assert inhibited
    assert (silenced.reason, inhibited.reason) == ("silenced", "inhibited")


CHANGES: dict[str, tuple[dict[str, Any], float | None]] = {
    "nothing": ({}, None),
    "a silence ends": ({"silences": [silence(1, ends=2)]}, 2),
    "a silence begins": ({"silences": [silence(1, begins=0.5)]}, 0.5),
    "all are over": ({"silences": [silence(1, begins=-3, ends=-1)]}, None),
    "one was ended before it began": ({"silences": [silence(1, begins=1, ends=-0.5)]}, None),
    "a window ends": ({"windows": [window(ends=14)]}, 2),
    "a window begins": ({"windows": [window(begins=17, ends=18)]}, 5),
    "the first of all": (
        {"windows": [window(ends=14)], "silences": [silence(1, ends=3), silence(2, begins=1.5, ends=4)]},
        1.5,
    ),
}


@pytest.mark.parametrize(("given", "hours"), CHANGES.values(), ids=CHANGES)
def test_when_that_may_change_next(given: dict[str, Any], hours: float | None) -> None:
    assert Holding(now=NOW, **given).changes == (None if hours is None else NOW + hours * HOUR)


def test_what_is_said_is_masked_and_bounded() -> None:
    secret = "postgres://app:hunter2secret@db/shop"  # gitleaks:allow
    source = alert({"alertname": "NodeDown", "node": "n1", "address": secret, "more": "x" * 1000})
    by_silence = held(silences=[silence(1, comment=f"see {secret} " + "y" * 1000)])
    by_source = held(inhibitions=[BY_NODE], alerts=[source])
    for found in (by_silence, by_source):
        assert found
        assert "hunter2secret" not in found.says
        assert len(found.says) <= 300
        assert type(found.says) is type(mask(""))


def test_what_is_said_stays_the_same_while_more_sources_come() -> None:
    """A verdict is written when it changes, so it may not change with each new alert."""
    later = alert({"alertname": "NodeDown", "node": "n1", "a": "0"}, fingerprint="0", fired_at=NOW + HOUR)
    first = held(inhibitions=[BY_NODE], alerts=[NODE])
    assert first
    assert held(inhibitions=[BY_NODE], alerts=[later, NODE, POD]) == first
