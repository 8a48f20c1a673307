"""Alerts that come and go: an incident and its alerts in; whether they fired again, and since when they are calm, out.

Pure. A refire is an alert of the incident that fires after all of them had cleared: when the incident opens again, and
also while it is held open. What comes and goes before it ever fires is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from opsbot.config import Incidents
from opsbot.core.alert import Alert, AlertState
from opsbot.core.incident import Incident
from opsbot.core.silence import Verdict

MOST = 50
"""How many refires an incident remembers."""

YES = ("opened", "joined", "raised", "reopened", "folded")
"""Verdicts after which an alert is up in its incident."""


def again(incident: Incident, at: datetime, calm: Incidents) -> Incident:
    """The incident after one more refire; the same where it knows of it already.

    Once there were enough of them within the time it is flapping, and stays that until its alerts have been calm.
    """
    if incident.flaps and at <= incident.flaps[-1]:
        return incident
    flaps = (*(time for time in incident.flaps if at - time <= calm.flaps_within), at)[-MOST:]
    return replace(incident, flaps=flaps, flapping=len(flaps) >= calm.flaps)


def refired(alerts: Iterable[Alert], said: Mapping[str, Verdict]) -> datetime | None:
    """When the alerts of an incident fired again after all had cleared; None where one has been up all the time.

    `said` is what was last said of alerts: one that was said to be up before it began has gone and come back unseen.
    """
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
    if not firing or any(_stayed(alert, said.get(alert.fingerprint)) for alert in firing):
        return None
    return max(_fired(alert) for alert in firing)


def _stayed(alert: Alert, last: Verdict | None) -> bool:
    return last is not None and last.reason in YES and _fired(alert) <= last.at


def _fired(alert: Alert) -> datetime:
    return alert.fired_at or alert.active_at


def calm_since(incident: Incident) -> datetime:
    """When the last of its alerts cleared, given that all have."""
    ends = [alert.resolved_at or alert.holds_since for alert in incident.alerts]
    return max((at for at in ends if at is not None), default=incident.since)
