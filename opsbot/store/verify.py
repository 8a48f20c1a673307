"""Whether the database still says what was written: chains, records, and the rows that chains tell of.

It reads and compares, and never repairs; whatever lies in a column, the answer is sentences. Whoever rewrites a whole
chain with all its rows is not found here: for that the heads must be kept elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import sqlalchemy as sa

from opsbot.core.audit import START, AuditEntry, broken
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident
from opsbot.store import beside, chain, codec, untold
from opsbot.store.cells import lying, meant
from opsbot.store.tables import audit, evidence, hypotheses, incidents, reports, runs, spelled

# What a value can do to whoever computes with it, when a hand has put it there.
_SPOILT = (PermanentError, TypeError, ValueError, ArithmeticError, RecursionError)


def faults(db: sa.Connection) -> Iterator[str]:
    """What is wrong, one sentence each."""
    rows = {row.id: row for row in db.execute(lying(*incidents.columns))}
    known = {one for table in (audit, evidence, hypotheses, reports, runs) for one in _incidents_in(db, table)}
    strange = {one for one in {*rows, *known} if not isinstance(one, int) or one < 1}
    for one in sorted(strange, key=repr):
        yield f"incident {one!r:.60} cannot be, and there are rows of it"
    last, changed = _last_id(db, max(rows, default=0))
    if changed:
        yield f"incident {last} is not the last one by the database's own count, so that was changed"
    yield from _missing(sorted(rows.keys() - strange), max([last, *(known - strange)]))
    for incident, row in sorted(rows.items()):
        for fault in _of_one(db, row):
            yield f"incident {incident}: {fault}"
    yield from untold.faults(db)


def _incidents_in(db: sa.Connection, table: sa.Table) -> set[Any]:
    return set(db.execute(lying(table.c.incident).distinct()).scalars())


def _last_id(db: sa.Connection, highest: int) -> tuple[int, bool]:
    """The last id given, even if its row is gone, and whether SQLite's count of them was changed."""
    last = db.exec_driver_sql("SELECT max(seq) FROM sqlite_sequence WHERE name = 'incidents'").scalar()
    if isinstance(last, int) and last >= highest:
        return last, False
    return highest, last is not None or highest > 0


def _missing(there: Iterable[int], last: int) -> Iterator[str]:
    """One sentence for each gap, however wide it is: a number that a hand has put there may be huge."""
    for before, after in pairwise((0, *there, last + 1)):
        if after - before == 2:
            yield f"incident {before + 1} is missing"
        elif after - before > 2:
            yield f"incident {before + 1} is missing, and so is each up to {after - 1}"


def _of_one(db: sa.Connection, row: sa.Row[Any]) -> Iterator[str]:
    try:
        meant(incidents, row)
    except PermanentError as error:
        yield str(error)
    try:
        entries = tuple(chain.entry(found) for found in chain.rows(db, row.id))
        fault = broken(entries)
    except _SPOILT as error:
        yield f"its audit cannot be read: {error}"
        return
    if fault:
        yield fault
    if (row.seq, row.head) != ((entries[-1].seq, entries[-1].digest) if entries else (0, START)) or not entries:
        yield f"the audit does not end with entry {row.seq!r:.60}"
    yield from _record(db, row, entries)
    yield from beside.faults(db, row, entries)


def _record(db: sa.Connection, row: sa.Row[Any], entries: Sequence[AuditEntry]) -> Iterator[str]:
    try:
        record = codec.INCIDENT.decode(row.record)
        digest, columns = record.digest, _columns(record)
    except _SPOILT as error:
        yield f"its record {error if isinstance(error, PermanentError) else 'cannot be read back'}"
        yield from beside.run_faults(db, row.id, None, entries)
        return
    last = next((entry for entry in reversed(entries) if entry.version), None)
    if last is None or (record.id, record.version, digest) != (row.id, last.version, last.record):
        yield "its record is not the one that was last saved"
    if {name: getattr(row, name) for name in columns} != columns or row.mark != _mark(db, record):
        yield "its columns do not say what its record says"
    yield from beside.run_faults(db, row.id, record, entries)


def _columns(record: Incident) -> dict[str, Any]:
    return {
        "key": record.key, "version": record.version, "state": record.state.value, "severity": record.severity,
        "unresolved": int(record.unresolved), "opened_at": spelled(record.opened_at), "since": spelled(record.since),
    }  # fmt: skip


def _mark(db: sa.Connection, record: Incident) -> str:
    """As `Incident.mark` of the record with its rows; hypotheses that cannot be read are told of elsewhere."""
    rows = db.execute(lying(*hypotheses.columns).where(hypotheses.c.incident == record.id).order_by(hypotheses.c.seq))
    bodies = {row.round: row.body for row in rows}
    try:
        thoughts = codec.THOUGHT.decode(bodies[record.round]) if record.round in bodies else ()
    except PermanentError:
        thoughts = ()
    return f"{record.version}.{int(bool(bodies))}.{len(thoughts)}"
