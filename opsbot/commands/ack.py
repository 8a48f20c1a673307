"""`ack`: a human says that they look into an incident."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.audit import Note
from opsbot.core.errors import Refused


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}; whoever says it last has it. Refused("resolved") where there is nothing left to look into."""
    incident = shape.wanted(desk.store, args.incident)
    if not incident.unresolved:
        raise Refused("resolved", f"incident {incident.id} is resolved already")
    if incident.acked_by == person:
        return Answer({"incident": shape.brief(incident)})
    note = Note(who=person, act="acked", detail={"before": incident.acked_by} if incident.acked_by else {})
    return Answer({"incident": shape.brief(desk.store.save(replace(incident, acked_by=person), note, desk.now))})
