"""Signed HTTP: bytes of anybody in, and only what Slack has signed handed on.

Headers and size are looked at before the body is, the signature before it is parsed. Put TLS in front of it.
"""

from __future__ import annotations

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from opsbot.chat import signing
from opsbot.chat.tokens import Token
from opsbot.core.errors import PermanentError
from opsbot.core.ports import Clock

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LOG = logging.getLogger("opsbot.chat")
PATH = "/slack/events"
LARGEST = 256 * 1024
"""Bytes: Slack's own payloads stay far below."""
PATIENCE = 5.0
"""Seconds that a client may take for each piece of its request."""
DEADLINE = 10.0
"""Seconds for a whole request, from the connection to the end of the body, however small its pieces."""
MOST = 64
"""Connections at once."""
BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class Reply(NamedTuple):
    """What goes back."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


Handle = Callable[[str, Mapping[str, str]], Reply]
"""What to do with a signed body."""


class Listener:
    """A small server on `listen` (host:port). `handle` gets what is signed, in a thread of its own."""

    def __init__(self, listen: str, secret: Token, clock: Clock, handle: Handle) -> None:
        self._secret, self._clock, self._handle = secret, clock, handle
        host, _, port = listen.rpartition(":")
        try:
            self._server = _Server((host.strip("[]"), int(port)), _handler(self))
        except (OSError, ValueError, OverflowError) as error:
            raise PermanentError(f"slack.listen: cannot listen on {listen}: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="slack-http", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def open(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def close(self) -> None:
        """Take nothing more."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def answer(self, headers: Mapping[str, str], body: bytes) -> Reply:
        """What is signed is handled; everything else gets 401 and no reason."""
        why = signing.fault(headers, body, self._secret.reveal(), self._clock())
        if why:
            LOG.warning("a request that claims to be Slack's is refused: %s", why)
            return Reply(401, "not signed by Slack")
        try:
            return self._handle(body.decode("utf-8"), headers)
        except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested without end
            LOG.warning("a delivery of Slack cannot be read: %s", type(error).__name__)
            return Reply(400, "not readable")


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, where: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._places = threading.BoundedSemaphore(MOST)
        super().__init__(where, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, where there is a place left."""
        if self._places.acquire(blocking=False):
            return super().process_request(request, client_address)
        LOG.warning("too many connections at once: one is turned away")
        request.setblocking(False)
        request.sendall(BUSY)
        return self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """And the place is free again."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        LOG.info("a connection ended early")


class _Pieces(io.RawIOBase):
    """What comes through a connection until its time is over; TimeoutError then."""

    def __init__(self, line: socket.socket) -> None:
        self._line, self._until = line, time.monotonic() + DEADLINE

    def readable(self) -> bool:
        return True

    def readinto(self, into: WriteableBuffer) -> int:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        self._line.settimeout(min(left, PATIENCE))
        try:
            return self._line.recv_into(into)
        finally:
            self._line.settimeout(PATIENCE)


def _handler(listener: Listener) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"listener": listener})


class _Handler(BaseHTTPRequestHandler):
    listener: Listener
    timeout = PATIENCE
    server_version = "opsbot"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Pieces(self.connection))

    def do_POST(self) -> None:
        self._send(self._refused() or self.listener.answer(self._named(), self.rfile.read(self._length())))

    def _named(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _refused(self) -> Reply | None:
        """What can be said before the body is read."""
        try:
            path = urlsplit(self.path).path
        except ValueError:
            return Reply(400, "no address")
        if path != PATH:
            return Reply(404, "nothing here")
        if "transfer-encoding" in self.headers or self._length() < 0:
            return Reply(411, "a length is needed")
        return Reply(413, "too long") if self._length() > LARGEST else None

    def _length(self) -> int:
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1

    def _send(self, reply: Reply) -> None:
        content = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What a client does wrong is never called a fault of the server's."""
        super().send_error({501: 405, 505: 400}.get(code, code), message, explain)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        LOG.debug("http: %s", format % args)
