"""Wake-ups in memory: "look at incident 42". Losing, doubling or reordering them is harmless."""

from __future__ import annotations

import threading


class WakeUps:
    """Incidents that somebody should look at soon. Threads may share it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._woken: set[int] = set()

    def wake(self, incident: int) -> None:
        """Say that an incident is worth a look (0: all of them)."""
        with self._condition:
            self._woken.add(incident)
            self._condition.notify_all()

    def wait(self, timeout: float) -> frozenset[int]:
        """The incidents named since the last call, at once when there are some, else after `timeout` seconds."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._woken), timeout)
            woken = frozenset(self._woken)
            self._woken.clear()
            return woken
