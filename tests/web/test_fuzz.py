"""Payloads bent at random, always in the same way: an answer of 2xx or 4xx each time, and never a traceback."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from tests.monitor.receiving.payloads.payload_samples import alertmanager, entry, grafana
from tests.web.web_world import Served

SENSORS = {"events": [{"title": "Hot", "state": "open", "host": "h1"}, {"title": "Hot", "state": "closed"}]}
PAYLOADS = {
    "alertmanager": alertmanager(entry(), entry("resolved", pod="b")), "grafana": grafana(entry(), entry("resolved")),
    "sensors": SENSORS,
}  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 10**400, "", "x", "firing", "\x00\x1b[2J", "\u202e", "ä" * 5_000,
    "{{ alert.title }}", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z",
    "-0001-01-01T00:00:00Z", [], {}, [[]],
    {"": ""}, {"a": None}, {"__name__": "x"}, {"alertname": "x"}, ["firing"], "\ud83d", "password=hunter2hunter2",
    "Deployment/a/b", "../..", "%s%n", 10**18, -(10**18), 1e308,
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def bent(value: Any, chance: random.Random) -> Any:
    """A payload with a few of its parts replaced, removed or doubled."""
    made = copy.deepcopy(value)
    for _ in range(chance.randint(1, 4)):
        path = chance.choice(places(made))
        if not path:
            continue
        holder = made
        for step in path[:-1]:
            holder = holder[step]
        act = chance.randrange(4)
        if act == 0:
            del holder[path[-1]]
        elif act == 1 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[path[-1]]))
        elif act == 2 and isinstance(holder, dict):
            holder[str(chance.choice(ODD))[:300]] = copy.deepcopy(holder[path[-1]])
        else:
            holder[path[-1]] = copy.deepcopy(chance.choice(ODD))
    return made if chance.random() > 0.02 else chance.choice(ODD)


def spoilt(body: bytes, chance: random.Random) -> bytes:
    """Bytes with a few of them changed."""
    made = bytearray(body)
    for _ in range(chance.randint(1, 6)):
        made[chance.randrange(len(made))] = chance.randrange(256)
    return bytes(made[: chance.randint(0, len(made))] if chance.random() < 0.2 else made)


@pytest.mark.parametrize("name", PAYLOADS)
@pytest.mark.parametrize("seed", range(2))
def test_bent_payloads(served: Served, caplog: pytest.LogCaptureFixture, name: str, seed: int) -> None:
    chance = random.Random(f"{name} {seed}")
    statuses = [served.post(bent(PAYLOADS[name], chance), name).status for _ in range(100)]
    assert set(statuses) <= {200, 400}
    assert {200, 400} <= set(statuses), "a fuzz that never or always succeeds shows nothing"
    assert "Traceback" not in caplog.text
    assert "ERROR" not in [record.levelname for record in caplog.records]


@pytest.mark.parametrize("name", PAYLOADS)
def test_spoilt_bytes(served: Served, caplog: pytest.LogCaptureFixture, name: str) -> None:
    chance = random.Random(name)
    body = json.dumps(PAYLOADS[name]).encode()
    assert {served.post(spoilt(body, chance), name).status for _ in range(100)} <= {200, 400}
    assert "ERROR" not in [record.levelname for record in caplog.records]


def test_whatever_was_kept_can_be_read_back(served: Served) -> None:
    chance = random.Random(7)
    for _ in range(100):
        served.post(bent(PAYLOADS["alertmanager"], chance))
    alerts = served.store.alerts()
    assert alerts
    assert served.store.verify() == ()
    assert all(word.isprintable() for alert in alerts for word in alert.labels)
