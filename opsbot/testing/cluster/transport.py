"""The face for unit tests: the official client's own connection pool, replaced by the fake's `handle`.

Needs the `kubernetes` package, and imports it only when a client is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from opsbot.testing.cluster.wire import Ending, Request, Response, request

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
