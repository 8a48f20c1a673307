"""The door to Slack: slack-bolt's listeners around the inbox, through Socket Mode or signed HTTP.

Everything that comes in is kept before it is acknowledged: a listener that fails acknowledges nothing.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl

from opsbot.chat import payload, sender, tokens
from opsbot.chat.card import APPROVE, REJECT
from opsbot.chat.clerk import Clerk
from opsbot.chat.http import Listener, Reply
from opsbot.chat.inbox import Inbox
from opsbot.chat.outbox import Outbox
from opsbot.commands.desk import Desk
from opsbot.config import Slack
from opsbot.core.ports import Clock, Store

if TYPE_CHECKING:
    from slack_bolt import App, BoltRequest, BoltResponse
    from slack_sdk import WebClient

LOG = logging.getLogger("opsbot.chat")
COMMAND = "/opsbot"
FIRST_REST, LONGEST_REST = 1.0, 60.0
PING = 2.0
"""Seconds between two looks whether the socket still stands; the client believes that it fell after five bad ones."""
QUIET = logging.getLogger("opsbot.chat.bolt")
"""Bolt writes whole deliveries into its log at INFO and WARNING: only its errors, by our own name."""


class Way(Protocol):
    """How deliveries come in."""

    def open(self) -> None:
        """Let them come, from now on; returns at once."""

    def close(self) -> None:
        """Let no more come."""


class SlackDoor:
    """Slack, both ways.

    `desk` makes a desk whose door is `slack`, for each thing said anew; `wake` is told the number of an incident that
    somebody has changed. Tokens are read at once: PermanentError for one that cannot be used. Slack itself is not
    needed for a start.
    """

    def __init__(
        self, settings: Slack, desk: Callable[[], Desk], store: Store, clock: Clock, wake: Callable[[int], None]
    ) -> None:
        web = sender.client(tokens.read(settings.bot_token_file, "bot_token_file", "xoxb-"), settings.api_url)
        chat = sender.Sender(web, settings.channel)
        self.outbox = Outbox(store, chat, clock)
        pins = payload.Pins(settings.team, settings.app, settings.channel)
        self.inbox = Inbox(store, pins, clock, Clerk(desk, chat, wake).treat)
        self.mode, self.way = settings.mode, _way(settings, web, self.inbox, clock)
        self._stop = threading.Event()
        self._sending = threading.Thread(target=self.outbox.run, args=(self._stop,), name="slack-outbox", daemon=True)

    def start(self) -> None:
        """See to what was left, then listen and send."""
        self.inbox.catch_up()
        self._sending.start()
        self.way.open()

    def stop(self) -> None:
        """Listen no more, and wait for what has begun; the rest is kept in the store."""
        self.way.close()
        self._stop.set()
        self.outbox.wake()
        self.inbox.close()
        if self._sending.is_alive():
            self._sending.join()


def _way(settings: Slack, web: WebClient, inbox: Inbox, clock: Clock) -> Way:
    app = bolt(settings, web, inbox)
    if settings.mode == "http":
        secret = tokens.read(settings.signing_secret_file, "signing_secret_file")
        return Listener(settings.listen, secret, clock, partial(dispatched, app))
    return Socket(app, tokens.read(settings.app_token_file, "app_token_file", "xapp-"))


def bolt(settings: Slack, web: WebClient, inbox: Inbox) -> App:
    """The app with its listeners. It asks Slack nothing by itself; signatures are checked before it (`http`)."""
    from slack_bolt import App
    from slack_bolt.authorization import AuthorizeResult

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id=settings.team, bot_token=web.token)

    QUIET.setLevel(logging.ERROR)
    app = App(
        name="opsbot", logger=QUIET, client=web, authorize=authorize, process_before_response=True,
        request_verification_enabled=False, ssl_check_enabled=False, ignoring_self_events_enabled=False,
        attaching_function_token_enabled=False, attaching_conversation_kwargs_enabled=False,
    )  # fmt: skip
    heard = partial(_heard, inbox)

    def listen(ack: Callable[..., BoltResponse], body: Mapping[str, Any], request: BoltRequest) -> BoltResponse:
        return heard(ack, body, request)

    app.command(COMMAND)(listen)
    app.event("app_mention")(listen)
    for action in (APPROVE, REJECT):
        app.action(action)(listen)
    app.view(REJECT)(listen)
    return app


def _heard(
    inbox: Inbox, ack: Callable[..., BoltResponse], body: Mapping[str, Any], request: BoltRequest
) -> BoltResponse:  # fmt: skip
    from slack_bolt import BoltResponse

    found = inbox.hear(body, again="x-slack-retry-num" in request.headers)
    if found.status != 200:
        return BoltResponse(status=found.status)
    return ack(found.text) if found.text else ack()


def dispatched(app: App, body: str, headers: Mapping[str, str]) -> Reply:
    """A signed body through the app; ValueError for one that cannot be parsed."""
    from slack_bolt import BoltRequest

    _object(body)
    try:
        made = app.dispatch(BoltRequest(body=body, headers=dict(headers)))
    except (AttributeError, TypeError, LookupError) as error:
        raise ValueError(f"a body of another shape: {type(error).__name__}") from None
    if made.status == 500:  # Bolt's word for a listener that stumbled over such a body; ours for trouble is 503
        raise ValueError("a body of another shape")
    kind = made.headers.get("content-type", ["text/plain; charset=utf-8"])[0]
    return Reply(made.status, made.body if isinstance(made.body, str) else json.dumps(made.body), kind)


def _object(body: str) -> None:
    """ValueError unless the body is a form, a JSON object, or a form that holds one: Bolt takes that for granted."""
    text = body if body[:1] in ("{", "[") else dict(parse_qsl(body)).get("payload", "{}")
    if not isinstance(json.loads(text), dict):
        raise ValueError("no object")


class Socket:
    """Socket Mode: connects in a thread of its own until it stands, and again whenever it falls."""

    def __init__(self, app: App, token: tokens.Token) -> None:
        self._app, self._token = app, token
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._connect, name="slack-socket", daemon=True)
        self._handler: Any = None

    def open(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def close(self) -> None:
        """Hang up."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._handler:
            _hang_up(self._handler.client)
            self._handler.close()

    def _connect(self) -> None:
        from slack_bolt.adapter.socket_mode import SocketModeHandler
        from slack_sdk.errors import SlackApiError, SlackClientError

        self._handler = SocketModeHandler(self._app, self._token.reveal(), logger=QUIET, ping_interval=PING)
        rest = FIRST_REST
        while not self._stop.is_set():
            try:
                self._handler.connect()
            except (SlackApiError, SlackClientError, OSError, http.client.HTTPException, ValueError) as error:
                LOG.warning("no socket to Slack (%s); again in %.0f s", type(error).__name__, rest)
                self._stop.wait(rest)
                rest = min(rest * 2, LONGEST_REST)
            else:
                LOG.info("the socket to Slack stands")
                return


def _hang_up(client: Any) -> None:
    """End the client's waiting for what comes: left alone, it notices only after seconds that it is to close."""
    client.closed, client.auto_reconnect_enabled = True, False
    client.current_session_state.terminated = True
    client.message_queue.put(None)
    line = getattr(client.current_session, "sock", None)
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
