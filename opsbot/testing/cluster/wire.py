"""What goes into and comes out of the fake API server: requests, responses, and refusals in Kubernetes' own form."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]

REASONS = {
    400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed",
    406: "NotAcceptable", 409: "Conflict", 410: "Expired", 413: "RequestEntityTooLarge", 415: "UnsupportedMediaType",
    422: "Invalid", 429: "TooManyRequests", 501: "NotImplemented", 503: "ServiceUnavailable",
    504: "Timeout",
}  # fmt: skip


class Ending(StrEnum):
    """How the answer travels: whole, lost on the way, never (the server hangs), or the connection is refused."""

    WHOLE = "whole"
    LOST = "lost"
    HANGS = "hangs"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, taken apart. `query` keeps the last value of each key; `token` is the bearer token, if any."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""
    token: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response; `ending` is for the faces, which act it out. With a `stream` that is the body, bit by bit."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE
    stream: Iterator[bytes] | None = None

    @property
    def json(self) -> Json:
        """The body as an object; ValueError when it is none."""
        found = json.loads(self.body)
        if not isinstance(found, dict):
            raise ValueError("the body is no JSON object")
        return found


class Failure(Exception):
    """A refusal of the API server, which becomes a Status object."""

    def __init__(self, code: int, message: str, *, reason: str = "", details: Json | None = None,
                 retry_after: int | None = None, more: Json | None = None) -> None:  # fmt: skip
        super().__init__(message)
        self.code = code
        self.reason = reason or REASONS.get(code, "")
        self.details = details
        self.retry_after = retry_after
        self.more = more or {}


def request(method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Request:
    """Take a URL and headers apart as a server does."""
    parts = urlsplit(url)
    named = {key.lower(): value for key, value in (headers or {}).items()}
    scheme, _, token = named.get("authorization", "").partition(" ")
    return Request(
        method=method.upper(),
        path=unquote(parts.path),
        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
        body=body,
        content_type=named.get("content-type", "").partition(";")[0].strip().lower(),
        token=token.strip() if scheme.lower() == "bearer" else "",
    )


def answer(value: Any, status: int = 200) -> Response:
    """A value as a JSON response."""
    return Response(status, json.dumps(value, separators=(",", ":")).encode())


def text(content: bytes | str, status: int = 200) -> Response:
    """Plain text, as logs and health checks are."""
    raw = content.encode() if isinstance(content, str) else content
    return Response(status, raw, "text/plain")


def chunk(piece: bytes) -> bytes:
    """A piece of a stream as HTTP/1.1 frames it (RFC 9112, 7.1); an empty one ends the stream."""
    return f"{len(piece):x}\r\n".encode() + piece + b"\r\n"


def status(failure: Failure) -> Response:
    """A refusal as a Status object."""
    value: Json = {
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": str(failure),
        "reason": failure.reason, "code": failure.code, **failure.more,
    }  # fmt: skip
    if not failure.reason:
        del value["reason"]
    if failure.details is not None:
        value["details"] = failure.details
    made = answer(value, failure.code)
    headers = {} if failure.retry_after is None else {"Retry-After": str(failure.retry_after)}
    return Response(made.status, made.body, made.content_type, headers)


def invalid(kind: str, name: str, causes: Sequence[tuple[str, str]]) -> Failure:
    """422 with one cause per field, worded as the API server does."""
    said = ", ".join(f"{place}: {what}" for place, what in causes)
    said = said if len(causes) == 1 else f"[{said}]"
    told = [{"reason": _cause(what), "message": what, "field": place} for place, what in causes]
    details = {"name": name, "group": kind.partition(".")[2], "kind": kind.partition(".")[0], "causes": told}
    return Failure(422, f'{kind} "{name}" is invalid: {said}', details={k: v for k, v in details.items() if v})


_CAUSES = {"Required value": "FieldValueRequired", "Forbidden": "FieldValueForbidden",
           "Unsupported value": "FieldValueNotSupported"}  # fmt: skip


def _cause(what: str) -> str:
    return _CAUSES.get(what.partition(":")[0], "FieldValueInvalid")
