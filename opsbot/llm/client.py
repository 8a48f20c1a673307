"""A model behind an OpenAI-compatible address: one question in, JSON of the wanted shape out, within the caller's time.

Whatever else happens is Blind, with a masked sentence that tells no key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from opsbot.core.errors import Blind, OpsbotError, PermanentError
from opsbot.core.ports import Clock, Model, Question, Reply, Store
from opsbot.llm.budget import Budgeted, Terms
from opsbot.llm.cache import Cached
from opsbot.llm.dialect import Dialect
from opsbot.llm.spent import NoAnswer
from opsbot.llm.talk import Talk
from opsbot.mask import mask

if TYPE_CHECKING:
    from opsbot.llm.door import Line

MOST_AT_ONCE = 4


class Settings(Terms, Protocol):
    """Which model, where, and what it may take."""

    @property
    def base_url(self) -> str:
        """Where Chat Completions begin, such as http://localhost:11434/v1."""

    @property
    def name(self) -> str:
        """The model's name, as the server knows it."""

    @property
    def api_key_file(self) -> Path | None:
        """A key; a server on the same machine mostly wants none."""

    @property
    def timeout(self) -> timedelta:
        """How long one question may take in all."""

    @property
    def cache_for(self) -> timedelta:
        """How long an answer serves the same question again."""


def connect(settings: Settings, store: Store | None, clock: Clock) -> Model:
    """The model with its budget and its cache; without a store nothing is cached, and a price cannot be kept to."""
    model: Model = Budgeted(ChatModel(settings), settings, store, clock)
    return Cached(model, settings, store, clock) if store is not None else model


def warm(settings: Settings) -> None:
    """Load what the first question would wait for, which is most of a second; nobody is asked anything."""
    from opsbot.llm.door import Line

    Line(settings.base_url, "", time.monotonic()).close()


class ChatModel:
    """`core.ports.Model` over HTTP, and `check` for doctor. Threads may share it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._where = f"the model {settings.name} at {_origin(settings.base_url)}"
        self._dialect = Dialect()
        self._places = threading.BoundedSemaphore(MOST_AT_ONCE)

    def ask(self, question: Question, deadline: float) -> Reply:
        """The answer as JSON text of the question's schema, within `deadline` seconds by the wall."""
        patience = min(deadline, question.timeout, self._settings.timeout.total_seconds())
        until = time.monotonic() + patience

        def talk(line: Line) -> Reply:
            made = Talk(line, self._settings.name, question, until, self._dialect)
            text = made.answer()
            self._dialect = made.dialect  # what the server takes is asked first the next time
            return Reply(text, made.spent.prompt, made.spent.completion)

        return self._within(until, talk)

    def check(self, timeout: float = 5.0) -> str:
        """Whether the server answers and lists the model, in a sentence."""
        return self._within(time.monotonic() + timeout, self._listed).text

    def _listed(self, line: Line) -> Reply:
        heard = line.models()
        if heard.status != 200:
            raise Blind(f"answered {heard.status} when asked for its models")
        rows = heard.json.get("data") if isinstance(heard.json, dict) else None
        known = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        name = self._settings.name
        if name not in known and f"{name}:latest" not in known:  # Ollama takes a name without a tag so
            raise Blind("is not among the models that its server lists")
        return Reply(f"{self._where} is there")

    # the wall clock -------------------------------------------------------------------------------------------------

    def _within(self, until: float, talk: Callable[[Line], Reply]) -> Reply:
        """What came of a talk that has a thread of its own, so that a server that drips bytes cannot hold the caller.

        There are never more than a few such threads; each ends by itself soon after.
        """
        if not self._places.acquire(timeout=max(until - time.monotonic(), 0.001)):
            raise NoAnswer(f"{self._where}: earlier questions still hang")
        box: SimpleQueue[Reply | OpsbotError] = SimpleQueue()
        threading.Thread(target=self._put, args=(box, until, talk), daemon=True, name="model").start()
        try:
            got = box.get(timeout=max(until - time.monotonic(), 0.001))
        except Empty:
            raise Blind(f"{self._where} gave no whole answer in time") from None
        if isinstance(got, NoAnswer):
            raise NoAnswer(f"{self._where} {got}", got.spent)
        if isinstance(got, OpsbotError):
            raise Blind(f"{self._where} {got}")
        return got

    def _put(self, box: SimpleQueue[Reply | OpsbotError], until: float, talk: Callable[[Line], Reply]) -> None:
        from opsbot.llm.door import Line

        try:
            line = Line(self._settings.base_url, _key(self._settings.api_key_file), until)
            try:
                box.put(talk(line))
            finally:
                line.close()
        except OpsbotError as error:
            box.put(error)
        finally:
            box.put(Blind("could not be asked"))  # counts only where nothing was put before: an error of our own
            self._places.release()


def _origin(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc:
        raise PermanentError("model.base_url is no http address (a key belongs into api_key_file)")
    return f"{parts.scheme}://{parts.netloc}"


def _key(file: Path | None) -> str:
    """The one line of the key's file, read anew each time because keys are renewed; nothing where none is named."""
    if file is None:
        return ""
    try:
        text = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise NoAnswer(f"was not asked: model.api_key_file {mask(str(file))} cannot be read") from None
    if not text or not text.isprintable() or not text.isascii():
        raise NoAnswer("was not asked: model.api_key_file does not hold one line of plain characters")
    return text
