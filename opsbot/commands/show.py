"""`show`: one incident, whole."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: the full shape}; PermanentError where there is none of that number."""
    incident = shape.wanted(desk.record, args.incident)
    pieces, _ = desk.record.evidence(incident.id, incident.round)
    return Answer({"incident": shape.full(incident, pieces, desk.record.audit(incident.id))})
