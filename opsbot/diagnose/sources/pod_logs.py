"""Logs of the pods worth reading, current and previous: unready and restarted pods first, the newest lines kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from opsbot.core.errors import Blind
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.ports import ClusterReader, Log, Object
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.sources.pods import ready, statuses, trouble
from opsbot.diagnose.sources.reach import CALL, metadata, reach
from opsbot.diagnose.sources.reach import VERBS as REACH
from opsbot.mask import mask

NAME = "pod_logs"
DEADLINE = 20.0
BYTE_CAP = 1_500_000
ONE_LOG = 150_000
VERBS = (*REACH, ("get", "pods/log"))
MOST_PODS = 6
WINDOW = timedelta(hours=1)


class Wanted(NamedTuple):
    """One log to be read."""

    pod: Object
    container: str
    previous: bool

    @property
    def command(self) -> str:
        """How a human would read the same."""
        about = metadata(self.pod)
        more = " --previous" if self.previous else ""
        return f"kubectl logs {about.get('name')} -n {about.get('namespace')} -c {self.container}{more}"


def collect(cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
    """One piece of evidence per log; a log that cannot be read is a gap beside the others."""
    end = time.monotonic() + DEADLINE - 1
    pods = sorted(reach(cluster, target).pods, key=trouble)
    left = BYTE_CAP
    for wanted in _worth_reading(pods[:MOST_PODS]):
        if left <= 0 or time.monotonic() > end:
            yield Gap(NAME, mask("some logs were left out: " + ("byte cap" if left <= 0 else "deadline")))
            return
        try:
            piece = _one(cluster, wanted, target, now, min(ONE_LOG, left))
        except Blind as error:
            yield Gap(NAME, mask(f"{wanted.command}: {error}"))
            continue
        if piece:
            left -= len(piece.text.encode())
            yield piece


def _worth_reading(pods: list[Object]) -> Iterator[Wanted]:
    """Which logs, in order: a restarted container's last words first. One that never started has none."""
    for pod in pods:
        for status in statuses(pod):
            name, restarted = shape.word(status, "name"), shape.number(status, "restartCount") > 0
            if restarted:
                yield Wanted(pod, name, True)
            if restarted or not shape.at(status, "state", "waiting"):
                yield Wanted(pod, name, False)


def _one(cluster: ClusterReader, wanted: Wanted, target: Target, now: datetime, cap: int) -> Evidence | None:
    """One log; only a ready pod's is bounded by time, for what an unready one said last may be long ago."""
    about = metadata(wanted.pod)
    space, name = str(about.get("namespace") or target.namespace), str(about.get("name", ""))
    since = now - WINDOW if ready(wanted.pod) and not wanted.previous else None
    log = cluster.logs(
        space, name, wanted.container, previous=wanted.previous, since=since, limit_bytes=cap, timeout=CALL
    )
    if log is None or not log.content.strip():
        return None
    subject = Target(space, "Pod", name, target.cluster, str(about.get("uid", "")))
    text, cut = _newest(log, cap)
    return Evidence("", NAME, subject, now, mask(text), mask(wanted.command), since=since, until=now, truncated=cut)


def _newest(log: Log, cap: int) -> tuple[str, bool]:
    """The newest whole lines that fit; bytes that are no UTF-8 become replacement signs."""
    raw, cut = log.content, log.truncated
    if len(raw) > cap:
        raw, cut = raw[-cap:], True
        raw = raw[raw.find(b"\n") + 1 :]
    return raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\x00", "\ufffd"), cut
