"""Refusals: requests that were refused in, a line of the log now and then and how each webhook fares out.

Nothing is asked of the store: a storm of refusals costs no more than counting them.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from opsbot.core.ports import Clock
from opsbot.mask import mask
from opsbot.monitor.receiving.hearing import Hearing

LOG = logging.getLogger("opsbot.web")
QUIET = timedelta(minutes=1)
"""Between two lines of the log about one webhook, or `/metrics`, and one status."""
LONGEST = 200
"""Characters of a reason, which may quote a sender."""


class Refusals:
    """Threads may share it. `sources` are the webhooks that there are."""

    def __init__(self, sources: Collection[str], clock: Clock) -> None:
        self._clock = clock
        self._told: dict[tuple[str, int], tuple[datetime, int]] = {}
        self._hearing = {source: Hearing(last=clock()) for source in sources}
        self._lock = threading.Lock()

    def tell(self, asked: str, status: int, why: str, sender: str = "") -> None:
        """Log it, once a minute for each thing asked and status: who is wrong is wrong each time.

        `sender` is an address.
        """
        now = self._clock()
        with self._lock:
            at, more = self._told.get((asked, status), (None, 0))
            quiet = at is not None and now - at < QUIET
            self._told[asked, status] = (at, more + 1) if at and quiet else (now, 0)
        if not quiet:
            since = f"; {more} more since the line before" if more else ""
            whose = f" (from {sender})" if sender else ""
            LOG.warning("%s: %d: %s%s%s", asked, status, mask(why).cut(LONGEST), whose, since)

    def lost(self, source: str, why: str) -> None:
        """A whole payload of somebody who may send was refused for good: its alerts are lost."""
        with self._lock:
            self._hearing[source] = self._hearing[source].refused(why, self._clock())

    def took(self, sources: Collection[str]) -> None:
        """Payloads of these were taken."""
        now = self._clock()
        with self._lock:
            for source in sources:
                self._hearing[source] = self._hearing[source].took(now)

    def hearing(self) -> Mapping[str, Hearing]:
        """How each webhook fares."""
        with self._lock:
            return dict(self._hearing)
