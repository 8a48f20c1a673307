"""What alerts mean for incidents: a cause and the last incident of its key in, a named move out.

Nothing is asked or saved here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from opsbot.config import Incidents
from opsbot.core.alert import AlertState
from opsbot.core.incident import EDGES, Incident, State
from opsbot.monitor.looking import flapping
from opsbot.monitor.looking.grouping import Cause, begun

BLIND = "blind/prometheus"
"""The key of the incident that says that Prometheus cannot be read."""

HEARTBEAT = "blind/heartbeat"
"""The key of the incident that says that an alert which must always fire has stayed away."""

INVALID = "rules/invalid"
"""The key of the incident that says that files of alert rules cannot be read, and older rules are in force."""

OWN = (BLIND, HEARTBEAT, INVALID)
"""Incidents about opsbot itself and its sight: they end when it says so, not by alerts."""

REFUSED = "webhooks/"
"""With the name of a webhook, the key of the incident that says that its notices are refused."""

_BY_HAND = ("closed", "closed_by_human")


def own(key: str) -> bool:
    """Whether an incident of this key is about opsbot itself. A target's key has more parts than a webhook's."""
    return key in OWN or refused(key)


def refused(key: str) -> bool:
    """Whether an incident of this key says that notices of a webhook are refused."""
    return key.startswith(REFUSED) and key.count("/") == 1


class Move(StrEnum):
    """What to do about something that is up: the incident's part of the answer."""

    OPEN = "open"
    JOIN = "join"
    REOPEN = "reopen"
    LEAVE = "leave"


def move(cause: Cause, latest: Incident | None, now: datetime, cooldown: timedelta) -> Move:
    """What the last incident of this key makes of something that is up.

    An incident that a human closed while its alert was up stays closed until the alert has cleared and fires anew. An
    escalated one is with a human already: it opens again only where all of it had cleared meanwhile, and not at all
    while it is flapping.
    """
    if latest is None:
        return Move.OPEN
    if latest.unresolved:
        return Move.REOPEN if _refired(cause, latest, now, cooldown) else Move.JOIN
    ended = latest.resolved_at or latest.since
    if by_hand(latest) and cause.begun <= ended:
        return Move.LEAVE
    return Move.REOPEN if latest.origin == "alert" and now - ended <= cooldown else Move.OPEN


def by_hand(incident: Incident) -> bool:
    """Whether a human closed it."""
    return not incident.unresolved and incident.reason in _BY_HAND


def may_refire(incident: Incident) -> bool:
    """Whether its state lets an unresolved incident open again."""
    return incident.state is State.ESCALATED and not own(incident.key) and not incident.flapping


def _refired(cause: Cause, latest: Incident, now: datetime, cooldown: timedelta) -> bool:
    if not may_refire(latest) or now - latest.since > cooldown:
        return False
    firing, own = [alert for alert in latest.alerts if alert.state is AlertState.FIRING], set(cause.alerts)
    return all(begun(alert) > latest.since for alert in firing) and any(alert.fingerprint in own for alert in firing)


def cleared(incident: Incident) -> bool:
    """Whether an incident of alerts can end because none of them holds or fires any more.

    While a run is under way or being verified nothing is said here: verification reads the alerts itself.
    """
    if incident.origin != "alert" or own(incident.key) or not clearable(incident):
        return False
    return not any(alert.state is AlertState.FIRING or alert.holds for alert in incident.alerts)


def calm_at(incident: Incident, calm: Incidents) -> datetime | None:
    """When an incident that has cleared ends; None where it need not wait for calm."""
    return flapping.calm_since(incident) + calm.calm if incident.flapping else None


def clearable(incident: Incident) -> bool:
    """Whether its state lets it end by itself."""
    if incident.state is State.PARKED and incident.begun:
        return False
    return (incident.state, "cleared") in EDGES
