"""What became of alerts, as rows: appended in batches, and read by alert or only the newest of each."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.silence import Verdict
from opsbot.store.cells import batches, lying, meant
from opsbot.store.tables import alerts, spelled, verdicts

LOG = logging.getLogger("opsbot.store")
LAST = 100
"""How many verdicts of one alert stay, however old they are."""
KEPT = timedelta(days=30)
"""How long the others stay at least."""
REMEMBERED = 32_768
"""How many rows are kept as read: every look asks for the newest of all alerts, and few have changed."""

_AGED = sa.text(
    "DELETE FROM verdicts WHERE fingerprint = :f AND at < :old AND turn <= "
    "(SELECT turn FROM verdicts WHERE fingerprint = :f ORDER BY turn DESC LIMIT 1 OFFSET :last)"
)


def add(db: sa.Connection, new: Sequence[Verdict]) -> None:
    """Append them in this order, and drop what is old and many of the same alerts."""
    if not new:
        return
    fields = [column.name for column in verdicts.columns if not column.primary_key]
    db.execute(sa.insert(verdicts), [{field: getattr(one, field) for field in fields} for one in new])
    old = spelled(max(one.at for one in new) - KEPT)
    db.execute(_AGED, [{"f": one, "old": old, "last": LAST} for one in {one.fingerprint for one in new}])


def of(db: sa.Connection, fingerprints: Collection[str]) -> tuple[Verdict, ...]:
    """All of these alerts, oldest first."""
    rows: list[sa.Row[Any]] = []
    for some in batches(fingerprints):
        rows += db.execute(lying(*verdicts.columns).where(verdicts.c.fingerprint.in_(some)))
    return tuple(_readable(sorted(rows, key=lambda row: row.turn)))


def newest(db: sa.Connection) -> tuple[Verdict, ...]:
    """The last one of each alert that is in the store, oldest first."""
    other = verdicts.alias()
    last = sa.select(sa.func.max(other.c.turn)).where(other.c.fingerprint == alerts.c.fingerprint).scalar_subquery()
    turns = sa.select(last).where(~alerts.c.gone)
    return tuple(_readable(db.execute(lying(*verdicts.columns).where(verdicts.c.turn.in_(turns)))))


def _readable(rows: Iterable[sa.Row[Any]]) -> Iterator[Verdict]:
    """One that was spoilt by hand is logged and left out: the next look writes what is so."""
    for row in rows:
        try:
            yield _verdict(row)
        except PermanentError as error:
            LOG.error("%s", error)


@lru_cache(maxsize=REMEMBERED)
def _verdict(row: sa.Row[Any]) -> Verdict:
    one = meant(verdicts, row)
    return Verdict(one.fingerprint, one.at, one.reason, one.says, one.incident)
