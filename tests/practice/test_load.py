from __future__ import annotations

import re

import pytest

from opsbot.practice.load import BUSY, QUIET, SLOWEST_MS, TIMEOUT_MS, Pressure, log_lines, spread

THRESHOLD_MS = 5000


@pytest.mark.parametrize(("tasks", "ready", "milliseconds"), [
    pytest.param(QUIET, 4, 654.5, id="quiet"),
    pytest.param(BUSY, 4, 7200, id="busy"),
    pytest.param(BUSY, 5, 1800, id="one more helps"),
    pytest.param(BUSY, 6, 1200, id="two more help more"),
    pytest.param(BUSY, 3, SLOWEST_MS, id="more than they can do"),
    pytest.param(BUSY, 0, SLOWEST_MS, id="nobody there"),
    pytest.param(0, 0, SLOWEST_MS, id="nobody there and nothing to do"),
    pytest.param(0, 4, 450, id="nothing to do"),
])  # fmt: skip
def test_response_follows_load_divided_by_replicas(tasks: float, ready: int, milliseconds: float) -> None:
    assert Pressure(tasks, ready).response_ms == pytest.approx(milliseconds, rel=0.001)


def test_the_scene_needs_the_change_and_the_change_is_enough() -> None:
    assert Pressure(QUIET, 4).response_ms < THRESHOLD_MS / 2
    assert Pressure(BUSY, 4).response_ms > THRESHOLD_MS * 1.2
    assert Pressure(BUSY, 6).response_ms < THRESHOLD_MS / 2


@pytest.mark.parametrize("tasks", [0, QUIET, BUSY, 500.0])
def test_more_replicas_never_hurt(tasks: float) -> None:
    figures = [(Pressure(tasks, ready).response_ms, Pressure(tasks, ready).queued) for ready in range(1, 12)]
    assert [slow for slow, _ in figures] == sorted((slow for slow, _ in figures), reverse=True)
    assert all(queued >= 0 for _, queued in figures)


def test_busy_workers_write_of_timeouts_and_quiet_ones_do_not() -> None:
    busy = [line for second in range(30) for line in log_lines(Pressure(BUSY, 4), "agents-1", second)]
    quiet = [line for second in range(30) for line in log_lines(Pressure(QUIET, 4), "agents-1", second)]
    late = [line for line in busy if line.startswith("WARN")]
    form = rf"WARN task [0-9a-f]{{4}} timed out after {TIMEOUT_MS} ms waiting for a free worker \(queue \d+\)"
    assert len(late) == 30
    assert all(re.fullmatch(form, line) for line in late)
    assert len(set(late)) > 20, "tasks have names of their own"
    assert not any("timed out" in line for line in quiet)
    assert any(line.startswith("INFO") for line in quiet)
    assert any(line.startswith("INFO") for line in busy)


def test_what_is_done_was_done_in_time() -> None:
    done = [line for line in log_lines(Pressure(BUSY, 4), "agents-1", 3) if line.startswith("INFO")]
    assert int(done[0].split()[-2]) < TIMEOUT_MS


def test_replicas_differ_and_their_average_does_not() -> None:
    assert sum(spread(place) for place in range(4)) / 4 == pytest.approx(1)
    assert len({spread(place) for place in range(4)}) > 1
