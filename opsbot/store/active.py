"""Alerts as last answered, one rule at a time, in batches: a storm is one transaction, not thousands."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import sqlalchemy as sa

from opsbot.core.alert import Alert, AlertState
from opsbot.core.errors import Conflict, PermanentError
from opsbot.store import codec
from opsbot.store.cells import lying, meant
from opsbot.store.tables import alerts, answers

LOG = logging.getLogger("opsbot.store")


def save(db: sa.Connection, rule: str, active: Sequence[Alert], answered_at: datetime) -> None:
    """Put the alerts of one rule in place of those that were there; Conflict where a later answer is known."""
    _answered(db, rule, answered_at)
    bodies = {alert.fingerprint: codec.ALERT.encode(alert) for alert in active}
    if len(bodies) != len(active) or any(alert.rule != rule for alert in active):
        raise PermanentError(f"these are not the distinct alerts of the rule {rule[:40]!r}")
    rows = db.execute(lying(*alerts.columns).where(alerts.c.rule == rule)).all()
    _forget(db, [row for row in rows if row.fingerprint not in bodies and not row.gone])
    there = {row.fingerprint: row for row in rows}
    fresh = [{"fingerprint": f, "rule": rule, "gone": False, "body": b} for f, b in bodies.items() if f not in there]
    if fresh:
        db.execute(sa.insert(alerts), fresh)
    _renew(db, [(there[f], b) for f, b in bodies.items() if f in there])


def _answered(db: sa.Connection, rule: str, at: datetime) -> None:
    last = answered(db, rule)
    if last is not None and at < last:
        raise Conflict(f"a later answer for the rule {rule[:40]!r} is known already ({last.isoformat()})")
    db.execute(sa.delete(answers).where(answers.c.rule == rule))
    db.execute(sa.insert(answers).values(rule=rule, at=at))


def _forget(db: sa.Connection, rows: Sequence[sa.Row[tuple[object, ...]]]) -> None:
    """A resolved alert that an incident owns stays with it, so that it can still say what it was about."""
    for row in rows:
        mine = alerts.c.fingerprint == row.fingerprint
        if row.incident is not None and any(alert.state is AlertState.RESOLVED for alert in _readable([row.body])):
            db.execute(sa.update(alerts).where(mine).values(gone=True))
        else:
            db.execute(sa.delete(alerts).where(mine))


def _renew(db: sa.Connection, pairs: Sequence[tuple[sa.Row[tuple[object, ...]], str]]) -> None:
    """New bodies for known alerts. One that was gone begins anew and belongs to nobody."""
    back = [row.fingerprint for row, _ in pairs if row.gone]
    changed = [{"f": row.fingerprint, "b": body} for row, body in pairs if row.body != body or row.gone]
    for fingerprint in back:
        db.execute(sa.update(alerts).where(alerts.c.fingerprint == fingerprint).values(gone=False, incident=None))
    if changed:
        query = sa.update(alerts).where(alerts.c.fingerprint == sa.bindparam("f")).values(body=sa.bindparam("b"))
        db.execute(query, changed)


def answered(db: sa.Connection, rule: str) -> datetime | None:
    """The time of the last complete answer; one that was spoilt by hand is logged and counts as none."""
    row = db.execute(lying(*answers.columns).where(answers.c.rule == rule)).first()
    try:
        at: datetime | None = meant(answers, row).at if row else None
    except PermanentError as error:
        LOG.error("%s", error)
        return None
    return at


def listed(db: sa.Connection, rule: str | None) -> tuple[Alert, ...]:
    """Alerts as last saved."""
    query = lying(alerts.c.body).where(~alerts.c.gone).order_by(alerts.c.rule, alerts.c.fingerprint)
    query = query if rule is None else query.where(alerts.c.rule == rule)
    return tuple(_readable(db.execute(query).scalars()))


def _readable(bodies: Iterable[str]) -> Iterator[Alert]:
    """One that was spoilt by hand is logged and left out: the next answer writes it anew."""
    for body in bodies:
        try:
            yield codec.ALERT.decode(body)
        except PermanentError as error:
            LOG.error("an alert %s", error)
