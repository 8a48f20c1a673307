"""The audit chains as rows: one entry appended at the end of one chain, and all of them read in order."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.audit import AuditEntry, Note, sealed
from opsbot.core.errors import PermanentError
from opsbot.store.cells import lying, meant
from opsbot.store.tables import audit, incidents

LOG = logging.getLogger("opsbot.store")


def append(db: sa.Connection, incident: int, note: Note, now: datetime, record: str = "", version: int = 0) -> int:
    """Add an entry at the end of an incident's chain; its number. PermanentError where there is no such incident."""
    query = lying(incidents.c.id, incidents.c.seq, incidents.c.head).where(incidents.c.id == incident)
    row = db.execute(query).first()
    if row is None:
        raise PermanentError(f"there is no incident {incident}")
    end = meant(incidents, row)
    new = AuditEntry(
        incident=incident, seq=end.seq + 1, at=now, who=note.who, act=note.act, reason=note.reason,
        detail=dict(note.detail), record=record, previous=end.head, version=version,
    )  # fmt: skip
    new = sealed(new)
    db.execute(sa.insert(audit).values({column.name: getattr(new, column.name) for column in audit.columns}))
    db.execute(sa.update(incidents).where(incidents.c.id == incident).values(seq=new.seq, head=new.digest))
    return new.seq


def entries(db: sa.Connection, incident: int | None = None) -> Iterator[AuditEntry]:
    """Entries in order, of one incident or of all. One that was spoilt by hand is logged and left out."""
    for row in rows(db, incident):
        try:
            yield entry(row)
        except PermanentError as error:
            LOG.error("%s; `opsbot audit verify` says more", error)


def rows(db: sa.Connection, incident: int | None = None) -> Iterator[sa.Row[Any]]:
    """Entries as they lie, in order."""
    query = lying(*audit.columns).order_by(audit.c.incident, audit.c.seq)
    yield from db.execute(query if incident is None else query.where(audit.c.incident == incident))


def entry(row: sa.Row[Any]) -> AuditEntry:
    """An entry that lies there; PermanentError that names row and column where it cannot be read."""
    return AuditEntry(**vars(meant(audit, row)))
