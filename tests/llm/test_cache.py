"""The cache: the same question of the same model costs once; everything else is asked anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.core.ports import Reply, Store
from opsbot.llm import Cached, connect
from opsbot.mask import mask
from opsbot.store import open_store
from opsbot.testing import FakeModel, FakeModelServer, ManualClock
from opsbot.testing.model import Said
from tests.llm.model_world import EMPTY, Terms, question

OTHER = '{"hypotheses": [1]}'


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store(clock: ManualClock) -> Iterator[Store]:
    made = open_store("sqlite://", clock())
    yield made
    made.close()


def test_the_same_question_is_asked_once(store: Store, clock: ManualClock) -> None:
    fake = FakeModel(EMPTY, OTHER)
    model = Cached(fake, Terms(), store, clock)
    assert model.ask(question(), 5.0) == Reply(EMPTY, 1000, 100)
    assert model.ask(question(timeout=7.0), 5.0) == Reply(EMPTY)
    assert Cached(fake, Terms(), store, clock).ask(question(), 5.0) == Reply(EMPTY)
    assert len(fake.asked) == 1


@pytest.mark.parametrize(
    ("terms", "asked"),
    [
        (Terms(name="other"), question()),
        (Terms("http://127.0.0.1:10/v1"), question()),
        (Terms(), replace(question(), text=mask("What is wrong now?"))),
        (Terms(), replace(question(), system="You are asked again.")),
        (Terms(), replace(question(), schema={"type": "object"})),
    ],
    ids=["model", "server", "text", "system", "schema"],
)
def test_another_question_is_another_one(store: Store, clock: ManualClock, terms: Terms, asked: Any) -> None:
    fake = FakeModel(EMPTY, OTHER)
    Cached(fake, Terms(), store, clock).ask(question(), 5.0)
    assert Cached(fake, terms, store, clock).ask(asked, 5.0).text == OTHER


def test_an_answer_grows_old(store: Store, clock: ManualClock) -> None:
    fake = FakeModel(EMPTY, OTHER)
    model = Cached(fake, Terms(cache_for=timedelta(minutes=10)), store, clock)
    model.ask(question(), 5.0)
    clock.advance(timedelta(minutes=9, seconds=59))
    assert model.ask(question(), 5.0).text == EMPTY
    clock.advance(timedelta(seconds=1))
    assert model.ask(question(), 5.0).text == OTHER


def test_one_from_the_future_is_not_believed(store: Store, clock: ManualClock) -> None:
    fake = FakeModel(EMPTY, OTHER)
    model = Cached(fake, Terms(), store, clock)
    model.ask(question(), 5.0)
    clock.set(clock() - timedelta(hours=2))
    assert model.ask(question(), 5.0).text == OTHER


def test_no_answer_is_not_remembered(store: Store, clock: ManualClock) -> None:
    fake = FakeModel(Blind("late"), EMPTY)
    model = Cached(fake, Terms(), store, clock)
    with pytest.raises(Blind):
        model.ask(question(), 5.0)
    assert model.ask(question(), 5.0).text == EMPTY


class Facts:
    """The part of a store that a cache uses; what is said of a key, whatever it is."""

    def __init__(self, text: str | None = None) -> None:
        self.text = text
        self.kept: dict[str, str] = {}

    def fetch(self, key: str) -> str | None:
        return self.text if self.text is not None else self.kept.get(key)

    def put(self, key: str, value: str, now: Any) -> None:
        self.kept[key] = value


SPOILT = [
    "",
    "null",
    "[]",
    "{}",
    "no JSON",
    '{"question": 1, "at": "x", "text": 2}',
    '{"at": "2026-01-01"}',
    "[" * 5000,
]


@pytest.mark.parametrize("text", SPOILT, ids=range(len(SPOILT)))
def test_what_cannot_be_read_is_not_there(clock: ManualClock, text: str) -> None:
    facts: Any = Facts(text)
    assert Cached(FakeModel(EMPTY), Terms(), facts, clock).ask(question(), 5.0).text == EMPTY


def test_a_store_that_fails_is_no_cache(clock: ManualClock) -> None:
    class Gone(Facts):
        def fetch(self, key: str) -> str | None:
            raise PermanentError("the disk is gone")

        def put(self, key: str, value: str, now: Any) -> None:
            raise PermanentError("the disk is gone")

    facts: Any = Gone()
    assert Cached(FakeModel(EMPTY), Terms(), facts, clock).ask(question(), 5.0).text == EMPTY


def test_it_does_not_grow_without_end(clock: ManualClock) -> None:
    facts: Any = Facts()
    model = Cached(FakeModel(EMPTY), Terms(), facts, clock)
    for number in range(600):
        model.ask(question(f"question {number}"), 5.0)
    assert len(facts.kept) <= 256


def test_what_is_kept_names_no_question(store: Store, clock: ManualClock) -> None:
    facts: Any = Facts()
    Cached(FakeModel(EMPTY), Terms(), facts, clock).ask(question("the log says so"), 5.0)
    (kept,) = facts.kept.values()
    assert "the log" not in kept
    assert json.loads(kept)["text"] == EMPTY


def test_connected_it_is_cache_then_budget_then_server(store: Store, clock: ManualClock) -> None:
    server = FakeModelServer(Said(EMPTY))
    with server.serve() as url:
        terms = Terms(f"{url}/v1", usd_per_million_in=10.0, usd_per_million_out=40.0)
        model = connect(terms, store, clock)
        assert model.ask(question(), 10.0).text == model.ask(question(), 10.0).text == EMPTY
        assert connect(Terms(f"{url}/v1"), None, clock).ask(question(), 10.0).text == EMPTY
    assert len(server.asked) == 2
    spent = store.fetch(f"model/spent/{clock():%Y-%m-%d}")
    assert spent is not None
    assert json.loads(spent)["usd"] == pytest.approx(0.014)
