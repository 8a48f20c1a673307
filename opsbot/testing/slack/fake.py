"""FakeSlack: a workspace with one channel and one app, ways to prepare it and to look at it, and its face."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar

from opsbot.testing.clock import ManualClock
from opsbot.testing.cluster.wire import Request, Response
from opsbot.testing.slack import page
from opsbot.testing.slack.acts import Acts
from opsbot.testing.slack.api import Call, Tokens, WebApi
from opsbot.testing.slack.deliveries import RETRIES, Deliveries, Delivery
from opsbot.testing.slack.faults import Fault, Order, refused
from opsbot.testing.slack.signing import Signed, signed
from opsbot.testing.slack.websocket import WebSocket
from opsbot.testing.slack.world import Channel, Message, Person, View, World

T = TypeVar("T")
PAUSE = 0.01
"""Seconds between two looks of `wait_for`."""


class FakeSlack(Acts):
    """A Slack in memory. All methods may be called from any thread.

    `clock` gives the time of messages, rates and expiries. `rate_limited` switches Slack's rates on. `ack_within` and
    `retries` are real seconds: how long an ack may take, and after which waits an event is sent again.
    """

    signing_secret = "0123456789abcdef-opsbot-test"  # noqa: S105 - a fake's

    def __init__(
        self, clock: Callable[[], datetime] | None = None, *, rate_limited: bool = False, ack_within: float = 3.0,
        retries: Sequence[float] = RETRIES,
    ) -> None:  # fmt: skip
        self.clock = clock or ManualClock()
        world = World(self.clock)
        super().__init__(world, Deliveries(world.app, world.lock, ack_within, retries))
        self.deliveries.settled = self.settled
        self._tokens = Tokens()
        self._api = WebApi(world, self._tokens, self._ticket, rate_limited=rate_limited)
        self._tickets: set[str] = set()

    # names -----------------------------------------------------------------------------------------------------------

    @property
    def bot_token(self) -> str:
        """The token for the Web API."""
        return self._tokens.bot

    @property
    def app_token(self) -> str:
        """The token for Socket Mode."""
        return self._tokens.app

    @property
    def team(self) -> str:
        """The workspace's id."""
        return self.world.team

    @property
    def app(self) -> str:
        """The app's id."""
        return self.world.app

    @property
    def bot(self) -> str:
        """The bot's id (B...)."""
        return self.world.bot

    @property
    def bot_user(self) -> str:
        """The bot's user id (U...), which mentions name."""
        return self.world.bot_user

    @property
    def channel(self) -> str:
        """The id of #incidents."""
        return self.world.channel

    @property
    def url(self) -> str:
        """Where it is served."""
        return self.base

    # requests --------------------------------------------------------------------------------------------------------

    def handle(self, request: Request) -> Response:
        """Answer one HTTP request: a method of the Web API, a response_url, or the page and what it asks."""
        if request.path.startswith(("/api/", "/response/")):
            if request.method not in ("GET", "POST"):
                return refused("method_not_allowed", 405)
            return self._api.handle(request)
        return page.handle(self, request)

    def _ticket(self) -> str:
        made = self.world.name("ticket-")
        self._tickets.add(made)
        return f"{self.base.replace('http', 'ws', 1)}/link/?ticket={made}&app_id={self.world.app}"

    def admit(self, ticket: str) -> bool:
        """Whether a socket may be opened with this ticket; each opens one."""
        with self.world.lock:
            known = ticket in self._tickets and not self._api.is_down
            self._tickets.discard(ticket)
            return known

    def attend(self, socket: WebSocket) -> None:
        """Serve an open socket until it ends."""
        self.deliveries.joined(socket)
        try:
            socket.run(self.deliveries.heard)
        finally:
            self.deliveries.left(socket)

    # preparing -------------------------------------------------------------------------------------------------------

    def person(self, user: str, name: str) -> Person:
        """Add somebody, or give them another name."""
        with self.world.lock:
            self.world.people[user] = Person(user, name)
            return self.world.people[user]

    def add_channel(self, channel: str, name: str, *, joined: bool = True) -> Channel:
        """Add a channel, in which the bot is or is not."""
        with self.world.lock:
            self.world.channels[channel] = Channel(channel, name, joined)
            return self.world.channels[channel]

    def fail_next(self, fault: Fault, method: str = "", times: int = 1) -> None:
        """Order a fault for the next `times` calls of this method (of all, where none is named; also "response/")."""
        with self.world.lock:
            self._api.orders.append(Order(fault, times, path=f"/{method}"))

    def down(self) -> None:
        """From now on nothing is answered, and every socket is broken; the page goes on."""
        with self.world.lock:
            self._api.is_down = True
        self.deliveries.drop()

    def up(self) -> None:
        """Be there again; faults that wait are forgotten."""
        with self.world.lock:
            self._api.is_down = False
            self._api.orders.clear()

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask every socket to come again, as Slack does before it closes one."""
        self.deliveries.disconnect(reason)

    def drop(self) -> None:
        """Break every socket without a word."""
        self.deliveries.drop()

    # looking ---------------------------------------------------------------------------------------------------------

    def messages(self, channel: str = "", thread_ts: str = "") -> list[Message]:
        """What stands in a channel (#incidents), oldest first; or one thread of it, with its root first."""
        with self.world.lock:
            where = channel or self.world.channel
            return self.world.thread(where, thread_ts) if thread_ts else self.world.top(where)

    def message(self, ts: str) -> Message:
        """One message as it stands now; LookupError where there is none."""
        with self.world.lock:
            for found in self.world.messages.values():
                if found.ts == ts:
                    return found
        raise LookupError(f"there is no message {ts}")

    def ephemeral(self, user: str) -> list[Message]:
        """What only this person was shown, oldest first."""
        with self.world.lock:
            return [whisper for whisper in self.world.whispers if whisper.only_for == user]

    def view(self, user: str) -> View | None:
        """The modal that this person has open."""
        with self.world.lock:
            return self.world.view_of(user)

    @property
    def calls(self) -> list[Call]:
        """Every call that was answered, oldest first; those that met an ordered fault are among them if it applied."""
        with self.world.lock:
            return list(self._api.calls)

    @property
    def sent(self) -> list[Delivery]:
        """Everything that was sent to the app, oldest first."""
        with self.world.lock:
            return list(self.deliveries.sent)

    @property
    def ack_times(self) -> list[float]:
        """Seconds from each delivery to its ack, late ones included."""
        return [one.acked_after for one in self.sent if one.acked_after is not None]

    @property
    def failed(self) -> list[Delivery]:
        """What nobody acknowledged in time."""
        return [one for one in self.sent if one.failed]

    @property
    def connections(self) -> int:
        """How many sockets are open."""
        return self.deliveries.connections

    def wait_for(self, look: Callable[[], T], timeout: float = 5.0) -> T:
        """Look until there is something to see, and give it back; AssertionError after so many seconds."""
        until = time.monotonic() + timeout
        while not (seen := look()):
            if time.monotonic() > until:
                raise AssertionError(f"nothing came within {timeout:g} s")
            time.sleep(PAUSE)
        return seen

    def wait_connected(self, sockets: int = 1, timeout: float = 10.0) -> bool:
        """Wait until so many sockets are open; AssertionError where they are not in time (seconds)."""
        return self.wait_for(lambda: self.connections >= sockets, timeout)

    # faces -----------------------------------------------------------------------------------------------------------

    def signed_request(self, delivery: Delivery, at: datetime | None = None, secret: str = "") -> Signed:
        """The same as Slack would post it to an app that listens over HTTP; `at` is the time it is stamped with."""
        seconds = int((at or self.clock()).timestamp())
        return signed(secret or self.signing_secret, seconds, delivery.kind, delivery.payload)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Serve HTTP and sockets on loopback while the context lasts; its value is the URL."""
        from opsbot.testing.slack.server import serve

        with serve(self, port) as url:
            self.base = url
            yield url
