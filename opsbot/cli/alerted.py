"""Alerts and what became of them, told on a terminal: answers of `alerts` and `show` in, lines out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from opsbot.cli.lines import Data, Line, day_and_time, table, zone
from opsbot.cli.members import PREFIX, spelled
from opsbot.core.escape import visible

NONE: Mapping[str, int] = {}
_STYLES = {"firing": "bold red", "pending": "yellow", "resolved": "green", "critical": "bold red", "warning": "yellow"}


def alerts(data: Data) -> Iterator[Line]:
    """A table of alerts, each with its incident or why it has none."""
    if not data["alerts"]:
        yield Text("no alert fires")
        return
    since = f"since ({zone(row['since'] for row in data['alerts'])})"
    rows = table("alert", "state", "severity", since, "became", "labels", "source", "id")
    for row in data["alerts"]:
        cells = (
            row["name"], row["state"], row["severity"], day_and_time(row["since"]), _became(row),
            spelled(row["labels"]), row["source"], row["fingerprint"][:PREFIX],
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
    yield Text(visible(f"  state    {found['state']}{value} since {_when(found['since'])}, {found['severity']}"))
    yield Text(visible(f"  source   {found['source']}"))
    yield Text(visible(f"  labels   {spelled(found['labels'], 10_000)}"))
    for name, text in found["annotations"].items():
        yield Text(visible(f"  {name}: {text}"))
    yield Text(visible(f"  became   {_became(found)}"))
    yield from why(data["why"], {})


def why(verdicts: list[Data], names: Mapping[str, str], more: Mapping[str, int] = NONE) -> Iterator[Text]:
    """What became of alerts, a verdict a line; `names` of alerts by fingerprint, `more` untold ones by reason."""
    if not verdicts:
        return
    yield Text("")
    yield Text.assemble(("Why", "bold"), f"  (times in {zone(row['at'] for row in verdicts)})")
    for row in verdicts:
        name = names.get(row["fingerprint"], "")
        which = f"{name} {row['fingerprint'][:PREFIX]}: " if name else ""
        number = f", incident {row['incident']}" if row["incident"] else ""
        says = f" ({row['says']})" if row["says"] else ""
        yield Text(visible(f"  {day_and_time(row['at'])}  {which}{row['reason']}{number}{says}"))
    if more:
        reasons = ", ".join(f"{count} {reason}" for reason, count in more.items())
        yield Text(visible(f"  … and {sum(more.values())} more alerts: {reasons}; `opsbot show FINGERPRINT` says more"))


def _when(stamp: str) -> str:
    return f"{day_and_time(stamp)} {zone([stamp])}"


def _became(row: Data) -> str:
    last = row["why"]
    if row["incident"]:
        return f"incident {row['incident']}"
    if not last:
        return "not looked at yet" if row["state"] == "firing" else "-"
    says = f": {last['says']}" if last["says"] else ""
    return f"{last['reason']}{says}"
