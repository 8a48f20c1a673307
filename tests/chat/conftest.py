"""A workspace with a door in it: a fake Slack over loopback, a store and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.store import SqlStore, open_store
from opsbot.testing.clock import ManualClock
from opsbot.testing.slack import FakeSlack
from tests.chat.chat_world import ANA, BEN, EVE, NOW, Office


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'opsbot.db'}", NOW)
    yield opened
    opened.close()


@pytest.fixture
def office(store: SqlStore, clock: ManualClock, tmp_path: Path) -> Iterator[Office]:
    slack = FakeSlack(clock)
    for person, name in ((ANA, "ana"), (BEN, "ben"), (EVE, "eve")):
        slack.person(person, name)
    with slack.serve():
        yield Office(slack, store, clock, tmp_path)
