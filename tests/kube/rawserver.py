"""A server that answers with whatever bytes a test likes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

Script = Callable[[socket.socket], None]


class RawServer:
    """Listens on loopback, reads one request per connection, and lets a script do the rest."""

    def __init__(self, script: Script) -> None:
        self.seen: list[bytes] = []
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self._open.append(line)
                threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line:
            self.seen.append(_request(line))
            self._script(line)

    def close(self) -> None:
        for line in [self._listener, *self._open]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()


def _request(line: socket.socket) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += line.recv(65_536)
    head, _, body = got.partition(b"\r\n\r\n")
    wanted = next(
        (int(row.partition(b":")[2]) for row in head.lower().split(b"\r\n") if row.startswith(b"content-length")), 0
    )
    while len(body) < wanted:
        body += line.recv(65_536)
    return head + b"\r\n\r\n" + body
