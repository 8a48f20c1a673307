"""The incidents in a table, for a terminal of 120 columns."""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.cli.lines import Data, Line, day_and_time, line, place, table, zone

NAME = 30
"""Characters of a person's name that are shown."""


def incidents(data: Data) -> Iterator[Line]:
    """A table of incidents."""
    found = data["incidents"]
    if not found:
        yield line("no open incident")
        return
    rows = table("id", "state", "severity", "target", f"opened ({zone(row['opened_at'] for row in found)})", "what",
                 "plan")  # fmt: skip
    for row in found:
        opened = day_and_time(row["opened_at"])
        cells = (str(row["id"]), row["state"], row["severity"], place(row["target"]), opened, _what(row),
                 row["plan"] or "")  # fmt: skip
        rows.add_row(*(line(cell) for cell in cells))
    yield rows
    if data["more"]:
        yield line("… and older ones: --limit shows more")


def _what(row: Data) -> str:
    """Its title, with what a reader must know of it before: who has taken it, and that it comes and goes."""
    marks = [f"ack by {row['acked_by'][:NAME]}"] if row["acked_by"] else []
    marks += ["flapping"] if row["flapping"] else []
    causes = f" ({', '.join(row['causes'])})" if row["causes"] else ""
    return (f"[{', '.join(marks)}] " if marks else "") + f"{row['title']}{causes}"
