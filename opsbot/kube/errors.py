"""From what came over the wire to the words of `core.errors`. Messages hold what the server said, never what was sent.

What the server said is untrusted text: whoever keeps or shows it masks it first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsbot.core.errors import Blind, Conflict, OpsbotError, Refused, TemporaryError, Unknown

MAX_SAID = 300
HEAD = 100


class NotSent(OpsbotError):
    """The connection never came about: the server has seen nothing of the request."""


class NoAnswer(OpsbotError):
    """The request went out, and no whole answer came back in time or within the byte cap."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP answer; `cut` says that the body went on beyond the byte cap."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False

    def parsed(self) -> dict[str, Any] | None:
        """The body as a JSON object, or None where it is none."""
        try:
            found = json.loads(self.body.decode("utf-8", "replace"), parse_constant=_no_number)
            if b"\\ud" in self.body.lower():
                # Half a surrogate pair is text that nobody can write down again: it becomes a question mark.
                found = json.loads(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
        return found if isinstance(found, dict) else None

    def refusal(self) -> dict[str, Any] | None:
        """The body as a Status object, or None: what a proxy in between says is none."""
        found = self.parsed()
        return found if found and found.get("kind") == "Status" else None


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def said(reply: Reply) -> str:
    """What an answer says, in one short line.

    Of a long one it is the beginning and the end: of a patch that does not fit the API server repeats the whole object
    first, and says what is wrong with it last.
    """
    found = reply.parsed() or {}
    text = found.get("message") if found.get("kind") == "Status" else None
    if not isinstance(text, str) or not text:
        text = "no Status object came with it"
    text = " ".join(text.split())
    if len(text) > MAX_SAID:
        text = f"{text[:HEAD]} ... {text[HEAD + 5 - MAX_SAID :]}"
    return f"{reply.status}: {text}"


def is_missing(reply: Reply, name: str) -> bool:
    """Whether the API server itself says that there is no such object: a proxy's 404 page says nothing of the kind.

    An unknown resource is a 404 too, but names no object.
    """
    found = (reply.refusal() or {}) if reply.status == 404 else {}
    details = found.get("details")
    return found.get("reason") == "NotFound" and isinstance(details, dict) and details.get("name") == name


def blind(what: str, reply: Reply) -> Blind:
    """A read that was answered, but not with what was asked for."""
    hint = {
        401: "; the credential is not accepted", 403: "; the read account lacks this right",
    }.get(reply.status, "")  # fmt: skip
    return Blind(f"{what}: {said(reply)}{hint}")


def failed_write(what: str, reply: Reply) -> OpsbotError:
    """What an answer other than 200 means for a write.

    429 says so even without a Status object: priority and fairness sends plain text
    (k8s.io/apiserver, pkg/server/filters). Everything that the API server did not clearly refuse is Unknown.
    """
    text = f"{what}: {said(reply)}"
    if reply.status == 429:
        return TemporaryError(text, retry_after(reply.headers))
    found = reply.refusal()
    if found is None or not 400 <= reply.status < 500:
        return Unknown(text)
    if reply.status == 409:
        return Conflict(text)
    return Refused(_snake(found.get("reason")) or f"http_{reply.status}", text)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of a Retry-After header, between one and sixty; one where it is absent or no number."""
    text = next((value for key, value in headers.items() if key.lower() == "retry-after"), "")
    return float(min(max(int(text), 1), 60)) if text.isdecimal() and len(text) < 9 else 1.0


def _snake(reason: Any) -> str:
    """`NotFound` as `not_found`; empty for what is no such word."""
    if not isinstance(reason, str) or not re.fullmatch(r"[A-Za-z]{1,60}", reason, re.ASCII):
        return ""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason).lower()
