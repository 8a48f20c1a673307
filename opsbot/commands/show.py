"""`show`: one incident, whole; or one alert, with why it has an incident or none."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Collection

from opsbot.commands import alerts, shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core.alert import Alert, rank
from opsbot.core.incident import Incident
from opsbot.core.ports import Store

ALERTS, LINES = 20, 30
"""Of how many alerts of an incident it is told what became of them, and in how many lines at most."""


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: the full shape}, or {alert, why}; PermanentError where there is none of that number or fingerprint."""
    if about_alert(desk.record, args.incident):
        return _alert(desk.record, str(args.incident))
    incident = shape.wanted(desk.record, args.incident)
    pieces, _ = desk.record.evidence(incident.id, incident.round)
    whole = shape.full(incident, pieces, desk.record.audit(incident.id))
    listed = alerts.why(desk.record, _worst(incident), LINES)
    more = _unlisted(desk.record, incident, {row["fingerprint"] for row in listed})
    return Answer({"incident": {**whole, "why": listed, "why_more": more}})


def about_alert(store: Store, given: int | str) -> bool:
    """Whether a fingerprint is meant: what is no number, or one of no incident and long enough."""
    if isinstance(given, str):
        return True
    long = len(str(given)) >= alerts.SHORTEST
    return long and (given > shape.LARGEST or store.load(given) is None) and _is_one(store, str(given))


def _is_one(store: Store, prefix: str) -> bool:
    return any(alert.fingerprint.startswith(prefix) for alert in store.alerts())


def _alert(store: Store, prefix: str) -> Answer:
    found = alerts.by_prefix(store, prefix)
    history = store.verdicts([found.fingerprint])
    short = alerts.row(found, store.owners().get(found.fingerprint), history[-1] if history else None)
    return Answer({"alert": {**shape.alert(found), **short}, "why": [alerts.verdict(one) for one in history]})


def _unlisted(store: Store, incident: Incident, listed: Collection[str]) -> dict[str, int]:
    """How many of its other alerts became what at last, by reason, the most frequent first."""
    others = [alert.fingerprint for alert in incident.alerts if alert.fingerprint not in listed]
    newest = {verdict.fingerprint: verdict.reason for verdict in store.verdicts(others)} if others else {}
    return dict(Counter(newest.values()).most_common())


def _worst(incident: Incident) -> list[Alert]:
    return sorted(incident.alerts, key=lambda alert: (rank(alert.severity), alert.active_at))[:ALERTS]
