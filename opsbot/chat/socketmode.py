"""Socket Mode: opsbot calls out and keeps a line open, through which deliveries come in to the gate."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from opsbot.chat.bolt import AGAIN, QUIET
from opsbot.chat.http import Reply
from opsbot.chat.tokens import Token

if TYPE_CHECKING:
    from slack_bolt import App
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest

LOG = logging.getLogger("opsbot.chat")
FIRST_REST, LONGEST_REST = 1.0, 60.0
PING = 2.0
"""Seconds between two looks whether the socket still stands; the client believes that it fell after five bad ones."""

Pass = Callable[[Any, Mapping[str, str]], Reply]
"""What to do with a delivery and its headers."""


class Socket:
    """Connects in a thread of its own until the line stands, and again whenever it falls; `stands` is called then."""

    def __init__(self, app: App, token: Token, take: Pass, stands: Callable[[], None]) -> None:
        self._app, self._token, self._take, self._stands = app, token, take, stands
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
        from slack_sdk.errors import SlackApiError, SlackClientError

        self._handler = self._made()
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

    def _made(self) -> Any:
        """Bolt's own handler, which gets its deliveries through the gate."""
        from slack_bolt.adapter.socket_mode import SocketModeHandler

        made = SocketModeHandler(self._app, self._token.reveal(), logger=QUIET, ping_interval=PING)
        made.client.socket_mode_request_listeners[:] = [self._heard]
        made.client.message_listeners.append(self._greeted)
        return made

    def _heard(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledge what is kept; what is not, is not: Slack tells the person, or sends it again."""
        from slack_sdk.socket_mode.response import SocketModeResponse

        again = {} if request.retry_attempt is None else {AGAIN: str(request.retry_attempt)}
        try:
            reply = self._take(request.payload, again)
        except (ValueError, RecursionError) as error:
            return LOG.warning("a delivery of Slack is refused (malformed): %s", error)
        if reply.status == 200:
            words = {"text": reply.body} if reply.body else None
            client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id, payload=words))
        return None

    def _greeted(self, _client: BaseSocketModeClient, message: Mapping[str, Any], _raw: str | None = None) -> None:
        """Slack says hello on each new line (docs.slack.dev, "Using Socket Mode")."""
        if message.get("type") == "hello":
            self._stands()


def _hang_up(client: Any) -> None:
    """End the client's waiting for what comes: left alone, it notices only after seconds that it is to close."""
    client.closed, client.auto_reconnect_enabled = True, False
    client.current_session_state.terminated = True
    client.message_queue.put(None)
    line = getattr(client.current_session, "sock", None)
    if line is not None:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
