"""The audit chains as rows: one entry appended at the end of one chain, and all of them read in order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa

from opsbot.core.audit import AuditEntry, Note, sealed
from opsbot.core.errors import PermanentError
from opsbot.store.tables import audit, incidents


def append(db: sa.Connection, incident: int, note: Note, now: datetime, record: str = "", version: int = 0) -> int:
    """Add an entry at the end of an incident's chain; its number. PermanentError where there is no such incident."""
    end = db.execute(sa.select(incidents.c.seq, incidents.c.head).where(incidents.c.id == incident)).first()
    if end is None:
        raise PermanentError(f"there is no incident {incident}")
    entry = AuditEntry(
        incident=incident, seq=end.seq + 1, at=now, who=note.who, act=note.act, reason=note.reason,
        detail=dict(note.detail), record=record, previous=end.head, version=version,
    )  # fmt: skip
    entry = sealed(entry)
    db.execute(sa.insert(audit).values({column.name: getattr(entry, column.name) for column in audit.columns}))
    db.execute(sa.update(incidents).where(incidents.c.id == incident).values(seq=entry.seq, head=entry.digest))
    return entry.seq


def entries(db: sa.Connection, incident: int | None = None) -> Iterator[AuditEntry]:
    """Entries in order, of one incident or of all."""
    query = sa.select(audit).order_by(audit.c.incident, audit.c.seq)
    if incident is not None:
        query = query.where(audit.c.incident == incident)
    for row in db.execute(query).mappings():
        yield AuditEntry(**{str(name): value for name, value in row.items()})
