"""What every fake server stands on: HTTP/1.1 on 127.0.0.1, one thread per connection, gone when its context ends.

`served` puts a function from request to answer behind it: answers may come whole, cut, dripping or never. A fake with
an outward face of its own derives it from `Face` and lets it stand with `standing`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsbot.testing.cluster.wire import Request, request


class Ending(StrEnum):
    """How an answer travels."""

    WHOLE = "whole"
    CUT = "cut"
    DROPPED = "dropped"
    HANGS = "hangs"
    DRIPS = "drips"


@dataclass(frozen=True, slots=True)
class Told:
    """An HTTP answer, ready to travel."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    ending: Ending = Ending.WHOLE


Handle = Callable[[Request], Told]


class Server(ThreadingHTTPServer):
    """Listens on loopback; each connection is a `face`. `behind` is what the face asks; `over` says that it ends."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, face: type[Face], behind: Any) -> None:
        self.behind = behind
        self.over = threading.Event()
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), face)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class Face(BaseHTTPRequestHandler):
    """One connection, quiet: the fake behind it remembers what it was asked."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    longest = 1 << 26
    server: Server

    def setup(self) -> None:
        """The server knows its connections, so that it can cut them."""
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        """And forgets them."""
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *_args: Any) -> None:
        """Says nothing on stderr."""

    def body(self) -> bytes | None:
        """The request's body; None, and the connection ends, where its length is too large or not stated."""
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > self.longest or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def asked(self, body: bytes) -> Request:
        """What was asked, taken apart."""
        return request(self.command, self.path, body, dict(self.headers))

    def lose(self, *, hangs: bool) -> None:
        """End the connection without an answer; one that hangs does so when the server ends."""
        if hangs:
            self.server.over.wait()
        self.close_connection = True

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        """The status line and the headers."""
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def standing(server: Server, tick: Callable[[], None] | None = None, every: float | None = None) -> Iterator[str]:
    """Serve (and call `tick` every so many seconds) while the context lasts; its value is the URL."""
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)]
    if tick and every is not None:
        threads.append(threading.Thread(target=_tick, args=(tick, every, server.over), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        for connection in list(server.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join(5)


def _tick(tick: Callable[[], None], every: float, over: threading.Event) -> None:
    while not over.wait(every):
        tick()


@contextmanager
def served(handle: Handle, port: int = 0) -> Iterator[str]:
    """Serve a function on loopback while the context lasts; its value is the URL."""
    with standing(Server(port, _Plain, handle)) as url:
        yield url


class _Plain(Face):
    def _serve(self) -> None:
        body = self.body()
        if body is None:
            return self.head(413, {"Content-Length": "0"})
        told: Told = self.server.behind(self.asked(body))
        if told.ending in (Ending.HANGS, Ending.DROPPED):
            return self.lose(hangs=told.ending is Ending.HANGS)
        self.head(told.status, {**told.headers, "Content-Length": str(len(told.body))})
        return self._send(told)

    def _send(self, told: Told) -> None:
        whole = told.ending is Ending.WHOLE
        self.close_connection = self.close_connection or not whole
        self.wfile.write(told.body if whole else told.body[: len(told.body) // 2])
        while told.ending is Ending.DRIPS and not self.server.over.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    do_GET = do_POST = _serve  # noqa: N815 - names of http.server
