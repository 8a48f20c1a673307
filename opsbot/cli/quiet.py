"""What `silence` said, and what `status` says of silences and windows, told on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from opsbot.cli.lines import zone
from opsbot.core.escape import visible

Data = Mapping[str, Any]
SHOWN = 20


def added(data: Data) -> Iterator[Text]:
    """The silence that was made, or what one would hide."""
    made = data["silence"]
    if made:
        yield _line(f"silence {made['id']} is {made['state']}: {_times(made)}")
    else:
        yield _line("nothing was changed: this is what such a silence would match now")
    yield _line(f"  {', '.join(data['matchers'])}")
    yield from _hidden(data)
    if data["overlaps"]:
        numbers = ", ".join(map(str, data["overlaps"]))
        yield _line(f"  the same is silenced by {numbers} at some of this time too")


def _hidden(data: Data) -> Iterator[Text]:
    incidents = data["incidents"]
    yield _line(f"  {_count(data['firing'], 'firing alert')} {'matches' if data['firing'] == 1 else 'match'}")
    for alert in data["alerts"][:SHOWN]:
        labels = ", ".join(f"{name}={value}" for name, value in sorted(alert["labels"].items()) if name != "alertname")
        belongs = f"  (incident {alert['incident']})" if alert["incident"] else ""
        yield _line(f"    {alert['severity']:<9}{alert['name']}  {labels}{belongs}")
    left = data["firing"] - len(data["alerts"][:SHOWN])
    if left:
        yield _line(f"    … and {left} more")
    if incidents:
        numbers = ", ".join(map(str, incidents[:SHOWN])) + (" …" if len(incidents) > SHOWN else "")
        yield _line(f"  of {_count(len(incidents), 'open incident')}; what is open stays open: {numbers}")


def listed(data: Data) -> Iterator[Text | Table]:
    """A table of silences."""
    if not data["silences"]:
        yield _line("no silence")
        return
    begin, end = (f"{word} ({zone(one[key] for one in data['silences'])})"
                  for word, key in (("from", "starts_at"), ("until", "ends_at")))  # fmt: skip
    rows = Table("id", "state", begin, end, "by", "matchers", "comment", box=None, pad_edge=False,
                 padding=(0, 2, 0, 0), header_style="bold")  # fmt: skip
    for one in data["silences"]:
        by = one["author"] + (f" (expired by {one['expired_by']})" if one["expired_by"] else "")
        cells = (str(one["id"]), one["state"], _day(one["starts_at"]), _day(one["ends_at"]), by,
                 ", ".join(one["matchers"]), one["comment"])  # fmt: skip
        rows.add_row(*map(_line, cells))
    yield rows
    if data["more"]:
        yield _line("… and older ones")


def expired(data: Data) -> Iterator[Text]:
    """The silence that was ended."""
    yield _line(f"silence {data['silence']['id']} is over: alerts that it held back may open incidents from now on")


def status(data: Data) -> Iterator[Text]:
    """A line on silences and one for each window, where there are any."""
    found = data["silences"]
    if found["active"] or found["pending"]:
        ends = f"; {found['next']['id']} ends next, {_day(found['next']['ends_at'])}" if found["next"] else ""
        waiting = f", {found['pending']} to come" if found["pending"] else ""
        yield _line(f"  {_count(found['active'], 'active silence')}{waiting}{ends}")
    for window in data["maintenance"]:
        yield _line(f"  maintenance {window['name']} until {_day(window['ends_at'])}")


def _times(one: Data) -> str:
    return f"from {_day(one['starts_at'])} until {_day(one['ends_at'])}"


def _day(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _line(text: str) -> Text:
    return Text(visible(text))
