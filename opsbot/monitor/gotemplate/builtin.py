"""What Go's template package brings itself: truth, comparison, walking and taking apart; values in, values out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate.printing import TemplateError, bare, shown


def truth(value: Any) -> bool:
    """What `if`, `with`, `and`, `or` and `not` take for true: all that is not nothing, zero or empty."""
    return bool(len(value)) if isinstance(value, Mapping) else bool(value)


def items(value: Any) -> list[tuple[Any, Any]]:
    """What `range` walks: places and series, or labels in the order of their names."""
    if isinstance(value, Mapping):
        return [(name, value[name]) for name in sorted(value)]
    if value is None:
        return []
    if not isinstance(value, list):
        raise TemplateError(f"range cannot walk over {shown(value)[:40]!r}")
    return list(enumerate(value))


def part(value: Any, name: str) -> Any:
    """A field: a label of a set (empty where it is missing), or the labels or value of a series."""
    if isinstance(value, Mapping):
        return value.get(name, "")
    if isinstance(value, Sample) and name in ("Labels", "Value"):
        return value.labels if name == "Labels" else value.value
    raise TemplateError(f"{shown(value)[:40]!r} has no field {name!r}")


def index(value: Any, *keys: Any) -> Any:
    """A label of a set, or one of some series, and so on inward."""
    for key in keys:
        if isinstance(value, Mapping) and isinstance(key, str):
            value = value.get(key, "")
        elif isinstance(value, list) and type(key) is int and 0 <= key < len(value):
            value = value[key]
        else:
            raise TemplateError(f"index cannot find {shown(key)[:40]!r}")
    return value


def length(value: Any) -> int:
    """Bytes of a text, or how many there are."""
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list):
        return len(value)
    raise TemplateError(f"len of {shown(value)[:40]}")


def printed(*values: Any) -> str:
    """Go's Sprint: blanks only where neither neighbour is a text."""
    out = ""
    for place, value in enumerate(values):
        gap = place > 0 and not isinstance(value, str) and not isinstance(values[place - 1], str)
        out += (" " if gap else "") + bare(value)
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
    if one is not None and other is not None and type(one) is not type(other):
        raise TemplateError("incompatible types for comparison")
    return True
