"""Intake: bodies of webhooks in, durable alerts and an answer for each body out.

One thread reads and keeps them, so that the loop of the server never waits. Bodies that wait together share one
transaction, and each is answered once what it holds is durable. What cannot be kept now is said to be so, and its
sender tries again: nothing is lost.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsbot.core.alert import Push
from opsbot.core.errors import OpsbotError, Refused
from opsbot.core.ports import Clock
from opsbot.monitor.receiving.payloads import Payload, value
from opsbot.web.exposition import Count, Family, Times
from opsbot.web.refusals import Refusals

LOG = logging.getLogger("opsbot.web")

TOGETHER = 500
"""Alerts that share a transaction at most: a fifth of a second's work where all are new."""
MOST = 512
"""Bodies that may wait."""
RETRY_AFTER = 5
"""Seconds after which a sender may try again."""
SHOWN = 20
"""Refused alerts that an answer tells of."""
LOST = (413, 415)
"""Refusals before a body was read that cost its alerts: no sender tries those again."""
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

Read = Callable[[Any, datetime], Payload]
"""How the payload of one sender is read."""
Keep = Callable[[Sequence[Push], datetime], Mapping[tuple[str, str], int]]
"""Makes alerts durable; how many of each source had which outcome."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: a status and plain JSON."""

    status: int
    body: Mapping[str, Any]


BUSY = Reply(503, {"error": "too much is waiting: try again"})


@dataclass(slots=True)
class _Job:
    source: str
    body: bytes
    answer: Future[Reply]
    since: float
    payload: Payload | None = None


class Intake:
    """Takes bodies. `readers` are the senders that are known, `after` is called when something was kept."""

    def __init__(
        self, readers: Mapping[str, Read], keep: Keep, clock: Clock, after: Callable[[], None] = lambda: None
    ) -> None:
        self.readers = readers
        self._keep, self._clock, self._after = keep, clock, after
        self._waiting: deque[_Job] = deque()
        self._sign = threading.Condition()
        self._open = True
        self.refusals = Refusals(readers, clock)
        self._thread = threading.Thread(target=self._loop, name="opsbot-intake", daemon=True)
        self._pushes = Count("opsbot_webhook_alerts_total", "Pushed alerts by webhook and what became of them.")
        self._requests = Count("opsbot_webhook_requests_total", "Requests of webhooks by the status of their answer.")
        self._times = Times(
            "opsbot_webhook_ingest_seconds", "From a whole request until its alerts were durable and it was answered.",
            _BOUNDS,
        )  # fmt: skip

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, limit: float = 10.0) -> None:
        """Take no more; what waits is kept first, as far as that can be done within `limit` seconds."""
        with self._sign:
            self._open = False
            self._sign.notify()
        if self._thread.is_alive():
            self._thread.join(limit)

    @property
    def alive(self) -> bool:
        """Whether it works."""
        return self._thread.is_alive()

    def put(self, source: str, body: bytes) -> Future[Reply]:
        """Hand in a body; the answer comes once it is durable, or at once where too much is waiting."""
        answer: Future[Reply] = Future()
        answer.set_running_or_notify_cancel()  # from here on a client that goes away cannot take it back
        with self._sign:
            if self._open and len(self._waiting) < MOST:
                self._waiting.append(_Job(source, body, answer, time.monotonic()))
                self._sign.notify()
                return answer
        self.refused(source, BUSY.status, BUSY.body["error"])
        answer.set_result(BUSY)
        return answer

    def refused(self, source: str, status: int, why: str, sender: str = "") -> None:
        """Count and log a request that was refused before its body was read, of this address where it is known."""
        self._requests.add(source=source, code=str(status))
        self.refusals.tell(f"webhook {source}", status, why, sender)
        if status in LOST and source in self.readers:
            self.refusals.lost(source, why)

    def families(self) -> Iterator[Family]:
        """What can be counted here."""
        yield self._pushes.family()
        yield self._requests.family()
        yield self._times.family()

    # the thread -----------------------------------------------------------------------------------------------------

    def _loop(self) -> None:
        while jobs := self._next():
            try:
                self._take(jobs)
            except Exception as error:  # noqa: BLE001  (what nobody foresaw must not end the thread that all wait for)
                LOG.error("webhooks: %s: %s", type(error).__name__, error)
                for job in jobs:
                    self._answer(job, Reply(500, {"error": "a fault of opsbot's own; it is in the log"}))

    def _next(self) -> list[_Job]:
        """The bodies that are read together, as soon as there are any; none when it is over."""
        with self._sign:
            while self._open and not self._waiting:
                self._sign.wait()
            jobs: list[_Job] = []
            size = 0
            while self._waiting and size < TOGETHER * 1000:
                jobs.append(self._waiting.popleft())
                size += len(jobs[-1].body)
            return jobs

    def _take(self, jobs: Sequence[_Job]) -> None:
        now = self._clock()
        good = [job for job in jobs if self._read(job, now)]
        for some in _batches(good):
            self._kept(some, now)

    def _read(self, job: _Job, now: datetime) -> bool:
        try:
            job.payload = self.readers[job.source](value(job.body), now)
        except Refused as error:
            self._pushes.add(source=job.source, outcome="refused")
            self.refusals.tell(f"webhook {job.source}", 400, f"a payload was refused: {error}")
            self.refusals.lost(job.source, str(error))
            self._answer(job, Reply(400, {"error": str(error)}))
            return False
        return True

    def _kept(self, jobs: Sequence[_Job], now: datetime) -> None:
        """One or a few transactions for these bodies; all are answered alike where the store cannot take them."""
        pushes = [push for job in jobs if job.payload for push in job.payload.pushes]
        try:
            for start in range(0, len(pushes), TOGETHER):
                self._count(self._keep(pushes[start : start + TOGETHER], now))
        except OpsbotError as error:
            LOG.error("webhooks: alerts cannot be kept now, their senders will try again: %s", error)
            for job in jobs:
                self._answer(job, Reply(503, {"error": "the store cannot take it now: try again"}))
            return
        self.refusals.took({job.source for job in jobs})
        if pushes:
            self._after()
        for job in jobs:
            self._answer(job, self._taken(job))

    def _taken(self, job: _Job) -> Reply:
        payload = job.payload or Payload(())
        said: dict[str, Any] = {"taken": len(payload.pushes)}
        if payload.faults:
            self._pushes.add(len(payload.faults), source=job.source, outcome="refused")
            why = f"{len(payload.faults)} alerts were refused, the first: {payload.faults[0]}"
            self.refusals.tell(f"webhook {job.source}", 200, why)
            refused = [{"place": fault.place, "why": fault.says} for fault in payload.faults[:SHOWN]]
            said |= {"refused": refused, "refused_count": len(payload.faults)}
        if payload.cut:
            self._pushes.add(payload.cut, source=job.source, outcome="cut_by_sender")
        return Reply(200, said)

    def _count(self, outcomes: Mapping[tuple[str, str], int]) -> None:
        for (source, outcome), count in outcomes.items():
            self._pushes.add(count, source=source, outcome=outcome)

    def _answer(self, job: _Job, reply: Reply) -> None:
        if job.answer.done():
            return
        self._requests.add(source=job.source, code=str(reply.status))
        self._times.add(time.monotonic() - job.since, source=job.source)
        job.answer.set_result(reply)


def _batches(jobs: Sequence[_Job]) -> Iterator[list[_Job]]:
    """Bodies in order, so many together that their alerts fill a transaction."""
    batch: list[_Job] = []
    size = 0
    for job in jobs:
        batch.append(job)
        size += len(job.payload.pushes) if job.payload else 0
        if size >= TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
