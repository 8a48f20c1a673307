"""A delivery in, kept before it is acknowledged; carried out afterwards in threads of its own, once.

It does not know how the delivery came: Socket Mode and HTTP end here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from opsbot.chat import payload
from opsbot.core.errors import OpsbotError, Refused
from opsbot.core.message import Said
from opsbot.core.ports import Clock, Store

LOG = logging.getLogger("opsbot.chat")
AT_ONCE = 4
"""What is carried out at the same time."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What Slack is told of a delivery: 200 for one that is kept; `text` is shown to the person alone."""

    status: int
    text: str = ""


class Inbox:
    """Keeps what was said and has it treated. `treat` may take long; a diagnosis keeps no click waiting."""

    def __init__(self, store: Store, pins: payload.Pins, clock: Clock, treat: Callable[[Said], None]) -> None:
        self._store, self._pins, self._clock, self._treat = store, pins, clock, treat
        self._quick = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slack-quick")
        self._slow = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="slack-slow")
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def hear(self, body: payload.Body, *, again: bool = False) -> Heard:
        """Keep a delivery and see to it. 403: not for us; 409: a replay; 503: it cannot be kept now.

        `again` says that Slack itself sends it once more, for want of an acknowledgement.
        """
        now = self._clock()
        try:
            said = payload.read(body, self._pins, now)
            kept = self._store.take(said, now)
        except Refused as refused:
            LOG.warning("a delivery of Slack is refused (%s): %s", refused.reason, refused)
            return _refusal(refused, body)
        except OpsbotError as error:
            LOG.error("a delivery of Slack cannot be kept: %s", error)
            return Heard(503)
        if not kept:
            LOG.info("%s came before", said.id)
            return Heard(200 if again else 409)
        self._begin(said)
        return Heard(200)

    def catch_up(self) -> None:
        """See to what was kept and not carried out when the process ended."""
        for said in self._store.untreated():
            self._begin(said)

    def close(self) -> None:
        """Wait for what has begun; the rest is kept for the next start."""
        for pool in (self._quick, self._slow):
            pool.shutdown(cancel_futures=True)

    def _begin(self, said: Said) -> None:
        with self._lock:
            if said.id in self._busy:
                return
            self._busy.add(said.id)
        slow = str(said.what.get("text", "")).lstrip().startswith("diagnose")
        (self._slow if slow else self._quick).submit(self._do, said)

    def _do(self, said: Said) -> None:
        try:
            self._treat(said)
        except Exception as error:  # noqa: BLE001 - what was said is kept, and the next start tries again
            LOG.error("%s was not carried out, the next start will try again: %s", said.id, error)
        finally:
            with self._lock:
                self._busy.discard(said.id)


def _refusal(refused: Refused, body: payload.Body) -> Heard:
    """A person who types in another channel is told so; to anything else we are not at home."""
    if refused.reason == "other_channel" and "command" in body:
        return Heard(200, "opsbot listens in its own channel only.")
    return Heard(400 if refused.reason in ("malformed", "unknown") else 403)
