"""Lines of a terminal and what they are made of: words, times, targets, tables. Meaning never hangs on colour."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from opsbot.core.escape import visible
from opsbot.core.target import cut

Data = Mapping[str, Any]
Line = Text | Table
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\S*Z ")

STYLES = {
    "resolved": "green", "escalated": "bold red", "awaiting_approval": "bold yellow", "critical": "bold red",
    "warning": "yellow", "good": "green", "bad": "bold red", "warn": "yellow", "passed": "green", "failed": "bold red",
    "done": "green", "unknown": "bold red", "deny": "red", "ask": "yellow",
}  # fmt: skip


def line(*parts: str | tuple[str, str]) -> Text:
    """One line of parts, each plain or (text, style); nothing in them is obeyed by the terminal."""
    text = Text()
    for part in parts:
        words, style = part if isinstance(part, tuple) else (part, "")
        text.append(visible(words), style or STYLES.get(words, ""))
    return text


def table(*heads: str) -> Table:
    """A table without walls."""
    return Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")


def clock(stamp: str | None) -> str:
    """The local time of day of a canonical time stamp."""
    return f"{_local(stamp):%H:%M:%S}" if stamp else "-"


def day_and_time(stamp: str | None) -> str:
    """The local date and time of a canonical time stamp."""
    return f"{_local(stamp):%Y-%m-%d %H:%M:%S}" if stamp else "-"


def zone(stamps: Iterable[str | None]) -> str:
    """The zone of local times, named once for a table of them: `UTC`, or `CET/CEST` where clocks changed between."""
    return "/".join(dict.fromkeys(f"{_local(stamp):%Z}" for stamp in stamps if stamp))


def _local(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp).astimezone()


def moment(text: str) -> str:
    """A log line with its kubelet time stamp cut to the time of day, which is what a reader compares."""
    return _STAMP.sub(lambda found: found[1] + " ", text, count=1)


def target(value: Data | None) -> str:
    """A target as kubectl would be asked for it."""
    if not value:
        return "no target"
    return f"{value['kind']}/{value['name']}" + (f" -n {value['namespace']}" if value["namespace"] else "")


def place(value: Data | None) -> str:
    """A target with its cluster, where that has a name: it need not be the one that opsbot reads."""
    return target(value) + (f" in cluster {cut(value['cluster'])}" if value and value["cluster"] else "")
