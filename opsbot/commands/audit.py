"""`audit verify`: prove that the record was not changed afterwards."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands.desk import Answer, Desk


def verify(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incidents, entries, problems: [sentence]}; code 1 where a chain is broken."""
    entries = desk.record.audit()
    problems = list(desk.record.verify())
    incidents = len({entry.incident for entry in entries})
    return Answer({"incidents": incidents, "entries": len(entries), "problems": problems}, 1 if problems else 0)
