"""Any other JSON: a payload and a mapping of config in, Push values out.

A mapping says where things stand by `{{ a.b }}` references into `alert` (an entry of the list, or the payload itself)
and `payload` (all of it), and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from opsbot.config import Generic
from opsbot.core import template
from opsbot.core.alert import Push
from opsbot.monitor.receiving.payloads import form
from opsbot.monitor.receiving.payloads.form import BadPlaceError, Payload

_REFERENCE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}", re.ASCII)
_IN_SECONDS = 100_000_000_000
"""A count since 1970 below this is taken for seconds, one above it for milliseconds."""


def read(value: Any, sent_at: datetime, source: str, how: Generic) -> Payload:
    """The alerts of a payload that came in at `sent_at`, read as config says; Refused where none can be taken."""
    make = partial(_push, payload=value, sent_at=sent_at, source=source, how=how)
    if not how.alerts:
        return form.each([value], "payload", make)
    return form.each(_listed(value, how.alerts), how.alerts, make)


def _listed(value: Any, path: str) -> list[Any]:
    try:
        found = template.look_up(path, form.mapping(value, ""))
    except KeyError:
        raise BadPlaceError(path, "is missing") from None
    if not isinstance(found, list):
        raise BadPlaceError(path, "must be a list")
    return found


def _push(item: Any, place: str, payload: Any, sent_at: datetime, source: str, how: Generic) -> Push:
    form.mapping(item, place)
    scope = {"alert": item, "payload": payload}

    def filled(written: str, what: str, needed: bool = False) -> str:
        found = _filled(written, scope)
        if needed and not found:
            raise BadPlaceError(place, f"{what}: {written} leads to nothing")
        return found

    name = form.named(filled(how.name, "name", needed=True), f"{place} (name)")
    labels = {label: filled(written, label) for label, written in how.labels.items()}
    severity = filled(how.severity, "severity")
    labels |= {"alertname": name} | ({"severity": severity} if severity else {})
    annotations = {note: filled(written, note) for note, written in how.annotations.items()}
    labels = {label: text for label, text in labels.items() if text}
    form.bounded(labels, annotations, place)
    state = filled(how.status, "status", needed=True)
    firing = form.status(state, how.firing, how.resolved, f"{place} (status)")
    starts_at = _moment(how.starts_at, scope, f"{place} (starts_at)") or sent_at
    ends_at = _moment(how.ends_at, scope, f"{place} (ends_at)")
    return Push(name, labels, annotations, firing, starts_at, sent_at, source, ends_at)


def _filled(written: str, scope: Mapping[str, Any]) -> str:
    """The text with its references filled; one that leads nowhere, or to no plain value, is empty."""
    return _REFERENCE.sub(lambda found: _plain(found[1], scope), written)


def _plain(path: str, scope: Mapping[str, Any]) -> str:
    """The plain value at a path as text; empty for none, and for what is no plain value."""
    try:
        found = template.look_up(path, scope)
    except KeyError:
        return ""
    if isinstance(found, bool):
        return "true" if found else "false"
    return str(found) if isinstance(found, str | int | float) else ""


def _moment(written: str, scope: Mapping[str, Any], place: str) -> datetime | None:
    """A time: RFC 3339, or a count of seconds or milliseconds since 1970."""
    found = _filled(written, scope) if written else ""
    try:
        number = float(found)
    except ValueError:
        return form.moment(found, place)
    try:
        return datetime.fromtimestamp(number if abs(number) < _IN_SECONDS else number / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise BadPlaceError(place, "is no time") from None
