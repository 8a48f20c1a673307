"""The bytes that Prometheus sent in, an Answer out; Blind for all that is not whole, or not for the time asked.

Pure. The form is that of the HTTP API (prometheus/docs/querying/api.md) and of its relatives, which say in `warnings`
or `isPartial` that parts of the data could not be read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from opsbot.core.alert import Answer, Sample
from opsbot.core.errors import Blind, PermanentError

SKEW = timedelta(seconds=60)
"""How far behind the time asked for the server's clock may be before its answer says nothing."""

_SAID = 200
_VALUE = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf)|nan", re.ASCII | re.IGNORECASE)
_HARMLESS = ("PromQL info:", "PromQL warning:")
"""Notes on how the expression is written (prometheus/util/annotations), not on data that is missing."""


_IN_VAIN = ("context deadline exceeded", "context canceled")
"""How a query ends that waited in the queue of a busy Prometheus 3 until its time was over: as if it were at fault
(prometheus/web/api/v1: what NewInstantQuery says is taken for a bad parameter)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def answer(reply: Reply, at: datetime) -> Answer:
    """The samples of an instant query for the time `at`.

    Blind where they may not be all of them, or are not for that time; PermanentError where the expression is wrong.
    """
    _same_clock(reply, at)
    data = success(reply)
    kind, result = data.get("resultType"), data.get("result")
    if kind == "scalar":
        return Answer((_sample({"metric": {}, "value": result}, at),), at, "scalar")
    if kind != "vector":
        raise Blind(f"Prometheus gave a result of type {str(kind)[:40]!r}, not a vector or scalar")
    if not isinstance(result, list):
        raise Blind("Prometheus gave a vector that is no list")
    return Answer(tuple(_sample(item, at) for item in result), at)


def success(reply: Reply) -> Mapping[str, Any]:
    """The `data` of an answer that says success and that nothing is missing; Blind or PermanentError otherwise."""
    if 300 <= reply.status < 400:
        raise Blind(f"Prometheus redirects (HTTP {reply.status}): give the address that it leads to")
    if reply.status in (401, 403):
        raise Blind(f"Prometheus does not let this account in (HTTP {reply.status})")
    envelope = _envelope(reply)
    if reply.status != 200 or envelope.get("status") != "success":
        _raise(reply, envelope)
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise Blind("Prometheus gave an answer without data")
    _whole(envelope, data)
    return data


def _same_clock(reply: Reply, at: datetime) -> None:
    """An answer for a time that the server has not reached is empty or old, whatever it says."""
    try:
        there = parsedate_to_datetime(reply.headers.get("date", ""))
    except ValueError:
        return
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    if at - there > SKEW:
        raise Blind(f"the clock of Prometheus is {(at - there).total_seconds():.0f}s behind the time asked for")


def _envelope(reply: Reply) -> Mapping[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        if reply.status != 200:
            raise Blind(f"Prometheus answered HTTP {reply.status}") from None
        page = reply.body.lstrip()[:1] == b"<"
        raise Blind(f"Prometheus gave {'a web page' if page else 'something'} that is no whole JSON") from None
    if not isinstance(found, dict):
        raise Blind(f"Prometheus gave JSON that is no answer (HTTP {reply.status})")
    return found


def _raise(reply: Reply, envelope: Mapping[str, Any]) -> None:
    kind, why = _said(envelope.get("errorType")), _said(envelope.get("error"))
    if 400 <= reply.status < 500 and kind == "bad_data" and not why.endswith(_IN_VAIN):
        raise PermanentError(f"Prometheus refuses the expression: {why}")
    words = ": ".join(word for word in (kind, why) if word) or "no reason given"
    raise Blind(f"Prometheus answered HTTP {reply.status}: {words}")


def _whole(envelope: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    if envelope.get("isPartial") or data.get("isPartial"):
        raise Blind("Prometheus says that its answer is partial")
    warnings = envelope.get("warnings") or []
    for warning in warnings if isinstance(warnings, list) else [warnings]:
        if not str(warning).startswith(_HARMLESS):
            raise Blind(f"Prometheus warns that its answer may not be whole: {_said(warning)}")


def _said(text: Any) -> str:
    """What the server said, fit for one short line."""
    return "" if text is None else " ".join(str(text).split())[:_SAID]


def _sample(item: Any, at: datetime) -> Sample:
    labels = item.get("metric") if isinstance(item, dict) else None
    if not isinstance(labels, dict) or not all(map(_is_text, (*labels, *labels.values()))):
        raise Blind("Prometheus gave a series without labels that can be read")
    pair = item.get("value", item.get("histogram"))
    if not isinstance(pair, list) or len(pair) != 2:
        raise Blind("Prometheus gave a series without a value")
    _fresh(pair[0], at)
    # A histogram counts as an element whose number is 0, as in Prometheus' own rules.
    return Sample(labels, _value(pair[1]) if "value" in item else 0.0, at)


def _is_text(value: Any) -> bool:
    """Whether it can be written down again: JSON may hold half a character, which no Prometheus sends."""
    return isinstance(value, str) and value.encode("utf-8", "replace") == value.encode("utf-8", "surrogatepass")


def _fresh(stamp: Any, at: datetime) -> None:
    """Prometheus stamps each value with the time that it was asked for, to the millisecond."""
    if isinstance(stamp, bool) or not isinstance(stamp, int | float) or not math.isfinite(stamp):
        raise Blind("Prometheus gave a value without a time")
    off = stamp - at.timestamp()
    if abs(off) > 0.0015:
        raise Blind(f"Prometheus answered for another time than asked ({off:+.3f}s)")


def _value(text: Any) -> float:
    if not isinstance(text, str) or not _VALUE.fullmatch(text):
        raise Blind(f"Prometheus gave a value that is no number: {_said(text)[:40]!r}")
    return float(text)
