"""What the store wants told, sent: in order for each incident, at least once, as fast as Slack takes it.

The one owner of retries. While Slack is away everything waits in the store; a newer card takes the place of an older
one there, so that afterwards only the newest is sent.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from opsbot.chat.port import Chat, Json
from opsbot.core.errors import Refused, TemporaryError
from opsbot.core.message import Kind, Message, Place
from opsbot.core.ports import Clock, Store

LOG = logging.getLogger("opsbot.chat")
GLANCE = 0.25
"""Seconds between two looks into the store."""
FIRST_REST, LONGEST_REST = 1.0, 60.0
STUBBORN = timedelta(minutes=5)
"""How long a message rests that Slack refuses for a reason that a human must mend: no such channel, a dead token."""


class Outbox:
    """Sends what waits. `drain` is one round, for who has a clock of their own; `run` goes on until it is stopped."""

    def __init__(self, store: Store, chat: Chat, clock: Clock) -> None:
        self._store, self._chat, self._clock = store, chat, clock
        self._rests_until: datetime | None = None
        self._told_to_rest = False
        self._failures = 0
        self._as_of: datetime | None = None
        self._wake, self._stop, self._back = threading.Event(), threading.Event(), threading.Event()

    def wake(self) -> None:
        """There is something new: look at once."""
        self._wake.set()

    def back(self) -> None:
        """Slack is there again: what rests for its trouble need not; a rest that Slack has asked for goes on."""
        self._back.set()
        self._wake.set()

    def run(self, stop: threading.Event) -> None:
        """Send until stopped. What the store cannot give now it will give later."""
        self._stop = stop
        while not stop.is_set():
            try:
                self.drain()
            except Exception as error:  # noqa: BLE001 - a loop that tells people never ends by itself
                LOG.warning("the outbox cannot be read or kept: %s", error)
                stop.wait(FIRST_REST)
            self._wake.wait(self._patience())
            self._wake.clear()

    def _patience(self) -> float:
        """Seconds until the next look: no longer than a rest lasts, for in a storm each second counts."""
        left = (self._rests_until - self._clock()).total_seconds() if self._rests_until else GLANCE
        return left if 0 < left < GLANCE else GLANCE

    def drain(self) -> int:
        """Send all that may be sent now, and say how much that was; after trouble with Slack itself, nothing more."""
        count = 0
        if self._back.is_set():
            self._begin_anew()
        while not self._idle() and (waiting := self._store.next_messages(self._horizon())):
            for message in waiting:
                if not self._idle():
                    count += self._one(message)
        return count

    def _begin_anew(self) -> None:
        self._back.clear()
        if self._rests_until and not self._told_to_rest:
            self._as_of, self._rests_until, self._failures = self._rests_until, None, 0

    def _horizon(self) -> datetime:
        """As of when the store is asked what waits: a rest that was broken off counts as over there."""
        return max(self._clock(), self._as_of or self._clock())

    def _idle(self) -> bool:
        """Whether nothing is to be sent now."""
        rests = self._rests_until is not None and self._clock() < self._rests_until
        return rests or self._stop.is_set()

    def _one(self, message: Message) -> bool:
        """Whether it stands there now; if not, it is put off."""
        try:
            place = self._send(message)
        except TemporaryError as error:
            self._rest(message, error)
            return False
        except Exception as error:  # noqa: BLE001 - one odd message or answer must not end the telling
            LOG.error("message %d of incident %d: %s; again in %s", message.id, message.incident, error, STUBBORN)
            self._store.message_put_off(message.id, self._clock() + STUBBORN)
            return False
        self._failures, self._rests_until = 0, None
        self._store.message_sent(message.id, place, self._clock())
        return True

    def _rest(self, message: Message, error: TemporaryError) -> None:
        """All wait: whatever keeps Slack from taking one message keeps it from taking the others.

        A rest that Slack asks for is kept to and is no failure: it does not make later rests longer.
        """
        self._told_to_rest = error.retry_after > 0
        self._failures += not self._told_to_rest
        doubled = min(FIRST_REST * 2.0 ** min(self._failures - 1, 10), LONGEST_REST)
        rest = timedelta(seconds=error.retry_after if self._told_to_rest else doubled)
        LOG.warning("message %d of incident %d is not sent: %s; again in %s", message.id, message.incident, error, rest)
        self._rests_until = self._clock() + rest
        self._store.message_put_off(message.id, self._rests_until)

    def _send(self, message: Message) -> Place:
        body = dict(message.body)
        try:
            return self._tell(message, body)
        except Refused as refused:
            if refused.reason != "bad_body" or "blocks" not in body:
                raise
            LOG.error("message %d of incident %d: %s; its text goes alone", message.id, message.incident, refused)
            return self._tell(message, {"text": body["text"]})

    def _tell(self, message: Message, body: Json) -> Place:
        """A note below its card, a card in its place or, where that is gone, in a new one."""
        try:
            if message.kind is Kind.NOTE:
                return self._chat.post(body, message.place.ts if message.place else "")
            return self._chat.edit(message.place, body) if message.place else self._chat.post(body)
        except Refused as refused:
            if refused.reason != "gone" or message.place is None:
                raise
            return self._chat.post(body)
