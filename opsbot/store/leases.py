"""Claims on tasks: taken and given back by compare-and-set. They are advice, no fence: records fence themselves."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from opsbot.core.errors import PermanentError
from opsbot.core.ports import Claim
from opsbot.core.task import Skill
from opsbot.store.cells import lying, meant, named
from opsbot.store.tables import claims, incidents

LOG = logging.getLogger("opsbot.store")
Task = tuple[int, Skill]


def _is(task: Task) -> sa.ColumnElement[bool]:
    return (claims.c.incident == task[0]) & (claims.c.skill == task[1].value)


def _held(now: datetime) -> sa.ColumnElement[bool]:
    """A lease that runs, or a putting-off that is not over (a comparison with nothing is never true)."""
    return (claims.c.lease > now) | (claims.c.again_at > now)


def claim(db: sa.Connection, task: Task, worker: str, now: datetime, lease: timedelta) -> bool:
    """Take a task unless it is held; False when lost. A claim that a hand has made unreadable holds nothing."""
    if any(_readable(row) for row in db.execute(lying(*claims.columns).where(_is(task) & _held(now)))):
        return False
    if db.execute(sa.select(incidents.c.id).where(incidents.c.id == task[0])).first() is None:
        raise PermanentError(f"there is no incident {task[0]}")
    db.execute(sa.delete(claims).where(_is(task)))
    row = {"incident": task[0], "skill": task[1].value, "worker": worker, "lease": now + lease}
    db.execute(sa.insert(claims).values(**row))
    return True


def renew(db: sa.Connection, task: Task, worker: str, now: datetime, lease: timedelta) -> bool:
    """A longer lease on a task that is still this worker's; False when it was lost."""
    mine = _is(task) & (claims.c.worker == worker) & claims.c.lease.is_not(None)
    return db.execute(sa.update(claims).where(mine).values(lease=now + lease)).rowcount == 1


def release(db: sa.Connection, task: Task, worker: str, again_at: datetime | None) -> None:
    """Give back what is this worker's; a task that somebody else has taken since stays theirs."""
    mine = _is(task) & (claims.c.worker == worker) & claims.c.lease.is_not(None)
    if again_at is None:
        db.execute(sa.delete(claims).where(mine))
        return
    db.execute(sa.update(claims).where(mine).values(lease=None, again_at=again_at))


def end_waiting(db: sa.Connection, incident: int) -> None:
    """The record has changed: whatever was put off for it is worth a look now."""
    db.execute(sa.delete(claims).where((claims.c.incident == incident) & claims.c.lease.is_(None)))


def listed(db: sa.Connection, now: datetime) -> tuple[Claim, ...]:
    """What is held now; a row that was spoilt by hand is logged and left out."""
    rows = db.execute(lying(*claims.columns).where(_held(now)).order_by(claims.c.incident, claims.c.skill))
    return tuple(found for found in map(_readable, rows) if found)


def _readable(row: sa.Row[Any]) -> Claim | None:
    try:
        one = meant(claims, row)
        return Claim(one.incident, Skill(one.skill), one.worker, one.lease, one.again_at)
    except PermanentError as error:
        LOG.error("%s", error)
    except ValueError:
        LOG.error("%s is of no skill that is known here", named(claims, row))
    return None
