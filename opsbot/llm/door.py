"""The one door to the openai package: one exchange of Chat Completions, its reply as bytes within a size and a time.

The package would retry, follow redirects, unpack bodies, and send keys and headers that it finds in the environment:
none of that gets past the transport here, and no error tells a secret.
"""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from opsbot.core.errors import Blind

CONNECT = 5.0
MOST_BYTES = 256_000
_SENT = ("host", "content-length", "content-type", "connection")


class NotAsked(Blind):
    """The question never reached the server: it cost nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A reply of the server."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def why(self) -> str:
        """What the server says went wrong, as OpenAI's error object or as plain text."""
        found = self.json
        for name in ("error", "message", "detail"):
            if isinstance(found, dict) and name in found:
                found = found[name]
        said = found if isinstance(found, str) else self.body.decode("utf-8", "replace")
        return " ".join(said.split())[:300]


class Line:
    """A connection to one server for one question; `until` is by the monotonic clock."""

    def __init__(self, base_url: str, key: str, until: float, most_bytes: int = MOST_BYTES) -> None:
        self._until = until
        self._http = httpx2.Client(
            transport=_Guard(key, base_url, until, most_bytes), trust_env=False, follow_redirects=False,
        )  # fmt: skip
        self._api = openai.OpenAI(
            api_key="unused", admin_api_key="unused", base_url=base_url, max_retries=0, http_client=self._http
        )
        self._ask = self._api.chat.completions.with_raw_response.create  # imports what a first question would wait for

    def complete(self, messages: Sequence[Mapping[str, str]], options: Mapping[str, Any]) -> Heard:
        """One completion; Blind where no reply came, whatever its status otherwise."""
        given: dict[str, Any] = {"messages": list(messages), **options, "timeout": self._patience()}
        return self._heard(self._ask, given)

    def models(self) -> Heard:
        """The server's list of models."""
        return self._heard(self._api.models.with_raw_response.list, {"timeout": self._patience()})

    def close(self) -> None:
        """Give back the connection."""
        self._http.close()

    def _patience(self) -> httpx2.Timeout:
        left = max(self._until - time.monotonic(), 0.001)
        return httpx2.Timeout(left, connect=min(CONNECT, left))

    def _heard(self, call: Any, given: Mapping[str, Any]) -> Heard:
        try:
            found = call(**given).http_response
        except openai.APIStatusError as error:
            found = error.response
        except openai.OpenAIError as error:
            raise _why(error) from None
        return Heard(found.status_code, {name.lower(): value for name, value in found.headers.items()}, found.content)


class _Guard(httpx2.BaseTransport):
    """Lets out what was meant to go out, to the server that was meant, and in no more than was agreed."""

    def __init__(self, key: str, base_url: str, until: float, most_bytes: int) -> None:
        self._inner = httpx2.HTTPTransport(trust_env=False)
        self._key, self._until, self._most_bytes = key, until, most_bytes
        self._origin = _origin(httpx2.URL(base_url))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request, its reply read whole."""
        if _origin(request.url) != self._origin:
            raise Blind("the model's library wanted to ask another server")
        kept = {name: value for name, value in request.headers.items() if name.lower() in _SENT}
        more = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "opsbot"}
        auth = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        sent = httpx2.Request(
            request.method, request.url, headers={**kept, **more, **auth}, content=request.read(),
            extensions=request.extensions,
        )  # fmt: skip
        response = self._inner.handle_request(sent)
        try:
            body = self._body(response)
        finally:
            response.close()
        shown = {name: value for name, value in response.headers.items() if name.lower() == "retry-after"}
        return httpx2.Response(response.status_code, headers=shown, content=body, request=request)

    def _body(self, response: httpx2.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Blind("packed its answer, though asked not to")
        parts, size = [], 0
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > self._most_bytes:
                raise Blind(f"gave an answer of more than {self._most_bytes} bytes")
            if time.monotonic() > self._until:
                raise Blind("gave no whole answer in time")
        return b"".join(parts)

    def close(self) -> None:
        """Give back its connections."""
        self._inner.close()


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _why(error: openai.OpenAIError) -> Blind:
    """In words of ours: the library's own may hold addresses."""
    behind = list(_causes(error))
    for kinds, words in _UNASKED:
        if any(isinstance(found, kinds) for found in behind):
            return NotAsked(words)
    for kinds, words in _BROKEN:
        if any(isinstance(found, kinds) for found in behind):
            return Blind(words)
    return Blind(f"could not be asked ({type(error).__name__})")


_Words = tuple[tuple[tuple[type[BaseException], ...], str], ...]
_UNASKED: _Words = (
    ((ssl.SSLError,), "has a certificate that is not trusted, or speaks no TLS"),
    ((ConnectionRefusedError,), "refuses the connection"),
    ((socket.gaierror,), "has a name that is not known"),
    ((httpx2.ConnectTimeout,), "does not accept the connection in time"),
)
_BROKEN: _Words = (
    ((TimeoutError, httpx2.TimeoutException), "gave no whole answer in time"),
    ((httpx2.TransportError,), "broke the connection off"),
)
