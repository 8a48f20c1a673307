"""Silences as rows: made, listed, and ended before their time. They are never deleted, so that one can ask who did."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.silence import Matcher, Silence
from opsbot.store import codec
from opsbot.store.cells import lying, meant, named
from opsbot.store.tables import silences

LOG = logging.getLogger("opsbot.store")


def add(db: sa.Connection, silence: Silence) -> Silence:
    """Keep a new one under the next id; one without matchers is refused, for it would silence everything."""
    if not silence.matchers:
        raise PermanentError("a silence without matchers would silence everything")
    row = {
        "matchers": codec.MATCHERS.encode(silence.matchers), "author": silence.author, "comment": silence.comment,
        "made_at": silence.made_at, "starts_at": silence.starts_at, "ends_at": silence.ends_at,
        "expired_by": silence.expired_by,
    }  # fmt: skip
    made = db.execute(sa.insert(silences).values(row)).inserted_primary_key
    return replace(silence, id=made[0] if made else 0)


def listed(db: sa.Connection, ending_after: datetime | None) -> tuple[Silence, ...]:
    """In the order of their ids; one that was spoilt by hand is logged and silences nothing."""
    query = lying(*silences.columns)
    rows = db.execute(query if ending_after is None else query.where(silences.c.ends_at > ending_after))
    return tuple(_readable(sorted(rows, key=lambda row: row.id)))


def expire(db: sa.Connection, silence: int, by: str, now: datetime) -> Silence:
    """End it now, also where it has not begun; PermanentError where there is nothing to end."""
    row = db.execute(lying(*silences.columns).where(silences.c.id == silence)).first()
    if row is None:
        raise PermanentError(f"there is no silence {silence}")
    before = _meant(row)
    if before.ends_at <= now:
        raise PermanentError(f"silence {silence} has ended already, at {before.ends_at.isoformat()}")
    db.execute(sa.update(silences).where(silences.c.id == silence).values(ends_at=now, expired_by=by))
    return replace(before, ends_at=now, expired_by=by)


def _readable(rows: Iterable[sa.Row[Any]]) -> Iterator[Silence]:
    for row in rows:
        try:
            yield _meant(row)
        except PermanentError as error:
            LOG.error("%s; it silences nothing", error)


def _meant(row: sa.Row[Any]) -> Silence:
    one = meant(silences, row)
    try:
        by = matchers(one.matchers)
    except PermanentError as error:
        raise PermanentError(f"{named(silences, row)}: its matchers {error}") from None
    return Silence(one.id, by, one.author, one.comment, one.made_at, one.starts_at, one.ends_at, one.expired_by)


def matchers(text: str) -> tuple[Matcher, ...]:
    """The matchers that lie in a row; PermanentError where they cannot be read, or are none."""
    found = codec.MATCHERS.decode(text)
    if not found:
        raise PermanentError("cannot be read back: there are none")
    return found
