"""How Slack signs what it sends over HTTP (docs.slack.dev, "Verifying requests from Slack"): version v0."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Signed:
    """A request to an app: POST `body` with `headers`."""

    body: bytes
    headers: Mapping[str, str]


def sign(secret: str, timestamp: int | str, body: bytes) -> str:
    """The value of X-Slack-Signature."""
    base = b"v0:" + str(timestamp).encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def body_of(kind: str, payload: Mapping[str, Any]) -> tuple[bytes, str]:
    """A payload as Slack posts it, with its content type: a form, JSON in a form (clicks), or JSON (events)."""
    if kind == "slash_commands":
        return urlencode(payload).encode(), FORM
    if kind == "interactive":
        return urlencode({"payload": json.dumps(payload)}).encode(), FORM
    return json.dumps(payload).encode(), "application/json"


def signed(secret: str, timestamp: int, kind: str, payload: Mapping[str, Any]) -> Signed:
    """The whole request."""
    body, content_type = body_of(kind, payload)
    headers = {
        "Content-Type": content_type, "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": sign(secret, timestamp, body),
    }  # fmt: skip
    return Signed(body, headers)
