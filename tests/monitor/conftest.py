"""A store in memory for each test, whose audit must be whole at the end, and a world on it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from opsbot.store import SqlStore, open_store
from tests.monitor.monitor_world import START, World


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store("sqlite://", START)
    yield opened
    assert opened.verify() == ()
    opened.close()


@pytest.fixture
def world(store: SqlStore) -> World:
    return World(store)
