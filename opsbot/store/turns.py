"""A lock that serves in the order in which it was asked for: who writes much must let those in between who wait."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """Held by one thread at a time, and handed to the one that has waited longest. Not for the same thread twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Lock] = deque()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def __enter__(self) -> None:
        turn = threading.Lock()
        with self._lock:
            if not self._held:
                self._held = True
                return
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()  # until whoever holds it hands it over

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:  # fmt: skip
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._held = False
