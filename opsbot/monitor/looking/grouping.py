"""Which alerts are one thing: alerts in, causes of incidents out, each under its key. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from opsbot.core.alert import QUIET, Alert, AlertState, rank
from opsbot.core.canonical import digest
from opsbot.core.evidence import MaskedText
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.monitor.gotemplate import UNFILLED

TITLE = 200
KEY = 200
"""Characters of a key; a longer one is replaced by its digest."""


@dataclass(frozen=True, slots=True)
class Cause:
    """What is up under one key. `begun` is when the newest part of it came up."""

    key: str
    severity: str
    title: MaskedText
    begun: datetime
    target: Target | None = None
    alerts: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, datetime, str]:
        """The worst first, then the oldest."""
        return rank(self.severity), self.begun, self.key


def up(alert: Alert) -> bool:
    """Whether it is a reason for an incident: it fires, its condition holds, and it is not one that always does."""
    return alert.state is AlertState.FIRING and alert.holds and alert.severity != QUIET


def begun(alert: Alert) -> datetime:
    """Since when it is up: since it fires, or since it holds again while keep_firing_for kept it."""
    since, fired, holds = alert.active_at, alert.fired_at, alert.holds_since
    if fired is not None and fired > since:
        since = fired
    return holds if holds is not None and holds > since else since


def key(alert: Alert, group_by: Sequence[str] = ()) -> str:
    """The key of the incident that an alert belongs to: its target's, else its labels' of these names, else its rule's.

    Labels that it does not have are left out; where it has none of them it is its rule's.
    """
    if alert.target:
        return alert.target.key
    given = [f"{name}={quote(alert.labels[name], safe='')}" for name in group_by if alert.labels.get(name)]
    if not given:
        return f"rule:{alert.rule}"
    spelled = "labels:" + ",".join(given)
    return spelled if len(spelled) <= KEY else f"labels:{digest(given)[:32]}"


def causes(alerts: Iterable[Alert], group_by: Sequence[str] = ()) -> list[Cause]:
    """What is up, by key, the worst first."""
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        if up(alert):
            groups.setdefault(key(alert, group_by), []).append(alert)
    return sorted((cause(name, group) for name, group in groups.items()), key=lambda found: found.order)


def cause(name: str, group: Sequence[Alert]) -> Cause:
    """These alerts as the cause of the incident of this key; the worst of them gives its words."""
    worst = min(group, key=lambda alert: (rank(alert.severity), begun(alert), alert.fingerprint))
    said = worst.annotations.get("summary")
    title = said if said and not said.startswith(UNFILLED) else mask(worst.name)
    prints = tuple(sorted(alert.fingerprint for alert in group))
    return Cause(name, worst.severity, title.cut(TITLE), max(map(begun, group)), worst.target, prints)
