"""`alerts`: what is up, and what became of each: its incident, or why it has none."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from typing import Any

from opsbot.commands.desk import Answer, Desk
from opsbot.core.alert import Alert, AlertState, rank
from opsbot.core.canonical import plain
from opsbot.core.errors import PermanentError
from opsbot.core.ports import Store
from opsbot.core.silence import Verdict

SHORTEST = 6
"""Characters of a fingerprint that must be given at least."""

_STATES = (AlertState.FIRING, AlertState.PENDING, AlertState.RESOLVED)


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{alerts: [ROW], more}: those that fire, the worst first; with --all those pending or just resolved, too."""
    limit = max(1, min(args.limit, 100_000))
    found = sorted((alert for alert in desk.record.alerts() if args.all or _fires(alert)), key=_order)
    owners = desk.record.owners()
    newest = {
        verdict.fingerprint: verdict for verdict in desk.record.verdicts([one.fingerprint for one in found[:limit]])
    }
    rows = [row(one, owners.get(one.fingerprint), newest.get(one.fingerprint)) for one in found[:limit]]
    return Answer({"alerts": rows, "more": len(found) > limit})


def _fires(alert: Alert) -> bool:
    return alert.state is AlertState.FIRING


def _order(alert: Alert) -> tuple[int, int, float, str]:
    return _STATES.index(alert.state), rank(alert.severity), alert.active_at.timestamp(), alert.fingerprint


def row(alert: Alert, incident: int | None, last: Verdict | None) -> dict[str, Any]:
    """An alert in short, with its unresolved incident and what was said of it last."""
    since = {AlertState.RESOLVED: alert.resolved_at, AlertState.FIRING: alert.fired_at}.get(alert.state)
    return {
        "name": alert.name, "state": alert.state.value, "severity": alert.severity,
        "since": plain(since or alert.active_at), "labels": dict(alert.labels), "source": alert.source,
        "fingerprint": alert.fingerprint, "incident": incident, "why": verdict(last) if last else None,
    }  # fmt: skip


def verdict(value: Verdict) -> dict[str, Any]:
    """What became of an alert, from when on."""
    return {
        "fingerprint": value.fingerprint, "at": plain(value.at), "reason": value.reason, "says": value.says,
        "incident": value.incident,
    }  # fmt: skip


def by_prefix(store: Store, prefix: str) -> Alert:
    """The alert whose fingerprint begins so; PermanentError where there is none, or more than one."""
    if len(prefix) < SHORTEST:
        raise PermanentError(f"{prefix!r} is too short: give {SHORTEST} or more characters of the fingerprint")
    found = [alert for alert in store.alerts() if alert.fingerprint.startswith(prefix)]
    if not found:
        raise PermanentError(f"there is no alert {prefix[:40]!r}; `opsbot alerts --all` lists them")
    if len(found) > 1:
        raise PermanentError(f"{len(found)} alerts begin with {prefix!r}: give more of the fingerprint")
    return found[0]


def why(store: Store, alerts: Sequence[Alert], most: int) -> list[dict[str, Any]]:
    """What became of these alerts, oldest first: the newest verdicts."""
    return [verdict(one) for one in store.verdicts([alert.fingerprint for alert in alerts])[-most:]]
