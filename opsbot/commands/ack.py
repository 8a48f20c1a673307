"""`ack`: a human says that they look into an incident."""

from __future__ import annotations

from argparse import Namespace
from contextlib import suppress
from dataclasses import replace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, Refused

TRIES = 3


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}; whoever says it last has it. Refused("resolved") where there is nothing left to look into.

    An agent that moves the incident on at the same moment costs nobody their word: it is said again.
    """
    for _ in range(TRIES - 1):
        with suppress(Conflict):
            return _acked(desk, person, args.incident)
    return _acked(desk, person, args.incident)


def _acked(desk: Desk, person: str, number: int) -> Answer:
    incident = shape.wanted(desk.store, number)
    if not incident.unresolved:
        raise Refused("resolved", f"incident {incident.id} is resolved already; `show {incident.id}` tells how")
    if incident.acked_by == person:
        return Answer({"incident": shape.brief(incident)})
    note = Note(who=person, act="acked", detail={"before": incident.acked_by} if incident.acked_by else {})
    return Answer({"incident": shape.brief(desk.store.save(replace(incident, acked_by=person), note, desk.now))})
