"""Rows beside the records: evidence, reports and small facts."""

from __future__ import annotations

import hashlib
from datetime import datetime

import sqlalchemy as sa

from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.evidence import Evidence, Gap
from opsbot.store import chain, codec
from opsbot.store.cells import lying, meant
from opsbot.store.codec import Gathered
from opsbot.store.tables import evidence, facts, incidents, reports


def sealed(number: int, text: str) -> str:
    """The digest by which the audit names a row: its text, and the round or version that it belongs to."""
    return hashlib.sha256(f"{number}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def add_evidence(db: sa.Connection, incident: int, round: int, new: Gathered, note: Note, now: datetime) -> None:
    """What one call has gathered becomes one row and one audit entry over it; the version stays."""
    body = codec.GATHERED.encode(new)
    seq = chain.append(db, incident, note, now, record=sealed(round, body))
    db.execute(sa.insert(evidence).values(incident=incident, seq=seq, round=round, body=body))


def evidence_of(db: sa.Connection, incident: int, round: int) -> Gathered:
    """All that was gathered in a round, in order; what was gathered twice under one id counts as it was last seen."""
    here = (evidence.c.incident == incident) & (evidence.c.round == round)
    found: dict[str, Evidence] = {}
    gaps: dict[Gap, None] = {}
    for body in db.execute(sa.select(evidence.c.body).where(here).order_by(evidence.c.seq)).scalars():
        items, missing = _decoded(incident, body)
        found.update({item.id: item for item in items})
        gaps.update(dict.fromkeys(missing))
    return tuple(found.values()), tuple(gaps)


def _decoded(incident: int, body: str) -> Gathered:
    try:
        return codec.GATHERED.decode(body)
    except PermanentError as error:
        raise PermanentError(f"evidence of incident {incident} {error}; `opsbot audit verify` says more") from None


def add_report(db: sa.Connection, incident: int, version: int, text: str, now: datetime) -> None:
    """The report of a version, once: the first telling stays."""
    same = (reports.c.incident == incident) & (reports.c.version == version)
    if db.execute(sa.select(reports.c.seq).where(same)).first():
        return
    row = db.execute(lying(incidents.c.id, incidents.c.version).where(incidents.c.id == incident)).first()
    if row is None or not 1 <= version <= meant(incidents, row).version:
        raise PermanentError(f"incident {incident} has no version {version} to report")
    note = Note("reporter", "reported", "version", {"version": str(version)})
    seq = chain.append(db, incident, note, now, record=sealed(version, text))
    db.execute(sa.insert(reports).values(incident=incident, version=version, seq=seq, at=now, text=text))
    later = (incidents.c.id == incident) & (incidents.c.reported < version)
    db.execute(sa.update(incidents).where(later).values(reported=version))


def reports_of(db: sa.Connection, incident: int) -> tuple[tuple[int, str], ...]:
    """Versions and texts, oldest first."""
    query = lying(reports.c.incident, reports.c.version, reports.c.text).where(reports.c.incident == incident)
    found = [meant(reports, row) for row in db.execute(query.order_by(reports.c.version))]
    return tuple((row.version, row.text) for row in found)


def put(db: sa.Connection, key: str, value: str, now: datetime) -> None:
    """A small fact, in place of the one before."""
    db.execute(sa.delete(facts).where(facts.c.key == key))
    db.execute(sa.insert(facts).values(key=key, value=value, at=now))


def fetch(db: sa.Connection, key: str) -> str | None:
    """A small fact, or None; PermanentError for one that was spoilt: it must not look like none (a pause, say)."""
    row = db.execute(lying(facts.c.key, facts.c.value).where(facts.c.key == key)).first()
    value: str | None = meant(facts, row).value if row else None
    return value
