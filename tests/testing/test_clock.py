"""ManualClock moves when it is told to, and only then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsbot.testing import ManualClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def test_it_stands_still() -> None:
    clock = ManualClock(NOON)
    assert clock() == clock() == NOON


@pytest.mark.parametrize(
    ("by", "want"),
    [(timedelta(minutes=5), 300), (90, 90), (0.25, 0.25), (0, 0)],
    ids=["length", "whole", "part", "none"],
)
def test_it_moves_on(by: timedelta | float, want: float) -> None:
    clock = ManualClock(NOON)
    assert clock.advance(by) == clock() == NOON + timedelta(seconds=want)


def test_it_tells_utc_whatever_it_is_set_to() -> None:
    clock = ManualClock(datetime(2026, 6, 1, 14, tzinfo=timezone(timedelta(hours=2))))
    assert (clock(), clock().tzinfo) == (NOON, UTC)


def test_it_runs_backwards_only_when_it_is_set() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(-1)
    assert clock.set(NOON - timedelta(days=1)) == NOON - timedelta(days=1)


def test_it_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"):
        ManualClock(datetime(2026, 6, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(ValueError, match="aware"):
        ManualClock().set(datetime(2026, 6, 1))  # noqa: DTZ001
