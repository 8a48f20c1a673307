"""Looks: a function called soon after each word that there is news, and every few seconds in any case.

Between two calls there is a pause, so that what comes in a storm is looked at together; after a look that took much of
a core it is longer, so that all the others have their turn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from opsbot.core.errors import OpsbotError

LOG = logging.getLogger("opsbot.app")
EVERY = 5.0
PAUSE = 0.3
LONGEST = 2.0
SHARE = 10
"""The pause after a look, as a multiple of the processor's time that it took; `LONGEST` at most."""


class Looks:
    """One thread that looks. `soon` may be called by any thread."""

    def __init__(self, look: Callable[[], object], every: float = EVERY, pause: float = PAUSE) -> None:
        self._look, self._every, self._pause = look, every, pause
        self._news, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="looks", daemon=True)

    def soon(self) -> None:
        """There is news."""
        self._news.set()

    def start(self) -> None:
        """Begin with a look at once."""
        self._news.set()
        self._thread.start()

    def stop(self) -> None:
        """Look no more, and wait for the look that is under way."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.wait(self._every)
            self._news.clear()
            begun = time.thread_time()
            if not self._stopping.is_set():
                self._once()
            self._stopping.wait(max(self._pause, min(LONGEST, SHARE * (time.thread_time() - begun))))

    def _once(self) -> None:
        """What fails is tried again at the next look."""
        try:
            self._look()
        except OpsbotError as error:
            LOG.warning("alerts could not be looked at: %s", error)
