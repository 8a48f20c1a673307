"""Values to JSON text and back. What comes back must have the digest that went in, or it is not stored at all."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from opsbot.core.alert import Alert
from opsbot.core.canonical import digest
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.errors import PermanentError
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import Incident
from opsbot.core.silence import Matcher

T = TypeVar("T")
Gathered = tuple[tuple[Evidence, ...], tuple[Gap, ...]]


class Codec(Generic[T]):
    """One kind of value as JSON."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self.kind)

    def decode(self, text: str) -> T:
        """The value of a text; PermanentError when it is none (edited by hand, or of another program)."""
        from opsbot.mask import kept

        if not isinstance(text, str):  # SQLite keeps whatever it was given
            raise PermanentError("cannot be read back: it is no text")
        try:
            return self._adapter.validate_json(text, context={"kept": kept})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(step) for step in first["loc"])
            raise PermanentError(f"cannot be read back: {place}: {first['msg']}") from None

    def encode(self, value: T) -> str:
        """The text of a value; PermanentError when it would come back as another (a set, a time among free values)."""
        try:
            text = self._adapter.dump_json(value).decode()
            again = self.decode(text)
            same = again == value or digest(again) == digest(value)  # most are equal, and that is far cheaper to see
        except (PermanentError, TypeError, ValueError, RecursionError) as error:
            raise PermanentError(f"cannot be stored: {error}") from error
        if not same:
            raise PermanentError("cannot be stored: it would come back as another value")
        return text


class RememberingCodec(Codec[T]):
    """One that keeps the values of texts that were read lately, and so is for kinds that nobody can change.

    A look reads every alert there is, and few of them have changed since the last one. Texts of up to `room` bytes are
    kept, and up to as many again of those that were kept before; their values take about twice as much.
    """

    def __init__(self, kind: Any, room: int) -> None:
        super().__init__(kind)
        self._room = self._left = room
        self._known: dict[str, T] = {}
        self._before: dict[str, T] = {}

    def decode(self, text: str) -> T:
        """As `Codec.decode`; equal texts give one value."""
        found = self._known.get(text)
        if found is None:
            found = self._before[text] if text in self._before else super().decode(text)
            self._keep(text, found)
        return found

    def _keep(self, text: str, value: T) -> None:
        self._left -= sys.getsizeof(text)
        if self._left < 0:
            self._before, self._known, self._left = self._known, {}, self._room
        self._known[text] = value


INCIDENT: Codec[Incident] = Codec(Incident)
ALERT: Codec[Alert] = RememberingCodec(Alert, 8 * 2**20)
GATHERED: Codec[Gathered] = Codec(Gathered)
THOUGHT: Codec[tuple[Hypothesis, ...]] = Codec(tuple[Hypothesis, ...])
MATCHERS: Codec[tuple[Matcher, ...]] = Codec(tuple[Matcher, ...])
PLAIN: Codec[dict[str, Any]] = Codec(dict[str, Any])
