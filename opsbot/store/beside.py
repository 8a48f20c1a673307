"""Whether the rows beside an incident's record are those that its audit tells of; a part of `verify`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from opsbot.core.audit import AuditEntry
from opsbot.core.incident import Incident
from opsbot.store.cells import lying
from opsbot.store.records import BEGAN, ENDED, telling
from opsbot.store.rows import sealed
from opsbot.store.tables import evidence, hypotheses, reports, runs, spelled

_TOLD = ((evidence, "evidence", "round", "body"), (hypotheses, "a row of hypotheses", "round", "body"),
         (reports, "a report", "version", "text"))  # fmt: skip


def faults(db: sa.Connection, row: sa.Row[Any], entries: Sequence[AuditEntry]) -> Iterator[str]:
    """Every row must be told of by an entry of its own, and every row told of must be there."""
    told = {entry.seq: entry for entry in entries if entry.record and not entry.version}
    seen = set()
    for seq, what, digest in _sealed(db, row.id):
        if seq in seen or seq not in told or digest != told[seq].record:
            yield f"{what} is not what entry {seq!r:.60} tells of"
        seen.add(seq)
    yield from (f"the row that entry {seq} tells of is missing" for seq in told if seq not in seen)
    yield from _reported(db, row, told)


def _sealed(db: sa.Connection, incident: int) -> Iterator[tuple[Any, str, str]]:
    for table, what, number, text in _TOLD:
        for row in db.execute(lying(*table.columns).where(table.c.incident == incident)).mappings():
            yield row["seq"], what, sealed(row[number], str(row[text]))


def _reported(db: sa.Connection, row: sa.Row[Any], told: dict[int, AuditEntry]) -> Iterator[str]:
    found = db.execute(lying(*reports.columns).where(reports.c.incident == row.id)).all()
    if row.reported != max((one.version for one in found if isinstance(one.version, int)), default=0):
        yield "it does not say rightly what was reported"
    if any(one.seq in told and one.at != spelled(told[one.seq].at) for one in found):
        yield "a report does not bear the time of its entry"


def run_faults(
    db: sa.Connection, incident: int, record: Incident | None, entries: Sequence[AuditEntry]
) -> Iterator[str]:
    """Past runs, which cooldowns and budgets count, against what the audit tells of their beginning and end."""
    began, ended = _details(entries, BEGAN), _details(entries, ENDED)
    rows = db.execute(lying(*runs.columns).where(runs.c.incident == incident)).all()
    tales = {telling(row.id, row.playbook, row.key, row.started_at) for row in rows}
    if not began <= tales or (record and record.run and record.run.id not in {row.id for row in rows}):
        yield "its run is missing among the past runs"
    for row in rows:
        known = telling(row.id, row.playbook, row.key, row.started_at) in began
        older = not known and not _about(row, began) and _fits(row, record, entries)
        if not known and not older:
            yield f"its past run {row.id!r:.60} is not what the audit tells of"
        elif telling(row.id, row.outcome) not in ended and (_about(row, ended) or (known and row.outcome != "")):
            yield f"the outcome of its past run {row.id!r:.60} is not what the audit tells of"


def _details(entries: Sequence[AuditEntry], name: str) -> set[str]:
    return {entry.detail[name] for entry in entries if name in entry.detail}


def _about(row: sa.Row[Any], tales: set[str]) -> bool:
    start = telling(row.id)[:-1] + ","
    return any(tale.startswith(start) for tale in tales)


def _fits(row: sa.Row[Any], record: Incident | None, entries: Sequence[AuditEntry]) -> bool:
    """A run of before audits told of runs: as the record has it, or at least begun with an entry."""
    run, plan = (record.run, record.plan) if record else (None, None)
    if run is None or run.id != row.id:
        return any(entry.version and spelled(entry.at) == row.started_at for entry in entries)
    same_plan = plan is None or (plan.playbook, plan.target.key) == (row.playbook, row.key)
    return same_plan and spelled(run.started_at) == row.started_at
