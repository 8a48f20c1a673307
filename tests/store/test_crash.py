"""Processes killed with -9 and processes side by side: what was acknowledged is there, once, and the audit verifies."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from opsbot.core.audit import Note
from opsbot.core.incident import Incident
from opsbot.store import SqlStore, open_store

HEAD = """
import sys
from dataclasses import replace
from datetime import UTC, datetime
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict
from opsbot.store import open_store
NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
store = open_store(sys.argv[1], NOW, create=False)
"""
SAVE = (
    HEAD
    + """
incident = store.load(1)
while True:
    incident = store.save(replace(incident, reason=f"save {incident.version + 1}"), Note("child", "saved"), NOW)
    print(incident.version, flush=True)
"""
)
COUNT = (
    HEAD
    + """
won = lost = 0
while won < 40:
    incident = store.load(1)
    try:
        store.save(replace(incident, reason=str(int(incident.reason or 0) + 1)), Note(sys.argv[2], "counted"), NOW)
        won += 1
    except Conflict:
        lost += 1
print(lost)
"""
)


@pytest.fixture
def one(store: SqlStore, now: datetime, incident: Callable[[str], Incident]) -> Incident:
    return store.create(incident("a"), Note("monitor", "opened"), now)


def _child(program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("lines", [1, 7, 40], ids=lambda lines: f"after {lines} saves")
def test_what_was_acknowledged_before_a_kill_is_there(
    store: SqlStore, url: str, now: datetime, one: Incident, lines: int
) -> None:
    child = _child(SAVE, url)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in child.communicate(timeout=60)[0].split()]
    fresh = open_store(url, now, create=False)
    found = fresh.load(1)
    assert found is not None
    assert found.version in (acknowledged[-1], acknowledged[-1] + 1)
    assert found.reason == f"save {found.version}"
    assert [entry.version for entry in fresh.audit(1)] == list(range(1, found.version + 1))
    assert fresh.verify() == ()
    fresh.close()


def test_processes_that_save_at_once_lose_no_count(store: SqlStore, url: str, one: Incident, file: Path) -> None:
    children = [_child(COUNT, url, f"child {n}") for n in range(3)]
    for child in children:
        assert child.communicate(timeout=120)[0] != ""
    found = store.load(1)
    assert found is not None
    assert (found.reason, found.version) == ("120", 121)
    assert len(store.audit(1)) == 121
    assert store.verify() == ()
