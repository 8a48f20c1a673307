"""`status`, `ack` and `help`, whoever opened the door."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from opsbot.commands import VERBS, ack, help, status  # noqa: A004
from opsbot.config import Config
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, PermanentError, Refused
from opsbot.core.incident import Incident, State
from opsbot.store import SqlStore, open_store
from tests.chat.chat_world import NOW, awaiting, incident_in


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(f"sqlite:///{tmp_path / 'opsbot.db'}", NOW)
    yield opened
    opened.close()


@pytest.fixture
def desk(store: SqlStore) -> Any:
    return SimpleNamespace(
        store=store, record=store, now=NOW + timedelta(minutes=5), door="slack", config=Config(folder=Path())
    )


@pytest.fixture
def add(store: SqlStore) -> Callable[[Incident], Incident]:
    return lambda incident: store.create(incident, Note("monitor", "opened"), NOW)


Add = Callable[[Incident], Incident]


def test_status_says_what_waits_for_a_human_worst_first(desk: Any, add: Add) -> None:
    add(incident_in(key="a"))
    late = add(incident_in(State.ESCALATED, key="b", severity="warning", since=NOW))
    early = add(incident_in(State.ESCALATED, key="c", severity="warning", since=NOW - timedelta(hours=1)))
    worst = add(replace(awaiting(), key="d"))
    add(incident_in(State.RESOLVED, key="e"))
    said = status.run(desk, "Ana", Namespace()).data
    assert [row["id"] for row in said["waiting"]] == [worst.id, early.id, late.id]
    assert said["open"] == 4
    assert said["states"] == {"awaiting_approval": 1, "escalated": 2, "open": 1}
    assert said["changes"] == {"last_hour": 0, "allowed": 10}
    assert said["mode"] == "observe"


def test_status_of_a_quiet_night(desk: Any) -> None:
    said = status.run(desk, "Ana", Namespace()).data
    assert (said["open"], said["waiting"], said["states"]) == (0, [], {})


def test_ack_says_who_looks_into_it(desk: Any, add: Add, store: SqlStore) -> None:
    made = add(incident_in())
    said = ack.run(desk, "Ana", Namespace(incident=made.id)).data["incident"]
    assert said["acked_by"] == "Ana"
    assert (store.audit(made.id)[-1].who, store.audit(made.id)[-1].act) == ("Ana", "acked")
    assert ack.run(desk, "Ben", Namespace(incident=made.id)).data["incident"]["acked_by"] == "Ben"
    assert store.audit(made.id)[-1].detail == {"before": "Ana"}


def test_ack_twice_is_one_entry(desk: Any, add: Add, store: SqlStore) -> None:
    made = add(incident_in())
    for _ in range(3):
        ack.run(desk, "Ana", Namespace(incident=made.id))
    assert [entry.act for entry in store.audit(made.id)] == ["opened", "acked"]


@pytest.mark.parametrize(
    ("number", "kind"), [(1, Refused), (7, PermanentError), (0, PermanentError), (2**70, PermanentError)]
)
def test_ack_of_what_is_over_or_never_was(desk: Any, add: Add, number: int, kind: type[Exception]) -> None:
    add(incident_in(State.RESOLVED))
    with pytest.raises(kind):
        ack.run(desk, "Ana", Namespace(incident=number))


@pytest.mark.parametrize(("races", "acked"), [(1, True), (2, True), (3, False)], ids=["once", "twice", "always"])
def test_ack_is_said_again_after_a_change_at_the_same_moment(
    desk: Any, add: Add, store: SqlStore, races: int, acked: bool
) -> None:
    made, real = add(incident_in()), store.load
    left = list(range(races))

    def raced(number: int) -> Incident | None:
        found = real(number)
        if found and left:
            left.pop()
            store.save(found, Note("monitor", "moved"), NOW)
        return found

    desk.store = SimpleNamespace(load=raced, save=store.save)
    with nullcontext() if acked else pytest.raises(Conflict):
        ack.run(desk, "Ana", Namespace(incident=made.id))
    saved = real(made.id)
    assert saved
    assert saved.acked_by == ("Ana" if acked else "")


def test_help_lists_what_this_door_takes(desk: Any) -> None:
    spoken = {row["words"] for row in help.run(desk, "", Namespace(words=[])).data["verbs"]}
    assert spoken == {row.words for row in VERBS if row.spoken}
    desk.door = "cli"
    assert len(help.run(desk, "", Namespace(words=[])).data["verbs"]) == len(VERBS)


def test_help_explains_one(desk: Any) -> None:
    [row] = help.run(desk, "", Namespace(words=["approve"])).data["verbs"]
    assert [argument["name"] for argument in row["arguments"]] == ["ID", "PLAN", "--reason"]
    desk.door = "cli"
    assert len(help.run(desk, "", Namespace(words=["playbook"])).data["verbs"]) == 4
    assert len(help.run(desk, "", Namespace(words=["playbook", "run"])).data["verbs"]) == 1


@pytest.mark.parametrize("words", [["serve"], ["xyzzy"], ["\x1b[31m"]])
def test_help_for_what_this_door_does_not_take(desk: Any, words: list[str]) -> None:
    with pytest.raises(PermanentError, match="is no verb here; there are: diagnose, status"):
        help.run(desk, "", Namespace(words=words))


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ("status", "status"),
        ("approve", "approve ID PLAN [--reason REASON]"),
        ("reject", "reject ID [PLAN] [--reason REASON]"),
        ("incidents", "incidents [--all] [--limit LIMIT]"),
        ("diagnose", "diagnose TARGET [-n NAMESPACE] [--ask-model] [--rules-only] [--prompt]"),
        ("check", "check [FILE]"),
        ("playbook run", "playbook run NAME TARGET [-n NAMESPACE] [--set KEY=VALUE] [--reason REASON]"),
        ("serve", "serve [--for FOR]"),
    ],
)
def test_help_says_how_a_verb_is_typed(desk: Any, words: str, usage: str) -> None:
    desk.door = "cli"
    (row,) = help.run(desk, "", Namespace(words=words.split())).data["verbs"]
    assert row["usage"] == usage
