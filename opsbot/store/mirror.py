"""The alerts of a database as this process has read them: only what has changed since is read again.

Whoever looks asks for all alerts, several times a second, and few of them have changed. The database itself keeps the
list of changes (by triggers), so that those of another process, or of a hand, are seen as well. Not for transactions
that write: what they may still take back must not be kept here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import sqlalchemy as sa

from opsbot.core.alert import Alert
from opsbot.core.errors import PermanentError
from opsbot.store import codec
from opsbot.store.cells import batches, lying
from opsbot.store.tables import alert_changes, alerts, incidents

LOG = logging.getLogger("opsbot.store")
Mine = tuple[Alert, ...] | PermanentError
"""The alerts of an incident, or why they cannot be told: one alert fewer would look like a clear."""
KEPT = 20_000
"""How many changes the database remembers; whoever has missed more than that reads everything again."""

ROOM = 30_000
"""How many alerts that were let go are kept here; more where one question asks for more."""

# Statements are made once: these are asked at each look, and SQLAlchemy would take each of them apart anew.
# Each of the two is found at an end of the table; asked for together, SQLite would read all of it.
_FIRST = sa.select(sa.func.min(alert_changes.c.turn)).scalar_subquery()
_LAST = sa.select(sa.func.max(alert_changes.c.turn)).scalar_subquery()
_ENDS = sa.select(_FIRST, _LAST)
_SINCE = lying(alert_changes.c.fingerprint).where(alert_changes.c.turn > sa.bindparam("turn")).distinct()
_NAMED = lying(*alerts.columns).where(alerts.c.fingerprint.in_(sa.bindparam("names", expanding=True)))
_PRUNE = sa.delete(alert_changes).where(alert_changes.c.turn <= _LAST - sa.bindparam("kept"))


def prune(db: sa.Connection) -> None:
    """Let the database forget old changes."""
    db.execute(_PRUNE, {"kept": KEPT})


class Read(NamedTuple):
    """A row of an alert, as it was read."""

    rule: str
    fingerprint: str
    incident: int | None
    gone: bool
    says: Alert | PermanentError


def read(row: sa.Row[Any]) -> Read:
    """A row that lies there."""
    try:
        return Read(str(row.rule), row.fingerprint, row.incident, bool(row.gone), codec.ALERT.decode(row.body))
    except PermanentError as error:
        return Read(str(row.rule), row.fingerprint, row.incident, bool(row.gone), error)


def mine(rows: Iterable[Read]) -> Mine:
    """The alerts of an incident, in order."""
    found = []
    for row in sorted(rows, key=_place):
        if isinstance(row.says, PermanentError):
            return row.says
        found.append(row.says)
    return tuple(found)


def _place(row: Read) -> tuple[str, str]:
    return row.rule, str(row.fingerprint)


class Mirror:
    """All alerts that are there, and those let go that incidents lately asked for have. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turn: int | None = None
        self._rows: dict[str, Read] = {}
        self._by_incident: dict[int, dict[str, Read]] = {}
        self._watched: set[int] = set()
        self._mine: dict[int, Mine] = {}
        self._there: tuple[Alert, ...] | None = None
        self._gone = 0

    @property
    def begun(self) -> bool:
        """Whether there is anything in it yet; it costs to begin."""
        return self._turn is not None

    def alerts(self, db: sa.Connection) -> tuple[Alert, ...]:
        """All that are there, in order. One that was spoilt by hand has been logged and is left out."""
        with self._lock:
            self._catch_up(db)
            if self._there is None:
                rows = sorted((row for row in self._rows.values() if not row.gone), key=_place)
                self._there = tuple(row.says for row in rows if isinstance(row.says, Alert))
            return self._there

    def owners(self, db: sa.Connection) -> dict[str, int]:
        """Unresolved incidents by the fingerprints of the alerts that are theirs."""
        unresolved = db.execute(lying(incidents.c.id).where(incidents.c.unresolved)).scalars().all()
        with self._lock:
            self._catch_up(db)
            parts = [(incident, self._by_incident.get(incident, {})) for incident in unresolved]
            return {name: incident for incident, rows in parts for name, row in rows.items() if not row.gone}

    def known(self, db: sa.Connection, names: Collection[str]) -> tuple[Alert, ...]:
        """Those of these alerts that are there."""
        with self._lock:
            self._catch_up(db)
            rows = (row for row in map(self._rows.get, names) if row and not row.gone)
            return tuple(row.says for row in rows if isinstance(row.says, Alert))

    def of(self, db: sa.Connection, asked: Collection[int]) -> dict[int, Mine]:
        """The alerts of each of these incidents."""
        with self._lock:
            self._catch_up(db)
            self._watch(db, set(asked))
            for incident in asked:
                if incident not in self._mine:
                    self._mine[incident] = mine(self._by_incident.get(incident, {}).values())
            return {incident: self._mine[incident] for incident in asked}

    # what has changed -----------------------------------------------------------------------------------------------

    def _catch_up(self, db: sa.Connection) -> None:
        first, last = (turn or 0 for turn in db.execute(_ENDS).one())
        known = self._turn
        # A snapshot somewhat older than this one is nothing to go back for: what is here is true as well.
        if known is None or first > known + 1 or last < known - KEPT:
            self._begin(db)
        elif last > known:
            self._read_again(db, db.execute(_SINCE, {"turn": known}).scalars().all())
        else:
            return
        self._turn = last

    def _begin(self, db: sa.Connection) -> None:
        for part in (self._rows, self._by_incident, self._watched, self._mine):
            part.clear()
        self._there, self._gone = None, 0
        for row in db.execute(lying(*alerts.columns).where(~alerts.c.gone)):
            self._keep(read(row))

    def _read_again(self, db: sa.Connection, names: Collection[str]) -> None:
        for name in names:
            self._drop(name)
        for some in batches(names):
            for row in db.execute(_NAMED, {"names": some}):
                if not row.gone or row.incident in self._watched:
                    self._keep(read(row))

    def _watch(self, db: sa.Connection, asked: set[int]) -> None:
        """Those that were let go are kept for some incidents alone: in the long run they are by far the most."""
        for some in batches(asked - self._watched):
            for row in db.execute(lying(*alerts.columns).where(alerts.c.gone, alerts.c.incident.in_(some))):
                self._keep(read(row))
        self._watched |= asked
        if self._gone <= ROOM:
            return
        for incident in self._watched - asked:
            for name in [name for name, row in self._by_incident.get(incident, {}).items() if row.gone]:
                self._drop(name)
        self._watched = asked

    def _keep(self, row: Read) -> None:
        if isinstance(row.says, PermanentError):
            LOG.error("an alert %s", row.says)
        self._drop(row.fingerprint)
        self._rows[row.fingerprint] = row
        self._gone += row.gone
        if row.incident is not None:
            self._by_incident.setdefault(row.incident, {})[row.fingerprint] = row
        self._touched(row)

    def _drop(self, name: str) -> None:
        row = self._rows.pop(name, None)
        if row is None:
            return
        self._touched(row)
        self._gone -= row.gone
        if row.incident is not None:
            rows = self._by_incident[row.incident]
            del rows[name]
            if not rows:
                del self._by_incident[row.incident]

    def _touched(self, row: Read) -> None:
        if row.incident is not None:
            self._mine.pop(row.incident, None)
        if not row.gone:
            self._there = None
