"""The face for programs and browsers: HTTP/1.1 and WebSockets on 127.0.0.1, one thread per connection.

Requests that name another host are refused, so that a web page elsewhere cannot reach it through a name of its own.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opsbot.testing.cluster.wire import Ending, Response, request, text
from opsbot.testing.slack.websocket import WebSocket, accept

if TYPE_CHECKING:
    from opsbot.testing.slack.fake import FakeSlack

MAX_BODY = 1 << 20
IDLE_SECONDS = 60
TICK_SECONDS = 0.05


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, slack: FakeSlack) -> None:
        self.slack = slack
        self.over = threading.Event()
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *_args: Any) -> None:
        """Quiet: FakeSlack.calls remembers."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._send(text("the request is too large, or of a length that is not stated", 413))
        body = self.rfile.read(int(length))
        if (urlsplit(f"//{self.headers.get('Host') or ''}").hostname or "") not in ("127.0.0.1", "localhost"):
            return self._send(text("this is a fake Slack on 127.0.0.1, and no other host", 421))
        if (self.headers.get("Upgrade") or "").lower() == "websocket":
            return self._upgrade()
        return self._send(self.server.slack.handle(request(self.command, self.path, body, dict(self.headers))))

    def _upgrade(self) -> None:
        key = accept((self.headers.get("Sec-WebSocket-Key") or "").strip())
        ticket = request("GET", self.path).query.get("ticket", "")
        if key is None or not self.server.slack.admit(ticket):
            return self._send(text("this ticket opens nothing", 403))
        self.send_response_only(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", key)):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        return self.server.slack.attend(WebSocket(self.rfile, self.wfile.write, self._cut))

    def _cut(self) -> None:
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, made: Response) -> None:
        if made.ending is not Ending.WHOLE:
            if made.ending is Ending.HANGS:
                self.server.over.wait()
            self.close_connection = True
            return
        self.send_response(made.status)
        headers = {"Content-Type": made.content_type, "Content-Length": str(len(made.body)), **made.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(made.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - names of http.server


@contextmanager
def serve(slack: FakeSlack, port: int) -> Iterator[str]:
    """Serve while the context lasts; its value is the URL."""
    server = _Server(port, slack)
    threads = [
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True),
        threading.Thread(target=_tick, args=(server,), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.over.set()
        slack.deliveries.goodbye()
        server.shutdown()
        server.server_close()
        for connection in list(server.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def _tick(server: _Server) -> None:
    while not server.over.wait(TICK_SECONDS):
        server.slack.deliveries.tick()
