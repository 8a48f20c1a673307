"""The tables as queries see them are the tables as migrations make them, and no step is ever edited."""

from __future__ import annotations

import hashlib

import sqlalchemy as sa

from opsbot.store import SqlStore
from opsbot.store.migrations import MIGRATIONS, NEWEST
from opsbot.store.tables import METADATA


def test_numbers_are_in_order() -> None:
    assert [step.number for step in MIGRATIONS] == list(range(1, NEWEST + 1))


def test_migrations_make_the_tables_that_queries_see(store: SqlStore) -> None:
    seen = sa.inspect(store._reads)
    assert set(seen.get_table_names()) == set(METADATA.tables)
    for table in METADATA.tables.values():
        made = {column["name"]: column for column in seen.get_columns(table.name)}
        assert set(made) == set(table.columns.keys())
        for column in table.columns:
            assert bool(made[column.name]["nullable"]) is bool(column.nullable) or column.primary_key, column
        keys = seen.get_pk_constraint(table.name)["constrained_columns"]
        assert keys == [column.name for column in table.primary_key.columns]


def test_no_released_step_is_edited() -> None:
    """A step that databases have taken stays as it is; append another one instead."""
    seen = {step.number: hashlib.sha256(" ".join(step.sql.split()).encode()).hexdigest()[:16] for step in MIGRATIONS}
    assert seen == {1: "9382788ce6c25aee"}


def test_queries_for_what_is_due_use_indexes(store: SqlStore) -> None:
    from opsbot.store import records

    text = records.due().compile(store._reads, compile_kwargs={"literal_binds": True})
    with store._read() as db:
        plan = " ".join(str(row) for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}"))
    assert "incidents_unreported" in plan
    assert "incidents_one_unresolved" in plan
    assert "SCAN incidents'" not in plan
