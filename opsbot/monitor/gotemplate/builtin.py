"""What Go's template package brings itself: truth, comparison, walking and taking apart; values in, values out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate import moments
from opsbot.monitor.gotemplate.moments import Moment
from opsbot.monitor.gotemplate.printing import TemplateError, bare, shown, text_of
from opsbot.monitor.gotemplate.verbs import Byte

MOST_STEPS = 100_000
"""As many as a text may look at in all."""


def truth(value: Any) -> bool:
    """What `if`, `with`, `and`, `or` and `not` take for true: all that is not nothing, zero or empty."""
    return bool(len(value)) if isinstance(value, Mapping) else bool(value)


def items(value: Any, names: int = 0) -> list[tuple[Any, Any]]:
    """What `range` walks: places and series, labels in the order of their names, or 0 up to a number.

    `names` is how many variables wait for them: the steps of a number have one name at most.
    """
    if isinstance(value, Mapping):
        return [(name, value[name]) for name in sorted(value)]
    if value is None:
        return []
    if _kind(value) is int and names < 2 and value <= MOST_STEPS:
        return [(step, type(value)(step)) for step in range(value)]
    if not isinstance(value, list):
        raise TemplateError(f"range cannot walk over {shown(value)[:40]!r}")
    return list(enumerate(value))


def part(value: Any, name: str) -> Any:
    """A field: a label of a set (empty where it is missing), the labels or value of a series, a method of a time."""
    if isinstance(value, Mapping):
        return value.get(name, "")
    if isinstance(value, Sample) and name in ("Labels", "Value"):
        return value.labels if name == "Labels" else value.value
    if isinstance(value, Moment) and name in moments.METHODS:
        return moments.METHODS[name](value)
    raise TemplateError(f"{shown(value)[:40]!r} has no field {name!r}")


def method(value: Any, name: str, *given: Any) -> Any:
    """A method that takes something: a time as a layout shows it."""
    if not isinstance(value, Moment) or name != moments.FORMAT:
        raise TemplateError(f"{shown(value)[:40]!r} has no method {name!r} that takes a value")
    if len(given) != 1:
        raise TemplateError(f"{name} takes one layout, not {len(given)} values")
    return value.format(text_of(given[0]))


def index(value: Any, *keys: Any) -> Any:
    """A label of a set, one of some series, a byte of a text, and so on inward."""
    for key in keys:
        if isinstance(value, Mapping) and isinstance(key, str):
            value = value.get(key, "")
        elif isinstance(value, list | str) and _kind(key) is int and 0 <= key < length(value):
            value = Byte(value.encode()[key]) if isinstance(value, str) else value[key]
        else:
            raise TemplateError(f"index cannot find {shown(key)[:40]!r}")
    return value


def cut(value: Any, *places: Any) -> Any:
    """Go's slice: a text from byte to byte, or some of the series; a letter that is cut in two is U+FFFD per byte."""
    if not isinstance(value, str | list):
        raise TemplateError(f"slice of {shown(value)[:40]}")
    whole = value.encode() if isinstance(value, str) else value
    if isinstance(value, str) and len(places) == 3:
        raise TemplateError("slice of a text takes two places at most")
    first, last, *_ = bounds = (*places, *(0, len(whole))[len(places) :])
    if not all(_kind(place) is int and 0 <= place <= len(whole) for place in bounds) or sorted(bounds) != [*bounds]:
        raise TemplateError(f"slice finds no place {' '.join(map(shown, places))[:40]} in {len(whole)}")
    found = whole[first:last]
    return _letters(found) if isinstance(found, bytes) else found


def _letters(raw: bytes) -> str:
    found = raw.decode("utf-8", "surrogateescape")
    return "".join("\ufffd" if "\udc80" <= letter <= "\udcff" else letter for letter in found)


def length(value: Any) -> int:
    """Bytes of a text, or how many there are."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list):
        return len(value)
    raise TemplateError(f"len of {shown(value)[:40]}")


def printed(*values: Any, write: Callable[[Any], str] = bare) -> str:
    """Go's Sprint: blanks only where neither neighbour is a text."""
    out = ""
    for place, value in enumerate(values):
        gap = place > 0 and not isinstance(value, str) and not isinstance(values[place - 1], str)
        out += (" " if gap else "") + write(value)
    return out


def equal(one: Any, *others: Any) -> bool:
    """Whether the first equals any of the others; TemplateError where kinds differ, as in Go."""
    return any(_alike(one, other) and one == other for other in others)


def less(one: Any, other: Any) -> bool:
    """Whether the first is less, both being numbers of a kind or texts."""
    _alike(one, other)
    if isinstance(one, bool) or one is None or other is None:
        raise TemplateError("invalid type for comparison")
    found: bool = one < other
    return found


def _alike(one: Any, other: Any) -> bool:
    for each in (one, other):
        if not isinstance(each, bool | int | float | str | None):
            raise TemplateError("invalid type for comparison")
    if one is not None and other is not None and _kind(one) is not _kind(other):
        raise TemplateError("incompatible types for comparison")
    return True


def _kind(value: Any) -> type:
    """The type, one for all whole numbers."""
    return int if isinstance(value, int) and not isinstance(value, bool) else type(value)
