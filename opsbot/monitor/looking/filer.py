"""Filer: moves in, changes of incidents in the store out, each with its named reason in the audit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from opsbot.config import Incidents, Limits
from opsbot.core.alert import rank
from opsbot.core.audit import Note
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State, advance
from opsbot.core.ports import Store
from opsbot.mask import mask
from opsbot.monitor.looking import flapping, incidents
from opsbot.monitor.looking.grouping import Cause
from opsbot.monitor.looking.incidents import BLIND, HEARTBEAT, INVALID, Move
from opsbot.monitor.looking.storms import STORM

WHO = "monitor"
TOGETHER = 500
"""How many alerts are given to an incident in one go: others want to write, too."""
_REASONS = {BLIND: "blind", INVALID: "rules_invalid", HEARTBEAT: "heartbeat_missing", STORM: "storm"}
_AT_WORK = (State.RUNNING, State.VERIFYING)


class Filer:
    """Opens, joins, reopens and ends incidents; each raises Conflict where somebody was faster.

    `count` rises with each change, so that a caller can tell whether there was one.
    """

    def __init__(self, store: Store, limits: Limits, calm: Incidents) -> None:
        self._store, self._limits, self._calm = store, limits, calm
        self.count = 0

    def latest(self, key: str) -> Incident | None:
        """The unresolved incident of a key, else the last one."""
        found = self._store.incidents(key=key, unresolved=True, limit=1) or self._store.incidents(key=key, limit=1)
        return found[0] if found else None

    def begin(self, cause: Cause, latest: Incident | None, now: datetime) -> tuple[Move, Incident | None]:
        """Open an incident for a cause, or the last one of its key again, or join or leave it; what it is now."""
        move = incidents.move(cause, latest, now, self._limits.cooldown)
        if move is Move.OPEN or latest is None:
            return Move.OPEN, self.open(cause, now)
        if move is Move.REOPEN:
            return move, self.reopen(cause, latest, now)
        return move, self.join(cause, latest, now) if move is Move.JOIN else latest

    def open(self, cause: Cause, now: datetime) -> Incident:
        """A new incident with all alerts of the cause."""
        new = Incident(
            id=0, key=cause.key, version=0, state=State.OPEN, severity=cause.severity, title=cause.title,
            opened_at=now, since=now, target=cause.target, reason=_reason(cause),
        )  # fmt: skip
        self.count += 1
        made = self._store.create(new, _note("opened", cause), now, cause.alerts[:TOGETHER])
        self._attach(cause, cause.alerts[:TOGETHER], made, now)
        return made

    def reopen(self, cause: Cause, latest: Incident, now: datetime) -> Incident:
        """The incident in a new round, one refire more."""
        moved = replace(advance(latest, "refired", now), title=cause.title, severity=cause.severity)
        again = moved if incidents.own(latest.key) else flapping.again(moved, now, self._calm)
        self.count += 1
        saved = self._store.save(again, _note("reopened", cause), now)
        self._attach(cause, {alert.fingerprint for alert in latest.alerts}, saved, now)
        return saved

    def join(self, cause: Cause, latest: Incident, now: datetime, title: MaskedText | None = None) -> Incident:
        """The incident with all alerts of the cause, as bad as the worst; its run is not disturbed."""
        self._attach(cause, {alert.fingerprint for alert in latest.alerts}, latest, now)
        worse = rank(cause.severity) < rank(latest.severity)
        retold = title is not None and title != latest.title
        if not (worse or retold) or latest.state in _AT_WORK:
            return latest
        severity = cause.severity if worse else latest.severity
        self.count += 1
        changed = replace(latest, severity=severity, title=title or latest.title)
        return self._store.save(changed, _note("raised" if worse else "grew", cause), now)

    def refired(self, incident: Incident, at: datetime, now: datetime) -> Incident:
        """One refire more of an incident that is held open."""
        again = flapping.again(incident, at, self._calm)
        if again is incident:
            return incident
        self.count += 1
        return self._store.save(again, Note(WHO, "flapped", "flapping", {"times": mask(str(len(again.flaps)))}), now)

    def end(self, incident: Incident, reason: str, now: datetime) -> None:
        """It is over."""
        self.count += 1
        self._store.save(advance(incident, "cleared", now, reason), Note(WHO, "cleared", reason), now)

    def end_own(self, incident: Incident | None, reason: str, now: datetime) -> None:
        """One about opsbot itself is over, if there is one and it can end now."""
        if incident and incident.unresolved and incidents.clearable(incident):
            self.end(incident, reason, now)

    def _attach(self, cause: Cause, there: Collection[str], incident: Incident, now: datetime) -> None:
        known = frozenset(there)
        new = [name for name in cause.alerts if name not in known]
        for start in range(0, len(new), TOGETHER):
            self.count += 1
            self._store.attach(incident.id, new[start : start + TOGETHER], _note("attached", cause), now)


def _reason(cause: Cause) -> str:
    if incidents.refused(cause.key):
        return "webhook_refused"
    return _REASONS.get(cause.key, "alert_fired")


def _note(act: str, cause: Cause) -> Note:
    return Note(WHO, act, _reason(cause), {"title": cause.title, "severity": mask(cause.severity)})
