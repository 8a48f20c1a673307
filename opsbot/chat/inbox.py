"""A delivery in, kept before it is acknowledged; carried out afterwards in threads of its own, once.

It does not know how the delivery came: Socket Mode and HTTP end here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from opsbot.chat import payload, words
from opsbot.chat.pool import Pool
from opsbot.core.errors import OpsbotError, Refused
from opsbot.core.message import Said
from opsbot.core.ports import Clock, Store

LOG = logging.getLogger("opsbot.chat")
AT_ONCE = 4
"""What is carried out at the same time."""
PATIENCE = 5.0
"""Seconds that an end of the process waits for what has begun."""
SLOW = "diagnose"


@dataclass(frozen=True, slots=True)
class Heard:
    """What Slack is told of a delivery: 200 for one that is kept; `text` is shown to the person alone."""

    status: int
    text: str = ""


class Inbox:
    """Keeps what was said and has it treated. `treat` may take long; a diagnosis keeps no click waiting."""

    def __init__(self, store: Store, pins: payload.Pins, clock: Clock, treat: Callable[[Said], None]) -> None:
        self._store, self._pins, self._clock, self._treat = store, pins, clock, treat
        self._quick, self._slow = Pool(AT_ONCE, "slack-quick"), Pool(AT_ONCE, "slack-slow")
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def refusal(self, body: payload.Body) -> Heard | None:
        """What is said to a delivery that is not for us or not of a known shape; None where it may be heard."""
        try:
            payload.read(body, self._pins, self._clock())
        except Refused as refused:
            return _refused(refused, body)
        return None

    def hear(self, body: payload.Body, *, again: bool = False) -> Heard:
        """Keep a delivery and see to it. 403: not for us; 409: a replay; 503: it cannot be kept now.

        `again` says that Slack itself sends it once more, for want of an acknowledgement.
        """
        now = self._clock()
        try:
            said = payload.read(body, self._pins, now)
            kept = self._store.take(said, now)
        except Refused as refused:
            return _refused(refused, body)
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
        """Wait a little for what has begun; the rest, and what takes longer, is kept for the next start."""
        pools = (self._quick, self._slow)
        for pool in pools:
            pool.close()
        until = time.monotonic() + PATIENCE
        if not all(pool.join(until) for pool in pools):
            LOG.warning("something that was asked for in Slack takes long: the next start begins it anew")

    def _begin(self, said: Said) -> None:
        with self._lock:
            if said.id in self._busy:
                return
            self._busy.add(said.id)
        slow = words.meant(str(said.what.get("text", ""))) == SLOW
        (self._slow if slow else self._quick).submit(partial(self._do, said))

    def _do(self, said: Said) -> None:
        try:
            self._treat(said)
        except Exception as error:  # noqa: BLE001 - what was said is kept, and the next start tries again
            LOG.error("%s was not carried out, the next start will try again: %s", said.id, error)
        finally:
            with self._lock:
                self._busy.discard(said.id)


def _refused(refused: Refused, body: payload.Body) -> Heard:
    """Who speaks in another channel is heard and nothing is done, or Slack would send it again and count a failure.

    Who types a command there is told so; to anything else we are not at home.
    """
    LOG.warning("a delivery of Slack is refused (%s): %s", refused.reason, refused)
    if refused.reason == "other_channel" and "command" in body:
        return Heard(200, "opsbot listens in its own channel only.")
    if refused.reason == "other_channel" and body.get("type") == payload.EVENT:
        return Heard(200)
    return Heard(400 if refused.reason in ("malformed", "unknown") else 403)
