"""A SQLite file with a store in it, and an incident to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot.core.incident import Incident, State
from opsbot.mask import mask
from opsbot.store import SqlStore, open_store

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ops bot?#%41.db"  # a name that an address must not take apart


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


@pytest.fixture
def store(url: str) -> Iterator[SqlStore]:
    opened = open_store(url, NOW)
    yield opened
    opened.close()


@pytest.fixture
def incident() -> Callable[[str], Incident]:
    return lambda key: Incident(0, key, 0, State.OPEN, "critical", mask("High Task Latency"), NOW, NOW)
