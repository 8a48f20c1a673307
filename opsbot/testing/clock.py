"""A clock that moves only when it is told to."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class ManualClock:
    """A callable that answers with an aware UTC time; safe to share between threads."""

    def __init__(self, at: datetime = START) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        self._at = at.astimezone(UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The time it shows now."""
        with self._lock:
            return self._at

    def advance(self, by: timedelta | float) -> datetime:
        """Move on by a length of time (a number means seconds); comes back with the new time."""
        length = by if isinstance(by, timedelta) else timedelta(seconds=by)
        if length < timedelta():
            raise ValueError("time does not run backwards: use `set` to place the clock")
        with self._lock:
            self._at += length
            return self._at

    def set(self, at: datetime) -> datetime:
        """Place the clock at any aware time, earlier ones too (clocks of real machines do jump)."""
        if at.tzinfo is None:
            raise ValueError("a clock needs an aware time")
        with self._lock:
            self._at = at.astimezone(UTC)
            return self._at
