"""A model's text and the JSON Schema it was asked for in, the value out; ValueError names what is wrong and where.

Looks at the shape alone: types, and members that must be there. What is on no list (`enum`), or more than was asked
for, is left to who asked: they can drop that and keep the rest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FENCED = re.compile(r"\A\s*```(?:json|JSON)?[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.DOTALL)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,), "array": (list,), "string": (str,), "number": (int, float), "null": (type(None),),
}  # fmt: skip


def read(text: str, schema: Mapping[str, Any]) -> Any:
    """The value in a text: bare JSON, or JSON in one Markdown fence; thoughts that stand before it are left out."""
    bare = _THOUGHT.sub("", text, count=1)
    fenced = _FENCED.match(bare)
    try:
        value = json.loads(fenced[1] if fenced else bare, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {str(error)[:100]}") from None
    check(value, schema)
    return value


def check(value: Any, schema: Mapping[str, Any], where: str = "answer") -> None:
    """ValueError unless the value has the schema's shape."""
    kinds = [one["type"] for one in schema.get("anyOf", (schema,))]
    if not any(isinstance(value, _TYPES[kind]) for kind in kinds) or isinstance(value, bool):
        raise ValueError(f"{where} must be of type {' or '.join(kinds)}")
    if isinstance(value, dict):
        _members(value, schema, where)
    if isinstance(value, list) and "items" in schema:
        for place, item in enumerate(value):
            check(item, schema["items"], f"{where}[{place}]")


def _members(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> None:
    for name in schema.get("required", ()):
        if name not in value:
            raise ValueError(f"{where}.{name} is missing")
    for name, part in schema.get("properties", {}).items():
        if name in value:
            check(value[name], part, f"{where}.{name}")


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")
