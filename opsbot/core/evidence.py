"""Evidence: what one source saw, masked, with an id that findings and hypotheses cite."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsbot.core.target import Target


class MaskedText(str):
    """Text that has been through the mask; only `opsbot.mask` makes it, and only it may be stored, told or prompted.

    What is cut or joined from it with str's own methods is a plain str again and must go through the mask once more.
    """

    __slots__ = ()

    def lines(self) -> list[MaskedText]:
        """Its lines; a line ends at a newline byte and nowhere else."""
        if not self:
            return []
        parts = self.split("\n")
        return [MaskedText(part) for part in (parts[:-1] if self.endswith("\n") else parts)]

    def cut(self, length: int) -> MaskedText:
        """At most this many characters; what was cut shows as an ellipsis."""
        return self if len(self) <= length else MaskedText(self[: max(length - 1, 0)] + "…")

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> dict[str, Any]:
        # A plain dict, so that core needs no pydantic. The decoder must bring `kept` in its context: nobody makes
        # masked text by reading some JSON.
        return {
            "type": "function-plain",
            "function": {"type": "with-info", "function": _decode},
            "serialization": {"type": "to-string"},
        }


def _decode(value: Any, info: Any) -> MaskedText:
    if isinstance(value, MaskedText):
        return value
    if not isinstance(value, str) or not info.context or "kept" not in info.context:
        raise ValueError("masked text can be read by the store alone")
    kept: MaskedText = info.context["kept"](value)
    return kept


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one source saw of one object or several.

    `text` is what rules read and findings cite, line by line from 1. `objects` are the cluster objects behind it,
    masked too, for checks; empty for logs. `since` and `until` bound the window that was asked for. `truncated` says
    that a cap cut the text or that more objects were there.
    """

    id: str
    source: str
    about: Target
    taken_at: datetime
    text: MaskedText
    origin: MaskedText
    objects: tuple[Mapping[str, Any], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A source that could not be read: what is missing from the picture, and why."""

    source: str
    why: MaskedText


@dataclass(frozen=True, slots=True)
class Citation:
    """A line of evidence: `line` counts from 1."""

    id: str
    source: str
    line: int
    text: MaskedText


@dataclass(frozen=True, slots=True)
class Picture:
    """All that was gathered for one incident, at one time."""

    target: Target | None
    taken_at: datetime
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = field(default=())

    def of(self, source: str) -> tuple[Evidence, ...]:
        """The evidence of one source, in the order in which it was taken."""
        return tuple(item for item in self.evidence if item.source == source)
