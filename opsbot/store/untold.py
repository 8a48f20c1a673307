"""Rows that no chain tells of: only whether they can be read at all; a part of `verify`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.message import Kind
from opsbot.core.task import Skill
from opsbot.store import codec
from opsbot.store import silences as holding
from opsbot.store.cells import lying, meant, named
from opsbot.store.tables import (
    alerts,
    answers,
    cards,
    claims,
    facts,
    messages,
    said,
    schema_versions,
    silences,
    verdicts,
)  # fmt: skip

_TABLES: dict[sa.Table, dict[str, Callable[[str], Any]]] = {
    alerts: {"body": codec.ALERT.decode},
    answers: {},
    cards: {},
    claims: {"skill": Skill},
    facts: {},
    messages: {"body": codec.PLAIN.decode, "kind": Kind},
    said: {"what": codec.PLAIN.decode},
    schema_versions: {},
    silences: {"matchers": holding.matchers},
    verdicts: {},
}


def faults(db: sa.Connection) -> Iterator[str]:
    """What cannot be read, one sentence each."""
    for table, readers in _TABLES.items():
        for row in db.execute(lying(*table.columns)):
            yield from _of_one(table, row, readers)


def _of_one(table: sa.Table, row: sa.Row[Any], readers: dict[str, Callable[[str], Any]]) -> Iterator[str]:
    try:
        whole = meant(table, row)
    except PermanentError as error:
        yield str(error)
        return
    for column, read in readers.items():
        try:
            read(getattr(whole, column))
        except PermanentError as error:
            yield f"{named(table, row)}: its {column} {error}"
        except ValueError:
            yield f"{named(table, row)}: its {column} is none that is known here"
