"""A model whose answers are kept for a while: the same question of the same model costs once.

A question is known by its hash; the store holds a fixed number of places, so that what is old is written over.
"""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Protocol

from opsbot.core.canonical import digest, plain
from opsbot.core.errors import OpsbotError
from opsbot.core.ports import Clock, Model, Question, Reply, Store


class Terms(Protocol):
    """Whose answers, and for how long."""

    @property
    def base_url(self) -> str:
        """Where the model is: another server's model of the same name is another one."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def cache_for(self) -> timedelta:
        """How long an answer is kept."""


class Cached:
    """`core.ports.Model` that asks another one for what it does not remember. A store that fails is no cache."""

    def __init__(self, model: Model, terms: Terms, store: Store, clock: Clock) -> None:
        self._model, self._terms, self._store, self._clock = model, terms, store, clock

    def ask(self, question: Question, deadline: float) -> Reply:
        """The answer, which costs nothing where it is remembered; only a good answer is."""
        known = digest([self._terms.base_url, self._terms.name, question.system, question.text, question.schema])
        place = f"model/answer/{known[:2]}"
        text = self._remembered(place, known)
        if text is not None:
            return Reply(text)
        reply = self._model.ask(question, deadline)
        with suppress(OpsbotError):
            now = self._clock()
            self._store.put(place, json.dumps({"question": known, "at": plain(now), "text": reply.text}), now)
        return reply

    def _remembered(self, place: str, known: str) -> str | None:
        with suppress(OpsbotError, ValueError, LookupError, TypeError, RecursionError):
            found: Any = json.loads(self._store.fetch(place) or "null")
            age = self._clock() - datetime.fromisoformat(found["at"])
            if found["question"] == known and timedelta(0) <= age < self._terms.cache_for:
                return str(found["text"])
        return None
