"""`{{ a.b }}`: a dotted reference and nothing more. A value that is one reference keeps its type."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\{\{([^{}]*)\}\}")
_PATH = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*", re.ASCII)


def references(value: Any) -> Iterator[str]:
    """Every dotted path that a value (text, list or mapping) refers to; ValueError for anything else in braces."""
    if isinstance(value, str):
        yield from _in_text(value)
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from references(item)


def _in_text(text: str) -> Iterator[str]:
    for inner in _REFERENCE.findall(text):
        found = _PATH.fullmatch(inner)
        if not found:
            raise ValueError(f"{{{{{inner[:40]}}}}} is no reference: write a dotted name, {{{{ a.b }}}}")
        yield found[1]
    if "{{" in _REFERENCE.sub("", text):
        raise ValueError(f"unclosed {{{{ in {text[:60]!r}")


def look_up(path: str, values: Mapping[str, Any]) -> Any:
    """The value at a dotted path; KeyError names the whole path."""
    found: Any = values
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            raise KeyError(path)
        found = found[part]
    return found


def render(value: Any, values: Mapping[str, Any]) -> Any:
    """Fill the references of a text, list or mapping; KeyError for one that leads nowhere."""
    if isinstance(value, Mapping):
        return {key: render(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [render(item, values) for item in value]
    if not isinstance(value, str):
        return value
    paths = list(references(value))
    if len(paths) == 1 and _REFERENCE.fullmatch(value):
        return look_up(paths[0], values)
    return _REFERENCE.sub(lambda found: str(look_up(found[1].strip(), values)), value)
