"""Hearing: what a webhook took and refused in, whether its alerts are being lost out. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CALM = timedelta(minutes=15)
"""For so long nothing may be refused before a webhook is well: Alertmanager tries again after its `group_interval`,
which is five minutes where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """How one webhook fares. `since` is when it was first refused a payload, and `why`; None where it never was.

    `last` is when it was refused one last, or when this began to be watched; `taken` when one was taken since then.
    """

    since: datetime | None = None
    why: str = ""
    last: datetime | None = None
    taken: datetime | None = None

    def refused(self, why: str, at: datetime) -> Hearing:
        """One whole payload more was refused. The first reason stays for as long as it is not well again."""
        if self.since is None or self.well(at):
            return Hearing(at, why, at)
        return replace(self, last=at, taken=None)

    def took(self, at: datetime) -> Hearing:
        """One payload more was taken."""
        return replace(self, taken=at)

    def well(self, now: datetime) -> bool:
        """Whether payloads are taken, and none has been refused for a while."""
        return self.taken is not None and (self.last is None or now - self.last >= CALM)

    def lost(self, now: datetime) -> bool:
        """Whether alerts are being lost."""
        return self.since is not None and not self.well(now)
