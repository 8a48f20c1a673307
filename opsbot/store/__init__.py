"""The truth: incidents, audit, evidence, alerts and claims over SQLAlchemy Core. Imported by `app` alone."""

from opsbot.store.sql import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
