"""How many may open, how long the others wait, and what a storm is called."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsbot.config import Incidents
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State
from opsbot.monitor.looking import storms
from tests.monitor.calm_world import alert, at

CALM = Incidents(
    storm_above=3, storm_within=timedelta(minutes=1), debounce=timedelta(seconds=5), max_wait=timedelta(seconds=30)
)


def incident(key: str = "k", opened: float = 0, origin: str = "alert", **changes: object) -> Incident:
    return Incident(
        id=1, key=key, version=1, state=State.OPEN, severity="warning", title=MaskedText("t"), opened_at=at(opened),
        since=at(opened), origin=origin, **changes,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("times", "now", "room"),
    [((), 0, 3), ((0, 1), 2, 1), ((0, 1, 2), 3, 0), ((0, 1, 2, 3, 4), 5, 0), ((0, 1, 2), 60, 1), ((0, 1, 2), 62, 3)],
    ids=["nothing yet", "one left", "full", "more than full", "the first is a minute old", "all are"],
)
def test_room(times: tuple[float, ...], now: float, room: int) -> None:
    assert storms.room([at(time) for time in times], at(now), CALM) == room


def test_what_counts_as_opened() -> None:
    found = [
        incident(opened=1), incident(storms.STORM, 2), incident(origin="manual"),
        incident(opened=4, flaps=(at(10), at(20))), incident(opened=5, flaps=(at(30), at(40)), flapping=True),
    ]  # fmt: skip
    assert storms.opened(found) == [at(1), at(4), at(20), at(5)]


@pytest.mark.parametrize(
    ("since", "now", "settled"),
    [((), 99, False), ((0,), 4.9, False), ((0,), 5, True), ((0, 3), 5, False), ((0, 3), 8, True), ((0, 29), 30, True)],
    ids=["nothing waits", "not yet", "settled", "something came", "settled after that", "long enough"],
)
def test_settled(since: tuple[float, ...], now: float, settled: bool) -> None:
    assert storms.settled([at(time) for time in since], at(now), CALM) is settled


@pytest.mark.parametrize(
    ("alerts", "title"),
    [
        ([alert("A")], "Storm: 1 alert of 1 rule within 1s"),
        ([alert("A", to="w"), alert("A", 90, to="v")], "Storm: 2 alerts of 1 rule on 2 targets within 1m30s"),
        ([alert("A", to="w"), alert("B", 2, to="w"), alert("C")], "Storm: 3 alerts of 3 rules on 1 target within 2s"),
    ],
    ids=["one", "two targets", "some without"],
)
def test_title(alerts: list, title: str) -> None:  # type: ignore[type-arg]
    assert storms.fold(alerts).title == title


def test_what_is_in_it_already_counts_but_is_not_given_again() -> None:
    cause = storms.fold([alert("A", 7)], [alert("B", 1, severity="critical")])
    assert (cause.severity, cause.begun, cause.alerts) == ("critical", at(7), (alert("A", 7).fingerprint,))
    assert cause.title == "Storm: 2 alerts of 2 rules within 6s"
