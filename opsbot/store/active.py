"""Alerts as last answered or pushed, in batches: a storm is one transaction, not thousands."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from opsbot.core.alert import POLLED, Alert, AlertState
from opsbot.core.errors import Conflict, PermanentError
from opsbot.store import codec
from opsbot.store.cells import batches, lying, meant
from opsbot.store.mirror import prune
from opsbot.store.tables import alerts, answers, moment

LOG = logging.getLogger("opsbot.store")
_MINE = alerts.c.fingerprint == sa.bindparam("f")
_DROP, _LEAVE = sa.delete(alerts).where(_MINE), sa.update(alerts).where(_MINE).values(gone=True)
_CHANGE = sa.update(alerts).where(_MINE).values(rule=sa.bindparam("r"), body=sa.bindparam("b"))
_RETURN = _CHANGE.values(gone=False, incident=None)


_NAMES: sa.BindParameter[Any] = sa.bindparam("names", expanding=True)
# Made once: hundreds of names are asked for at each poll, and SQLAlchemy would look at each of them anew.
_OF_RULES = lying(*alerts.columns).where(alerts.c.rule.in_(_NAMES))
_NAMED = lying(*alerts.columns).where(alerts.c.fingerprint.in_(_NAMES))
_ANSWERED = lying(*answers.columns).where(answers.c.rule.in_(_NAMES))
_LAST = insert(answers).on_conflict_do_update(
    index_elements=[answers.c.rule], set_={"at": sa.literal_column("excluded.at")}
)
_NEW = sa.insert(alerts)
_LATER = _ANSWERED.where(answers.c.at > sa.bindparam("at", type_=answers.c.at.type))


def save(db: sa.Connection, rule: str, active: Sequence[Alert], answered_at: datetime) -> None:
    """Put the alerts of one rule in place of those that were there; Conflict where a later answer is known."""
    if not save_all(db, {rule: active}, answered_at):
        raise Conflict(f"a later answer for the rule {rule[:40]!r} is known already ({answered(db, rule)})")


def save_all(db: sa.Connection, given: Mapping[str, Sequence[Alert]], answered_at: datetime) -> frozenset[str]:
    """The same for many rules; those for which no later answer is known, and so were saved."""
    late = _later(db, given, answered_at)
    saved = {rule: active for rule, active in given.items() if rule not in late}
    wanted = {alert.fingerprint: alert for rule, active in saved.items() for alert in _distinct(rule, active)}
    if saved:
        db.execute(_LAST, [{"rule": rule, "at": answered_at} for rule in saved])
    rows = _rows(db, _OF_RULES, saved)
    _let_go(db, [row for row in rows if row.fingerprint not in wanted and not row.gone and _polled(row)])
    _put(db, rows, wanted)
    return frozenset(saved)


def _later(db: sa.Connection, rules: Collection[str], at: datetime) -> dict[str, datetime]:
    """The rules of these for which a later answer is known: hardly ever one."""
    return _times(row for some in batches(rules) for row in db.execute(_LATER, {"names": some, "at": at}))


def _distinct(rule: str, active: Sequence[Alert]) -> Sequence[Alert]:
    if len({alert.fingerprint for alert in active}) != len(active) or any(alert.rule != rule for alert in active):
        raise PermanentError(f"these are not the distinct alerts of the rule {rule[:40]!r}")
    return active


def receive(db: sa.Connection, pushed: Sequence[Alert]) -> None:
    """Put each in place of the one of its fingerprint; of two in one go the later counts."""
    wanted = {alert.fingerprint: alert for alert in pushed}
    _put(db, _rows(db, _NAMED, wanted), wanted)


def known(db: sa.Connection, fingerprints: Collection[str]) -> tuple[Alert, ...]:
    """Those of these alerts that are there."""
    return tuple(_readable(row.body for row in _rows(db, _NAMED, fingerprints) if not row.gone))


def forget(db: sa.Connection, fingerprints: Collection[str]) -> None:
    """Let alerts go, where they are there."""
    _let_go(db, [row for row in _rows(db, _NAMED, fingerprints) if not row.gone])


def _rows(db: sa.Connection, query: sa.Select[Any], names: Collection[str]) -> list[sa.Row[Any]]:
    return [row for some in batches(names) for row in db.execute(query, {"names": some})]


def _polled(row: sa.Row[Any]) -> bool:
    """Whether polls have the say of it: what was pushed since the poll began must not be lost to it."""
    return all(alert.source == POLLED for alert in _readable([row.body]))


def _let_go(db: sa.Connection, rows: Sequence[sa.Row[Any]]) -> None:
    """A resolved alert that an incident owns stays with it, so that it can still say what it was about."""
    stay = {row.fingerprint for row in rows if row.incident is not None and _resolved(row.body)}
    _each(db, _LEAVE, [{"f": fingerprint} for fingerprint in stay])
    _each(db, _DROP, [{"f": row.fingerprint} for row in rows if row.fingerprint not in stay])


def _resolved(body: str) -> bool:
    return any(alert.state is AlertState.RESOLVED for alert in _readable([body]))


def _put(db: sa.Connection, rows: Sequence[sa.Row[Any]], wanted: Mapping[str, Alert]) -> None:
    """New rows, and new bodies for known ones that have changed. One that was gone begins anew and is nobody's."""
    there = {row.fingerprint: row for row in rows}
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    back: list[dict[str, Any]] = []
    for fingerprint, alert in wanted.items():
        row = there.get(fingerprint)
        if row is None:
            body = codec.ALERT.encode(alert)
            fresh.append({"fingerprint": fingerprint, "rule": alert.rule, "gone": False, "body": body})
        elif row.gone or not _says(row.body, alert):
            values = {"f": fingerprint, "r": alert.rule, "b": codec.ALERT.encode(alert)}
            (back if row.gone else changed).append(values)
    _each(db, _NEW, fresh)
    _each(db, _CHANGE, changed)
    _each(db, _RETURN, back)
    if fresh or changed or back:
        prune(db)


def _says(body: str, alert: Alert) -> bool:
    return any(known == alert for known in _readable([body]))


def _each(db: sa.Connection, statement: Any, values: Sequence[Mapping[str, Any]]) -> None:
    if values:
        db.execute(statement, values)


def answered(db: sa.Connection, rule: str) -> datetime | None:
    """The time of the last complete answer."""
    return times(db, [rule]).get(rule)


def times(db: sa.Connection, rules: Collection[str] | None = None) -> dict[str, datetime]:
    """The times of last complete answers, of these rules or of all; one that was spoilt by hand is logged, and none."""
    if rules is None:
        return _times(db.execute(lying(*answers.columns)))
    return _times(_rows(db, _ANSWERED, rules))


def _times(rows: Iterable[sa.Row[Any]]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in rows:
        try:
            _read_time(row, found)
        except PermanentError as error:
            LOG.error("%s", error)
    return found


def _read_time(row: sa.Row[Any], found: dict[str, datetime]) -> None:
    """Hundreds are read at each poll, so `meant` is asked only for what it says of a row that was spoilt."""
    rule, at = row.rule, row.at
    with suppress(PermanentError):
        found[rule] = moment(at)
    if not isinstance(rule, str) or rule not in found:
        found.pop(rule, None)
        meant(answers, row)


def listed(db: sa.Connection, rule: str) -> tuple[Alert, ...]:
    """Alerts of a rule as last saved."""
    query = lying(alerts.c.body).where(~alerts.c.gone, alerts.c.rule == rule).order_by(alerts.c.fingerprint)
    return tuple(_readable(db.execute(query).scalars()))


def _readable(bodies: Iterable[str]) -> Iterator[Alert]:
    """One that was spoilt by hand is logged and left out: the next answer writes it anew."""
    for body in bodies:
        try:
            yield codec.ALERT.decode(body)
        except PermanentError as error:
            LOG.error("an alert %s", error)
