"""The face for programs: HTTP/1.1 on loopback, one thread per connection, every answer with its length.

Never listens on anything but 127.0.0.1.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opsbot.testing.cluster.wire import Ending, Failure, Request, Response, request, status

MAX_BODY = 3_145_728  # the API server's own limit on a request
IDLE_SECONDS = 30


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, handle: Callable[[Request], Response]) -> None:
        self.handle_one = handle
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
        """Quiet: FakeCluster.requests remembers what was asked."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdecimal() or int(length) > MAX_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._send(status(Failure(413, "the request is too large, or of a length that is not stated")))
        body = self.rfile.read(int(length))
        return self._send(self.server.handle_one(request(self.command, self.path, body, dict(self.headers))))

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

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - names of http.server


@contextmanager
def serve(
    handle: Callable[[Request], Response], *, port: int = 0, tick: Callable[[], None] | None = None,
    tick_every: float | None = None,
) -> Iterator[str]:  # fmt: skip
    """Serve `handle` (and call `tick` every so many seconds) while the context lasts; its value is the URL."""
    server = _Server(port, handle)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)]
    if tick is not None and tick_every is not None:
        threads.append(threading.Thread(target=_tick, args=(tick, tick_every, server.over), daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        for connection in list(server.open):
            connection.close()
        for thread in threads:
            thread.join(5)


def _tick(tick: Callable[[], None], every: float, over: threading.Event) -> None:
    while not over.wait(every):
        tick()
