"""A store in, changes of incidents out, as they happen: what `serve` prints and `demo` tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from opsbot.core.incident import Incident
from opsbot.core.ports import Store

GLANCE = 0.2
"""Seconds between two looks at the store."""


def follow(store: Store, stopped: Callable[[], bool]) -> Iterator[Incident]:
    """First the unresolved ones, then each that changes, until stopped; a version that came and went is skipped."""
    there = store.incidents(limit=50)[::-1]
    seen = {incident.id: incident.version for incident in there}
    yield from (incident for incident in there if incident.unresolved)
    sign: int | None = None
    while not stopped():
        before, sign = sign, store.changed()
        if sign != before or not sign:  # a store in memory gives no sign
            for incident in store.incidents(limit=50)[::-1]:
                if seen.get(incident.id) != incident.version:
                    seen[incident.id] = incident.version
                    yield incident
        time.sleep(GLANCE)
