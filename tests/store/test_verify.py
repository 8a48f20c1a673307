"""Tampering by hand is found, whatever row it is done to; and whatever the bot itself does, nothing is found."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis, Quote
from opsbot.core.errors import Conflict, OpsbotError
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import EDGES, Incident, State, advance
from opsbot.core.message import Draft, Kind, Place
from opsbot.core.playbook import Run
from opsbot.core.target import Target
from opsbot.core.task import Skill
from opsbot.mask import mask
from opsbot.store import SqlStore

Make = Callable[[str], Incident]


@pytest.fixture
def filled(store: SqlStore, now: datetime, incident: Make) -> SqlStore:
    """Incident 1: opened, evidence, a note, diagnosed (entry 4), reported, a note, hypotheses. Incident 2 beside it."""
    made = store.create(incident("a"), Note("monitor", "opened"), now)
    seen = Evidence("e1", "pods", Target("n", "Pod", "p"), now, mask("one\ntwo"), mask("pod p"))
    store.add_evidence(1, 1, [seen], [Gap("events", mask("403"))], Note("diagnostic", "gathered"), now)
    store.note(1, Note("ana", "looked", "curious", {"page": "x"}), now)
    store.save(advance(made, "diagnosed", now), Note("diagnostic", "diagnosed"), now)
    store.add_report(1, 2, "all is well", now)
    store.note(1, Note("ana", "left"), now)
    thought = Hypothesis("overload", seen.about, mask("two is too many"), 0.5, (Quote("e1", mask("two")),))
    store.add_hypotheses(1, 1, [thought], Note("diagnostic", "asked"), now)
    store.create(incident("b"), Note("monitor", "opened"), now)
    return store


_WHOLE = "".join(f"DELETE FROM {table} WHERE incident = 1;" for table in ("evidence", "hypotheses", "reports", "audit"))
_WHOLE += "DELETE FROM incidents WHERE id = 1"
_LAST = "DELETE FROM audit WHERE incident = 2; DELETE FROM incidents WHERE id = 2"
_OTHER = "UPDATE incidents SET record = (SELECT record FROM incidents WHERE id = 2) WHERE id = 1"
_SWAP = "UPDATE audit SET seq = {} WHERE incident = 1 AND seq = {};"
_THOUGHTS = "hypotheses is not what entry 7 tells of"
TAMPERINGS = {
    "record edited": ("UPDATE incidents SET record = replace(record, 'Latency', 'Silence') WHERE id = 1",
                      "incident 1: its record is not the one that was last saved"),
    "record of another incident": (_OTHER, "incident 1: its record is not the one"),
    "record no JSON": ("UPDATE incidents SET record = 'x' WHERE id = 1", "incident 1: its record cannot be read back"),
    "record a number": ("UPDATE incidents SET record = 5 WHERE id = 1", "incident 1: its record cannot be read back"),
    "record a blob": ("UPDATE incidents SET record = x'00ff' WHERE id = 1", "incident 1: its record cannot be read"),
    "state column": ("UPDATE incidents SET state = 'resolved' WHERE id = 1", "incident 1: its columns do not say"),
    "unresolved column": ("UPDATE incidents SET unresolved = 0 WHERE id = 1", "incident 1: its columns do not say"),
    "key column": ("UPDATE incidents SET key = 'z' WHERE id = 1", "incident 1: its columns do not say"),
    "version column": ("UPDATE incidents SET version = 9 WHERE id = 1", "incident 1: its columns do not say"),
    "reported column": ("UPDATE incidents SET reported = 1 WHERE id = 1", "it does not say rightly what was reported"),
    "entry's author": ("UPDATE audit SET who = 'ben' WHERE incident = 1 AND seq = 3", "entry 3 was changed"),
    "entry's detail": ("UPDATE audit SET detail = '{}' WHERE incident = 1 AND seq = 3", "entry 3 was changed"),
    "entry's time": ("UPDATE audit SET at = '2020-01-01T00:00:00.000000Z' WHERE incident = 1 AND seq = 3",
                     "entry 3 was changed"),
    "entry's version": ("UPDATE audit SET version = 0 WHERE incident = 1 AND seq = 4", "entry 4 was changed"),
    "entry's own digest": (f"UPDATE audit SET digest = '{'0' * 64}' WHERE incident = 1 AND seq = 3",
                           "entry 3 was changed"),
    "entry no JSON": ("UPDATE audit SET detail = '{' WHERE incident = 1 AND seq = 3", "its audit cannot be read"),
    "entry no time": ("UPDATE audit SET at = 'noon' WHERE incident = 1 AND seq = 3", "its audit cannot be read"),
    "first entry deleted": ("DELETE FROM audit WHERE incident = 1 AND seq = 1", "entry 1 is missing"),
    "middle entry deleted": ("DELETE FROM audit WHERE incident = 1 AND seq = 3", "entry 3 is missing"),
    "last entry deleted": ("DELETE FROM audit WHERE incident = 1 AND seq = 7", "the audit does not end with entry 7"),
    "all entries deleted": ("DELETE FROM audit WHERE incident = 2", "incident 2: the audit does not end with entry 1"),
    "entries swapped": (_SWAP.format(9, 2) + _SWAP.format(2, 3) + _SWAP.format(3, 9),
                        "incident 1: entry 2 does not follow"),
    "incident deleted": ("DELETE FROM incidents WHERE id = 1", "incident 1 is missing"),
    "incident deleted with all its rows": (_WHOLE, "incident 1 is missing"),
    "last incident deleted with all its rows": (_LAST, "incident 2 is missing"),
    "evidence edited": ("UPDATE evidence SET body = replace(body, 'two', 'six')", "evidence is not what entry 2 tells"),
    "evidence deleted": ("DELETE FROM evidence", "the row that entry 2 tells of is missing"),
    "evidence moved to another round": ("UPDATE evidence SET round = 2", "evidence is not what entry 2 tells of"),
    "evidence added": ("INSERT INTO evidence VALUES (1, 6, 1, '[[],[]]')", "evidence is not what entry 6 tells of"),
    "evidence given to another": ("UPDATE evidence SET incident = 2, seq = 1", "entry 2 tells of is missing"),
    "report edited": ("UPDATE reports SET text = 'all is lost'", "a report is not what entry 5 tells of"),
    "report deleted": ("DELETE FROM reports", "the row that entry 5 tells of is missing"),
    "hypotheses edited": ("UPDATE hypotheses SET body = replace(body, '0.5', '0.9')", _THOUGHTS),
    "hypotheses of another round": ("UPDATE hypotheses SET round = 2", _THOUGHTS),
    "hypotheses deleted": ("DELETE FROM hypotheses", "the row that entry 7 tells of is missing"),
    "hypotheses added": ("INSERT INTO hypotheses VALUES (1, 3, 1, '[]')", "hypotheses is not what entry 3 tells of"),
    "report of another version": ("UPDATE reports SET version = 1", "it does not say rightly what was reported"),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "says"), TAMPERINGS.values(), ids=TAMPERINGS.keys())
def test_tampering_is_found(filled: SqlStore, file: Path, statements: str, says: str) -> None:
    assert filled.verify() == ()
    raw = sqlite3.connect(file)
    before = raw.total_changes
    raw.executescript(statements)
    assert raw.total_changes > before
    raw.commit()
    raw.close()
    found = filled.verify()
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("incident ") for fault in found)


def test_an_older_record_put_back_is_found(filled: SqlStore, file: Path, now: datetime) -> None:
    with sqlite3.connect(file) as raw:
        (old,) = raw.execute("SELECT record FROM incidents WHERE id = 2").fetchone()
    made = filled.load(2)
    assert made is not None
    filled.save(replace(made, severity="info"), Note("ana", "lowered"), now)
    with raw:
        raw.execute(
            "UPDATE incidents SET record = ?, version = 1, mark = '1.0.0', severity = 'critical' WHERE id = 2", (old,)
        )
    raw.close()
    assert filled.verify() == ("incident 2: its record is not the one that was last saved",)


def test_one_spoilt_record_hides_no_other(filled: SqlStore, file: Path, caplog: pytest.LogCaptureFixture) -> None:
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE incidents SET record = '{}' WHERE id = 1")
    raw.close()
    assert [i.id for i in filled.due()] == [2]
    assert [i.id for i in filled.incidents()] == [2]
    with pytest.raises(OpsbotError, match="the record of incident 1 cannot be read back"):
        filled.load(1)
    assert "incident 1" in caplog.text


SKILLS = (Skill.PLAN, Skill.VERIFY, Skill.REPORT)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_done_nothing_is_found(store: SqlStore, now: datetime, incident: Make, seed: int) -> None:
    """Sixty random operations, of which many are refused; old values are used again and again."""
    chance = random.Random(seed)
    held: list[Incident] = []
    done = refused = 0
    for step in range(60):
        at = now + timedelta(seconds=step)
        try:
            _random_act(store, chance, held, at, incident)
            done += 1
        except (Conflict, OpsbotError):
            refused += 1
    assert done > 15
    assert refused > 5
    assert store.verify() == ()
    loaded = store.incidents(limit=500)
    assert [i.id for i in loaded] == list(range(len(loaded), 0, -1))
    news = {i.id for i in loaded if i.unresolved or i.reported < i.version or i.told != i.mark}
    assert {i.id for i in store.due(now)} == news
    assert {i.key for i in loaded if i.unresolved} == {i.key for i in store.incidents(unresolved=True, limit=500)}


def _random_act(store: SqlStore, chance: random.Random, held: list[Incident], at: datetime, incident: Make) -> None:
    kind = chance.randrange(10) if held else 0
    note = Note("monkey", f"act_{kind}", "chance", {"n": str(chance.random())})
    if kind == 0:
        held.append(store.create(incident(chance.choice("abc")), note, at))
        return
    one = chance.choice(held)
    if kind in (1, 2):
        events = [event for state, event in EDGES if state is one.state]
        held.append(store.save(advance(one, chance.choice(events), at), note, at))
    elif kind == 3:
        seen = Evidence(f"e{chance.randrange(3)}", "pods", Target("n", "Pod", "p"), at, mask(note.act), mask("p"))
        store.add_evidence(one.id, one.round, [seen], [], note, at)
    elif kind == 4:
        store.add_report(one.id, chance.randrange(4), f"report {at}", at)
    elif kind == 5:
        store.note(one.id + chance.randrange(2), note, at)
    elif kind == 6:
        task = (one.id, chance.choice(SKILLS))
        if store.claim(task, "w", at, timedelta(seconds=3)):
            store.release(task, "w", at + timedelta(seconds=5) if chance.random() < 0.5 else None)
    else:
        _random_talk(store, chance, kind, one, at)


def _random_talk(store: SqlStore, chance: random.Random, kind: int, one: Incident, at: datetime) -> None:
    if kind == 7:
        store.add_hypotheses(one.id, chance.randrange(1, 3), [], Note("monkey", "asked"), at)
    elif kind == 8:
        draft = Draft(chance.choice(list(Kind)), chance.choice("kl"), {"text": chance.choice("xy")})
        store.add_messages(one.id, [draft], one.mark, at)
    else:
        for message in store.next_messages(at, limit=chance.randrange(3)):
            store.message_sent(message.id, Place("C1", f"{message.id}"), at)


def test_a_spoilt_alert_hides_its_own_incident_alone_and_is_written_anew(
    store: SqlStore, file: Path, now: datetime, incident: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """An incident must never look clear because its alert cannot be read."""
    up = [Alert("r", "slow", name, "critical", {"n": name}, AlertState.FIRING, now) for name in ("a", "b")]
    store.save_alerts("r", up, now)
    for one in up:
        store.create(incident(one.fingerprint), Note("monitor", "opened"), now, [one.fingerprint])
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE alerts SET body = '{}' WHERE fingerprint = 'a'")
    raw.close()
    assert [i.id for i in store.due()] == [2]
    assert store.alerts() == (up[1],)
    with pytest.raises(OpsbotError, match="incident 1"):
        store.load(1)
    store.save_alerts("r", up, now)
    found = store.load(1)
    assert found is not None
    assert found.alerts == (up[0],)
    assert "an alert cannot be read back" in caplog.text


def test_a_run_that_was_taken_out_of_the_count_is_found(
    store: SqlStore, file: Path, now: datetime, incident: Make
) -> None:
    begun = replace(incident("a"), state=State.RUNNING, run=Run("run-1", "p" * 64, now))
    store.create(begun, Note("remediation", "started"), now)
    assert store.verify() == ()
    with sqlite3.connect(file) as raw:
        raw.execute("DELETE FROM runs")
    raw.close()
    assert store.verify() == ("incident 1: its run is missing among the past runs",)
