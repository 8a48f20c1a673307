"""Whatever a hand puts into a column: checking tells of it in sentences, reading ends in words or goes on."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis, Quote
from opsbot.core.errors import OpsbotError, PermanentError
from opsbot.core.evidence import Evidence
from opsbot.core.incident import Incident, State, advance
from opsbot.core.message import Draft, Kind, Place, Said
from opsbot.core.playbook import Run
from opsbot.core.silence import Match, Matcher, Silence, Verdict
from opsbot.core.target import Target
from opsbot.core.task import Skill
from opsbot.mask import mask
from opsbot.store import SqlStore, open_store
from opsbot.store.tables import METADATA, Time

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
NOTE = Note("monitor", "opened", "alert_fired", {"alert": "a"})
MINUTE = timedelta(minutes=1)
UP = Alert("r", "slow", "a", "critical", {"n": "a"}, AlertState.FIRING, NOW)
SILENCE = Silence(0, (Matcher("n", Match.IS, "a"),), "ana", "", NOW, NOW, NOW + MINUTE)
VALUES: dict[str, Any] = {
    "nothing": None, "empty": "", "text": "xx", "number": 7, "negative": -3, "huge": 2**63 - 1, "fraction": 1.5,
    "blob": b"\x00\xff", "no Unicode": b"\xff\xfe", "naive time": "2026-05-04T03:02:01", "a time": "2026-05-04",
    "edge of time": "9999-12-31T23:59:59.000000-14:00", "no JSON": "{", "other JSON": "[1]", "NaN": '{"a": NaN}',
    "deep JSON": "[" * 20_000, "half a sign": '{"a": "\\ud800"}',
}  # fmt: skip
# What is most likely to trip a reader of each type; a few of it for every column, by turns.
LIKELY: dict[type[Any], tuple[str, ...]] = {
    sa.Integer: ("text", "huge", "negative", "fraction"),
    sa.Boolean: ("text", "number", "fraction"),
    Time: ("edge of time", "text", "naive time", "a time", "huge", "empty"),
    sa.Text: ("no Unicode", "empty", "number", "text"),
    sa.JSON: ("deep JSON", "half a sign", "no JSON", "other JSON", "NaN", "no Unicode"),
}
EVERYWHERE = ("blob", "nothing")
# What only says where to look again: whatever stands in it, the truth is elsewhere.
NO_TRUTH = ("alert_changes",)
BODIES = ("record", "body", "what", "matchers")
BY_TURNS = 1
AS_TEXT = ("no Unicode",)
# Columns that a chain covers, or that follow from what one covers. `told` of an incident is chat's.
COVERED = {
    "incidents": {"id", "key", "version", "state", "severity", "unresolved", "opened_at", "since", "reported", "seq",
                  "head", "record", "mark"},
    "audit": {"incident", "seq", "at", "who", "act", "reason", "detail", "version", "record", "previous", "digest"},
    "evidence": {"incident", "seq", "round", "body"},
    "hypotheses": {"incident", "seq", "round", "body"},
    "reports": {"incident", "version", "seq", "at", "text"},
    "runs": {"incident", "id", "playbook", "key", "started_at", "outcome"},
}  # fmt: skip
# Columns that are the row's own number, so that a row with another one must be looked for there.
ROW_NUMBERS = {"incidents.id", "messages.id", "cards.incident", "said.turn", "schema_versions.number", "silences.id",
               "verdicts.turn", "alert_changes.turn"}  # fmt: skip
COLUMNS = [(table.name, column.name) for table in METADATA.tables.values() for column in table.columns]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with something in every table, whose schema then forgets what it forbids."""
    file = tmp_path_factory.mktemp("whole") / "opsbot.db"
    store = open_store(f"sqlite:///{file}", NOW)
    _fill(store)
    assert store.verify() == ()
    store.close()
    raw = sqlite3.connect(file)
    raw.execute("PRAGMA writable_schema = ON")
    raw.execute("UPDATE sqlite_master SET sql = replace(sql, ' NOT NULL', '') WHERE type = 'table'")
    raw.commit()
    for table in METADATA.tables:
        assert raw.execute(f"SELECT count(*) FROM {table}").fetchone()[0], table
    raw.execute("PRAGMA journal_mode = DELETE")
    raw.close()
    return file


def _fill(store: SqlStore) -> None:
    store.save_alerts("r", [UP], NOW)
    base = Incident(0, "k", 0, State.RUNNING, "critical", mask("slow"), NOW, NOW, run=Run("run-1", "p" * 64, NOW))
    made = store.create(base, NOTE, NOW, ["a"])
    about = Target("n", "Pod", "p")
    store.add_evidence(1, 1, [Evidence("e", "pods", about, NOW, mask("two"), mask("pod"))], [], NOTE, NOW)
    thought = Hypothesis("overload", about, mask("too many"), 0.5, (Quote("e", mask("two")),))
    store.add_hypotheses(1, 1, [thought], NOTE, NOW)
    store.save(advance(made, "failed", NOW + MINUTE, "worse"), NOTE, NOW + MINUTE)
    store.add_report(1, 2, "it failed", NOW)
    store.create(replace(base, key="other", state=State.OPEN, run=None), NOTE, NOW)
    store.claim((2, Skill.PLAN), "w", NOW, MINUTE)
    store.put("paused", "yes", NOW)
    for number in (1, 2):
        store.add_messages(number, [Draft(Kind.CARD, "c", {"n": 1}), Draft(Kind.NOTE, "n", {"n": 2})], "1", NOW)
    store.message_sent(1, Place("C1", "1.1"), NOW)
    store.take(Said("Ev1", {"n": 1}, NOW), NOW)
    store.add_silence(SILENCE)
    store.add_verdicts([Verdict("a", NOW, "opened", "", 1), Verdict("a", NOW, "joined")])


@pytest.fixture
def file(whole: Path, tmp_path: Path) -> Path:
    """A copy of the whole store."""
    return Path(shutil.copy(whole, tmp_path / "opsbot.db"))


class Hand:
    """Somebody with the file and no scruples: puts a value into the first row of one column, and can take it back."""

    def __init__(self, file: Path, table: str, column: str) -> None:
        self.table, self.column = table, column
        self.raw = sqlite3.connect(file)
        self.raw.execute("PRAGMA synchronous = OFF")
        key = next(iter(METADATA.tables[table].primary_key)).name
        (self.row,) = self.raw.execute(f"SELECT rowid FROM {table} ORDER BY {key} LIMIT 1").fetchone()
        (self.before,) = self.raw.execute(f"SELECT {column} FROM {table} WHERE rowid = {self.row}").fetchone()
        self.change = f"UPDATE {table} SET {column} = {{}} WHERE rowid = ?"
        self.numbers_rows = f"{table}.{column}" in ROW_NUMBERS

    def put(self, value: str) -> bool:
        """False where SQLite itself refuses it there, or where it is there already."""
        new = "CAST(? AS TEXT)" if value in AS_TEXT else "?"
        try:
            with self.raw:
                self.raw.execute(self.change.format(new), (VALUES[value], self.row))
        except sqlite3.IntegrityError:
            return False
        return bool(VALUES[value] != self.before)

    def take_back(self, value: str) -> None:
        with self.raw:
            self.raw.execute(self.change.format("?"), (self.before, VALUES[value] if self.numbers_rows else self.row))


READS: dict[str, Callable[[SqlStore], object]] = {
    "load": lambda s: s.load(1), "incidents": lambda s: s.incidents(), "due": lambda s: s.due(NOW - MINUTE),
    "audit": lambda s: s.audit(), "audit of one": lambda s: s.audit(1), "evidence": lambda s: s.evidence(1, 1),
    "reports": lambda s: s.reports(1), "past runs": lambda s: s.past_runs(NOW - MINUTE), "alerts": lambda s: s.alerts(),
    "silences": lambda s: s.silences(), "silences that hold": lambda s: s.silences(NOW), "owners": lambda s: s.owners(),
    "verdicts": lambda s: s.verdicts(), "verdicts of one": lambda s: s.verdicts(["a"]),
    "answers": lambda s: s.answers(),
    "answered": lambda s: s.answered("r"), "claims": lambda s: s.claims(NOW), "fetch": lambda s: s.fetch("paused"),
    "next messages": lambda s: s.next_messages(NOW), "card": lambda s: s.card(1), "untreated": lambda s: s.untreated(),
    "incident at": lambda s: s.incident_at(Place("C1", "1.1")), "check": lambda s: s.check(),
}  # fmt: skip
WRITES: dict[str, Callable[[SqlStore], object]] = {
    "note": lambda s: s.note(1, NOTE, NOW),
    "save": lambda s: s.save(replace(_known(s), severity="info"), NOTE, NOW),
    "end": lambda s: s.save(advance(_known(s), "closed", NOW), NOTE, NOW),
    "evidence": lambda s: s.add_evidence(1, 1, [], [], NOTE, NOW),
    "hypotheses": lambda s: s.add_hypotheses(1, 1, [], NOTE, NOW),
    "report": lambda s: s.add_report(1, 1, "x", NOW),
    "messages": lambda s: s.add_messages(1, [Draft(Kind.CARD, "d", {"n": 3})], "2", NOW),
    "sent": lambda s: s.message_sent(2, Place("C1", "2.2"), NOW),
    "put off": lambda s: s.message_put_off(3, NOW + MINUTE),
    "alerts": lambda s: s.save_alerts("r", [], NOW + MINUTE),
    "answers": lambda s: s.save_answers({"r": [UP]}, NOW + MINUTE),
    "receive": lambda s: s.receive([UP]),
    "forget": lambda s: s.forget(["a"]),
    "attach": lambda s: s.attach(1, ["a"], NOTE, NOW),
    "verdicts": lambda s: s.add_verdicts([Verdict("a", NOW, "waiting")]),
    "silence": lambda s: s.add_silence(SILENCE),
    "expire": lambda s: s.expire_silence(1, "ben", NOW),
    "claim": lambda s: s.claim((1, Skill.PLAN), "w", NOW, MINUTE),
    "release": lambda s: s.release((2, Skill.PLAN), "w", None),
    "take": lambda s: s.take(Said("Ev2", {}, NOW), NOW),
    "treated": lambda s: s.treated("Ev1", NOW),
}


def _known(store: SqlStore) -> Incident:
    found = store.load(1)
    if found is None:
        raise PermanentError("it is gone")
    return found


@pytest.mark.parametrize("table", METADATA.tables)
def test_any_value_in_any_column_is_told_of_or_read_past(file: Path, table: str) -> None:
    """What a chain covers is always found; so is what cannot be read, wherever it lies."""
    store = open_store(f"sqlite:///{file}", NOW)
    for column in METADATA.tables[table].columns:
        hand = Hand(file, table, column.name)
        put = [value for value in _likely(column) if _survives(store, hand, value)]
        assert len(put) >= 2, f"{column.name}: nothing of what could be put there was"
        hand.raw.close()
    assert store.verify() == (), "what was put in was not taken back: the test is wrong"
    store.close()


def _likely(column: sa.Column[Any]) -> tuple[str, ...]:
    """A sample of what a hand may put there: some of it always, some by turns over the columns of its type."""
    if f"{column.table.name}.{column.name}" in ROW_NUMBERS:  # SQLite takes nothing but whole numbers there
        return "huge", "negative"
    kind = sa.JSON if column.name in BODIES else type(column.type)
    turn, likely = COLUMNS.index((column.table.name, column.name)), LIKELY[kind]
    return (*EVERYWHERE, *(likely[(turn + step) % len(likely)] for step in range(BY_TURNS)))


def _survives(store: SqlStore, hand: Hand, value: str) -> bool:
    """Whether it could be put there at all; fails where it is not borne."""
    if not hand.put(value):
        return False
    found, covered = store.verify(), hand.column in COVERED.get(hand.table, ())
    assert all(0 < len(fault) < 500 for fault in found), (hand.column, value)
    assert found or hand.table in NO_TRUTH or not (covered or value == "blob"), (hand.column, value)
    for ask in READS.values():
        with suppress(OpsbotError):
            ask(store)
    hand.take_back(value)
    return True


@pytest.mark.parametrize("table", METADATA.tables)
def test_changes_of_a_spoilt_store_are_made_or_refused_in_words(whole: Path, file: Path, table: str) -> None:
    store, source, target = open_store(f"sqlite:///{file}", NOW), sqlite3.connect(whole), sqlite3.connect(file)
    target.execute("PRAGMA synchronous = OFF")
    for column in METADATA.tables[table].columns:
        source.backup(target)
        hand = Hand(file, table, column.name)
        if not hand.put("blob"):
            assert hand.put("huge")
        hand.raw.close()
        for change in WRITES.values():
            with suppress(OpsbotError):
                change(store)
    source.close()
    target.close()
    store.close()


@pytest.mark.parametrize("name", READS | WRITES)
def test_of_a_store_that_is_whole_all_that_is_asked_for_is_done(file: Path, name: str) -> None:
    store = open_store(f"sqlite:///{file}", NOW)
    (READS | WRITES)[name](store)
    assert store.verify() == ()
    store.close()


def test_the_map_of_what_is_covered_names_every_column_of_its_tables() -> None:
    for table, columns in COVERED.items():
        assert columns | ({"told"} if table == "incidents" else set()) == set(METADATA.tables[table].columns.keys())


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("UPDATE audit SET at = 'xx' WHERE incident = 1 AND seq = 1",
         ("incident 1: its audit cannot be read: the row incident 1, seq 1 of audit cannot be read back: "
          "at is no time: 'xx'")),
        ("UPDATE audit SET detail = '{\"a\": 1}' WHERE incident = 1 AND seq = 2", "detail does not hold texts by name"),
        ("UPDATE audit SET incident = 'xx' WHERE incident = 2", "incident 'xx' cannot be, and there are rows of it"),
        ("UPDATE audit SET incident = 9223372036854775807 WHERE incident = 2",
         "incident 3 is missing, and so is each up to 9223372036854775807"),
        ("UPDATE sqlite_sequence SET seq = 'xx' WHERE name = 'incidents'", "incident 2 is not the last one by"),
        ("UPDATE sqlite_sequence SET seq = 1 WHERE name = 'incidents'", "incident 2 is not the last one by"),
        ("DELETE FROM sqlite_sequence", "incident 2 is not the last one by"),
        ("UPDATE sqlite_sequence SET seq = 9223372036854775807 WHERE name = 'incidents'", "incident 3 is missing, and"),
        ("INSERT INTO reports VALUES (1, 1, 6, 'x', 'forged')", "a report is not what entry 6 tells of"),
        ("INSERT INTO evidence SELECT incident, seq, round, body FROM hypotheses",
         "a row of hypotheses is not what entry 3"),
        ("UPDATE reports SET at = '2020-01-01T00:00:00.000000Z'", "a report does not bear the time of its entry"),
        ("UPDATE incidents SET since = opened_at WHERE id = 1", "its columns do not say what its record says"),
        ("UPDATE incidents SET mark = 'x' WHERE id = 1", "its columns do not say what its record says"),
        ("UPDATE alerts SET body = '{}'", "the row fingerprint 'a' of alerts: its body cannot be read back"),
        ("UPDATE claims SET skill = 'dance'", "its skill is none that is known here"),
        ("UPDATE facts SET value = x'00'", "the row key 'paused' of facts cannot be read back: value is no text"),
    ],
    ids=["no time", "no texts", "no incident", "far away", "no count", "count set back", "count gone", "count too high",
         "a second report of one entry", "a row of another table", "report's time", "since", "mark", "alert", "claim",
         "fact"],
)  # fmt: skip
def test_the_sentence_names_what_is_wrong(file: Path, statement: str, says: str) -> None:
    with sqlite3.connect(file) as raw:
        assert raw.execute(statement).rowcount > 0
    raw.close()
    store = open_store(f"sqlite:///{file}", NOW, create=False)
    found = store.verify()
    assert any(says in fault for fault in found), found
    store.close()


@pytest.mark.parametrize(
    "change",
    ["started_at = '2020-01-01T00:00:00.000000Z'", "playbook = 'other'", "key = 'other'", "id = 'run-2'",
     "outcome = ''", "outcome = 'verified'", "incident = 2"],
    ids=["began earlier", "playbook", "target", "id", "outcome gone", "outcome", "incident"],
)  # fmt: skip
def test_a_past_run_that_was_changed_is_found(file: Path, change: str) -> None:
    """Cooldowns and budgets are counted on these rows, also when the record has long gone on to another round."""
    store = open_store(f"sqlite:///{file}", NOW)
    store.save(advance(_known(store), "again", NOW + MINUTE), NOTE, NOW + MINUTE)
    assert store.verify() == ()
    assert _known(store).run is None
    with sqlite3.connect(file) as raw:
        raw.execute(f"UPDATE runs SET {change}")
    raw.close()
    assert any("run" in fault for fault in store.verify())
    store.close()


def test_an_entry_that_cannot_be_read_is_left_out_and_named(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store(f"sqlite:///{file}", NOW)
    before = store.audit(1)
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE audit SET at = 'xx' WHERE incident = 1 AND seq = 1")
    raw.close()
    assert store.audit(1) == before[1:]
    assert "the row incident 1, seq 1 of audit cannot be read back: at is no time: 'xx'" in caplog.text
    store.close()


@pytest.mark.parametrize(
    ("statement", "ask"),
    [("UPDATE runs SET started_at = 'xx'", READS["past runs"]), ("UPDATE facts SET value = NULL", READS["fetch"])],
    ids=["a run", "the pause"],
)
def test_what_a_guardrail_asks_for_is_never_left_out(
    file: Path, statement: str, ask: Callable[[SqlStore], object]
) -> None:
    """One run fewer, or a pause that seems lifted, would let a change through."""
    with sqlite3.connect(file) as raw:
        raw.execute(statement)
    raw.close()
    store = open_store(f"sqlite:///{file}", NOW)
    with pytest.raises(PermanentError, match="cannot be read back"):
        ask(store)
    store.close()


def test_a_rule_whose_last_answer_was_spoilt_answers_again(file: Path) -> None:
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE answers SET at = 'xx'")
    raw.close()
    store = open_store(f"sqlite:///{file}", NOW)
    assert store.answered("r") is None
    store.save_alerts("r", [], NOW)
    assert store.answered("r") == NOW
    store.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("matchers = '[]'", "the row id 1 of silences: its matchers cannot be read back: there are none"),
        ("matchers = '[1]'", "the row id 1 of silences: its matchers cannot be read back: "),
        ("ends_at = x'ff'", "the row id 1 of silences cannot be read back: ends_at is no time"),
        ("starts_at = 'now'", "the row id 1 of silences cannot be read back: starts_at is no time"),
    ],
    ids=["of everything", "no matchers", "no end", "no start"],
)  # fmt: skip
def test_a_silence_that_was_spoilt_silences_nothing(
    file: Path, change: str, says: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Rather an incident too many than one too few."""
    store = open_store(f"sqlite:///{file}", NOW)
    other = store.add_silence(SILENCE)
    with sqlite3.connect(file) as raw:
        raw.execute(f"UPDATE silences SET {change} WHERE id = 1")
    raw.close()
    assert store.silences(NOW) == store.silences() == (other,)
    assert says in caplog.text
    assert any("of silences" in fault for fault in store.verify())
    with pytest.raises(PermanentError, match="silences"):
        store.expire_silence(1, "ben", NOW)
    store.close()


def test_a_verdict_that_was_spoilt_hides_no_other(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = open_store(f"sqlite:///{file}", NOW)
    with sqlite3.connect(file) as raw:
        raw.execute("UPDATE verdicts SET at = 'xx' WHERE turn = 2")
    raw.close()
    assert store.verdicts() == ()
    assert [one.reason for one in store.verdicts(["a"])] == ["opened"]
    assert "the row turn 2 of verdicts cannot be read back: at is no time: 'xx'" in caplog.text
    store.close()


@pytest.mark.parametrize("column", ["lease", "again_at", "worker"])
@pytest.mark.parametrize("value", ["'xx'", "x'ff'", "'9999-12-31'"], ids=["text", "blob", "half a time"])
def test_a_claim_that_was_spoilt_holds_nothing_and_is_told_of(file: Path, column: str, value: str) -> None:
    """Otherwise nobody could ever take that task again."""
    task, store = (2, Skill.PLAN), open_store(f"sqlite:///{file}", NOW)
    assert not store.claim(task, "other", NOW, MINUTE)
    with sqlite3.connect(file) as raw:
        raw.execute(f"UPDATE claims SET {column} = {value}")
    raw.close()
    readable = column == "worker" and value != "x'ff'"
    assert any("the row incident 2, skill 'plan' of claims" in fault for fault in store.verify()) is not readable
    assert store.claim(task, "other", NOW, MINUTE) is not readable
    assert [claim.worker for claim in store.claims(NOW)] == (["other"] if not readable else [value.strip("'")])
    assert store.claim(task, "third", NOW, MINUTE) is False
    store.close()
