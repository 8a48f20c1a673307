"""One connection to Prometheus: prometheus-api-client on a session of ours; requests out, replies as bytes in.

The library keeps `data.result` alone and drops warnings, isPartial and resultType, so the session keeps the reply as it
came. Nothing is read from the environment, no redirect is followed, nothing is retried, and no error tells a secret.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import requests
from urllib3.exceptions import HTTPError

from opsbot.core.errors import Blind
from opsbot.prometheus.envelope import Reply

CONNECT = 3.0
_CHUNK = 65_536


class Settings(Protocol):
    """Where Prometheus is, and how to say who asks."""

    @property
    def url(self) -> str:
        """Its http address, a path in front of /api included."""

    @property
    def timeout(self) -> timedelta:
        """How long a question may take at most."""

    @property
    def token_file(self) -> Path | None:
        """A bearer token."""

    @property
    def username(self) -> str:
        """For basic auth, with `password_file`."""

    @property
    def password_file(self) -> Path | None:
        """For basic auth, with `username`."""

    @property
    def ca_file(self) -> Path | None:
        """Who signed its certificate."""

    @property
    def headers(self) -> Mapping[str, str]:
        """More headers, such as a tenant's."""


class Line:
    """prometheus-api-client on a session of ours."""

    def __init__(self, settings: Settings, most_bytes: int) -> None:
        from prometheus_api_client import PrometheusConnect

        self._session = _Session(settings.ca_file, most_bytes)
        url = settings.url.rstrip("/")
        self._api = PrometheusConnect(url, session=self._session, retry=0, method="POST")
        self._url = url

    def ready(self, settings: Settings, deadline: float) -> None:
        """Say who asks, read anew each time because tokens are renewed in their files; and how long it may take."""
        self._api.headers = {**settings.headers, "Accept-Encoding": "identity", **_bearer(settings.token_file)}
        self._api.auth = _basic(settings)
        self._session.deadline = deadline

    def query(self, expression: str, asked: Mapping[str, str], left: float) -> Reply:
        """POST an instant query."""
        # What the library makes of the reply is left aside: the session has seen all of it.
        self._api.custom_query(expression, {**asked, "timeout": f"{int(left * 1000)}ms"}, (min(CONNECT, left), left))
        return self._session.seen()

    def get(self, path: str, left: float) -> Reply:
        """GET another page of the API."""
        self._session.request(
            "GET", self._url + path, headers=self._api.headers, auth=self._api.auth, timeout=(min(CONNECT, left), left)
        )
        return self._session.seen()

    def close(self) -> None:
        """Give back its connections."""
        self._session.close()


class _Session(requests.Session):
    """A session that takes nothing from the environment and reads bodies within a size and a time."""

    def __init__(self, ca_file: Path | None, most_bytes: int) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(ca_file) if ca_file else True
        self.deadline = 0.0
        self._most_bytes = most_bytes
        self._reply: Reply | None = None

    def seen(self) -> Reply:
        """The last reply, whole."""
        if self._reply is None:
            raise Blind("Prometheus was not asked")
        return self._reply

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        """Send and read the body, which `seen` tells; parameters of a POST go into its body.

        The library gets another answer, without anything in it: it would read the whole one a second time.
        """
        self._reply = None
        if method == "POST":
            given["data"], given["params"] = given.get("params"), None
        with super().request(method, url, **{**given, "allow_redirects": False, "stream": True}) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            self._reply = Reply(response.status_code, headers, self._body(response))
        return _leave_aside()

    def _body(self, response: requests.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise requests.exceptions.ContentDecodingError
        parts, size = [], 0
        try:
            while part := response.raw.read1(_CHUNK, decode_content=False):
                parts.append(part)
                size += len(part)
                if size > self._most_bytes:
                    raise Blind(f"Prometheus gave an answer of more than {self._most_bytes} bytes")
                if time.monotonic() > self.deadline:
                    raise Blind("Prometheus gave no whole answer in time")
        except (OSError, HTTPError) as error:
            raise requests.exceptions.ChunkedEncodingError from error
        return b"".join(parts)


def _leave_aside() -> requests.Response:
    """What the library may make of a reply: nothing."""
    empty = requests.Response()
    empty.status_code, empty.encoding, empty.raw = 200, "utf-8", io.BytesIO(b'{"data": {"result": []}}')
    return empty


# who asks -----------------------------------------------------------------------------------------------------------


def _bearer(file: Path | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {_secret(file, 'token_file')}"} if file else {}


def _basic(settings: Settings) -> tuple[str, str] | None:
    if not settings.username or settings.password_file is None:
        return None
    return settings.username, _secret(settings.password_file, "password_file")


def _secret(file: Path, what: str) -> str:
    """The one line of a secret's file; Blind, without a word of its content, where there is none."""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise Blind(f"prometheus.{what} {file} cannot be read") from None
    if not text or not text.isprintable() or not text.isascii():
        raise Blind(f"prometheus.{what} {file} does not hold one line of plain characters")
    return text


# what went wrong ----------------------------------------------------------------------------------------------------

_BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
_SLOW = (requests.Timeout, requests.exceptions.SSLError)


def is_broken(error: requests.RequestException) -> bool:
    """Whether the connection was refused or cut, or never came about: worth one more try."""
    return isinstance(error, _BROKEN) and not isinstance(error, _SLOW)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and all that is behind it, those that urllib3 hides in `reason` included."""
    seen: set[int] = set()
    todo = [error]
    while todo:
        found = todo.pop()
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            todo += [found.__cause__, found.__context__, getattr(found, "reason", None), *found.args]


def why(error: requests.RequestException) -> str:
    """In words of ours: the library's own hold addresses and headers."""
    behind = list(_causes(error))
    for kinds, words in _WORDS:
        if any(isinstance(found, kinds) for found in behind):
            return words
    return f"could not be asked ({type(error).__name__})"


_WORDS: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((requests.exceptions.SSLError,), "has a certificate that is not trusted, or speaks no TLS"),
    ((ConnectionRefusedError,), "refuses the connection"),
    ((socket.gaierror,), "has a name that is not known"),
    ((requests.ConnectTimeout,), "does not accept the connection in time"),
    ((TimeoutError, requests.Timeout), "gave no whole answer in time"),
    ((requests.exceptions.ContentDecodingError,), "gave an answer that is packed, though asked not to"),
    ((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), "broke the connection off"),
)
