"""What people said in chat, as rows: taken once, and kept until it was treated and for a while after."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.message import Said
from opsbot.store import codec
from opsbot.store.cells import lying, meant
from opsbot.store.tables import said

LOG = logging.getLogger("opsbot.store")
LARGEST = 65_536
"""Bytes of JSON: a command or a click is far smaller, and a stranger must not fill the disk with one."""
LONGEST_ID = 200
KEPT = timedelta(days=30)
"""How long what was treated is remembered, so that a replay of it is known: chats repeat within hours."""


def take(db: sa.Connection, new: Said, now: datetime) -> bool:
    """Keep it; False where its id is known, treated or not."""
    if not 0 < len(new.id) <= LONGEST_ID:
        raise PermanentError(f"what was said has no usable id ({len(new.id)} characters)")
    what = codec.PLAIN.encode(dict(new.what))
    if len(what.encode()) > LARGEST:
        raise PermanentError(f"what was said is too long: {len(what.encode())} bytes, where {LARGEST} are allowed")
    if db.execute(sa.select(said.c.turn).where(said.c.id == new.id)).first():
        return False
    db.execute(sa.insert(said).values(id=new.id, at=new.at, taken_at=now, what=what))
    return True


def untreated(db: sa.Connection) -> tuple[Said, ...]:
    """In the order in which it was taken."""
    query = (
        lying(said.c.turn, said.c.id, said.c.what, said.c.at).where(said.c.treated_at.is_(None)).order_by(said.c.turn)
    )
    return tuple(_readable(db.execute(query).all()))


def _readable(rows: Sequence[sa.Row[tuple[object, ...]]]) -> Iterator[Said]:
    """One that was spoilt by hand is logged and left out: it must not stop the others."""
    for row in rows:
        try:
            one = meant(said, row)
            yield Said(one.id, codec.PLAIN.decode(one.what), one.at)
        except PermanentError as error:
            LOG.error("what was said as %s %s", row.id, error)


def treated(db: sa.Connection, key: str, now: datetime) -> None:
    """Once and for all; PermanentError for what was never taken."""
    mine = said.c.id == key
    if db.execute(sa.select(said.c.turn).where(mine)).first() is None:
        raise PermanentError(f"nothing was said as {key[:40]!r}")
    db.execute(sa.update(said).where(mine & said.c.treated_at.is_(None)).values(treated_at=now))


def forget(db: sa.Connection, now: datetime) -> None:
    """Drop what was treated long ago."""
    db.execute(sa.delete(said).where(said.c.treated_at < now - KEPT))
