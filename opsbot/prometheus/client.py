"""One Prometheus over HTTP: questions in, judged answers out, within the caller's time by the wall.

A question is sent twice at most, and only where the first try met a broken connection or a server that says: not now.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from queue import Empty, SimpleQueue
from urllib.parse import urlsplit

import requests

from opsbot.core.alert import Answer
from opsbot.core.errors import Blind, OpsbotError, PermanentError
from opsbot.prometheus import envelope
from opsbot.prometheus.envelope import Reply
from opsbot.prometheus.line import Line, Settings, is_broken, why

PAUSE = 0.1
MOST_BYTES = 16_000_000
MOST_AT_ONCE = 8
MOST_IDLE = MOST_AT_ONCE
_AGAIN = (502, 503, 504)

Ask = Callable[[Line, float], Reply]


class _Broken(Blind):
    """A connection that was refused, cut or never came about: worth one more try."""


class PrometheusClient:
    """`core.ports.Metrics`, and `check` for doctor. Threads may share it."""

    def __init__(self, settings: Settings, most_bytes: int = MOST_BYTES) -> None:
        parts = urlsplit(settings.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise PermanentError("prometheus.url is no http address")
        self._settings = settings
        self._most_bytes = most_bytes
        self._where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        self._idle: deque[Line] = deque()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
        """An instant query for the time `at` (aware), within `timeout` seconds and the configured time, if shorter.

        Blind for everything that is not a complete answer for that time; PermanentError for a wrong expression.
        """
        asked = {"time": f"{at.timestamp():.3f}"}
        return envelope.answer(self._within(timeout, lambda line, left: line.query(expression, asked, left)), at)

    def check(self, timeout: float = 5.0) -> str:
        """Which Prometheus answers, in a sentence; Blind where none does, or not wholly."""
        envelope.success(self._within(timeout, lambda line, left: line.query("1", {}, left)))
        reply = self._within(timeout, lambda line, left: line.get("/api/v1/status/buildinfo", left))
        version = ""
        with suppress(OpsbotError):
            version = str(envelope.success(reply).get("version", ""))[:40]
        return f"Prometheus {version or '(version not told)'} answers at {self._where}"

    def close(self) -> None:
        """Give back idle connections."""
        while self._idle:
            self._idle.pop().close()

    # one exchange ---------------------------------------------------------------------------------------------------

    def _within(self, timeout: float, ask: Ask) -> Reply:
        """The reply, in at most `timeout` seconds by the wall: a far side that drips bytes cannot hold the caller.

        The exchange has a thread of its own, which ends by itself soon after; there are never more than a few.
        """
        patience = min(timeout, self._settings.timeout.total_seconds())
        deadline = time.monotonic() + patience
        if not self._places.acquire(timeout=patience):
            raise Blind(f"earlier questions to Prometheus at {self._where} still hang")
        box: SimpleQueue[Reply | OpsbotError] = SimpleQueue()
        threading.Thread(target=self._put, args=(box, ask, deadline), daemon=True, name="prometheus").start()
        try:
            got = box.get(timeout=max(deadline - time.monotonic(), 0.001))
        except Empty:
            got = Blind(f"Prometheus at {self._where} gave no whole answer within {patience:g}s")
        if isinstance(got, OpsbotError):
            raise got
        return got

    def _put(self, box: SimpleQueue[Reply | OpsbotError], ask: Ask, deadline: float) -> None:
        try:
            box.put(self._twice(ask, deadline))
        except OpsbotError as error:
            box.put(error)
        finally:
            self._places.release()

    def _twice(self, ask: Ask, deadline: float) -> Reply:
        first = self._once(ask, deadline)
        again = first.status in _AGAIN if isinstance(first, Reply) else isinstance(first, _Broken)
        if again and deadline - time.monotonic() > 2 * PAUSE:
            time.sleep(PAUSE)
            first = self._once(ask, deadline)
        if isinstance(first, Blind):
            raise first
        return first

    def _once(self, ask: Ask, deadline: float) -> Reply | Blind:
        try:
            with self._line(deadline) as line:
                return ask(line, max(deadline - time.monotonic(), 0.001))
        except requests.RequestException as error:
            kind = _Broken if is_broken(error) else Blind
            return kind(f"Prometheus at {self._where} {why(error)}")

    @contextmanager
    def _line(self, deadline: float) -> Iterator[Line]:
        """A connection, kept for the next question where this one went well."""
        try:
            line = self._idle.pop()
        except IndexError:
            line = Line(self._settings, self._most_bytes)
        try:
            line.ready(self._settings, deadline)
            yield line
        except BaseException:
            line.close()
            raise
        if len(self._idle) < MOST_IDLE:
            self._idle.append(line)
        else:
            line.close()
