"""The face for unit tests: the official client's own connection pool, replaced by the fake's `handle`.

Needs the `kubernetes` package, and imports it only when a client is asked for.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

from opsbot.testing.cluster.wire import Ending, Request, Response, chunk, request

HOST = "http://fake-cluster.invalid"


class Transport:
    """What stands in place of `rest_client.pool_manager`: it has `request` and `clear`, and keeps no connection."""

    def __init__(self, handle: Callable[[Request], Response]) -> None:
        self._handle = handle

    def request(
        self, method: str, url: str, *, body: bytes | str | None = None, headers: Any = None, fields: Any = None,
        timeout: Any = None, **_options: Any,
    ) -> Any:  # fmt: skip
        """Answer as urllib3 would: a response whose body can be streamed, or one of urllib3's errors at once."""
        import urllib3

        if fields:
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}"
        raw = body.encode() if isinstance(body, str) else body or b""
        made = self._handle(request(method, url, raw, headers))
        _break(made, url, timeout)
        if made.stream is not None:
            return _streaming(made, made.stream)
        stream = _Once(made.body)
        told = {"Content-Type": made.content_type, "Content-Length": str(len(made.body)), **made.headers}
        return urllib3.HTTPResponse(stream, status=made.status, headers=told, preload_content=False)

    def clear(self) -> None:
        """Nothing is kept, so nothing is cleared."""


class _Once(io.BytesIO):
    """Closes itself at its end, as a socket does: else the client's watch would spin for ever."""

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        if not found and size != 0:
            self.close()
        return found


class _Pieces(io.RawIOBase):
    """A socket's reading end, whose bytes are made while they are read."""

    def __init__(self, head: bytes, pieces: Iterator[bytes]) -> None:
        self._left = head
        self._pieces = pieces

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; none at the end."""
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        taken, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)

    def makefile(self, *_mode: Any) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self)


def _streaming(made: Response, stream: Iterator[bytes]) -> Any:
    """A response whose chunks come one by one, through http.client's own reading of them."""
    from http.client import HTTPResponse

    import urllib3

    head = f"HTTP/1.1 {made.status} OK\r\nContent-Type: {made.content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = itertools.chain((chunk(piece) for piece in stream if piece), [chunk(b"")])
    raw = HTTPResponse(_Pieces(head.encode(), chunks))  # type: ignore[arg-type]
    raw.begin()
    return urllib3.HTTPResponse(raw, status=raw.status, headers=dict(raw.getheaders()), preload_content=False)


def _break(made: Response, url: str, timeout: Any) -> None:
    """Raise what urllib3 raises; nobody waits for real."""
    from http.client import RemoteDisconnected

    from urllib3 import exceptions

    if made.ending is Ending.REFUSED:
        raise exceptions.NewConnectionError(None, f"[Errno 111] Connection refused: {url}")  # type: ignore[arg-type]
    if made.ending is Ending.LOST:
        cause = RemoteDisconnected("Remote end closed connection without response")
        raise exceptions.ProtocolError("Connection aborted.", cause)
    if made.ending is Ending.HANGS:
        if timeout is None:
            raise AssertionError("this call would hang for ever: it was made without a timeout")
        raise exceptions.ReadTimeoutError(None, url, f"Read timed out. (read timeout={timeout})")  # type: ignore[arg-type]


def client(handle: Callable[[Request], Response], token: str) -> Any:
    """An `ApiClient` with this token over the fake."""
    from kubernetes import client as kubernetes

    configuration = kubernetes.Configuration()
    configuration.host = HOST
    configuration.api_key = {"BearerToken": token}
    configuration.api_key_prefix = {"BearerToken": "Bearer"}
    api = kubernetes.ApiClient(configuration)
    api.rest_client.pool_manager = Transport(handle)  # type: ignore[assignment]
    return api
