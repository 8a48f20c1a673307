"""Opening: what is made, what is refused and in which words, and the settings that durability needs."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from opsbot.core.audit import Note
from opsbot.core.errors import OpsbotError, PermanentError, TemporaryError
from opsbot.core.incident import Incident
from opsbot.core.message import Draft, Kind, Said
from opsbot.core.ports import Store
from opsbot.store import SqlStore, engine, open_store
from opsbot.store.migrations import MIGRATIONS, NEWEST

Make = Callable[[str], Incident]
NOTE = Note("monitor", "opened")


def _sql(file: Path, *statements: str) -> None:
    with sqlite3.connect(file) as raw:
        for statement in statements:
            raw.execute(statement)
    raw.close()


def test_it_is_the_store_that_rooms_ask_for(store: SqlStore) -> None:
    asked: Store = store
    assert asked.due() == ()


def test_every_connection_has_the_settings_that_durability_needs(store: SqlStore) -> None:
    with store._read() as first, store._read() as second:
        for db in (first, second):
            got = [db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                   ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")]  # fmt: skip
            assert got == ["wal", 2, 1, 5000]


def test_what_was_stored_is_there_when_opened_again(url: str, file: Path, now: datetime, incident: Make) -> None:
    first = open_store(url, now)
    made = first.create(incident("a"), NOTE, now)
    first.close()
    again = open_store(url, now, create=False)
    assert again.load(1) == made
    assert again.check() == f"the store at {file} answers: schema {NEWEST}, 1 incidents"
    again.close()
    assert not file.with_name(f"{file.name}-wal").exists()


@pytest.mark.parametrize("write", [True, False], ids=["to write", "to read"])
def test_a_missing_store_is_named_and_not_made(tmp_path: Path, now: datetime, write: bool) -> None:
    file = tmp_path / "none.db"
    with pytest.raises(PermanentError, match=rf"no store at {file}; start `opsbot serve` first$"):
        open_store(f"sqlite:///{file}", now, create=False, write=write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("postgresql://db/opsbot", "PostgreSQL is not supported yet"),
        ("postgresql+psycopg://u:geheim@db/opsbot", "PostgreSQL is not supported yet"),
        ("mysql://db", "no address of a store"),
        ("opsbot.db", "no address of a store"),
        ("sqlite:opsbot.db", "no address of a store"),
        ("sqlite://opsbot.db", "no address of a store"),
        ("", "no address of a store"),
    ],
    ids=["postgresql", "postgresql with a driver", "mysql", "a path", "one colon", "two slashes", "empty"],
)
def test_an_address_of_another_kind_is_refused(now: datetime, address: str, says: str) -> None:
    with pytest.raises(PermanentError, match=says) as refused:
        open_store(address, now)
    assert "geheim" not in str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(PermanentError, match=f"there is no folder {tmp_path / 'none'}"):
        open_store(f"sqlite:///{tmp_path}/none/opsbot.db", now)


def _newer(file: Path) -> None:
    _sql(file, f"INSERT INTO schema_versions VALUES ({NEWEST + 1}, 'next', '2027-01-01T00:00:00Z')")


def _stranger(file: Path) -> None:
    file.unlink()
    _sql(file, "CREATE TABLE customers (id INTEGER)")


def _other_steps(file: Path) -> None:
    _sql(file, "UPDATE schema_versions SET name = 'create customers' WHERE number = 1")


def _a_number_alone(file: Path) -> None:
    _sql(file, "UPDATE schema_versions SET number = 69 WHERE number = 1")


def _half_a_list(file: Path) -> None:
    _sql(file, "DELETE FROM schema_versions WHERE number = 1")


def _no_list(file: Path) -> None:
    _sql(file, "DELETE FROM schema_versions")


def _no_audit(file: Path) -> None:
    _sql(file, "DROP TABLE audit")


def _noise(file: Path) -> None:
    file.write_bytes(random.Random(69).randbytes(20_000))


def _text(file: Path) -> None:
    file.write_text("this is a letter to my aunt, and it is longer than a page header of a database " * 30)


def _cut(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("create", [True, False], ids=["serve", "other verbs"])
@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_newer, rf"was made by a newer opsbot \(its schema is {NEWEST + 1}, this program knows {NEWEST}\)"),
        (_stranger, "is not an opsbot store: it holds tables of another program"),
        (_other_steps, "is not an opsbot store, or is damaged: its list of schema changes is none of opsbot's"),
        (_a_number_alone, "is not an opsbot store, or is damaged"),
        (_half_a_list, "is not an opsbot store, or is damaged"),
        (_no_list, "is not an opsbot store, or is damaged"),
        (_no_audit, "is not an opsbot store, or is damaged"),
        (_text, "is not an opsbot store"),
        (_noise, "is not an opsbot store"),
        (_cut, "is damaged; restore a copy"),
        (_folder, "cannot be opened|no store at"),
    ],
    ids=[
        "newer",
        "another program's",
        "another's changes",
        "a number alone",
        "half a list",
        "no list",
        "no audit",
        "no database",
        "noise",
        "damaged",
        "a folder",
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_plain_words_and_left_alone(
    url: str, file: Path, now: datetime, spoil: Callable[[Path], None], says: str, create: bool
) -> None:
    open_store(url, now).close()
    spoil(file)
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(PermanentError, match=says) as refused:
        open_store(url, now, create=create)
    assert str(refused.value).count(str(file)) == 1
    assert (file.read_bytes() if file.is_file() else b"") == before


@pytest.mark.parametrize("seed", range(16))
def test_noise_in_a_file_is_never_taken_for_a_newer_schema(
    url: str, file: Path, now: datetime, incident: Make, seed: int
) -> None:
    """Random bytes over one page, from anywhere in it: refused in words, or read as far as it can be."""
    store = open_store(url, now)
    store.create(incident("a"), NOTE, now)
    store.close()
    chance, whole = random.Random(seed), bytearray(file.read_bytes())
    page = 4096 * (seed % (len(whole) // 4096))
    start = page + chance.randrange(4000)
    whole[start : page + 4096] = chance.randbytes(page + 4096 - start)
    file.write_bytes(whole)
    said = _asked_everything(url, now, create=bool(seed % 3))
    assert "newer" not in said


def _asked_everything(url: str, now: datetime, *, create: bool) -> str:
    """What was said where it refused; anything but words ends the test."""
    try:
        store = open_store(url, now, create=create)
    except OpsbotError as error:
        return str(error)
    for ask in (store.verify, store.incidents, store.audit, lambda: store.load(1), store.due):
        with suppress(OpsbotError):
            ask()
    store.close()
    return ""


def test_an_older_schema_is_brought_up_by_serve_alone(
    url: str, file: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(url, now).close()
    later = MIGRATIONS[0]._replace(number=NEWEST + 1, name="later", sql="CREATE TABLE later (id INTEGER); SELECT 1")
    monkeypatch.setattr(engine, "MIGRATIONS", (*MIGRATIONS, later))
    monkeypatch.setattr(engine, "NEWEST", NEWEST + 1)
    with pytest.raises(PermanentError, match=f"has schema {NEWEST}, this program needs {NEWEST + 1}: start"):
        open_store(url, now, create=False)
    opened = open_store(url, now)
    assert f"schema {NEWEST + 1}" in opened.check()
    opened.close()


def test_a_migration_that_fails_half_way_leaves_nothing(
    url: str, file: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_store(url, now).close()
    later = MIGRATIONS[0]._replace(number=NEWEST + 1, name="later", sql="CREATE TABLE later (id INTEGER); NONSENSE")
    monkeypatch.setattr(engine, "MIGRATIONS", (*MIGRATIONS, later))
    with pytest.raises(PermanentError, match="syntax error"):
        open_store(url, now)
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master WHERE name = 'later'").fetchone() == (0,)
    raw.close()


def test_opened_for_reading_it_reads_beside_a_writer_and_refuses_to_write(
    url: str, store: SqlStore, now: datetime, incident: Make
) -> None:
    made = store.create(incident("a"), NOTE, now)
    reader = open_store(url, now, create=False, write=False)
    assert reader.load(1) == made
    store.note(1, NOTE, now)
    assert len(reader.audit(1)) == 2
    assert reader.verify() == ()
    with pytest.raises(PermanentError, match="can only be read by this user"):
        reader.note(1, NOTE, now)
    reader.close()


_AS_ANOTHER = """
import os, sys
from datetime import UTC, datetime
from opsbot.core.errors import PermanentError
from opsbot.store import open_store
now = datetime(2026, 1, 1, tzinfo=UTC)
for user in (os.geteuid(), os.geteuid() or 65534):
    os.seteuid(user)
    store = open_store(sys.argv[1], now, create=False, write=False)
    print(len(store.incidents()))
    store.close()
try:
    open_store(sys.argv[1], now)
except PermanentError as error:
    print(error)
"""


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that every user may read, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def test_serve_refuses_at_its_start_a_store_that_it_may_not_write(
    readable_folder: Path, now: datetime, incident: Make
) -> None:
    """Without the right to write (root becomes nobody) and beside the running bot: reading works, serving does not."""
    url = f"sqlite:///{readable_folder / 'opsbot.db'}"
    store = open_store(url, now)
    store.create(incident("a"), NOTE, now)
    for path in (*readable_folder.iterdir(), readable_folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    command = [sys.executable, "-c", _AS_ANOTHER, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    store.close()
    assert done.stderr == ""
    assert done.stdout.splitlines()[:2] == ["1", "1"]
    assert "can only be read by this user" in done.stdout.splitlines()[2]


_RIGHTS = """
import os, sys
from datetime import UTC, datetime
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident, State
from opsbot.mask import mask
from opsbot.store import open_store
now = datetime(2026, 1, 1, tzinfo=UTC)
first = open_store("sqlite://", now)  # whatever is to be imported is imported while it may be read
first.create(Incident(0, "k", 0, State.OPEN, "critical", mask("slow"), now, now), Note("monitor", "opened"), now)
first.close()
os.seteuid(os.geteuid() or 65534)
for create, write in ((False, False), (True, True)):
    try:
        store = open_store(sys.argv[1], now, create=create, write=write)
        print(len(store.incidents()), "incidents")
        store.close()
    except PermanentError as error:
        print(error)
"""
_FOLDER, _FILE = "may not write in its folder", "may not write the file; start `opsbot serve` as its owner"
_READ_IT = "may not read the file; ask as the user of `opsbot serve`"


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "reads", "serves"),
    [
        (0o444, 0o777, "1 incidents", _FILE),
        (0o444, 0o555, _FOLDER, _FOLDER),
        (0o666, 0o555, _FOLDER, _FOLDER),
        (0o000, 0o777, _READ_IT, _READ_IT),
        (None, 0o555, "no store at", _FOLDER),
    ],
    ids=["a file to read", "a file and a folder to read", "a folder to read", "somebody else's", "no file"],
)
def test_rights_that_are_missing_are_said_in_a_sentence(
    readable_folder: Path, now: datetime, incident: Make, file_mode: int | None, folder_mode: int, reads: str,
    serves: str,
) -> None:  # fmt: skip
    """Of a store that was closed: to those who read, and to serve. Root becomes nobody for it."""
    file = readable_folder / "opsbot.db"
    if file_mode is not None:
        store = open_store(f"sqlite:///{file}", now)
        store.create(incident("a"), NOTE, now)
        store.close()
        file.chmod(file_mode)
    readable_folder.chmod(folder_mode)
    command = [sys.executable, "-c", _RIGHTS, f"sqlite:///{file}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    first, second = done.stdout.splitlines()
    assert reads in first
    assert serves in second


def test_a_file_that_nobody_can_change_is_said_in_a_sentence_even_to_root(url: str, file: Path, now: datetime) -> None:
    """As on a disk that was mounted for reading: SQLite is told that nothing can change there."""
    open_store(url, now).close()
    address = f"{file.absolute().as_uri()}?immutable=1"
    base = engine._engine(lambda: sqlite3.connect(address, uri=True, check_same_thread=False), sa.QueuePool)
    reader = SqlStore(base, str(file), memory=False)
    assert reader.incidents() == ()
    with pytest.raises(PermanentError, match="can only be read by this user, and this needs to write"):
        reader.put("a", "b", now)
    reader.close()


def test_a_full_disk_is_temporary_and_nothing_is_half_written(
    store: SqlStore, now: datetime, incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = store.create(incident("a"), NOTE, now)
    with store._writes.connect() as db:
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()

    def small(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(store._reads, "checkout", small)
    with pytest.raises(TemporaryError, match="the disk is full"):
        store.note(made.id, Note("ana", "wrote", detail={"long": "x" * 200_000}), now)
    assert store.load(1) == made
    assert len(store.audit()) == 1
    assert store.verify() == ()


def test_a_store_held_by_another_program_for_long_is_temporary(
    url: str, file: Path, store: SqlStore, now: datetime, incident: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY", 0.05)
    other = open_store(url, now)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(TemporaryError, match="is busy"):
        other.create(incident("a"), NOTE, now)
    assert other.incidents() == ()
    holder.execute("COMMIT")
    holder.close()
    assert other.create(incident("a"), NOTE, now).id == 1
    other.close()


@pytest.mark.parametrize(
    ("name", "kind"),
    [("SQLITE_BUSY_SNAPSHOT", TemporaryError), ("SQLITE_IOERR_FSYNC", TemporaryError), ("SQLITE_FULL", TemporaryError),
     ("SQLITE_READONLY_DBMOVED", PermanentError), ("SQLITE_CORRUPT_INDEX", PermanentError), ("", PermanentError)],
)  # fmt: skip
def test_errors_are_sorted_by_their_code(name: str, kind: type[Exception]) -> None:
    error = sqlite3.OperationalError("what sqlite says")
    error.sqlite_errorname = name
    said = engine.said("/x.db", error)
    assert type(said) is kind
    assert "/x.db" in str(said)
    assert "what sqlite says" in str(said)


def test_a_store_in_memory_is_gone_when_closed(now: datetime, incident: Make) -> None:
    first, second = open_store("sqlite://", now), open_store("sqlite:///:memory:", now)
    first.create(incident("a"), NOTE, now)
    assert second.incidents() == ()
    assert first.changed() == second.changed() == 0
    first.close()
    second.close()


def test_changes_of_others_are_noticed_and_ones_own_reading_is_not(
    url: str, store: SqlStore, now: datetime, incident: Make
) -> None:
    start = store.changed()
    assert store.incidents() == ()
    assert store.changed() == start
    other = open_store(url, now)
    other.create(incident("a"), NOTE, now)
    seen = store.changed()
    assert seen != start
    other.claims(now)
    assert store.changed() == seen
    other.close()


_OPEN = """
import sys
from datetime import UTC, datetime
from opsbot.store import open_store
sys.stdin.read(1)
store = open_store(sys.argv[1], datetime(2026, 1, 1, tzinfo=UTC))
print(store.check())
store.close()
"""


def test_several_processes_may_make_it_at_once(url: str, file: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", _OPEN, url]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(4)]
    said = [process.communicate("x", timeout=60) for process in started]
    assert said == [(f"the store at {file} answers: schema {NEWEST}, 0 incidents\n", "")] * 4
    assert file.exists()


def test_what_was_treated_is_forgotten_when_opened_after_30_days(url: str, now: datetime) -> None:
    """What waits is never forgotten, however old it is."""
    days = timedelta(days=1)
    first = open_store(url, now)
    for name in ("waits", "treated", "treated later"):
        assert first.take(Said(name, {}, now), now)
    first.treated("treated", now)
    first.treated("treated later", now + days)
    first.close()
    for opened_at, again in ((now + 30 * days, False), (now + 30.5 * days, True)):
        store = open_store(url, opened_at)
        assert [said.id for said in store.untreated()] == ["waits"]
        assert [store.take(Said(name, {}, now), now) for name in ("waits", "treated", "treated later")] == [
            False, again, False,
        ]  # fmt: skip
        store.close()


def test_opening_for_another_verb_forgets_nothing(url: str, now: datetime) -> None:
    first = open_store(url, now)
    first.take(Said("Ev1", {}, now), now)
    first.treated("Ev1", now)
    first.close()
    store = open_store(url, now + timedelta(days=99), create=False)
    assert store.take(Said("Ev1", {}, now), now) is False
    store.close()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("UPDATE messages SET body = '{' WHERE incident = 1", "message 1 of incident 1 cannot be read back"),
        ("UPDATE said SET what = '[1]' WHERE id = 'Ev1'", "what was said as Ev1 cannot be read back"),
        ("UPDATE hypotheses SET body = '[{}]'", "the hypotheses of incident 1 cannot be read back"),
    ],
    ids=["a message", "something said", "hypotheses"],
)
def test_one_row_spoilt_by_hand_stops_no_other(
    store: SqlStore, file: Path, now: datetime, incident: Make, caplog: pytest.LogCaptureFixture, spoil: str, said: str
) -> None:
    for number, key in enumerate("ab", 1):
        store.create(incident(key), NOTE, now)
        store.add_messages(number, [Draft(Kind.CARD, "c", {"n": number})], "1", now)
        store.take(Said(f"Ev{number}", {"n": number}, now), now)
    store.add_hypotheses(1, 1, [], NOTE, now)
    _sql(file, spoil)
    assert [i.id for i in store.due()] == [1, 2]
    assert store.due()[0].asked is True
    assert 2 in [message.incident for message in store.next_messages(now)]
    assert "Ev2" in [one.id for one in store.untreated()]
    assert said in caplog.text
