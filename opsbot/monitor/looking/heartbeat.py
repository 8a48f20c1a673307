"""Alerts that must always fire (Watchdog): what is known of them and the alerts of now in, which have stayed away out.

That one fires proves that Prometheus evaluates rules and that its word arrives. Only one that was seen once can be
missed. Nothing is asked or saved here.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from opsbot.config import Incidents
from opsbot.core.alert import POLLED, Alert, AlertState
from opsbot.mask import mask
from opsbot.monitor.looking.grouping import TITLE, Cause
from opsbot.monitor.looking.incidents import HEARTBEAT
from opsbot.monitor.receiving.merging import RENEW

FACT = "heartbeats"
"""Under this name the store keeps what is known of them: their alerts are forgotten soon after they end."""

GAPS = 5
LAG = timedelta(minutes=10)
"""How much younger than what is kept a heartbeat may be before it is kept anew."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat: its alert's name, rule and source, when it was last seen, and its last gaps in seconds.

    `fires` says whether its alert is up. Gaps are those between receipts, of a pushed one only.
    """

    name: str
    rule: str
    source: str
    seen_at: datetime
    fires: bool = True
    gaps: tuple[float, ...] = ()


Beats = Mapping[str, Beat]


def seen(beats: Beats, alerts: Iterable[Alert], names: Collection[str], rules: Collection[str]) -> dict[str, Beat]:
    """What is known now, by fingerprint. One that was polled is forgotten with its rule: that was on purpose."""
    now = {alert.fingerprint: alert for alert in alerts if alert.name in names}
    known = {}
    for print_ in {**beats, **now}:
        beat = _beat(beats.get(print_), now.get(print_))
        if beat and beat.name in names and (beat.source != POLLED or beat.rule in rules):
            known[print_] = beat
    return known


def _beat(before: Beat | None, alert: Alert | None) -> Beat | None:
    if alert is None or alert.state is not AlertState.FIRING:
        return replace(before, fires=False) if before else None
    at = alert.held_at or alert.fired_at or alert.active_at
    if before is None:
        return Beat(alert.name, alert.rule, alert.source, at)
    gap = (at - before.seen_at).total_seconds()
    gaps = (*before.gaps, gap)[-GAPS:] if alert.source != POLLED and gap > 0 else before.gaps
    return Beat(alert.name, alert.rule, alert.source, max(at, before.seen_at), True, gaps)


def missing(beats: Beats, now: datetime, started: datetime, calm: Incidents) -> list[Beat]:
    """Those that have stayed away: cleared, or, if pushed, not received for too long since opsbot was `started`."""
    return [beat for beat in beats.values() if _missing(beat, now, started, calm)]


def _missing(beat: Beat, now: datetime, started: datetime, calm: Incidents) -> bool:
    due = deadline(beat, started, calm)
    return not beat.fires or (due is not None and now >= due)


def deadline(beat: Beat, started: datetime, calm: Incidents) -> datetime | None:
    """When a pushed heartbeat that fires must have been received again; None for a polled one: its answers say it.

    The last receipt may be younger than what is kept of it, by less than RENEW.
    """
    if beat.source == POLLED or not beat.fires:
        return None
    return max(beat.seen_at, started) + max(calm.heartbeat_within, 2 * _pace(beat)) + RENEW


def _pace(beat: Beat) -> timedelta:
    """The usual time between two receipts: the middle one of the last gaps, so that no outage passes for it."""
    gaps = sorted(beat.gaps)
    return timedelta(seconds=gaps[(len(gaps) - 1) // 2] if gaps else 0)


def cause(away: Sequence[Beat]) -> Cause:
    """Heartbeats that have stayed away as the cause of an incident."""
    newest = max(away, key=lambda beat: beat.seen_at)
    names = ", ".join(sorted({beat.name for beat in away}))
    title = f"Prometheus or its rules are blind: {names} was last seen {newest.seen_at:%Y-%m-%d %H:%M:%S} UTC"
    return Cause(HEARTBEAT, "critical", mask(title).cut(TITLE), newest.seen_at)


# as a fact of the store -----------------------------------------------------------------------------------------------


def newer(beats: Beats, kept: Beats) -> bool:
    """Whether these say so much more than those that are kept that they must be kept in their place."""
    if beats.keys() != kept.keys():
        return True
    return any(_differs(beat, kept[print_]) for print_, beat in beats.items())


def _differs(beat: Beat, kept: Beat) -> bool:
    late = beat.seen_at - kept.seen_at > LAG
    return late or replace(beat, seen_at=kept.seen_at) != kept


def spelled(beats: Beats) -> str:
    """The fact's text."""
    return json.dumps({name: {**asdict(b), "seen_at": b.seen_at.isoformat()} for name, b in beats.items()})


def read(text: str | None) -> dict[str, Beat]:
    """The heartbeats of a fact; none where it was spoilt: those that still fire are learnt again."""
    try:
        return {str(name): _read(item) for name, item in json.loads(text or "{}").items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        return {}


def _read(item: Mapping[str, object]) -> Beat:
    at = datetime.fromisoformat(str(item["seen_at"]))
    if at.tzinfo is None:
        raise ValueError("no time zone")
    gaps = item["gaps"]
    if not isinstance(gaps, list):
        raise TypeError("gaps")
    words = (str(item[name]) for name in ("name", "rule", "source"))
    name, rule, source = words
    return Beat(name, rule, source, at, bool(item["fires"]), tuple(float(gap) for gap in gaps))
