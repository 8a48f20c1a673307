"""What `silence` said in, lines for a private message out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opsbot.chat import blocks
from opsbot.chat.blocks import Json, Part

Data = Mapping[str, Any]
ROWS = 10
MORE = "opsbot silence list on a terminal"


def added(data: Data) -> Json:
    """The silence that was made, or what one would hide."""
    made, firing, incidents = data["silence"], data["firing"], len(data["incidents"])
    first = f"Silence {made['id']} is {made['state']}, {_times(made)}." if made else "Nothing was changed."
    verb = "matches" if made else "would be matched"
    of = f", of {_count(incidents, 'open incident')} (what is open stays open)" if incidents else ""
    lines = [f"{_count(firing, 'firing alert')} {_plural(firing, verb)}{of}."]
    if data["overlaps"]:
        lines.append(f"The same is silenced at some of this time by {', '.join(map(str, data['overlaps']))} too.")
    parts = [
        Part(blocks.section(blocks.plain("\n".join([first, *lines])))),
        Part(blocks.fence([*data["matchers"]])),
        *([Part(blocks.fence(_alerts(data)), 1)] if data["alerts"] else []),
    ]
    return blocks.message(" ".join([first, *lines]), parts, MORE)


def _plural(number: int, verb: str) -> str:
    return "match" if verb == "matches" and number != 1 else verb


def _alerts(data: Data) -> list[str]:
    shown = data["alerts"][:ROWS]
    left = data["firing"] - len(shown)
    return [*map(_alert, shown), *([f"… and {left} more"] if left else [])]


def _alert(alert: Data) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(alert["labels"].items()) if name != "alertname")
    return blocks.cut(blocks.one_line(f"{alert['severity']} {alert['name']} {labels}"), 200)


def listed(data: Data) -> Json:
    """Silences, what ends next first."""
    found = data["silences"]
    first = _count(len(found), "silence") + "." if found else "No silence."
    parts = [Part(blocks.section(blocks.plain(first)))]
    parts += [Part(blocks.section(blocks.plain(_row(one), 500)), 1 + place) for place, one in enumerate(found[:ROWS])]
    if len(found) > ROWS or data["more"]:
        parts.append(Part(blocks.context(blocks.plain(f"… and more: {MORE}"))))
    return blocks.message(first, parts, MORE)


def _row(one: Data) -> str:
    by = f"{one['author']}" + (f", expired by {one['expired_by']}" if one["expired_by"] else "")
    comment = blocks.cut(blocks.one_line(one["comment"]), 150)
    return f"{one['id']}: {one['state']}, {_times(one)}, {blocks.one_line(by)}: {', '.join(one['matchers'])}: {comment}"


def expired(data: Data) -> Json:
    """The silence that was ended."""
    line = f"Silence {data['silence']['id']} is over: alerts that it held back may open incidents from now on."
    return blocks.message(line, [Part(blocks.section(blocks.plain(line)))], MORE)


def status(data: Data) -> str:
    """A sentence on silences and windows; empty where there are none."""
    found, windows = data["silences"], data["maintenance"]
    ends = f" ({found['next']['id']} ends next, {_day(found['next']['ends_at'])})" if found["next"] else ""
    said = f" Active silences: {found['active']}{ends}." if found["active"] else ""
    names = ", ".join(f"{blocks.one_line(one['name'])} until {_day(one['ends_at'])}" for one in windows)
    return said + (f" Maintenance: {names}." if names else "")


def _times(one: Data) -> str:
    return f"{_day(one['starts_at'])} to {_day(one['ends_at'])}"


def _day(stamp: str) -> str:
    return blocks.utc(datetime.fromisoformat(stamp))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
