"""What an alert's labels and annotations hold: a secret in them is in no column of the store, and on no card."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.access import Access
from opsbot.chat.notify import Notifier
from opsbot.core.alert import AlertRule
from opsbot.report import Reporter
from opsbot.store import SqlStore, open_store
from tests.monitor.monitor_world import RULE, START, World

SECRET = "hunter2Q9secret"
TOKEN = "ghp_" + "Ab3dE6gH1jK4mN7pQ0sT" + "vW2yZ5aC8eF1"
KEPT = "keepme"
LABELS = {
    "a password in an address": {"url": f"postgres://bot:{SECRET}@db/{KEPT}"},
    "a pair": {"args": f"{KEPT} password={SECRET}"},
    "a header": {"args": f"{KEPT} Authorization: Bearer {SECRET}"},
    "a label with a telling name": {"password": SECRET, "args": KEPT},
    "a token": {"args": f"{KEPT} {TOKEN}"},
    "a pair after others": {"args": f'{KEPT}\n{{"a": 1, "password": "{SECRET}"}}'},
}


def rules_of(labels: Mapping[str, str]) -> dict[str, AlertRule]:
    """A rule that leaves the labels alone, and some that carry them on into what people read."""
    told = "; ".join(f"{name}={{{{ $labels.{name} }}}}" for name in labels)
    bare = replace(RULE, annotations={}, target=None)
    written = "; ".join(f"{name}={text}" for name, text in labels.items())
    return {
        "as they are": bare,
        "into the summary": replace(bare, annotations={"summary": told}),
        "into another annotation": replace(bare, annotations={"runbook": told}),
        "into a label of the rule": replace(bare, labels={"more": told}),
        "into the severity": replace(bare, severity=told),
        "written in the rule": replace(bare, labels={"own": written}, annotations={"summary": written}),
    }


RULES = {f"{name}, {way}": (labels, way) for name, labels in LABELS.items() for way in rules_of(labels)}


def everything(file: Path) -> str:
    """All that lies in the database, table by table."""
    raw = sqlite3.connect(file)
    names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = "\n".join(repr(row) for name in names for row in raw.execute(f"SELECT * FROM {name}"))
    raw.close()
    return found


@pytest.mark.parametrize(("labels", "way"), RULES.values(), ids=RULES)
def test_a_secret_in_an_alert_is_neither_kept_nor_shown(tmp_path: Path, labels: dict[str, str], way: str) -> None:
    file = tmp_path / "opsbot.db"
    store = open_store(f"sqlite:///{file}", START)
    rule = rules_of(labels)[way]
    _fires_and_is_told(store, rule, labels)
    assert store.next_messages(START + timedelta(hours=1)), "what chat is told lies there too"
    store.close()
    kept = everything(file)
    assert SECRET not in kept
    assert TOKEN not in kept
    assert KEPT in kept, "what is no secret is kept, so the labels were there"


def _fires_and_is_told(store: SqlStore, rule: AlertRule, labels: dict[str, str]) -> None:
    world = World(store, rule)
    world.metrics.says(rule.condition, (labels, 7))
    world.poll(0)
    notifier = Notifier(store, Access(people=(), groups={}, permissions={"everyone": ("read",)}))
    notifier.notify(world.one, START)
    ended = world.walk("diagnosed", "stuck", at=60)
    Reporter(store).report(ended, START + timedelta(seconds=61))
    notifier.notify(world.one, START + timedelta(seconds=63))
