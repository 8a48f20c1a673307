"""Messages as rows: drafts in, in order; for each incident the next to send out; where its card stands.

A card that is just being sent may be replaced meanwhile: the old row stays, so that what becomes of it can still be
told by its id, and the new one waits in its turn.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.message import Draft, Kind, Message, Place
from opsbot.store import codec
from opsbot.store.cells import lying, meant, named
from opsbot.store.tables import cards, incidents, messages

LOG = logging.getLogger("opsbot.store")
WAITING, SENT, REPLACED = "waiting", "sent", "replaced"
# Written out, so that SQLite sees that the index of waiting rows fits.
_WAITS = messages.c.state == sa.literal_column("'waiting'")
_NEEDED = [messages.c[name] for name in ("id", "incident", "kind", "key", "body", "tries")]
_CARD, _NOTE = messages.c.kind == Kind.CARD.value, messages.c.kind == Kind.NOTE.value


def add(db: sa.Connection, incident: int, drafts: Sequence[Draft], mark: str, now: datetime) -> None:
    """Drafts at the end of an incident's queue, and the mark that they tell."""
    told = sa.update(incidents).where(incidents.c.id == incident).values(told=mark)
    if db.execute(told).rowcount != 1:
        raise PermanentError(f"there is no incident {incident}")
    for draft in drafts:
        body = codec.PLAIN.encode(dict(draft.body))
        row = {"incident": incident, "kind": draft.kind.value, "key": draft.key, "body": body, "at": now}
        (_add_card if draft.kind is Kind.CARD else _add_note)(db, row)


def _add_note(db: sa.Connection, row: dict[str, Any]) -> None:
    same = (messages.c.incident == row["incident"]) & _NOTE & (messages.c.key == row["key"])
    if db.execute(sa.select(messages.c.id).where(same)).first() is None:
        _insert(db, row)


def _add_card(db: sa.Connection, row: dict[str, Any]) -> None:
    """The newest edit wins: what waits is marked, not deleted, for it may just be on its way."""
    query = lying(*messages.columns).where((messages.c.incident == row["incident"]) & _CARD)
    last = db.execute(query.order_by(messages.c.id.desc()).limit(1)).first()
    if last is not None and (last.key, last.body) == (row["key"], row["body"]):
        return
    if last is None or last.state != WAITING:
        _insert(db, row)
        return
    last = meant(messages, last)
    db.execute(sa.update(messages).where(messages.c.id == last.id).values(state=REPLACED))
    _insert(db, row | {"turn": last.turn, "tries": last.tries, "again_at": last.again_at})


def _insert(db: sa.Connection, row: dict[str, Any]) -> None:
    end = sa.select(sa.func.coalesce(sa.func.max(messages.c.id), 0) + 1).scalar_subquery()
    db.execute(sa.insert(messages).values({"turn": end, "tries": 0, "state": WAITING} | row))


def first(db: sa.Connection, now: datetime, limit: int) -> tuple[Message, ...]:
    """The head of each incident's queue, unless it is put off or must wait for the card; cards before notes."""
    placeless = cards.c.incident.is_(None)
    late = sa.case((placeless & _NOTE, 1), else_=0)  # while the card stands nowhere it goes before all notes
    rank = sa.func.row_number().over(partition_by=messages.c.incident, order_by=(late, messages.c.turn))
    queue = sa.select(messages.c.id, late.label("late"), rank.label("rank")).where(_WAITS)
    heads = queue.select_from(messages.outerjoin(cards, cards.c.incident == messages.c.incident)).subquery()
    ready = (heads.c.rank == 1) & (heads.c.late == 0) & (messages.c.again_at.is_(None) | (messages.c.again_at <= now))
    query = (
        lying(*_NEEDED)
        .add_columns(cards.c.channel.label("card_channel"), cards.c.ts.label("card_ts"))
        .select_from(
            messages.join(heads, heads.c.id == messages.c.id).outerjoin(cards, cards.c.incident == messages.c.incident)
        )
        .where(ready)
        .order_by(~_CARD, messages.c.turn)  # in a storm a card must not wait behind the notes of others
        .limit(max(limit, 0))
    )
    return tuple(_readable(db.execute(query).all()))


def _readable(rows: Sequence[sa.Row[Any]]) -> Iterator[Message]:
    """One that was spoilt by hand is logged and left out: it must not stop other incidents' messages."""
    for row in rows:
        try:
            one = meant(messages, row)
            place = None if row.card_channel is None else _place(row.card_channel, row.card_ts)
            yield Message(one.id, one.incident, Kind(one.kind), one.key, _body(one), one.tries, place)
        except PermanentError as error:
            LOG.error("%s", error)
        except ValueError:
            LOG.error("%s is neither card nor note", named(messages, row))


def _body(row: Any) -> dict[str, Any]:
    try:
        return codec.PLAIN.decode(row.body)
    except PermanentError as error:
        raise PermanentError(f"message {row.id} of incident {row.incident} {error}") from None


def _place(channel: object, ts: object) -> Place:
    if isinstance(channel, str) and isinstance(ts, str):
        return Place(channel, ts)
    raise PermanentError("the place of a card cannot be read back: channel or ts is no text")


def sent(db: sa.Connection, message: int, place: Place, now: datetime) -> None:
    """It stands there. A card that was replaced on its way has given the incident its place all the same."""
    row = _row(db, message)
    if row.sent_at is not None:
        return
    this = messages.c.id == message
    done = {"sent_at": now, "again_at": None, "channel": place.channel, "ts": place.ts}
    db.execute(sa.update(messages).where(this).values(done))
    db.execute(sa.update(messages).where(this & _WAITS).values(state=SENT))
    if row.kind == Kind.CARD.value:
        _stands(db, row.incident, place)
        older = (messages.c.incident == row.incident) & _CARD & (messages.c.id < message)
        db.execute(sa.update(messages).where(older).values(body="{}"))  # nobody will read it again


def _stands(db: sa.Connection, incident: int, place: Place) -> None:
    there = (cards.c.channel == place.channel) & (cards.c.ts == place.ts)
    db.execute(sa.delete(cards).where(there | (cards.c.incident == incident)))
    db.execute(sa.insert(cards).values(incident=incident, channel=place.channel, ts=place.ts))


def put_off(db: sa.Connection, message: int, again_at: datetime) -> None:
    """Again then: it, or the card that has replaced it meanwhile."""
    row = _row(db, message)
    waits = _WAITS & (messages.c.id == message)
    if row.state == REPLACED:
        waits = _WAITS & _CARD & (messages.c.incident == row.incident)
    db.execute(sa.update(messages).where(waits).values(again_at=again_at, tries=messages.c.tries + 1))


def _row(db: sa.Connection, message: int) -> sa.Row[Any]:
    query = lying(messages.c.id, messages.c.incident, messages.c.kind, messages.c.state, messages.c.sent_at)
    row = db.execute(query.where(messages.c.id == message)).first()
    if row is None:
        raise PermanentError(f"there is no message {message}")
    return row


def card(db: sa.Connection, incident: int) -> Place | None:
    """Where the incident's card stands."""
    row = db.execute(sa.select(cards).where(cards.c.incident == incident)).first()
    return None if row is None else _place(row.channel, row.ts)


def incident_at(db: sa.Connection, place: Place) -> int | None:
    """Whose card stands there."""
    there = (cards.c.channel == place.channel) & (cards.c.ts == place.ts)
    return db.execute(sa.select(cards.c.incident).where(there)).scalar()
