"""Figures about what is kept: counted by the database itself, so that asking often is cheap."""

from __future__ import annotations

import sqlalchemy as sa

from opsbot.core.ports import Figures
from opsbot.store.engine import version
from opsbot.store.tables import alerts, incidents, messages


def read(db: sa.Connection) -> Figures:
    """All of them, as of one moment."""
    state, severity = (sa.func.json_extract(alerts.c.body, path) for path in ("$.state", "$.severity"))
    active = sa.select(state, severity, sa.func.count()).where(~alerts.c.gone).group_by(state, severity)
    walking = sa.select(incidents.c.state, sa.func.count()).where(incidents.c.unresolved).group_by(incidents.c.state)
    waiting = sa.select(sa.func.count()).select_from(messages).where(messages.c.state == "waiting")
    return Figures(
        alerts={(str(state), str(severity)): count for state, severity, count in db.execute(active)},
        incidents={str(state): count for state, count in db.execute(walking)},
        opened=db.execute(sa.select(sa.func.max(incidents.c.id))).scalar() or 0,
        messages=db.execute(waiting).scalar() or 0,
        size=_pragma(db, "page_count") * _pragma(db, "page_size"),
        version=version(db),
    )


def _pragma(db: sa.Connection, name: str) -> int:
    return int(db.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)
