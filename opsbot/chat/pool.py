"""Work in, done in a few threads of its own; whoever closes waits no longer than they want to.

What waits when it is closed is not begun. A thread that still works then ends with the process.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue


class Pool:
    """At most `most` pieces of work at once; a piece of work must not raise."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._work: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()
        self._lock = threading.Lock()

    def submit(self, work: Callable[[], None]) -> None:
        """Have it done, soon."""
        with self._lock:
            if len(self._threads) < self._most:
                made = threading.Thread(target=self._run, name=f"{self._name}-{len(self._threads)}", daemon=True)
                self._threads.append(made)
                made.start()
        self._work.put(work)

    def close(self) -> None:
        """Begin nothing more; returns at once."""
        with self._lock:
            self._closed.set()
            for _ in self._threads:
                self._work.put(lambda: None)

    def join(self, until: float) -> bool:
        """Whether all that was begun has ended, waited for until then by the monotonic clock."""
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        while not self._closed.is_set():
            work = self._work.get()
            if not self._closed.is_set():
                work()
