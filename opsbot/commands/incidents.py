"""`incidents`: what there is, newest first."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incidents: [brief …], more: whether older ones were left out}."""
    limit = max(1, min(args.limit, 1000))
    found = desk.record.incidents(unresolved=not args.all, limit=limit + 1)
    return Answer({"incidents": [shape.brief(incident) for incident in found[:limit]], "more": len(found) > limit})
