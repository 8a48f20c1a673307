"""Ticks: at once, again and again, never two of one name at a time, never skipped in silence, not ended by errors."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.errors import PermanentError
from opsbot.tasks.schedule import Schedule, latest

TICK = timedelta(milliseconds=100)
PATIENCE = 30.0


def _clock() -> datetime:
    return datetime.now(UTC)


class Told:
    """Hears what the schedule tells."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []
        self.enough = threading.Event()

    def __call__(self, name: str, what: str) -> None:
        self.said.append((name, what))
        self.enough.set()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def schedule(told: Told) -> Iterator[Schedule]:
    made = Schedule(_clock, threads=2, tell=told)
    yield made
    made.stop()


def test_the_first_tick_comes_at_once(schedule: Schedule) -> None:
    ticked = threading.Event()
    schedule.every(timedelta(hours=1), ticked.set, "poll")
    schedule.start()
    assert ticked.wait(PATIENCE)


def test_ticks_go_on_after_errors_and_each_error_is_told_in_one_line(schedule: Schedule, told: Told) -> None:
    times, third = 0, threading.Event()

    def poll() -> None:
        nonlocal times
        times += 1
        if times == 3:
            third.set()
        raise ValueError("line one\nat https://bot:hunter2secret@prometheus")

    schedule.every(TICK, poll, "poll")
    schedule.start()
    assert third.wait(PATIENCE)
    name, what = told.said[0]
    assert name == "poll"
    assert what.startswith("ValueError: line one at https://")
    assert "hunter2secret" not in what
    assert "\n" not in what


def test_a_tick_that_finds_its_forerunner_running_is_skipped_and_told(schedule: Schedule, told: Told) -> None:
    gate, again = threading.Event(), threading.Event()
    inside, most, times = 0, 0, 0

    def slow() -> None:
        nonlocal inside, most, times
        inside, times = inside + 1, times + 1
        most = max(most, inside)
        gate.wait(PATIENCE)
        inside -= 1
        if times > 1:
            again.set()

    schedule.every(TICK, slow, "slow")
    schedule.start()
    assert told.enough.wait(PATIENCE)
    assert told.said[0] == ("slow", "skipped: the one before still runs")
    gate.set()
    assert again.wait(PATIENCE)
    assert most == 1


def test_one_slow_tick_does_not_hold_up_another(schedule: Schedule) -> None:
    gate, ticked = threading.Event(), threading.Event()
    schedule.every(timedelta(hours=1), lambda: gate.wait(PATIENCE), "slow")
    schedule.every(timedelta(hours=1), ticked.set, "fast")
    schedule.start()
    assert ticked.wait(PATIENCE)
    gate.set()


def test_a_tick_that_comes_late_is_taken_all_the_same(told: Told) -> None:
    """Due an hour ago, as after a stall of the whole machine: taken once, not dropped and not sixty times."""
    times, ticked = 0, threading.Event()

    def poll() -> None:
        nonlocal times
        times += 1
        ticked.set()

    late = Schedule(lambda: _clock() - timedelta(hours=1), tell=told)
    late.every(timedelta(minutes=1), poll, "poll")
    late.start()
    assert ticked.wait(PATIENCE)
    late.stop()
    assert times == 1
    assert told.said == []


def test_no_tick_comes_after_the_stop(schedule: Schedule) -> None:
    times, ticked = 0, threading.Event()

    def poll() -> None:
        nonlocal times
        times += 1
        ticked.set()

    schedule.every(TICK, poll, "poll")
    schedule.start()
    assert ticked.wait(PATIENCE)
    schedule.stop()
    after = times
    assert not threading.Event().wait(0.25)
    assert times == after


@pytest.mark.parametrize(
    ("interval", "name", "says"),
    [(timedelta(), "b", "too short"), (timedelta(seconds=-1), "b", "too short"), (TICK, "a", "there already")],
    ids=["none", "negative", "a name twice"],
)
def test_what_cannot_be_scheduled_is_refused(schedule: Schedule, interval: timedelta, name: str, says: str) -> None:
    schedule.every(TICK, lambda: None, "a")
    with pytest.raises(PermanentError, match=says):
        schedule.every(interval, lambda: None, name)


def test_told_to_nobody_else_it_goes_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    failed = threading.Event()

    class Watched(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            failed.set()

    handler, log = Watched(), logging.getLogger("opsbot.tasks")
    log.addHandler(handler)
    made = Schedule(_clock)
    made.every(timedelta(hours=1), lambda: 1 / 0, "poll")
    made.start()
    assert failed.wait(PATIENCE)
    made.stop()
    log.removeHandler(handler)
    (said,) = [record.getMessage() for record in caplog.records if record.name == "opsbot.tasks"]
    assert said.startswith("tick poll: ZeroDivisionError: division by zero (")


def test_a_tick_that_is_dropped_comes_no_more(schedule: Schedule) -> None:
    came = threading.Event()
    schedule.every(TICK, lambda: None, "gone")
    schedule.drop("gone")
    schedule.drop("never there")
    schedule.every(TICK, came.set, "gone")
    schedule.start()
    assert came.wait(PATIENCE)


# regular times --------------------------------------------------------------------------------------------------------

DAY = datetime(2026, 5, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "phase", "want"),
    [(0, 0, 0), (14.999, 0, 0), (15, 0, 15), (0, 7, -8), (7, 7, 7), (6.999, 7, -8), (22, 7, 22)],
)
def test_the_latest_regular_time(now: float, phase: float, want: float) -> None:
    found = latest(DAY + timedelta(seconds=now), timedelta(seconds=15), timedelta(seconds=phase))
    assert found == DAY + timedelta(seconds=want)


def test_with_a_phase_ticks_keep_to_regular_times_whenever_the_first_was(schedule: Schedule) -> None:
    every, phase = timedelta(seconds=0.4), timedelta(seconds=0.1)
    times: list[datetime] = []
    enough = threading.Event()

    def poll() -> None:
        times.append(_clock())
        if len(times) == 4:
            enough.set()

    begun = _clock()
    schedule.every(every, poll, "poll", phase)
    schedule.start()
    assert enough.wait(PATIENCE)
    assert times[0] - begun < timedelta(seconds=10)
    regular = [latest(at, every, phase) for at in times[1:]]
    assert regular == sorted(set(regular))
