"""One YAML document as read: its plain value, where each part of it stands, and what is wrong with it so far."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opsbot.core.errors import Problem

Step = str | int
Where = tuple[Step, ...]
Place = tuple[int, int]


@dataclass(slots=True)
class Document:
    """A plain value with marks (line and column from 1), and every problem found in it, of whatever kind.

    `misread` are the places of values that are not what is written there, each with a problem of its own: what else
    is said of them would be said of the wrong value. `open` while the document is judged inside `reading`. `cut` are
    the mappings and lists that something wrong was taken out of. `quoted` are the places of what stands in quotes or
    blocks in a file of another program, whose scalars are texts all alike.
    """

    file: str
    value: Any = None
    marks: dict[Where, Place] = field(default_factory=dict)
    keys: dict[Where, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    misread: set[Place] = field(default_factory=set)
    quoted: set[Place] = field(default_factory=set)
    open: bool = False
    cut: set[Where] = field(default_factory=set)

    def at(self, where: Sequence[Step], *, key: bool = False) -> Place:
        """The place of a value (or of its key), or of the nearest thing around it."""
        path = tuple(where)
        if key and path in self.keys:
            return self.keys[path]
        while path and path not in self.marks:
            path = path[:-1]
        return self.marks.get(path, (1, 1))

    def problem(
        self, where: Sequence[Step], message: str, hint: str = "", rule: str = "", *, key: bool = False
    ) -> Problem:
        """A problem at the place of a value, to be noted or raised by the caller."""
        line, column = self.at(where, key=key)
        return Problem(self.file, line, column, message, hint, rule)

    def note(self, problems: Iterable[Problem]) -> None:
        """Keep problems, to be told with all others when the document has been judged."""
        self.problems += [one for one in problems if (one.line, one.column) not in self.misread]

    def told(self) -> list[Problem]:
        """All problems in the order of the file, each once."""
        found: dict[tuple[int, int, str], Problem] = {}
        for one in self.problems:
            found.setdefault((one.line, one.column, one.message), one)
        return sorted(found.values(), key=lambda one: (one.line, one.column))

    def whole(self, where: Where) -> bool:
        """Whether nothing at or below a place was cut out: only then can something be missed there."""
        return not any(path[: len(where)] == where for path in self.cut)

    def without(self, bad: Collection[Where], base: Where, value: Any) -> Document:
        """The part `value` at `base` alone, less what stands at these places; lists close up, marks go along."""
        left = replace(self, marks={}, keys={}, cut={path for path in self.cut if path not in bad})
        left.value = _kept(self, left, value, (base, base), frozenset(bad))
        return left


def _kept(old: Document, new: Document, value: Any, where: tuple[Where, Where], bad: frozenset[Where]) -> Any:
    """A value less what is bad, with its marks set in the new document; `where` it stood and where it stands now."""
    was, now = where
    for marks, found in ((new.marks, old.marks), (new.keys, old.keys)):
        if was in found:
            marks[now] = found[was]
    if not isinstance(value, dict | list):
        return value
    items = list(value.items() if isinstance(value, dict) else enumerate(value))
    good = [(step, item) for step, item in items if (*was, step) not in bad]
    if len(good) < len(items):
        new.cut.add(now)
    if isinstance(value, dict):
        return {step: _kept(old, new, item, ((*was, step), (*now, step)), bad) for step, item in good}
    return [_kept(old, new, item, ((*was, step), (*now, place)), bad) for place, (step, item) in enumerate(good)]
