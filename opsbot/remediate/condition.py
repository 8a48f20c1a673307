"""CEL conditions: text and values in, a plain yes or no out, or Refused by name; never an exception of the engine.

The engine has no cost limit of its own, so texts are short, macros few, and lists that they walk small.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from types import ModuleType
from typing import Any

from opsbot.core.errors import Refused

MAX_LENGTH = 500
MAX_NESTING = 12
MAX_MACROS = 2
MAX_ITEMS = 60
MAX_TEXT = 4_000

_STRINGS = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*([A-Za-z_]\w*)\s*,")
_SYNTAX = re.compile(r"<input>:\d+:(\d+): (?:Syntax error: )?(.*?)(?: expecting | \| |$)")
_MACRO_NAMES = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter|sortBy|transformList|transformMap)\s*\(")


def _engine() -> Any:
    # The package imports its own command line, which costs ten times as much as the engine itself.
    if "cel" not in sys.modules:
        sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
    import cel

    return cel


def check(text: str, names: Collection[str]) -> str:
    """What is wrong with a condition that may name these variables, in a sentence; empty when nothing is."""
    try:
        program = _compiled(text)
    except Refused as error:
        return str(error)
    local = {found[1] for found in _MACRO.finditer(bare(text))}
    unknown = sorted(set(program.variables()) - set(names) - local)
    return f"names unknown variables: {', '.join(unknown)}; known: {', '.join(names)}" if unknown else ""


def bare(text: str) -> str:
    """The condition without what stands in quotes."""
    return _STRINGS.sub("''", text)


def fields(text: str, variable: str) -> tuple[str, ...]:
    """The fields of a variable that a condition names, as in `target.replicas`; '*' where it takes the whole of it."""
    found = re.findall(rf"(?<![\w.]){variable}\b\s*(?:\.\s*([A-Za-z_]\w*))?", bare(text))
    return tuple(dict.fromkeys(name or "*" for name in found))


def holds(text: str, values: Mapping[str, Any]) -> bool:
    """Whether the condition is true of the values; Refused("condition_...") where that cannot be said."""
    program = _compiled(text)
    _small(values)
    try:
        result = program.execute(dict(values))
    except LookupError as error:
        raise Refused("condition_field", f"there is no {error.args[0]!r} in what the condition reads") from error
    except RuntimeError as error:
        raise Refused("condition_name", _first(error)) from error
    except (TypeError, ValueError, ArithmeticError) as error:
        raise Refused("condition_type", _first(error)) from error
    if not isinstance(result, bool):
        raise Refused("condition_no_bool", f"the condition gives {type(result).__name__}, not true or false")
    return result is True


def _compiled(text: str) -> Any:
    if not text.strip():
        raise Refused("condition_syntax", "the condition is empty")
    if len(text) > MAX_LENGTH:
        raise Refused("condition_long", f"the condition is longer than {MAX_LENGTH} characters")
    if _depth(bare(text)) > MAX_NESTING:
        raise Refused("condition_deep", f"the condition is nested deeper than {MAX_NESTING} levels")
    if len(_MACRO_NAMES.findall(bare(text))) > MAX_MACROS:
        raise Refused("condition_costly", f"the condition walks lists more than {MAX_MACROS} times")
    try:
        return _engine().compile(text)
    except ValueError as error:
        raise Refused("condition_syntax", _first(error)) from error


def _depth(text: str) -> int:
    depth = deepest = 0
    for sign in text:
        depth += (sign in "([{") - (sign in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _small(value: Any) -> None:
    if isinstance(value, str) and len(value) > MAX_TEXT:
        raise Refused("condition_large", f"a text that the condition may read is longer than {MAX_TEXT} characters")
    if not isinstance(value, Mapping | list | tuple):
        return
    if len(value) > MAX_ITEMS:
        raise Refused("condition_large", f"a list that the condition may walk has more than {MAX_ITEMS} items")
    for item in value.values() if isinstance(value, Mapping) else value:
        _small(item)


def _first(error: Exception) -> str:
    """What matters of the engine's own words, which go on for lines."""
    text = " ".join(str(error).split())
    found = _SYNTAX.search(text)
    return f"column {found[1]}: {found[2]}"[:200] if found else text.partition(". ")[0][:200]
