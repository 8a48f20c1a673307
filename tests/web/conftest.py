"""A store in a file for each test, and a server on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.store import SqlStore, open_store
from tests.web.web_world import NOW, Served


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path}/opsbot.db", NOW)
    yield opened
    opened.close()


@pytest.fixture
def served(store: SqlStore) -> Iterator[Served]:
    with Served(store) as made:
        yield made
