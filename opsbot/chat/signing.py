"""A request over HTTP in, why it is not Slack's out; empty where it is. Pure.

"Verifying requests from Slack" of docs.slack.dev: version v0, HMAC-SHA256 over `v0:TIMESTAMP:BODY` with the signing
secret, a time stamp not older than five minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

FRESH = timedelta(minutes=5)
_TIME = re.compile(r"\d{1,11}", re.ASCII)
_SIGNATURE = re.compile(r"v0=[0-9a-f]{64}", re.ASCII)


def fault(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> str:
    """Why it may not be believed: no_timestamp, stale, no_signature, forged; empty: it may. Names in lower case."""
    stamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
    if not _TIME.fullmatch(stamp):
        return "no_timestamp"
    if abs(now.timestamp() - int(stamp)) > FRESH.total_seconds():
        return "stale"
    if not _SIGNATURE.fullmatch(signature):
        return "no_signature"
    return "" if hmac.compare_digest(signature, signed(secret, stamp, body)) else "forged"


def signed(secret: str, stamp: str, body: bytes) -> str:
    """The signature that Slack gives a body at that time."""
    base = b"v0:" + stamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
