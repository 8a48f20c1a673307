"""The tables as queries see them are the tables as migrations make them, and no step is ever edited."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import State, advance
from opsbot.core.message import Place
from opsbot.core.silence import Verdict
from opsbot.core.task import Mode, Skill, next_skills
from opsbot.store import SqlStore, inbox, open_store, outbox, records, silences, verdicts
from opsbot.store.migrations import MIGRATIONS, NEWEST
from opsbot.store.mirror import Mirror, prune
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
    assert seen == {1: "9382788ce6c25aee", 2: "108e411bcdd96ab6", 3: "d82fcb5705c8f8de"}


def test_queries_for_what_is_due_use_indexes(store: SqlStore, now: datetime) -> None:
    (plan,) = _plans(store, lambda db: records.listed(db, records.due(now)))
    assert "incidents_unreported" in plan
    assert "incidents_one_unresolved" in plan
    assert "incidents_stale" in plan
    assert "SEARCH incidents USING INDEX incidents_untold (since>?)" in plan
    assert "SCAN incidents'" not in plan


def test_queries_of_the_outbox_and_the_inbox_use_indexes(store: SqlStore, now: datetime) -> None:
    (plan,) = _plans(store, lambda db: outbox.first(db, now, 50))
    assert "SCAN messages USING INDEX messages_waiting" in plan
    assert "SCAN messages'" not in plan
    (plan,) = _plans(store, inbox.untreated)
    assert "said_treated" in plan
    assert "TEMP B-TREE" not in plan
    (plan,) = _plans(store, lambda db: outbox.incident_at(db, Place("C1", "1.1")))
    assert "cards_place" in plan
    (plan,) = _plans(store, lambda db: inbox.forget(db, now), write=True)
    assert "said_treated" in plan


def test_queries_for_alerts_and_what_became_of_them_use_indexes(store: SqlStore, now: datetime) -> None:
    mirror = Mirror()
    _plans(store, mirror.alerts)
    store.receive([Alert("r", "slow", "a", "critical", {}, AlertState.FIRING, now)])
    plan = " ".join(_plans(store, mirror.alerts))
    assert "SEARCH alert_changes USING INTEGER PRIMARY KEY (rowid>?)" in plan
    assert "SCAN alert" not in plan
    plan = " ".join(_plans(store, lambda db: mirror.of(db, [1])))
    assert "alerts_incident" in plan
    (plan,) = _plans(store, prune, write=True)
    assert "SEARCH alert_changes USING INTEGER PRIMARY KEY (rowid<?)" in plan
    (plan,) = _plans(store, verdicts.newest)
    assert "SCAN verdicts" not in plan
    assert "SEARCH verdicts_1 USING COVERING INDEX verdicts_fingerprint" in plan
    (plan,) = _plans(store, lambda db: verdicts.of(db, ["a"]))
    assert "SEARCH verdicts USING INDEX verdicts_fingerprint" in plan
    (plan,) = _plans(store, lambda db: silences.listed(db, now))
    assert "silences_ends" in plan


def _plans(store: SqlStore, ask: Callable[[sa.Connection], object], *, write: bool = False) -> list[str]:
    """How SQLite means to answer each statement that a function sends."""
    seen: list[tuple[str, Any]] = []

    def note(_db: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        seen.append((statement, values))

    with (store._write if write else store._read)() as db:
        sa.event.listen(db, "before_cursor_execute", note)
        ask(db)
        asked = list(seen)
        plans = [db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values).all() for text, values in asked]
    return [" ".join(map(str, plan)) for plan in plans]


# a database of the first release ------------------------------------------------------------------------------------


@pytest.fixture
def old(file: Path) -> Path:
    """As the first release left it: 1 verifying in its second round, 2 closed and reported, 3 open."""
    return _made(file, 1)


def _made(file: Path, schema: int) -> Path:
    raw = sqlite3.connect(file)
    raw.executescript(Path(__file__).with_name(f"version_{schema}.sql").read_text())
    raw.close()
    return file


def test_a_database_of_the_first_release_is_brought_up_with_all_that_is_in_it(
    old: Path, url: str, now: datetime
) -> None:
    with pytest.raises(PermanentError, match=f"has schema 1, this program needs {NEWEST}: start `opsbot serve` once"):
        open_store(url, now, create=False)
    store = open_store(url, now)
    assert store.verify() == ()
    first, second, third = store.incidents()[::-1]
    assert [(one.state, one.version) for one in (first, second, third)] == [
        (State.VERIFYING, 1), (State.RESOLVED, 2), (State.OPEN, 1),
    ]  # fmt: skip
    assert (first.acked_by, first.open_question, first.asked, first.told, first.hypotheses) == (
        "",
        False,
        False,
        "",
        (),
    )
    assert first.plan is not None
    assert first.approval is not None
    assert first.approval.plan == first.plan.digest
    assert [alert.fingerprint for alert in (*first.alerts, *second.alerts)] == ["a1", "a2"]
    assert [len(found) for found in store.evidence(1, 2)] == [1, 1]
    assert store.reports(2) == ((2, "closed by ana"),)
    assert [run.playbook for run in store.past_runs(now - timedelta(days=1))] == ["scale_up_agents"]
    assert store.fetch("paused") == "no"
    store.close()


def test_what_was_resolved_before_there_was_a_chat_is_not_told(old: Path, url: str, now: datetime) -> None:
    store = open_store(url, now)
    assert [one.id for one in store.due(now + timedelta(hours=1))] == [1, 3]
    for one in store.due(now + timedelta(hours=1)):
        assert Skill.NOTIFY in next_skills(one, now, Mode.PROPOSE)
        store.add_messages(one.id, [], one.mark, now)
    second = store.load(2)
    assert second is not None
    store.save(advance(second, "refired", now), Note("monitor", "refired"), now)
    assert [one.id for one in store.due() if one.told != one.mark] == [2]
    store.close()


def test_an_incident_of_the_first_release_walks_on(old: Path, url: str, now: datetime) -> None:
    store = open_store(url, now)
    first = store.load(1)
    assert first is not None
    saved = store.save(replace(first, acked_by="ana", open_question=True), Note("ana", "acked"), now)
    store.add_hypotheses(1, first.round, [], Note("diagnostic", "asked"), now)
    store.save(advance(saved, "verified", now), Note("remediation", "verified"), now)
    assert store.verify() == ()
    store.close()
    again = open_store(url, now, create=False)
    found = again.load(1)
    assert found is not None
    assert (found.state, found.acked_by, found.asked, found.version) == (State.RESOLVED, "ana", True, 3)
    again.close()


def test_a_record_of_the_first_release_that_was_edited_is_found(old: Path, url: str, now: datetime) -> None:
    """A field that it did not know is no way in."""
    with sqlite3.connect(old) as raw:
        raw.execute("""UPDATE incidents SET record = json_set(record, '$.acked_by', 'eve') WHERE id = 1""")
    raw.close()
    store = open_store(url, now)
    assert store.verify() == ("incident 1: its record is not the one that was last saved",)
    store.close()


# a database of the second release -----------------------------------------------------------------------------------


@pytest.fixture
def second(file: Path) -> Path:
    """As the one before, and 1 has hypotheses, a card that was sent and a note that waits; somebody said something."""
    return _made(file, 2)


def test_a_database_of_the_second_release_is_brought_up_with_all_that_is_in_it(
    second: Path, url: str, now: datetime
) -> None:
    with pytest.raises(PermanentError, match=f"has schema 2, this program needs {NEWEST}: start `opsbot serve` once"):
        open_store(url, now, create=False)
    store = open_store(url, now)
    assert store.verify() == ()
    first, closed, _ = store.incidents()[::-1]
    assert [alert.fingerprint for alert in (*first.alerts, *closed.alerts)] == ["a1", "a2"]
    assert [alert.fingerprint for alert in store.alerts()] == ["a1", "a3"]
    assert [one.fault for one in first.hypotheses] == ["overload"]
    assert (store.owners(), list(store.answers())) == ({"a1": 1}, ["rule-1"])
    assert [message.key for message in store.next_messages(now)] == ["n"]
    assert [one.id for one in store.untreated()] == ["Ev1"]
    assert (store.silences(), store.verdicts(), store.verdicts(["a1"])) == ((), (), ())
    store.close()


def test_alerts_of_the_second_release_walk_on(second: Path, url: str, now: datetime) -> None:
    store = open_store(url, now)
    (known, other) = store.alerts()
    store.add_verdicts([Verdict("a1", now, "opened", "", 1), Verdict("a3", now, "silenced")])
    store.save_answers({"rule-1": [replace(known, value=1.0)]}, now + timedelta(minutes=1))
    store.receive([replace(other, source="alertmanager")])
    assert [one.fingerprint for one in store.alerts()] == ["a1", "a3"]
    assert [one.reason for one in store.verdicts()] == ["opened", "silenced"]
    assert store.verify() == ()
    store.close()
