"""When many things break at once: causes and what was opened lately in; which open now, wait, or become one, out. Pure.

When it is calm an incident opens at once. Only what comes on top of `storm_above` new ones within `storm_within` waits
until nothing new has come for a while, and is then one incident: the storm's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from opsbot.config import Incidents
from opsbot.core.alert import Alert, rank
from opsbot.core.duration import spell
from opsbot.core.incident import Incident
from opsbot.mask import mask
from opsbot.monitor.looking.grouping import TITLE, Cause, begun

STORM = "storm"
"""The key of the incident that many causes are folded into."""


def opened(incidents: Iterable[Incident]) -> list[datetime]:
    """When incidents of alerts were opened, or opened again; the storm's own does not count."""
    times = []
    for incident in incidents:
        if incident.origin == "alert" and incident.key != STORM:
            times += [incident.opened_at, *(() if incident.flapping else incident.flaps[-1:])]
    return times


def room(times: Iterable[datetime], now: datetime, calm: Incidents) -> int:
    """How many incidents may open now."""
    return max(0, calm.storm_above - sum(now - at < calm.storm_within for at in times))


def settled(waiting_since: Sequence[datetime], now: datetime, calm: Incidents) -> bool:
    """Whether what waits is to be folded now."""
    return bool(waiting_since) and now >= until(waiting_since, calm)


def until(waiting_since: Sequence[datetime], calm: Incidents) -> datetime:
    """When what waits is folded if nothing else comes."""
    return min(max(waiting_since) + calm.debounce, min(waiting_since) + calm.max_wait)


def fold(alerts: Sequence[Alert], inside: Sequence[Alert] = ()) -> Cause:
    """All of these, and those that the storm has already, as the cause of the storm's incident."""
    everything = [*alerts, *inside]
    worst = min(everything, key=lambda alert: rank(alert.severity))
    times = [begun(alert) for alert in everything]
    rules, targets = {alert.rule for alert in everything}, {a.target.key for a in everything if a.target}
    places = f" on {_count(len(targets), 'target')}" if targets else ""
    span = spell(timedelta(seconds=max(1, round((max(times) - min(times)).total_seconds()))))
    words = f"Storm: {_count(len(everything), 'alert')} of {_count(len(rules), 'rule')}{places} within {span}"
    newest, prints = max(map(begun, alerts)), tuple(sorted(alert.fingerprint for alert in alerts))
    return Cause(STORM, worst.severity, mask(words).cut(TITLE), newest, None, prints)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
