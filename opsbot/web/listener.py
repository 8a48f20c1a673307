"""Listener: an application served on an address in a thread of its own, with limits on how long a client may take."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from opsbot.core.errors import PermanentError

LOG = logging.getLogger("opsbot.web")
PATIENCE = 10.0
"""Seconds that a client may take for the head of a request, and then for its body."""
HEAD = 32_768
"""Bytes of a request's head."""
CONNECTIONS = 256
IDLE = 20
"""Seconds for which a connection is kept for the next request."""
STOP = 5
_LATE = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class _Patient(HttpToolsProtocol):
    """HTTP with an end to patience: uvicorn waits for the head of a request for ever, and takes one of any size."""

    _late: asyncio.TimerHandle | None = None
    _head = 0
    _large = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._head += len(data)
        if self._late is not None and self._head > HEAD:
            self._end(_LARGE)

    def on_message_begin(self) -> None:
        self._arrived()
        self._expect()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._arrived()
        head = len(self.url) + sum(len(name) + len(value) + len(": \r\n") for name, value in self.headers)
        if head > HEAD:  # it came in one piece
            self._large = True
            raise ValueError("the head is too large")  # which ends the parser's work, and so leads to send_400_response
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        if self._large:
            self._end(_LARGE)
        else:
            super().send_400_response(msg)

    def _expect(self) -> None:
        self._head = 0
        self._late = self.loop.call_later(PATIENCE, self._end, _LATE)

    def _arrived(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _end(self, words: bytes) -> None:
        self._arrived()
        if not self.transport.is_closing():
            self.transport.write(words)
            self.transport.close()


class Listener:
    """Serves an ASGI application on `listen` (host:port); PermanentError where that address cannot be had."""

    def __init__(self, listen: str, app: Any) -> None:
        host, _, port = listen.rpartition(":")
        try:
            self._socket = _bound(host.strip("[]"), int(port))
        except (OSError, ValueError, OverflowError) as error:
            raise PermanentError(f"web.listen: cannot listen on {listen}: {error}") from error
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, http=_Patient, loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False,
                limit_concurrency=CONNECTIONS, timeout_keep_alive=IDLE, timeout_graceful_shutdown=STOP,
                server_header=False, proxy_headers=False,
            )
        )  # fmt: skip
        self._thread = threading.Thread(target=self._run, name="opsbot-web", daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def open(self) -> None:
        """Listen from now on."""
        self._socket.listen(2048)  # a client that comes before the loop runs waits
        self._thread.start()

    def close(self) -> None:
        """Take no new connection, let what is under way be answered, and end."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP + 2)
        self._socket.close()

    def _run(self) -> None:
        self._server.run(sockets=[self._socket])


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
