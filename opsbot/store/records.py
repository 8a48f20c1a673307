"""Incidents as rows: made, loaded, and saved by compare-and-set, each change with its audit entry."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.audit import START, Note
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.incident import Incident, State
from opsbot.core.ports import PastRun
from opsbot.store import chain, codec, leases
from opsbot.store.cells import batches, lying, meant
from opsbot.store.mirror import Mine, Read, mine, read
from opsbot.store.rows import sealed
from opsbot.store.tables import alerts, hypotheses, incidents, runs, spelled

LOG = logging.getLogger("opsbot.store")
AlertsOf = Callable[[sa.Connection, Collection[int]], Mapping[int, Mine]]
"""What reads the alerts of incidents."""
Thoughts = dict[int, str]
"""Hypotheses as they lie, by round: what was added last for each."""
_NEEDED = (incidents.c.id, incidents.c.record, incidents.c.reported, incidents.c.told)
_OWN = sa.update(alerts).where(alerts.c.fingerprint == sa.bindparam("f")).values(incident=sa.bindparam("i"))
BEGAN, ENDED = "run_began", "run_ended"
"""Details by which the audit tells of the rows of past runs, so that a change of those is found."""


def create(db: sa.Connection, incident: Incident, note: Note, now: datetime, owned: Sequence[str]) -> Incident:
    """A new row with the next id and version 1, owning these alerts."""
    new = replace(incident.record, id=0, version=1)
    row = _columns(new) | {"reported": 0, "seq": 0, "head": START, "told": ""}
    made = db.execute(sa.insert(incidents).values(row)).inserted_primary_key
    new = replace(new, id=made[0] if made else 0)
    db.execute(sa.update(incidents).where(incidents.c.id == new.id).values(record=codec.INCIDENT.encode(new)))
    own(db, new.id, owned)
    chain.append(db, new.id, _note_run(db, new, note), now, record=new.digest, version=1)
    return load(db, new.id) or new


def save(db: sa.Connection, incident: Incident, note: Note, now: datetime) -> Incident:
    """One version later, if the version in the store is still the one that was loaded; else Conflict."""
    later = _with_rows(db, replace(incident, version=incident.version + 1))
    same = (incidents.c.id == incident.id) & (incidents.c.version == incident.version)
    if db.execute(sa.update(incidents).where(same).values(**_columns(later))).rowcount != 1:
        raise Conflict(f"incident {incident.id} has moved on from version {incident.version}")
    chain.append(db, later.id, _note_run(db, later, note), now, record=later.digest, version=later.version)
    leases.end_waiting(db, later.id)
    return later


def _columns(incident: Incident) -> dict[str, Any]:
    return {
        "key": incident.key, "version": incident.version, "state": incident.state.value,
        "severity": incident.severity, "unresolved": incident.unresolved, "opened_at": incident.opened_at,
        "since": incident.since, "record": codec.INCIDENT.encode(incident.record), "mark": incident.mark,
    }  # fmt: skip


def _with_rows(db: sa.Connection, incident: Incident) -> Incident:
    """With what lives in rows of its own as it is now: it may have come in since the incident was loaded."""
    found = db.execute(lying(*_NEEDED).where(incidents.c.id == incident.id)).first()
    if found is None:
        return incident
    row = meant(incidents, found)
    thought = _thoughts_of(db, [incident.id])[incident.id]
    return _thinking(replace(incident, reported=row.reported, told=row.told), thought)


def load(db: sa.Connection, incident: int, owned: AlertsOf | None = None) -> Incident | None:
    """One incident with all that lives in other rows; PermanentError when its record cannot be read back."""
    row = db.execute(lying(*_NEEDED).where(incidents.c.id == incident)).first()
    if row is None:
        return None
    return _whole(row, (owned or alerts_of)(db, [incident])[incident], _thoughts_of(db, [incident])[incident])


def listed(db: sa.Connection, query: sa.Select[Any], owned: AlertsOf | None = None) -> tuple[Incident, ...]:
    """The incidents of a query. One that cannot be read back is logged and left out: it must not hide the others."""
    rows = db.execute(query).all()
    ids = [row.id for row in rows]
    parts, thoughts = (owned or alerts_of)(db, ids), _thoughts_of(db, ids)
    found = []
    for row in rows:
        try:
            found.append(_whole(row, parts[row.id], thoughts[row.id]))
        except PermanentError as error:
            LOG.error("%s; `opsbot audit verify` says more", error)
    return tuple(found)


def page(unresolved: bool, key: str | None, limit: int, before: int | None) -> sa.Select[Any]:
    """The query for a page of incidents, newest first."""
    query = lying(*_NEEDED).order_by(incidents.c.id.desc()).limit(max(limit, 0))
    if unresolved:
        query = query.where(incidents.c.unresolved)
    if key is not None:
        query = query.where(incidents.c.key == key)
    return query if before is None else query.where(incidents.c.id < before)


def due(news_since: datetime | None) -> sa.Select[Any]:
    """The query for all incidents for which a skill may be due, oldest first."""
    ids = sa.select(incidents.c.id)
    parts = [ids.where(incidents.c.unresolved), ids.where(incidents.c.reported < incidents.c.version)]
    if news_since is not None:
        resolved, told = ids.where(~incidents.c.unresolved), incidents.c.told
        parts.append(resolved.where(told != sa.text("''"), told != incidents.c.mark))
        parts.append(resolved.where(told == sa.text("''"), incidents.c.since >= news_since))
    # An index scan each: an OR of them would read every incident that ever was, at every look.
    return lying(*_NEEDED).where(incidents.c.id.in_(sa.union(*parts))).order_by(incidents.c.id)


def _whole(row: sa.Row[Any], owned: Mine, thoughts: Thoughts) -> Incident:
    """With an alert that cannot be read the incident cannot either: one alert fewer would look like a clear."""
    try:
        if isinstance(owned, PermanentError):
            raise owned
        plain = replace(codec.INCIDENT.decode(row.record), alerts=owned)
    except PermanentError as error:
        raise PermanentError(f"the record of incident {row.id} {error}") from None
    beside = meant(incidents, row)
    return _thinking(replace(plain, reported=beside.reported, told=beside.told), thoughts)


# alerts of incidents ------------------------------------------------------------------------------------------------


def own(db: sa.Connection, incident: int, fingerprints: Iterable[str]) -> None:
    """Give alerts to an incident; PermanentError for one that is not in the store."""
    wanted = list(dict.fromkeys(fingerprints))
    if wanted and db.execute(_OWN, [{"f": one, "i": incident} for one in wanted]).rowcount != len(wanted):
        lost = min(set(wanted) - {row.fingerprint for row in _rows(db, alerts.c.fingerprint, wanted)})
        raise PermanentError(f"there is no alert {lost[:40]!r} to give to incident {incident}")


def _rows(db: sa.Connection, column: sa.Column[Any], values: Collection[Any]) -> Iterator[sa.Row[Any]]:
    for some in batches(values):
        yield from db.execute(lying(*alerts.columns).where(column.in_(some)))


def alerts_of(db: sa.Connection, ids: Collection[int]) -> dict[int, Mine]:
    """The alerts of incidents, read now."""
    found: dict[int, list[Read]] = {incident: [] for incident in ids}
    for row in _rows(db, alerts.c.incident, ids):
        found[row.incident].append(read(row))
    return {incident: mine(rows) for incident, rows in found.items()}


# hypotheses ---------------------------------------------------------------------------------------------------------


def add_hypotheses(
    db: sa.Connection, incident: int, round: int, new: tuple[Hypothesis, ...], note: Note, now: datetime
) -> None:
    """One row and one audit entry over it, even for nothing; the version stays, and there is something new to tell."""
    body = codec.THOUGHT.encode(new)
    seq = chain.append(db, incident, note, now, record=sealed(round, body))
    db.execute(sa.insert(hypotheses).values(incident=incident, seq=seq, round=round, body=body))
    whole = load(db, incident)
    if whole is not None:
        db.execute(sa.update(incidents).where(incidents.c.id == incident).values(mark=whole.mark))


def _thoughts_of(db: sa.Connection, ids: Sequence[int]) -> dict[int, Thoughts]:
    found: dict[int, Thoughts] = {incident: {} for incident in ids}
    for some in batches(ids):
        query = lying(*hypotheses.columns).where(hypotheses.c.incident.in_(some))
        for row in db.execute(query.order_by(hypotheses.c.incident, hypotheses.c.seq)):
            found[row.incident][row.round] = row.body
    return found


def _thinking(incident: Incident, thoughts: Thoughts) -> Incident:
    """Those of the present round. They are only opinions: one that was spoilt by hand is logged and left out."""
    body = thoughts.get(incident.round)
    try:
        return replace(incident, asked=bool(thoughts), hypotheses=codec.THOUGHT.decode(body) if body else ())
    except PermanentError as error:
        LOG.error("the hypotheses of incident %d %s; `opsbot audit verify` says more", incident.id, error)
        return replace(incident, asked=True, hypotheses=())


# runs ---------------------------------------------------------------------------------------------------------------


def _note_run(db: sa.Connection, incident: Incident, note: Note) -> Note:
    """Keep the row of a run in step with the record, and the note with what it tells of that row.

    A run's outcome is the reason why the incident left it.
    """
    run, plan = incident.run, incident.plan
    if run is None:
        return note
    outcome = incident.reason if incident.state in (State.RESOLVED, State.ESCALATED) else ""
    this = (runs.c.incident == incident.id) & (runs.c.id == run.id)
    known = db.execute(lying(runs.c.outcome).where(this)).first()
    detail = {}
    if known is None:
        key, playbook = (plan.target.key, plan.playbook) if plan else (incident.key, "")
        row = {"id": run.id, "playbook": playbook, "key": key, "started_at": run.started_at, "outcome": outcome}
        db.execute(sa.insert(runs).values(row | {"incident": incident.id}))
        detail[BEGAN] = telling(run.id, playbook, key, spelled(run.started_at))
    elif outcome and not known.outcome:
        db.execute(sa.update(runs).where(this).values(outcome=outcome))
    if outcome and not (known and known.outcome):
        detail[ENDED] = telling(run.id, outcome)
    return replace(note, detail={**note.detail, **detail}) if detail else note


def telling(*columns: object) -> str:
    """How the audit tells of a run's row: so that nothing else is spelled the same."""
    return json.dumps(columns, default=repr)


def past_runs(db: sa.Connection, since: datetime) -> tuple[PastRun, ...]:
    """Runs started since then, newest first; PermanentError for a spoilt one: one fewer would loosen a budget."""
    query = lying(*runs.columns).where(runs.c.started_at >= since)
    rows = db.execute(query.order_by(runs.c.started_at.desc(), runs.c.incident, runs.c.id))
    found = [meant(runs, row) for row in rows]
    return tuple(PastRun(row.incident, row.playbook, row.key, row.started_at, row.outcome) for row in found)
