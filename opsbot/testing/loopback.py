"""A function from request to answer, put behind HTTP on loopback: answers may come whole, cut, dripping or never."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


@contextmanager
def served(handle: Handle, port: int = 0) -> Iterator[str]:
    """Serve on loopback while the context lasts; its value is the URL."""
    server = _Server(port, handle)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        for connection in list(server.open):
            connection.close()
        thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, handle: Handle) -> None:
        self.handle = handle
        self.over = threading.Event()
        self.open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.open.add(self.connection)

    def finish(self) -> None:
        self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, *_args: Any) -> None:
        """Quiet: the fake behind it remembers what it was asked."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = self.server.handle(request(self.command, self.path, body, dict(self.headers)))
        if told.ending in (Ending.HANGS, Ending.DROPPED):
            self.close_connection = True
            if told.ending is Ending.HANGS:
                self.server.over.wait()
            return
        self.send_response_only(told.status)
        for name, value in {**told.headers, "Content-Length": str(len(told.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self._send(told)

    def _send(self, told: Told) -> None:
        whole = told.ending is Ending.WHOLE
        self.close_connection = self.close_connection or not whole
        self.wfile.write(told.body if whole else told.body[: len(told.body) // 2])
        while told.ending is Ending.DRIPS and not self.server.over.wait(0.05):
            self.wfile.write(b" ")
            self.wfile.flush()

    do_GET = do_POST = _serve  # noqa: N815 - names of http.server
