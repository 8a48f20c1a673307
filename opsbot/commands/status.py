"""`status`: how things stand, for somebody who has just been woken."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from datetime import timedelta
from typing import Any

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.alert import rank
from opsbot.core.canonical import plain
from opsbot.core.incident import Incident, State
from opsbot.monitor.looking import windows

HUMANS = (State.AWAITING_APPROVAL, State.ESCALATED)
MOST = 1000


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{cluster, mode, open, states, waiting, changes, silences, maintenance}: see docs/commands.md.

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
        "silences": _silences(desk),
        "maintenance": _windows(desk),
    }
    return Answer(data)


def _silences(desk: Desk) -> dict[str, Any]:
    """How many hold and how many will, and which of those that hold ends next."""
    found = desk.record.silences(desk.now)
    active = [one for one in found if one.holds(desk.now)]
    ending = min(active, key=lambda one: (one.ends_at, one.id), default=None)
    return {
        "active": len(active), "pending": len(found) - len(active),
        "next": {"id": ending.id, "ends_at": plain(ending.ends_at)} if ending else None,
    }  # fmt: skip


def _windows(desk: Desk) -> list[dict[str, Any]]:
    """The windows of maintenance that hold, what ends next first."""
    held = [(window, span) for window in desk.config.maintenance if (span := windows.span(window, desk.now))]
    held.sort(key=lambda pair: pair[1].ends)
    return [{"name": window.name, "ends_at": plain(span.ends)} for window, span in held]


def _urgency(incident: Incident) -> tuple[int, float]:
    return rank(incident.severity), incident.since.timestamp()
