"""Rows as they lie, and as they were meant: SQLite keeps in any column whatever a hand has put there.

A spoilt value comes out as a PermanentError that names row and column, one row at a time, so that others can be read.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from itertools import islice
from types import SimpleNamespace
from typing import Any, TypeVar

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.store.tables import Time, moment

T = TypeVar("T")
BATCH = 500
"""How many values one statement names at most."""


def batches(values: Collection[T]) -> Iterator[list[T]]:
    """The values in lists that one statement can take."""
    left = iter(values)
    while some := list(islice(left, BATCH)):
        yield some


def lying(*columns: sa.Column[Any]) -> sa.Select[Any]:
    """A query for columns just as they lie: no value in them can stop the reading."""
    bare: list[Any] = [sa.type_coerce(column, sa.types.NullType()).label(column.name) for column in columns]
    found: sa.Select[Any] = sa.select(*bare)
    return found


def meant(table: sa.Table, row: sa.Row[Any]) -> Any:
    """What a row of `lying` means, its columns as attributes; PermanentError for a value that means nothing."""
    found = {}
    for column in table.columns:
        if column.name in row._fields:
            try:
                found[column.name] = _meant(column, getattr(row, column.name))
            except PermanentError as error:
                raise PermanentError(f"{named(table, row)} cannot be read back: {column.name} {error}") from None
    return SimpleNamespace(**found)


def named(table: sa.Table, row: sa.Row[Any]) -> str:
    """A row in words, by its primary key."""
    keys = [f"{key.name} {getattr(row, key.name)!r:.60}" for key in table.primary_key if key.name in row._fields]
    return f"the row {', '.join(keys)} of {table.name}"


def _meant(column: sa.Column[Any], value: Any) -> Any:
    if value is None and column.nullable:
        return None
    kind = column.type
    if isinstance(kind, Time):
        return moment(value)
    if isinstance(kind, sa.Boolean):
        return bool(_of(int, value in (0, 1), value, "is neither 0 nor 1"))
    if isinstance(kind, sa.Integer):
        return _of(int, True, value, "is no whole number")
    text = _of(str, True, value, "is no text")
    return _details(text) if isinstance(kind, sa.JSON) else text


def _of(kind: type, fits: bool, value: Any, otherwise: str) -> Any:
    if isinstance(value, kind) and fits:
        return value
    raise PermanentError(otherwise)


def _details(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise PermanentError("is no JSON") from None
    if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()):
        return found
    raise PermanentError("does not hold texts by name")
