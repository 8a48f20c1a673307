"""One question to one server, from the first try to an answer of its shape; what it cost is counted on the way.

A server that refuses a dialect is asked in a softer one, a 429 is waited out once, a broken answer is mended once.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from typing import Any, Protocol

from opsbot.core.errors import Blind
from opsbot.core.ports import Question
from opsbot.llm.dialect import Dialect, Messages, mending
from opsbot.llm.jsonshape import read
from opsbot.llm.spent import MOST_TOKENS, NoAnswer, Spent, guessed
from opsbot.mask import mask

MOST_CHARACTERS = 20_000
_REFUSALS = (400, 422)


class Heard(Protocol):
    """A reply of the server."""

    @property
    def status(self) -> int:
        """Its HTTP status."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, in lower case."""

    @property
    def body(self) -> bytes:
        """Its body, whole."""

    @property
    def json(self) -> Any:
        """The body as JSON; None where it is none."""

    @property
    def why(self) -> str:
        """What it says went wrong."""


class Line(Protocol):
    """A connection to a server, for this question."""

    def complete(self, messages: Messages, options: Mapping[str, Any]) -> Heard:
        """One completion; Blind where no reply came."""


class Talk:
    """One question being asked. `dialect` is the one that the server took last."""

    def __init__(self, line: Line, model: str, question: Question, until: float, dialect: Dialect) -> None:
        self.spent = Spent()
        self.dialect = dialect
        self._line, self._model, self._question, self._until = line, model, question, until

    def answer(self) -> str:
        """The answer as JSON text; NoAnswer, with what was spent, where there is none."""
        try:
            return self._converse()
        except NoAnswer:
            raise
        except Blind as error:
            raise NoAnswer(str(error), self.spent) from None

    def _converse(self) -> str:
        messages, said = self._first()
        try:
            return json.dumps(read(said, self._question.schema))
        except ValueError as wrong:
            messages = mending(messages, said, str(wrong))
        said = self._text(self._good(self._patient(messages)), messages)
        try:
            return json.dumps(read(said, self._question.schema))
        except ValueError as wrong:
            raise self._none(f"gave no usable answer, nor when asked to mend it: {wrong}") from None

    def _first(self) -> tuple[Messages, str]:
        """What was asked and said in the first dialect that the server takes."""
        while True:
            messages = self.dialect.messages(self._question)
            heard = self._patient(messages)
            softer = self.dialect.softer(heard.why) if heard.status in _REFUSALS else None
            if softer is None:
                return messages, self._text(self._good(heard), messages)
            self.dialect = softer

    def _patient(self, messages: Messages) -> Heard:
        """One exchange; after a 429 one more, where the wait that the server asks for leaves time for it."""
        heard = self._exchange(messages)
        if heard.status != 429:
            return heard
        rest = _seconds(heard.headers.get("retry-after", "1"))
        if time.monotonic() + rest >= self._until:
            return heard
        time.sleep(rest)
        return self._exchange(messages)

    def _exchange(self, messages: Messages) -> Heard:
        from opsbot.llm.door import NotAsked

        try:
            return self._line.complete(messages, self.dialect.options(self._model, self._question))
        except NotAsked:
            raise
        except Blind:  # it may have been answered, and be charged for, all the same
            self.spent.add(guessed(_said(messages)), self._question.max_tokens)
            raise

    def _good(self, heard: Heard) -> Heard:
        if heard.status == 200:
            return heard
        said = f": {mask(heard.why)}" if heard.why else ""
        raise self._none(f"answered {heard.status}{said}")

    def _text(self, heard: Heard, messages: Messages) -> str:
        """What the model said."""
        found = heard.json
        self.spent.add(*_usage(found, _said(messages), heard.body.decode("utf-8", "replace")))
        if not isinstance(found, dict):
            raise self._none("gave an answer that is no JSON object")
        try:
            text = found["choices"][0]["message"]["content"]
        except (LookupError, TypeError):
            raise self._none("gave an answer without a message") from None
        if not isinstance(text, str) or not text.strip():
            raise self._none("gave an empty answer")
        if len(text) > MOST_CHARACTERS:
            raise self._none(f"gave an answer of {len(text)} characters")
        return text

    def _none(self, why: str) -> NoAnswer:
        return NoAnswer(why, self.spent)


def _said(messages: Messages) -> str:
    return "".join(message["content"] for message in messages)


def _seconds(text: str) -> float:
    """What Retry-After asks for; for ever where that is no number of seconds."""
    try:
        asked = float(text)
    except ValueError:
        return math.inf
    return asked if asked >= 0 else math.inf


def _usage(found: Any, asked: str, said: str) -> tuple[int, int]:
    """Tokens of prompt and answer as the server counts them; guessed from the text where it does not."""
    usage = found.get("usage") if isinstance(found, dict) else None
    counts = usage if isinstance(usage, dict) else {}
    return _count(counts.get("prompt_tokens"), asked), _count(counts.get("completion_tokens"), said)


def _count(value: Any, text: str) -> int:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_TOKENS
    return value if known else guessed(text)
