"""Ticks of polls: rules due together are one, the first comes at once, later ones at times of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.app.ticks import Ticks, regular
from opsbot.core.alert import AlertRule
from opsbot.tasks.schedule import latest

PATIENCE = 20.0
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def rule(name: str, every: float = 3600, offset: float = 0) -> AlertRule:
    return AlertRule(
        name, f"{name} > 0", "warning", every=timedelta(seconds=every), query_offset=timedelta(seconds=offset)
    )


class Polls:
    """What was polled, and when for; `hold` keeps polls inside."""

    def __init__(self) -> None:
        self.seen: list[tuple[list[str], datetime, datetime]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.error: Exception | None = None

    def __call__(self, rules: Sequence[AlertRule], at: datetime) -> None:
        self.seen.append(([rule.name for rule in rules], at, datetime.now(UTC)))
        self.hold.wait(PATIENCE)
        if self.error:
            raise self.error

    def names(self) -> list[list[str]]:
        return sorted(names for names, _, _ in self.seen)

    def until(self, count: int) -> None:
        end = time.monotonic() + PATIENCE
        while len(self.seen) < count:
            assert time.monotonic() < end, self.seen
            time.sleep(0.01)


@pytest.fixture
def polls() -> Polls:
    return Polls()


@pytest.fixture
def ticks(polls: Polls) -> Iterator[Ticks]:
    made = Ticks(polls, lambda: datetime.now(UTC), "prod/host-1", 4)
    yield made
    polls.hold.set()
    made.schedule.stop()


def test_rules_of_one_interval_and_offset_are_one_tick_and_the_first_comes_at_once(ticks: Ticks, polls: Polls) -> None:
    ticks.take_up([rule("a"), rule("b", 1800), rule("c"), rule("d", offset=60), rule("e", 1800)])
    ticks.schedule.start()
    polls.until(3)
    assert polls.names() == [["a", "c"], ["b", "e"], ["d"]]


def test_later_polls_are_for_regular_times(ticks: Ticks, polls: Polls) -> None:
    every = timedelta(seconds=0.4)
    phase = ticks._phase((every, timedelta()))
    ticks.take_up([rule("a", 0.4)])
    ticks.schedule.start()
    polls.until(5)
    for _, at, began in polls.seen[1:]:
        late = began - latest(began, every, phase) > every / 4  # on a machine that is too busy
        assert late or at == latest(at, every, phase) <= began


def test_rules_are_taken_up_and_dropped_while_it_ticks(ticks: Ticks, polls: Polls) -> None:
    ticks.take_up([rule("a", 0.2), rule("b", 0.2)])
    ticks.schedule.start()
    polls.until(2)
    ticks.take_up([rule("b", 0.2), rule("c")])
    seen = len(polls.seen)
    polls.until(seen + 4)
    late = [names for names, _, _ in polls.seen[seen + 1 :]]
    assert ["b"] in late
    assert not any("a" in names for names in late)
    assert ["c"] in polls.names()
    ticks.take_up([])
    time.sleep(0.3)
    seen = len(polls.seen)
    time.sleep(0.5)
    assert len(polls.seen) == seen


def test_a_poll_that_is_skipped_or_breaks_is_told_and_counted(
    ticks: Ticks, polls: Polls, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "opsbot.app")
    assert ticks.figures() == {"missed": 0}
    polls.hold.clear()
    ticks.take_up([rule("a", 0.1)])
    ticks.schedule.start()
    end = time.monotonic() + PATIENCE
    while ticks.figures()["missed"] < 2 and time.monotonic() < end:
        time.sleep(0.02)
    assert len(polls.seen) == 1
    assert caplog.records[0].getMessage() == "tick poll every 100ms: skipped: the one before still runs"
    polls.error = ValueError("disk full")
    polls.hold.set()
    while not any("disk full" in record.getMessage() for record in caplog.records) and time.monotonic() < end:
        time.sleep(0.02)
    assert any("tick poll every 100ms: ValueError: disk full" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(
    ("now", "want"), [(7, 7), (7.5, 7), (8, 7), (8.001, 8.001), (36.9, 36.9), (37, 37)],
    ids=["on time", "a little late", "just not too late", "too late", "before", "next"],
)  # fmt: skip
def test_the_time_a_poll_is_for(now: float, want: float) -> None:
    at = regular(START + timedelta(seconds=now), timedelta(seconds=30), timedelta(seconds=7))
    assert at == START + timedelta(seconds=want)


def test_intervals_and_machines_have_times_of_their_own() -> None:
    def phases(who: str) -> set[float]:
        ticks = Ticks(lambda _rules, _at: None, lambda: START, who)
        every = [timedelta(seconds=seconds) for seconds in (15, 30, 60)]
        assert all(timedelta() <= ticks._phase((one, timedelta())) < one for one in every)
        return {ticks._phase((one, timedelta())) / one for one in every}

    assert len(phases("prod/host-1") | phases("prod/host-2")) == 6
    assert phases("prod/host-1") == phases("prod/host-1")
