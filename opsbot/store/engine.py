"""Opening a database: connections with the settings that durability needs, one transaction at a time for writers.

Errors of SQLite come out as errors of opsbot, in words that say what to do.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from operator import methodcaller
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool, StaticPool

from opsbot.core.errors import OpsbotError, PermanentError, TemporaryError
from opsbot.store.cells import lying
from opsbot.store.migrations import MIGRATIONS, NEWEST
from opsbot.store.tables import audit, incidents, schema_versions

BUSY = 5.0
"""Seconds to wait for another process's transaction."""
_text = methodcaller("decode", "utf-8", "replace")
"""Text as it lies; bytes that are none, put there by a hand, become signs that every reader can show."""


def place_of(url: str) -> Path | None:
    """The file that a store's address means, None for one in memory; PermanentError for an address of another kind."""
    scheme, separator, rest = url.partition("://")
    if scheme.partition("+")[0] in ("postgresql", "postgres"):
        raise PermanentError("PostgreSQL is not supported yet as a store: write sqlite:///PATH")
    if scheme != "sqlite" or not separator or (rest and not rest.startswith("/")):
        raise PermanentError(f"{url[:60]!r} is no address of a store: write sqlite:///PATH")
    path = rest[1:]
    return Path(path) if path and path != ":memory:" else None


def connect(url: str, *, create: bool = True, write: bool = True) -> sa.Engine:
    """An engine over a store's address; nothing is touched but the file's existence.

    With `create` false a missing file is a PermanentError; with `write` false the file is opened for reading alone.
    """
    path = place_of(url)
    if path is None:
        return _engine(lambda: sqlite3.connect(":memory:", check_same_thread=False), StaticPool)
    if not create and not path.is_file():
        raise PermanentError(f"no store at {path}; start `opsbot serve` first")
    if create and not path.parent.is_dir():
        raise PermanentError(f"no store can be made at {path}: there is no folder {path.parent}")
    mode = "ro" if not write else "rwc" if create else "rw"
    address = f"{path.absolute().as_uri()}?mode={mode}"
    return _engine(lambda: sqlite3.connect(address, uri=True, timeout=BUSY, check_same_thread=False), QueuePool)


def _engine(creator: Callable[[], sqlite3.Connection], pool: type[sa.Pool]) -> sa.Engine:
    size = {"pool_size": 8, "max_overflow": -1} if pool is QueuePool else {}
    engine = sa.create_engine("sqlite://", creator=creator, poolclass=pool, **size)

    @sa.event.listens_for(engine, "connect")
    def settings(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun by `begin` below, not by the driver
        connection.text_factory = _text
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writes = connection.get_execution_options().get("opsbot_writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def keep_log(base: sa.Engine) -> None:
    """Readers and the writer side by side, from now on and for every process (a setting of the file itself)."""
    raw = base.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


def writing(engine: sa.Engine) -> sa.Engine:
    """The same connections, for transactions that write: the lock is taken at their start, so none fails half way."""
    return engine.execution_options(opsbot_writes=True)


@contextmanager
def told(where: str) -> Iterator[None]:
    """Errors of the database, said in the words of opsbot."""
    try:
        yield
    except sa.exc.StatementError as error:
        raise said(where, error.orig) from error
    except sqlite3.Error as error:
        raise said(where, error) from error
    except OverflowError as error:
        raise PermanentError(f"a number is too large for the store at {where}") from error
    except UnicodeEncodeError as error:
        raise PermanentError(f"a text that is no Unicode cannot be stored ({error.reason})") from error


_PERMANENT = {
    "SQLITE_NOTADB": "is not an opsbot store",
    "SQLITE_CORRUPT": "is damaged; restore a copy of it",
    "SQLITE_READONLY": "can only be read by this user, and this needs to write",
    "SQLITE_CANTOPEN": "cannot be opened",
    "SQLITE_PERM": "may not be opened",
    "SQLITE_AUTH": "may not be opened",
}
_TEMPORARY = {
    "SQLITE_BUSY": "is busy with another program's change",
    "SQLITE_LOCKED": "is busy with another change",
    "SQLITE_FULL": "cannot grow: the disk is full",
    "SQLITE_IOERR": "cannot be read or written: the disk failed",
    "SQLITE_NOMEM": "ran out of memory",
}


def said(where: str, error: BaseException | None) -> OpsbotError:
    """A database error as TemporaryError or PermanentError."""
    name = "_".join(str(getattr(error, "sqlite_errorname", "")).split("_")[:2])
    if name in _TEMPORARY:
        return TemporaryError(f"the store at {where} {_TEMPORARY[name]} ({error})")
    why = _rights(Path(where)) if name in ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM") else ""
    return PermanentError(f"the store at {where} {_PERMANENT.get(name, 'refused')}{why} ({error})")


def _rights(file: Path) -> str:
    """What this user may not do there, and what would help: of all reasons the most usual one."""
    effective = os.access in os.supports_effective_ids
    if file.is_file() and not os.access(file, os.R_OK, effective_ids=effective):
        return ": this user may not read the file; ask as the user of `opsbot serve`"
    if not os.access(file.parent, os.W_OK, effective_ids=effective):
        return (
            f": this user may not write in its folder {file.parent}, where SQLite keeps files beside it; "
            "ask as the user of `opsbot serve`"
        )
    if file.is_file() and not os.access(file, os.W_OK, effective_ids=effective):
        return ": this user may not write the file; start `opsbot serve` as its owner"
    return ""


def version(db: sa.Connection) -> int:
    """The number of the last migration taken: 0 for an empty database; PermanentError for a stranger's.

    A number alone is not believed, for a damaged page holds numbers too: the steps must be those that are known here,
    each in its place, and those of a newer opsbot must follow on them.
    """
    names = set(sa.inspect(db).get_table_names())
    if not names:
        return 0
    if schema_versions.name not in names:
        raise PermanentError("is not an opsbot store: it holds tables of another program")
    taken = db.execute(lying(schema_versions.c.number, schema_versions.c.name)).all()
    known = {step.number: step.name for step in MIGRATIONS}
    steps = {row.number: row.name for row in taken}
    complete = bool(steps) and set(steps) == set(range(1, len(steps) + 1)) and {audit.name, incidents.name} <= names
    if not complete or any(known.get(number, name) != name for number, name in steps.items()):
        raise PermanentError("is not an opsbot store, or is damaged: its list of schema changes is none of opsbot's")
    return len(steps)


def migrate(db: sa.Connection, now: datetime) -> int:
    """Bring a database up to date inside the writer's transaction, which is the lock; how many steps were taken."""
    have = version(db)
    refuse_newer(have)
    if have == 0:
        schema_versions.create(db)
    # Changes nothing, and fails where nothing may be changed: better now than at the first alert.
    db.execute(sa.delete(schema_versions).where(schema_versions.c.number < 0))
    for step in MIGRATIONS[have:]:
        for statement in step.statements:
            db.exec_driver_sql(statement)
        db.execute(sa.insert(schema_versions).values(number=step.number, name=step.name, applied_at=now))
    return NEWEST - have


def refuse_newer(have: int) -> None:
    """PermanentError for a database that a newer opsbot has changed: its meaning is not known here."""
    if have > NEWEST:
        raise PermanentError(
            f"was made by a newer opsbot (its schema is {have}, this program knows {NEWEST}): upgrade opsbot"
        )


def refuse_other(have: int) -> None:
    """PermanentError unless the database is exactly of this program's schema."""
    refuse_newer(have)
    if have < NEWEST:
        raise PermanentError(f"has schema {have}, this program needs {NEWEST}: start `opsbot serve` once")
