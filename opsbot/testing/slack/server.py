"""The face for programs and browsers: HTTP/1.1 and WebSockets on 127.0.0.1, one thread per connection.

Requests that name another host are refused, so that a web page elsewhere cannot reach it through a name of its own.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsbot.testing.cluster.server import WireFace
from opsbot.testing.cluster.wire import request, text
from opsbot.testing.loopback import Server, standing
from opsbot.testing.slack.websocket import WebSocket, accept

if TYPE_CHECKING:
    from opsbot.testing.slack.fake import FakeSlack

TICK_SECONDS = 0.05


class _Face(WireFace):
    timeout = 60
    longest = 1 << 20

    def _serve(self) -> None:
        body = self.body()
        if body is None:
            return self.send(text("the request is too large, or of a length that is not stated", 413))
        if (urlsplit(f"//{self.headers.get('Host') or ''}").hostname or "") not in ("127.0.0.1", "localhost"):
            return self.send(text("this is a fake Slack on 127.0.0.1, and no other host", 421))
        if (self.headers.get("Upgrade") or "").lower() == "websocket":
            return self._upgrade(self.server.behind)
        return self.send(self.server.behind.handle(self.asked(body)))

    def _upgrade(self, slack: FakeSlack) -> None:
        key = accept((self.headers.get("Sec-WebSocket-Key") or "").strip())
        ticket = request("GET", self.path).query.get("ticket", "")
        if key is None or not slack.admit(ticket):
            return self.send(text("this ticket opens nothing", 403))
        self.head(101, {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": key})
        self.close_connection = True
        return slack.attend(WebSocket(self.rfile, self.wfile.write, self._cut))

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names of http.server


@contextmanager
def serve(slack: FakeSlack, port: int) -> Iterator[str]:
    """Serve while the context lasts; its value is the URL."""
    with standing(Server(port, _Face, slack), slack.deliveries.tick, TICK_SECONDS) as url:
        try:
            yield url
        finally:
            slack.deliveries.goodbye()
