"""What Slack sends to the app over its sockets: each envelope to one of them, its ack waited for and timed.

Real seconds are counted (`time.monotonic`), because what is measured is a real program's answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsbot.testing.slack.websocket import WebSocket
from opsbot.testing.slack.world import Json

RETRIES = (0.0, 60.0, 300.0)
"""Seconds after which an event that nobody acknowledged is sent again (docs.slack.dev, "Events API", retries)."""


@dataclass(eq=False)
class Delivery:
    """Something that a person did, on its way to the app.

    `acked_after` is in seconds, None while there is no ack; `answer` is what came with it. `failed` is empty, or why
    Slack gave up on this attempt: "timeout", "no_connection". `envelopes` are the ids that it went out under.
    """

    kind: str
    payload: Json
    attempts: int = 0
    acked_after: float | None = None
    answer: Any = None
    failed: str = ""
    envelopes: list[str] = field(default_factory=list)
    sent_at: float = 0.0
    retry_at: float | None = None
    over: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def acked(self) -> bool:
        """Whether the app has answered, late or in time."""
        return self.acked_after is not None

    def wait(self, timeout: float = 5.0) -> bool:
        """Wait until it is acked or has failed (seconds); True when it was acked in time."""
        return self.over.wait(timeout) and self.acked and not self.failed


class Deliveries:
    """The sockets of one app and all that is on its way to it. Methods may be called from any thread."""

    def __init__(self, app: str, lock: threading.RLock, ack_within: float, retries: Sequence[float] = RETRIES) -> None:
        self.sent: list[Delivery] = []
        self.settled: Callable[[Delivery], None] = lambda _delivery: None
        self._app, self._ack_within, self._retries = app, ack_within, tuple(retries)
        self._lock = lock
        self._sockets: list[WebSocket] = []
        self._waiting: dict[str, Delivery] = {}
        self._again: list[Delivery] = []
        self._turn, self._count = 0, 0

    # sockets ---------------------------------------------------------------------------------------------------------

    @property
    def connections(self) -> int:
        """How many sockets get envelopes."""
        with self._lock:
            return len(self._sockets)

    def joined(self, socket: WebSocket) -> None:
        """Greet a new socket and let it take part."""
        with self._lock:
            self._sockets.append(socket)
            hello = {
                "type": "hello", "num_connections": len(self._sockets), "connection_info": {"app_id": self._app},
                "debug_info": {"host": "applink-test", "build_number": 1, "approximate_connection_time": 18060},
            }  # fmt: skip
            socket.send(json.dumps(hello))

    def left(self, socket: WebSocket) -> None:
        """A socket is gone."""
        with self._lock:
            if socket in self._sockets:
                self._sockets.remove(socket)

    def disconnect(self, reason: str) -> None:
        """Tell every socket to go and come again; they get no more envelopes."""
        with self._lock:
            leaving, self._sockets = self._sockets, []
        for socket in leaving:
            socket.send(json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-test"}}))

    def drop(self) -> None:
        """Break every socket without a word."""
        with self._lock:
            broken, self._sockets = self._sockets, []
        for socket in broken:
            socket.cut()

    def goodbye(self) -> None:
        """Close every socket as a server that stops does."""
        with self._lock:
            open_ones, self._sockets = self._sockets, []
        for socket in open_ones:
            socket.close(1001, "going away")

    # envelopes -------------------------------------------------------------------------------------------------------

    def send(self, delivery: Delivery, envelope: str = "") -> Delivery:
        """Send it to the socket whose turn it is, under this envelope id or a new one."""
        with self._lock:
            if delivery not in self.sent:
                self.sent.append(delivery)
            self._count += 1
            name = envelope or f"00000000-0000-4000-8000-{self._count:012d}"
            delivery.envelopes.append(name)
            delivery.attempts += 1
            delivery.sent_at = time.monotonic()
            delivery.failed, delivery.retry_at = "", None
            self._waiting[name] = delivery
            if not self._handed_over(json.dumps(wrapped(delivery, name))):
                self._given_up(name, "no_connection")
        return delivery

    def _handed_over(self, text: str) -> bool:
        for _ in range(len(self._sockets)):
            self._turn += 1
            if self._sockets[self._turn % len(self._sockets)].send(text):
                return True
        return False

    def heard(self, text: str) -> None:
        """What a socket said: an ack, or nothing that matters."""
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return
        name = said.get("envelope_id") if isinstance(said, dict) else None
        with self._lock:
            delivery = self._find(name) if isinstance(name, str) else None
            if delivery is None or delivery.acked:
                return
            delivery.acked_after = time.monotonic() - delivery.sent_at
            delivery.answer = said.get("payload")
            self._again = [other for other in self._again if other is not delivery]
            in_time = self._waiting.pop(str(name), None) is not None
        if in_time:
            self.settled(delivery)
        delivery.over.set()

    def _find(self, name: str) -> Delivery | None:
        return next((sent for sent in reversed(self.sent) if name in sent.envelopes), None)

    def tick(self) -> None:
        """Give up on what has waited too long, and send again what is due."""
        now = time.monotonic()
        with self._lock:
            late = [name for name, held in self._waiting.items() if now - held.sent_at > self._ack_within]
            for name in late:
                self._given_up(name, "timeout")
            due = [held for held in self._again if held.retry_at is not None and held.retry_at <= now]
            self._again = [held for held in self._again if held not in due]
        for held in due:
            self.send(held)

    def _given_up(self, name: str, why: str) -> None:
        delivery = self._waiting.pop(name)
        delivery.failed = why
        if delivery.kind == "events_api" and delivery.attempts <= len(self._retries):
            delivery.retry_at = time.monotonic() + self._retries[delivery.attempts - 1]
            self._again.append(delivery)
        self.settled(delivery)
        delivery.over.set()


def wrapped(delivery: Delivery, envelope: str) -> Json:
    """An envelope as it travels (docs.slack.dev, "Using Socket Mode")."""
    made: Json = {"envelope_id": envelope, "type": delivery.kind, "payload": delivery.payload}
    if delivery.kind == "events_api":
        retry = "timeout" if delivery.attempts > 1 else ""
        return {
            **made,
            "accepts_response_payload": False,
            "retry_attempt": delivery.attempts - 1,
            "retry_reason": retry,
        }
    return {**made, "accepts_response_payload": True}
