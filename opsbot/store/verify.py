"""Whether the database still says what was written: chains, records, and the rows that chains tell of.

It reads and compares, and never repairs. Whoever rewrites a whole chain with all its rows is not found here: for that
the heads must be kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from opsbot.core.audit import START, AuditEntry, broken
from opsbot.core.errors import PermanentError
from opsbot.store import chain, codec
from opsbot.store.rows import sealed
from opsbot.store.tables import audit, evidence, incidents, reports, runs


def faults(db: sa.Connection) -> Iterator[str]:
    """What is wrong, one sentence each."""
    rows = {row.id: row for row in _raw(db, incidents)}
    known = {row for table in (audit, evidence, reports, runs) for row in _ids(db, table)}
    for incident in range(1, max([_last_id(db), *rows, *known], default=0) + 1):
        if incident not in rows:
            yield f"incident {incident} is missing"
            continue
        for fault in _of_one(db, rows[incident]):
            yield f"incident {incident}: {fault}"


def _raw(db: sa.Connection, table: sa.Table, incident: int | None = None) -> Sequence[Any]:
    """Rows with their texts as they lie, so that a spoilt one cannot stop the reading."""
    query = sa.select(*(sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in table.columns))
    return db.execute(query if incident is None else query.where(table.c.incident == incident)).all()


def _ids(db: sa.Connection, table: sa.Table) -> set[int]:
    return set(db.execute(sa.select(table.c.incident).distinct()).scalars())


def _last_id(db: sa.Connection) -> int:
    """The last id given, even if its row is gone."""
    return int(db.exec_driver_sql("SELECT max(seq) FROM sqlite_sequence WHERE name = 'incidents'").scalar() or 0)


def _of_one(db: sa.Connection, row: sa.Row[Any]) -> Iterator[str]:
    try:
        entries = tuple(chain.entries(db, row.id))
    except (ValueError, TypeError) as error:
        yield f"its audit cannot be read: {error}"
        return
    fault = broken(entries)
    if fault:
        yield fault
    if (row.seq, row.head) != ((entries[-1].seq, entries[-1].digest) if entries else (0, START)) or not entries:
        yield f"the audit does not end with entry {row.seq}"
    yield from _record(db, row, entries)
    yield from _rows(db, row, entries)


def _record(db: sa.Connection, row: sa.Row[Any], entries: Sequence[AuditEntry]) -> Iterator[str]:
    try:
        record = codec.INCIDENT.decode(row.record)
    except (PermanentError, TypeError) as error:
        yield f"its record {error}"
        return
    last = next((entry for entry in reversed(entries) if entry.version), None)
    if last is None or (record.id, record.version, record.digest) != (row.id, last.version, last.record):
        yield "its record is not the one that was last saved"
    columns = (record.key, record.version, record.state.value, record.severity, int(record.unresolved))
    if (row.key, row.version, row.state, row.severity, row.unresolved) != columns:
        yield "its columns do not say what its record says"
    if record.run and not any(run.id == record.run.id for run in _raw(db, runs, row.id)):
        yield "its run is missing among the past runs"


def _rows(db: sa.Connection, row: sa.Row[Any], entries: Sequence[AuditEntry]) -> Iterator[str]:
    """Every row must be told of by its entry, and every row told of must be there."""
    told = _raw(db, reports, row.id)
    there = {item.seq: ("evidence", sealed(item.round, str(item.body))) for item in _raw(db, evidence, row.id)}
    there |= {item.seq: ("a report", sealed(item.version, str(item.text))) for item in told}
    meant = {entry.seq: entry.record for entry in entries if entry.record and not entry.version}
    for seq in sorted(meant.keys() | there.keys()):
        what, digest = there.get(seq, ("a row", ""))
        if seq not in there:
            yield f"the row that entry {seq} tells of is missing"
        elif digest != meant.get(seq):
            yield f"{what} is not what entry {seq} tells of"
    if row.reported != max((item.version for item in told), default=0):
        yield "it does not say rightly what was reported"
