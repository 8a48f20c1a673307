"""A target in, a picture out: all sources side by side, each with its deadline, numbered as e1, e2 and so on.

A source that fails or is late leaves a gap and what it brought so far; it never stops the others.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from opsbot.core.evidence import Evidence, Gap, Picture
from opsbot.core.ports import ClusterReader
from opsbot.core.target import NOTE, Target
from opsbot.diagnose.sources import KINDS, Source
from opsbot.diagnose.sources.once import Once
from opsbot.mask import mask

NO_TARGET = Gap("target", mask("no_target: the alert names no object of the cluster, so nothing was read"))


def collect(
    cluster: ClusterReader, target: Target | None, now: datetime, sources: Sequence[Source] = KINDS, *, home: str = "",
    meant: str = "",
) -> Picture:  # fmt: skip
    """Everything that the sources see of a target at this time; a picture of gaps alone where nothing can be read.

    `home` is the name of the cluster that is read; of a target in another one nothing is read, as an object of the same
    name here says nothing about it. Where either has no name they are taken to be the same. `meant` is what was given
    as a target and could not be read as one.
    """
    if target is None:
        return Picture(None, now, (), (_unread(meant) if meant else NO_TARGET,))
    if target.cluster and home and target.cluster != home:
        return Picture(target, now, (), (_elsewhere(target.cluster, home),))
    reader = Once(cluster)
    readings = [_Reading(source, reader, target, now) for source in sources]
    for reading in readings:
        reading.start()
    seen = [sight for reading in readings for sight in reading.result()]
    evidence = [sight for sight in seen if isinstance(sight, Evidence)]
    gaps = dict.fromkeys(sight for sight in seen if isinstance(sight, Gap))
    numbered = tuple(replace(item, id=f"e{number}") for number, item in enumerate(evidence, 1))
    return Picture(target, now, numbered, tuple(gaps))


def _unread(meant: str) -> Gap:
    return Gap("target", mask(f"no_target: {NOTE} {meant[:100]!r} names no object of the cluster, so nothing was read"))


def _elsewhere(theirs: str, home: str) -> Gap:
    why = f"other_cluster: the target is in cluster {theirs[:100]!r}, and this opsbot reads {home!r}: nothing was read"
    return Gap("target", mask(why))


class _Reading:
    """One source at work in a thread of its own; a daemon, so that a hanging one keeps no process alive."""

    def __init__(self, source: Source, cluster: ClusterReader, target: Target, now: datetime) -> None:
        self._source, self._arguments = source, (cluster, target, now)
        self._seen: list[Evidence | Gap] = []
        self._thread = threading.Thread(target=self._read, name=f"source-{source.NAME}", daemon=True)
        self._end = 0.0

    def start(self) -> None:
        self._end = time.monotonic() + self._source.DEADLINE
        self._thread.start()

    def _read(self) -> None:
        try:
            for sight in self._source.collect(*self._arguments):
                self._seen.append(sight)
        except Exception as error:  # noqa: BLE001 - whatever a source stumbles on becomes a gap, never an abort
            why = str(error) or type(error).__name__
            self._seen.append(Gap(self._source.NAME, mask(why).cut(300)))

    def result(self) -> list[Evidence | Gap]:
        self._thread.join(max(self._end - time.monotonic(), 0.0))
        late = self._thread.is_alive()
        seen = list(self._seen)
        if late:
            seen.append(Gap(self._source.NAME, mask(f"no answer within {self._source.DEADLINE:g} s")))
        return seen
