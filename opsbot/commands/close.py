"""`close`: a human ends an incident."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.audit import Note
from opsbot.mask import mask


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}; Refused("no_such_edge") while a run is under way."""
    incident = shape.wanted(desk.store, args.incident)
    closed = shape.moved(incident, "closed", desk.now, "closed_by_human", "closed")
    note = Note(who=person, act="closed", reason="closed_by_human", detail={"why": mask(args.reason)})
    return Answer({"incident": shape.brief(desk.store.save(closed, note, desk.now))})
