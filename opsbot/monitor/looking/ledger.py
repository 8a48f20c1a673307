"""Ledger: what becomes of alerts in, verdicts in the store out, and only where something else was said last.

What was said last is read from the store once and known from then on.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from itertools import islice

from opsbot.core.ports import Store
from opsbot.core.silence import Verdict

CLEARED = "cleared"
TOGETHER = 500
"""How many verdicts are written in one go: pushed alerts must not wait long for their turn to be written."""


class Ledger:
    """The verdicts on alerts. Not for several threads at once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._said: dict[str, Verdict] | None = None
        self._new: dict[str, Verdict] = {}

    @property
    def said(self) -> dict[str, Verdict]:
        """What was said last, by fingerprint."""
        if self._said is None:
            self._said = {verdict.fingerprint: verdict for verdict in self._store.verdicts()}
        return self._said

    def say(self, fingerprint: str, now: datetime, reason: str, says: str = "", incident: int | None = None) -> None:
        """What becomes of an alert from now on; nothing where that was said already."""
        last = self.said.get(fingerprint)
        if last is None or (last.reason, last.says, last.incident) != (reason, says, incident):
            self.said[fingerprint] = self._new[fingerprint] = Verdict(fingerprint, now, reason, says, incident)

    def keep(self, there: Collection[str], now: datetime) -> None:
        """Write what is new, and forget alerts that are not `there` any more: they have cleared."""
        for fingerprint in self.said.keys() - there:
            last = self.said[fingerprint]
            if last.reason != CLEARED:
                self.say(fingerprint, now, CLEARED, incident=last.incident)
        self.write()
        if len(self.said) > len(there):
            self._said = {fingerprint: self.said[fingerprint] for fingerprint in there if fingerprint in self.said}

    def write(self) -> None:
        """Write what is new."""
        while self._new:  # others write in between
            some = tuple(islice(self._new.values(), TOGETHER))
            self._store.add_verdicts(some)
            for verdict in some:
                del self._new[verdict.fingerprint]
