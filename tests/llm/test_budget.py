"""Budgets: checked before, settled after, kept in the store, and denied where they cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError, Refused, TemporaryError
from opsbot.core.ports import Model, Question, Reply, Store
from opsbot.llm import Budgeted
from opsbot.llm.spent import NoAnswer, Spent, guessed, worst
from opsbot.store import SqlStore, open_store
from opsbot.testing import FakeModel, ManualClock
from tests.llm.model_world import EMPTY, Terms, question

PRICED = Terms(usd_per_million_in=10.0, usd_per_million_out=40.0, usd_per_day=0.5)
COST = (1000 * 10.0 + 100 * 40.0) / 1e6
WORST = (worst(question()).prompt * 10.0 + worst(question()).completion * 40.0) / 1e6


class World:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store: SqlStore = open_store("sqlite://", self.clock())
        self.key = f"model/spent/{self.clock():%Y-%m-%d}"

    def budgeted(self, model: Model, terms: Terms = PRICED, store: Store | None = None) -> Budgeted:
        return Budgeted(model, terms, store or self.store, self.clock)

    def spent(self) -> float:
        found = self.store.fetch(self.key)
        return float(json.loads(found)["usd"]) if found else 0.0


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.store.close()


def test_the_real_cost_is_booked_after_the_answer(world: World) -> None:
    model = world.budgeted(FakeModel(EMPTY))
    assert model.ask(question(), 5.0) == Reply(EMPTY, 1000, 100)
    assert world.spent() == pytest.approx(COST)
    model.ask(question(), 5.0)
    assert world.spent() == pytest.approx(2 * COST)


def test_the_worst_case_is_booked_while_it_is_being_asked(world: World) -> None:
    seen: list[float] = []

    def look(_text: str) -> str:
        seen.append(world.spent())
        return EMPTY

    world.budgeted(FakeModel(look)).ask(question(), 5.0)
    assert seen == [pytest.approx(WORST)]


@pytest.mark.parametrize(
    ("error", "cost"),
    [(NoAnswer("cut off", Spent(500, 50)), 0.007), (NoAnswer("refused"), 0.0), (Blind("late"), WORST)],
    ids=["spent in vain", "never asked", "nobody knows"],
)
def test_a_question_in_vain_costs_what_it_did(world: World, error: Blind, cost: float) -> None:
    with pytest.raises(Blind):
        world.budgeted(FakeModel(error)).ask(question(), 5.0)
    assert world.spent() == pytest.approx(cost)


def test_it_ends_with_the_money_and_comes_back_with_the_day(world: World) -> None:
    fake = FakeModel(EMPTY)
    model = world.budgeted(fake)
    world.store.put(world.key, json.dumps({"usd": 0.5 - WORST / 2}), world.clock())
    with pytest.raises(Refused, match=r"usd_per_day 0\.5") as caught:
        model.ask(question(), 5.0)
    assert caught.value.reason == "over_budget"
    assert fake.asked == []
    world.clock.advance(timedelta(days=1))
    assert world.budgeted(fake).ask(question(), 5.0).text == EMPTY


def test_it_survives_a_restart(world: World) -> None:
    for _ in range(3):
        world.budgeted(FakeModel(EMPTY)).ask(question(), 5.0)
    assert world.spent() == pytest.approx(3 * COST)


def test_a_question_that_may_take_too_many_tokens_is_not_asked(world: World) -> None:
    fake = FakeModel(EMPTY)
    need = worst(question())
    fits = replace(PRICED, tokens_per_incident=need.prompt + need.completion)
    assert world.budgeted(fake, fits).ask(question(), 5.0).text == EMPTY
    with pytest.raises(Refused, match="tokens_per_incident") as caught:
        world.budgeted(fake, replace(fits, tokens_per_incident=fits.tokens_per_incident - 1)).ask(question(), 5.0)
    assert caught.value.reason == "over_budget"
    assert len(fake.asked) == 1


SPOILT = [
    "",
    "null",
    "{}",
    "no JSON",
    '{"usd": "1"}',
    '{"usd": -1}',
    '{"usd": NaN}',
    '{"usd": true}',
    "[]",
    '{"usd": null}',
]


@pytest.mark.parametrize("text", SPOILT, ids=range(len(SPOILT)))
def test_what_cannot_be_read_is_spent(world: World, text: str) -> None:
    fake = FakeModel(EMPTY)
    world.store.put(world.key, text, world.clock())
    with pytest.raises(Refused) as caught:
        world.budgeted(fake).ask(question(), 5.0)
    assert caught.value.reason == "budget_unreadable"
    assert fake.asked == []


class Failing:
    """A store in which facts can no longer be read, or no longer be kept."""

    def __init__(self, store: Store, *, reads: bool = True) -> None:
        self._store, self._reads = store, reads

    def fetch(self, key: str) -> str | None:
        if not self._reads:
            raise PermanentError("the disk is gone")
        return self._store.fetch(key)

    def put(self, key: str, value: str, now: Any) -> None:
        raise PermanentError("the disk is full")


@pytest.mark.parametrize("reads", [True, False], ids=["cannot be kept", "cannot be read"])
def test_a_store_that_fails_stops_it(world: World, reads: bool) -> None:
    fake = FakeModel(EMPTY)
    store: Any = Failing(world.store, reads=reads)
    with pytest.raises(Refused) as caught:
        world.budgeted(fake, store=store).ask(question(), 5.0)
    assert caught.value.reason == "budget_unreadable"
    assert fake.asked == []


@pytest.mark.parametrize("said", [EMPTY, NoAnswer("cut off", Spent(500, 50))], ids=["an answer", "none"])
def test_what_was_paid_for_is_kept_where_it_cannot_be_booked_and_its_worst_case_counts(
    world: World, caplog: pytest.LogCaptureFixture, said: Any
) -> None:
    store: Any = FullLater(world.store)
    model = world.budgeted(FakeModel(said), store=store)
    if isinstance(said, NoAnswer):
        with pytest.raises(NoAnswer, match="cut off"):
            model.ask(question(), 5.0)
    else:
        assert model.ask(question(), 5.0) == Reply(EMPTY, 1000, 100)
    assert store.left == -1
    assert world.spent() == pytest.approx(WORST)
    assert "could not be booked" in caplog.text


class FullLater(Failing):
    """A store that keeps one fact more."""

    left = 1

    def put(self, key: str, value: str, now: Any) -> None:
        self.left -= 1
        if self.left < 0:
            raise TemporaryError("database is locked")
        self._store.put(key, value, now)


def test_with_prices_and_no_store_nothing_is_asked(world: World) -> None:
    fake = FakeModel(EMPTY)
    with pytest.raises(Refused, match="no store"):
        Budgeted(fake, PRICED, None, world.clock).ask(question(), 5.0)
    assert fake.asked == []


def test_without_prices_only_tokens_are_capped(world: World) -> None:
    assert Budgeted(FakeModel(EMPTY), Terms(usd_per_day=0.0), None, world.clock).ask(question(), 5.0).text == EMPTY
    world.budgeted(FakeModel(EMPTY), Terms(usd_per_day=0.0)).ask(question(), 5.0)
    assert world.store.fetch(world.key) is None


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0), ("abc", 1, 1), ("abcd", 2, 2), ("word " * 300, 450, 500), ("\u9519\u8bef" * 100, 200, 300),
        ("\u043e\u0448\u0438\u0431\u043a\u0430 " * 100, 300, 700), ("\u0e01" * 90, 90, 180),
        ("\U0001f525" * 50, 100, 100), ("\u00e9t\u00e9 " * 30, 60, 90), ("queue \u6ee1 " * 10, 30, 45),
        ("\ud800", 1, 2),
    ],
    ids=["nothing", "one", "two", "English", "Chinese", "Russian", "Thai", "emoji", "French", "mixed",
         "half a pair"],
)  # fmt: skip
def test_tokens_are_guessed_high_in_every_script(text: str, least: int, most: int) -> None:
    assert least <= guessed(text) <= most


def test_the_worst_case_covers_a_question_that_had_to_be_mended() -> None:
    asked: Question = question("x" * 3000)
    most = worst(asked)
    assert most.completion == 2 * asked.max_tokens
    assert most.prompt >= 2 * 1000 + asked.max_tokens
