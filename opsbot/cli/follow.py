"""A store in, changes of incidents out, as they happen: what `serve` prints and `demo` tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from opsbot.core.incident import Incident
from opsbot.core.ports import Store

GLANCE = 0.2
"""Seconds between two looks at the store."""


def follow(store: Store, stopped: Callable[[], bool]) -> Iterator[Incident]:
    """Each incident once per version that is seen, until stopped; a version that came and went unseen is skipped."""
    seen: dict[int, int] = {}
    for incident in store.due():
        seen[incident.id] = incident.version
        yield incident
    while not stopped():
        for incident in store.incidents(limit=50)[::-1]:
            if seen.get(incident.id) != incident.version:
                seen[incident.id] = incident.version
                yield incident
        time.sleep(GLANCE)
