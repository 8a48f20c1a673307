"""`status`: how things stand, for somebody who has just been woken."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from datetime import timedelta

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.alert import rank
from opsbot.core.incident import Incident, State

HUMANS = (State.AWAITING_APPROVAL, State.ESCALATED)
MOST = 1000


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{cluster, mode, open, states, waiting, changes}: see docs/commands.md.

    `waiting` holds those incidents that wait for a human, worst first; `changes` counts runs of the last hour.
    """
    found = desk.record.incidents(unresolved=True, limit=MOST)
    limits = desk.config.limits
    waiting = sorted((one for one in found if one.state in HUMANS), key=_urgency)
    runs = desk.record.past_runs(desk.now - timedelta(hours=1))
    data = {
        "cluster": desk.config.kubernetes.cluster,
        "mode": desk.config.mode[0].value,
        "open": len(found),
        "states": dict(Counter(incident.state.value for incident in found)),
        "waiting": [shape.brief(incident) for incident in waiting],
        "changes": {"last_hour": len(runs), "allowed": limits.changes_per_hour},
    }
    return Answer(data)


def _urgency(incident: Incident) -> tuple[int, float]:
    return rank(incident.severity), incident.since.timestamp()
