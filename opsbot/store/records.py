"""Incidents as rows: made, loaded, and saved by compare-and-set, each change with its audit entry."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.alert import Alert
from opsbot.core.audit import START, Note
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.incident import Incident, State
from opsbot.core.ports import PastRun
from opsbot.store import chain, codec, leases
from opsbot.store.tables import alerts, incidents, runs

LOG = logging.getLogger("opsbot.store")


def create(db: sa.Connection, incident: Incident, note: Note, now: datetime, owned: Sequence[str]) -> Incident:
    """A new row with the next id and version 1, owning these alerts."""
    row = _columns(replace(incident, id=0, version=1))
    made = db.execute(sa.insert(incidents).values(**row, reported=0, seq=0, head=START)).inserted_primary_key
    new = replace(incident, id=made[0] if made else 0, version=1, alerts=(), hypotheses=(), reported=0)
    db.execute(sa.update(incidents).where(incidents.c.id == new.id).values(record=codec.INCIDENT.encode(new)))
    own(db, new.id, owned)
    chain.append(db, new.id, note, now, record=new.digest, version=1)
    _note_run(db, new)
    return replace(new, alerts=_alerts(bodies_of(db, [new.id])[new.id]))


def save(db: sa.Connection, incident: Incident, note: Note, now: datetime) -> Incident:
    """One version later, if the version in the store is still the one that was loaded; else Conflict."""
    later = replace(incident, version=incident.version + 1)
    same = (incidents.c.id == incident.id) & (incidents.c.version == incident.version)
    if db.execute(sa.update(incidents).where(same).values(**_columns(later))).rowcount != 1:
        raise Conflict(f"incident {incident.id} has moved on from version {incident.version}")
    chain.append(db, later.id, note, now, record=later.digest, version=later.version)
    leases.end_waiting(db, later.id)
    _note_run(db, later)
    return later


def _columns(incident: Incident) -> dict[str, Any]:
    return {
        "key": incident.key, "version": incident.version, "state": incident.state.value,
        "severity": incident.severity, "unresolved": incident.unresolved, "opened_at": incident.opened_at,
        "since": incident.since, "record": codec.INCIDENT.encode(incident.record),
    }  # fmt: skip


def load(db: sa.Connection, incident: int) -> Incident | None:
    """One incident with its alerts; PermanentError when its record cannot be read back."""
    row = db.execute(sa.select(incidents).where(incidents.c.id == incident)).first()
    if row is None:
        return None
    return _whole(row, bodies_of(db, [incident])[incident])


def listed(db: sa.Connection, query: sa.Select[Any]) -> tuple[Incident, ...]:
    """The incidents of a query. One that cannot be read back is logged and left out: it must not hide the others."""
    rows = db.execute(query).all()
    bodies = bodies_of(db, [row.id for row in rows])
    found = []
    for row in rows:
        try:
            found.append(_whole(row, bodies[row.id]))
        except PermanentError as error:
            LOG.error("%s; `opsbot audit verify` says more", error)
    return tuple(found)


def page(unresolved: bool, key: str | None, limit: int, before: int | None) -> sa.Select[Any]:
    """The query for a page of incidents, newest first."""
    query = sa.select(incidents).order_by(incidents.c.id.desc()).limit(max(limit, 0))
    if unresolved:
        query = query.where(incidents.c.unresolved)
    if key is not None:
        query = query.where(incidents.c.key == key)
    return query if before is None else query.where(incidents.c.id < before)


def due() -> sa.Select[Any]:
    """The query for all incidents for which a skill may be due, oldest first."""
    unresolved = sa.select(incidents.c.id).where(incidents.c.unresolved)
    unreported = sa.select(incidents.c.id).where(incidents.c.reported < incidents.c.version)
    # Two index scans: an OR of the two would read every incident that ever was, at every look.
    return sa.select(incidents).where(incidents.c.id.in_(unresolved.union(unreported))).order_by(incidents.c.id)


def _whole(row: sa.Row[Any], bodies: Sequence[str]) -> Incident:
    """With an alert that cannot be read the incident cannot either: one alert fewer would look like a clear."""
    try:
        return replace(codec.INCIDENT.decode(row.record), alerts=_alerts(bodies), reported=row.reported)
    except PermanentError as error:
        raise PermanentError(f"the record of incident {row.id} {error}") from None


def _alerts(bodies: Sequence[str]) -> tuple[Alert, ...]:
    return tuple(codec.ALERT.decode(body) for body in bodies)


# alerts of incidents ------------------------------------------------------------------------------------------------


def own(db: sa.Connection, incident: int, fingerprints: Iterable[str]) -> None:
    """Give alerts to an incident; PermanentError for one that is not in the store."""
    for fingerprint in fingerprints:
        mine = sa.update(alerts).where(alerts.c.fingerprint == fingerprint).values(incident=incident)
        if db.execute(mine).rowcount != 1:
            raise PermanentError(f"there is no alert {fingerprint[:40]!r} to give to incident {incident}")


def bodies_of(db: sa.Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """The alerts of incidents as they lie, by incident."""
    found: dict[int, list[str]] = {incident: [] for incident in ids}
    for start in range(0, len(ids), 500):
        query = sa.select(alerts).where(alerts.c.incident.in_(ids[start : start + 500]))
        for row in db.execute(query.order_by(alerts.c.rule, alerts.c.fingerprint)):
            found[row.incident].append(row.body)
    return found


# runs ---------------------------------------------------------------------------------------------------------------


def _note_run(db: sa.Connection, incident: Incident) -> None:
    """Keep the row of a run in step with the record: its outcome is the reason why the incident left the run."""
    run, plan = incident.run, incident.plan
    if run is None:
        return
    ended = incident.state in (State.RESOLVED, State.ESCALATED)
    this = (runs.c.incident == incident.id) & (runs.c.id == run.id)
    known = db.execute(sa.select(runs.c.outcome).where(this)).scalar()
    if known is None:
        row = {
            "id": run.id, "incident": incident.id, "playbook": plan.playbook if plan else "",
            "key": plan.target.key if plan else incident.key, "started_at": run.started_at,
            "outcome": incident.reason if ended else "",
        }  # fmt: skip
        db.execute(sa.insert(runs).values(row))
    elif ended and not known:
        db.execute(sa.update(runs).where(this).values(outcome=incident.reason))


def past_runs(db: sa.Connection, since: datetime) -> tuple[PastRun, ...]:
    """Runs started since then, newest first."""
    query = (
        sa.select(runs).where(runs.c.started_at >= since).order_by(runs.c.started_at.desc(), runs.c.incident, runs.c.id)
    )
    return tuple(PastRun(row.incident, row.playbook, row.key, row.started_at, row.outcome) for row in db.execute(query))
