"""What alerts mean for incidents: alerts and the last incident of their key in, a named move out.

Nothing is asked or saved here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsbot.core.alert import Alert, AlertRule, AlertState, rank
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import EDGES, Incident, State
from opsbot.core.target import Target
from opsbot.mask import mask

BLIND = "blind/prometheus"
"""The key of the incident that says that Prometheus cannot be read."""

INVALID = "rules/invalid"
"""The key of the incident that says that files of alert rules cannot be read, and older rules are in force."""

OWN = (BLIND, INVALID)
"""Incidents about opsbot itself: they end when it says so, not by alerts."""

QUIET = "none"
"""The severity of alerts that fire for ever by design (Watchdog, InfoInhibitor): known, and never an incident."""

TITLE = 200
_BY_HAND = ("closed", "closed_by_human")


class Move(StrEnum):
    """What to do about something that is up: the incident's part of the answer."""

    OPEN = "open"
    JOIN = "join"
    REOPEN = "reopen"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Cause:
    """What is up under one key. `begun` is when the newest part of it came up."""

    key: str
    severity: str
    title: MaskedText
    begun: datetime
    target: Target | None = None
    alerts: tuple[str, ...] = ()


def up(alert: Alert) -> bool:
    """Whether it is a reason for an incident: it fires, its condition holds, and it is not one that always does."""
    return alert.state is AlertState.FIRING and alert.holds and alert.severity != QUIET


def begun(alert: Alert) -> datetime:
    """Since when it is up: since it fires, or since it holds again while keep_firing_for kept it."""
    return max(at for at in (alert.active_at, alert.fired_at, alert.holds_since) if at is not None)


def key(alert: Alert) -> str:
    """The key of the incident that an alert belongs to: its target's, else its rule's."""
    return alert.target.key if alert.target else f"rule:{alert.rule}"


def causes(rule: AlertRule, alerts: Iterable[Alert]) -> list[Cause]:
    """What is up of one rule, by key."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        if up(alert):
            groups.setdefault(key(alert), []).append(alert)
    return [_cause(rule, name, group) for name, group in groups.items()]


def _cause(rule: AlertRule, name: str, group: Sequence[Alert]) -> Cause:
    worst = min(group, key=lambda alert: rank(alert.severity))
    title = worst.annotations.get("summary") or mask(rule.name)
    prints = tuple(alert.fingerprint for alert in group)
    return Cause(name, worst.severity, title.cut(TITLE), max(map(begun, group)), worst.target, prints)


def move(cause: Cause, latest: Incident | None, now: datetime, cooldown: timedelta) -> Move:
    """What the last incident of this key makes of something that is up.

    An incident that a human closed while its alert was up stays closed until the alert has cleared and fires anew. An
    escalated one is with a human already: it opens again only where all of it had cleared meanwhile.
    """
    if latest is None:
        return Move.OPEN
    if latest.unresolved:
        return Move.REOPEN if _refired(cause, latest, now, cooldown) else Move.JOIN
    ended = latest.resolved_at or latest.since
    if latest.reason in _BY_HAND and cause.begun <= ended:
        return Move.LEAVE
    return Move.REOPEN if latest.origin == "alert" and now - ended <= cooldown else Move.OPEN


def _refired(cause: Cause, latest: Incident, now: datetime, cooldown: timedelta) -> bool:
    if latest.state is not State.ESCALATED or latest.key in OWN or now - latest.since > cooldown:
        return False
    others = [alert for alert in latest.alerts if up(alert) or alert.state is AlertState.FIRING]
    own = [alert for alert in others if alert.fingerprint in cause.alerts]
    return bool(own) and all(begun(alert) > latest.since for alert in others)


def cleared(incident: Incident) -> bool:
    """Whether an incident of alerts can end because none of them holds or fires any more.

    While a run is under way or being verified nothing is said here: verification reads the alerts itself.
    """
    if incident.origin != "alert" or incident.key in OWN or not clearable(incident):
        return False
    return not any(alert.state is AlertState.FIRING or alert.holds for alert in incident.alerts)


def clearable(incident: Incident) -> bool:
    """Whether its state lets it end by itself."""
    if incident.state is State.PARKED and incident.begun:
        return False
    return (incident.state, "cleared") in EDGES
