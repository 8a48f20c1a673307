"""Values to JSON text and back. What comes back must have the digest that went in, or it is not stored at all."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from opsbot.core.alert import Alert
from opsbot.core.canonical import digest
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.errors import PermanentError
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import Incident

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
            before, text = digest(value), self._adapter.dump_json(value).decode()
        except (TypeError, ValueError, RecursionError) as error:
            raise PermanentError(f"cannot be stored: {error}") from error
        if digest(self.decode(text)) != before:
            raise PermanentError("cannot be stored: it would come back as another value")
        return text


INCIDENT: Codec[Incident] = Codec(Incident)
ALERT: Codec[Alert] = Codec(Alert)
GATHERED: Codec[Gathered] = Codec(Gathered)
THOUGHT: Codec[tuple[Hypothesis, ...]] = Codec(tuple[Hypothesis, ...])
PLAIN: Codec[dict[str, Any]] = Codec(dict[str, Any])
