"""A model that keeps to its means: tokens for one question, money for one day (UTC), kept in the store.

The worst case is booked before the question and set right after it, so that a fall in between errs to the safe side.
What cannot be read is spent.
"""

from __future__ import annotations

import json
import logging
import math
import threading
from typing import Protocol

from opsbot.core.errors import OpsbotError, Refused
from opsbot.core.ports import Clock, Model, Question, Reply, Store
from opsbot.llm.spent import NoAnswer, Spent, worst

LOG = logging.getLogger("opsbot.llm")


class Terms(Protocol):
    """What may be spent."""

    @property
    def tokens_per_incident(self) -> int:
        """Most tokens that a question may cost, its repair included."""

    @property
    def usd_per_day(self) -> float:
        """Most money in a day (UTC); it counts where prices are given."""

    @property
    def usd_per_million_in(self) -> float:
        """The price of a million tokens asked; 0 where it is not known."""

    @property
    def usd_per_million_out(self) -> float:
        """The price of a million tokens answered."""


class Budgeted:
    """`core.ports.Model` that asks another one while there is budget; Refused("over_budget") after that.

    Several processes may each pass the last check at the same time: the day's sum is kept to within a question each.
    """

    def __init__(self, model: Model, terms: Terms, store: Store | None, clock: Clock) -> None:
        self._model, self._terms, self._store, self._clock = model, terms, store, clock
        self._lock = threading.Lock()

    def ask(self, question: Question, deadline: float) -> Reply:
        """The answer; Refused("over_budget") or Refused("budget_unreadable") without asking."""
        most = worst(question)
        if most.prompt + most.completion > self._terms.tokens_per_incident:
            needs = f"it may take {most.prompt + most.completion} tokens"
            raise Refused("over_budget", f"{needs}, and tokens_per_incident is {self._terms.tokens_per_incident}")
        booked = self._cost(most)
        key = f"model/spent/{self._clock():%Y-%m-%d}"
        self._book(key, booked, check=True)
        try:
            reply = self._model.ask(question, deadline)
        except NoAnswer as error:
            self._settle(key, self._cost(error.spent) - booked)
            raise
        self._settle(key, self._cost(Spent(reply.prompt_tokens, reply.completion_tokens)) - booked)
        return reply

    def _settle(self, key: str, amount: float) -> None:
        """Set right what was booked. Where that fails the worst case stays booked: what was paid for is not lost."""
        try:
            self._book(key, amount)
        except Refused as error:
            LOG.warning("what a question really cost could not be booked (%s): its worst case counts", error)

    def _cost(self, spent: Spent) -> float:
        """In USD; nothing where no prices are given."""
        asked = spent.prompt * self._terms.usd_per_million_in
        return (asked + spent.completion * self._terms.usd_per_million_out) / 1_000_000

    def _book(self, key: str, amount: float, *, check: bool = False) -> None:
        if not (self._terms.usd_per_million_in or self._terms.usd_per_million_out):
            return
        with self._lock:
            total = self._spent(key) + amount
            if check and total > self._terms.usd_per_day:
                raise Refused(
                    "over_budget", f"with {total:.2f} USD it would pass usd_per_day {self._terms.usd_per_day:g}"
                )
            self._put(key, max(total, 0.0))

    def _spent(self, key: str) -> float:
        if self._store is None:
            raise Refused("budget_unreadable", "there is no store to keep the day's spending in")
        try:
            found = self._store.fetch(key)
            total = 0.0 if found is None else json.loads(found)["usd"]
        except (OpsbotError, ValueError, LookupError, TypeError, RecursionError) as error:
            raise Refused("budget_unreadable", "what was spent today cannot be read") from error
        if not isinstance(total, int | float) or isinstance(total, bool) or not math.isfinite(total) or total < 0:
            raise Refused("budget_unreadable", "what was spent today cannot be read")
        return float(total)

    def _put(self, key: str, total: float) -> None:
        assert self._store is not None
        try:
            self._store.put(key, json.dumps({"usd": round(total, 6)}), self._clock())
        except OpsbotError as error:
            raise Refused("budget_unreadable", "what is spent today cannot be kept") from error
