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
from opsbot.core.message import Draft, Kind, Place, Said
from opsbot.store import SqlStore, open_store

HEAD = """
import os, signal, sys
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

SEND = (
    HEAD
    + """
from opsbot.core.message import Place
sent = 0
while found := store.next_messages(NOW):
    print(found[0].key, flush=True)  # this is the sending
    if sent == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    store.message_sent(found[0].id, found[0].place or Place("C1", "1.1"), NOW)
    sent += 1
"""
)
TAKE = (
    HEAD
    + """
from opsbot.core.message import Said
print("ready", flush=True)
sys.stdin.readline()
for number in range(50):
    if store.take(Said(f"Ev{number}", {"by": sys.argv[2]}, NOW), NOW):
        print(number)
"""
)
ACK = (
    HEAD
    + """
from opsbot.core.message import Said
for number in range(10_000):
    store.take(Said(f"Ev{number}", {"n": number}, NOW), NOW)
    print(f"Ev{number}", flush=True)  # this is the acknowledging
"""
)


@pytest.fixture
def one(store: SqlStore, now: datetime, incident: Callable[[str], Incident]) -> Incident:
    return store.create(incident("a"), Note("monitor", "opened"), now)


def _child(program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _said_until_killed(child: subprocess.Popen[str], lines: int) -> list[str]:
    """All lines of a child that is killed after so many; `communicate` would miss what has been read ahead of them."""
    with child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(lines)]
        child.send_signal(signal.SIGKILL)
        return "".join([*said, child.stdout.read()]).split()


@pytest.mark.parametrize("lines", [1, 7, 40], ids=lambda lines: f"after {lines} saves")
def test_what_was_acknowledged_before_a_kill_is_there(
    store: SqlStore, url: str, now: datetime, one: Incident, lines: int
) -> None:
    acknowledged = [int(line) for line in _said_until_killed(_child(SAVE, url), lines)]
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


@pytest.mark.parametrize("killed_after", [0, 1, 2], ids=["at the card", "at a note", "at another note"])
def test_killed_between_sending_and_saying_so_a_message_is_sent_again_and_none_is_lost(
    store: SqlStore, url: str, now: datetime, one: Incident, killed_after: int
) -> None:
    drafts = [Draft(Kind.CARD, "c1", {}), Draft(Kind.NOTE, "n1", {}), Draft(Kind.NOTE, "n2", {})]
    store.add_messages(one.id, drafts, one.mark, now)
    child = _child(SEND, url, str(killed_after))
    first = child.communicate(timeout=60)[0].split()
    assert child.returncode == -signal.SIGKILL
    second = _child(SEND, url, "99").communicate(timeout=60)[0].split()
    assert first == ["c1", "n1", "n2"][: killed_after + 1]
    assert second == ["c1", "n1", "n2"][killed_after:]
    assert (store.next_messages(now), store.card(one.id)) == ((), Place("C1", "1.1"))


def test_processes_that_take_what_was_said_at_once_take_each_once(store: SqlStore, url: str, now: datetime) -> None:
    children = [_child(TAKE, url, f"child {n}") for n in range(2)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    taken = [[int(line) for line in child.communicate(timeout=60)[0].split()] for child in children]
    assert sorted(taken[0] + taken[1]) == list(range(50))
    assert {said.id: said.what["by"] for said in store.untreated()} == {
        f"Ev{number}": f"child {n}" for n in range(2) for number in taken[n]
    }


def test_what_was_acknowledged_to_a_person_is_there_after_a_kill(store: SqlStore, url: str, now: datetime) -> None:
    acknowledged = _said_until_killed(_child(ACK, url), 5)
    kept = [said.id for said in store.untreated()]
    assert kept[: len(acknowledged)] == acknowledged
    assert len(kept) - len(acknowledged) in (0, 1)
    assert store.take(Said(acknowledged[0], {}, now), now) is False
