"""Alerts and what became of them, told on a terminal: answers of `alerts` and `show` in, lines out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from opsbot.core.escape import visible

Data = Mapping[str, Any]
PREFIX = 8
LABELS = 120
NAMES, TARGETS = 20, 3
"""How many names of alerts are told of a storm, and how many of the targets of each."""

NONE: Mapping[str, int] = {}
_STYLES = {"firing": "bold red", "pending": "yellow", "resolved": "green", "critical": "bold red", "warning": "yellow"}
_SHOWN_ELSEWHERE = ("alertname", "severity")


def alerts(data: Data) -> Iterator[Text | Table]:
    """A table of alerts, each with its incident or why it has none."""
    if not data["alerts"]:
        yield Text("no alert fires")
        return
    heads = ("alert", "state", "severity", "since", "became", "labels", "source", "id")
    rows = Table(*heads, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for row in data["alerts"]:
        cells = (
            row["name"], row["state"], row["severity"], _moment(row["since"]), _became(row), _labels(row["labels"]),
            row["source"], row["fingerprint"][:PREFIX],
        )  # fmt: skip
        rows.add_row(*(Text(visible(str(cell)), _STYLES.get(cell, "")) for cell in cells))
    yield rows
    if data["more"]:
        yield Text("… and more: --limit shows them")


def alert(data: Data) -> Iterator[Text]:
    """One alert, with all that became of it."""
    found = data["alert"]
    yield Text(visible(f"Alert {found['name']}  {found['fingerprint']}"), "bold")
    value = "" if found["value"] is None else f" at {found['value']:g}"
    yield Text(visible(f"  state    {found['state']}{value} since {_moment(found['since'])}, {found['severity']}"))
    yield Text(visible(f"  source   {found['source']}"))
    yield Text(visible(f"  labels   {_labels(found['labels'], 10_000)}"))
    for name, text in found["annotations"].items():
        yield Text(visible(f"  {name}: {text}"))
    yield Text(visible(f"  became   {_became(found)}"))
    yield from why(data["why"], {})


def storm(number: int, found: Sequence[Data], spell: Callable[[Data], str]) -> Iterator[Text]:
    """The many alerts of an incident, a line for each name, the most frequent first; `spell` writes a target."""
    names = Counter(row["name"] for row in found).most_common()
    for name, _ in names[:NAMES]:
        yield Text(visible(f"  alert    {name}: {_many([row for row in found if row['name'] == name], spell)}"))
    if len(names) > NAMES:
        rest = names[NAMES:]
        yield Text(f"  … and {sum(count for _, count in rest)} more alerts of {len(rest)} names")
    yield Text(f"  all {len(found)}: `opsbot show {number} --format json`; those that fire: `opsbot alerts --limit N`")


def _many(rows: Sequence[Data], spell: Callable[[Data], str]) -> str:
    """Alerts of one name: how many in which state, and on which targets most of them are."""
    states = ", ".join(f"{count} {state}" for state, count in Counter(row["state"] for row in rows).most_common())
    hit = Counter(spell(row["target"]) for row in rows if row["target"]).most_common()
    alerts = f"{len(rows)} alert{'s' if len(rows) > 1 else ''} ({states})"
    if not hit:
        return f"{alerts} without a target, for example {_labels(rows[0]['labels'])}"
    most = ", ".join(f"{place} ({count})" if count > 1 else place for place, count in hit[:TARGETS])
    more = f", … and {len(hit) - TARGETS} more" if len(hit) > TARGETS else ""
    return f"{alerts} on {len(hit)} target{'s' if len(hit) > 1 else ''}: {most}{more}"


def why(verdicts: list[Data], names: Mapping[str, str], more: Mapping[str, int] = NONE) -> Iterator[Text]:
    """What became of alerts, a verdict a line; `names` of alerts by fingerprint, `more` untold ones by reason."""
    if not verdicts:
        return
    yield Text("")
    yield Text("Why", "bold")
    for row in verdicts:
        name = names.get(row["fingerprint"], "")
        which = f"{name} {row['fingerprint'][:PREFIX]}: " if name else ""
        number = f", incident {row['incident']}" if row["incident"] else ""
        says = f" ({row['says']})" if row["says"] else ""
        yield Text(visible(f"  {_moment(row['at'])}  {which}{row['reason']}{number}{says}"))
    if more:
        reasons = ", ".join(f"{count} {reason}" for reason, count in more.items())
        yield Text(visible(f"  … and {sum(more.values())} more alerts: {reasons}; `opsbot show FINGERPRINT` says more"))


def _became(row: Data) -> str:
    last = row["why"]
    if row["incident"]:
        return f"incident {row['incident']}"
    if not last:
        return "not looked at yet" if row["state"] == "firing" else "-"
    says = f": {last['says']}" if last["says"] else ""
    return f"{last['reason']}{says}"


def _labels(labels: Mapping[str, str], most: int = LABELS) -> str:
    text = ", ".join(f"{name}={labels[name]}" for name in sorted(labels) if name not in _SHOWN_ELSEWHERE)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _moment(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
