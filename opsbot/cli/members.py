"""The alerts of an incident, told on a terminal: a few one by one, many by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from opsbot.cli.lines import Data, clock, line, place, target
from opsbot.core.alert import telling

FEW = 20
"""So many alerts are told one by one; more of them by name."""

NAMES, TARGETS = 20, 3
"""How many names of alerts are told of a storm, and how many of the targets of each."""

PREFIX, LABELS, VALUE = 8, 120, 63
"""Characters of a fingerprint, of all labels of an alert, and of the value of one that tells it from others."""


def alerts(incident: Data) -> Iterator[Text]:
    """The alerts of an incident, each with its fingerprint and what tells it from the others."""
    found = incident["alerts"]
    if len(found) > FEW:
        yield from storm(incident["id"], found)
        return
    for alert, labels in zip(found, telling([alert["labels"] for alert in found]), strict=True):
        value = "" if alert["value"] is None else f" at {alert['value']:g}"
        when = clock(alert["resolved_at"] or alert["fired_at"] or alert["active_at"])
        other = alert["target"] if alert["target"] != incident["target"] else None
        where = f" on {place(other)}" if other else ""
        apart = "".join(f", {label}={_cut(text, VALUE)}" for label, text in labels.items())
        name = f"{alert['name']} {alert['fingerprint'][:PREFIX]}"
        yield line(f"  alert    {name}: {alert['state']}{value} since {when}{where}{apart}")


def storm(number: int, found: Sequence[Data]) -> Iterator[Text]:
    """The many alerts of an incident, a line for each name, the most frequent first."""
    names = Counter(row["name"] for row in found).most_common()
    for name, _ in names[:NAMES]:
        yield line(f"  alert    {name}: {_many([row for row in found if row['name'] == name])}")
    if len(names) > NAMES:
        rest = names[NAMES:]
        yield line(f"  … and {sum(count for _, count in rest)} more alerts of {len(rest)} names")
    yield line(f"  all {len(found)}: `opsbot show {number} --format json`; those that fire: `opsbot alerts --limit N`")


def _many(rows: Sequence[Data]) -> str:
    """Alerts of one name: how many in which state, and on which targets most of them are."""
    states = ", ".join(f"{count} {state}" for state, count in Counter(row["state"] for row in rows).most_common())
    hit = Counter(target(row["target"]) for row in rows if row["target"]).most_common()
    alerts = f"{len(rows)} alert{'s' if len(rows) > 1 else ''} ({states})"
    if not hit:
        return f"{alerts} without a target, for example {spelled(rows[0]['labels'])}"
    most = ", ".join(f"{place} ({count})" if count > 1 else place for place, count in hit[:TARGETS])
    more = f", … and {len(hit) - TARGETS} more" if len(hit) > TARGETS else ""
    return f"{alerts} on {len(hit)} target{'s' if len(hit) > 1 else ''}: {most}{more}"


def spelled(labels: Mapping[str, str], most: int = LABELS) -> str:
    """Labels in one line, but for those that are shown elsewhere in it."""
    text = ", ".join(f"{name}={labels[name]}" for name in sorted(labels) if name not in ("alertname", "severity"))
    return _cut(text, most)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
