"""The door to Slack, both ways: inbox and outbox, and the way in that config names, Socket Mode or signed HTTP.

Everything that comes in is kept before it is acknowledged: a listener that fails acknowledges nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

from opsbot.chat import bolt, payload, sender, tokens
from opsbot.chat.clerk import Clerk
from opsbot.chat.http import Listener
from opsbot.chat.inbox import Inbox
from opsbot.chat.outbox import Outbox
from opsbot.chat.socketmode import Socket
from opsbot.commands.desk import Desk
from opsbot.config import Slack
from opsbot.core.ports import Clock, Store


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
        self.mode, self.way = settings.mode, self._way(settings, web, clock)
        self._stop = threading.Event()
        self._sending = threading.Thread(target=self.outbox.run, args=(self._stop,), name="slack-outbox", daemon=True)

    def _way(self, settings: Slack, web: Any, clock: Clock) -> Way:
        app = bolt.made(settings, web, self.inbox)
        gate = bolt.Gate(app, self.inbox)
        if settings.mode == "http":
            secret = tokens.read(settings.signing_secret_file, "signing_secret_file")
            return Listener(settings.listen, secret, clock, gate.posted)
        token = tokens.read(settings.app_token_file, "app_token_file", "xapp-")
        return Socket(app, token, gate.passed, self.outbox.back)

    def start(self) -> None:
        """See to what was left, then listen and send."""
        self.inbox.catch_up()
        self._sending.start()
        self.way.open()

    def stop(self) -> None:
        """Listen no more, and wait a little for what has begun; the rest is kept in the store."""
        self.way.close()
        self._stop.set()
        self.outbox.wake()
        self.inbox.close()
        if self._sending.is_alive():
            self._sending.join()
