"""JSON of anybody, read strictly: bytes in, plain values out, or Refused("bad_json") in words.

Refused where Python's reader would shrug: keys given twice, NaN and infinity, halves of characters, bottomless nesting.
"""

from __future__ import annotations

import json
import re
from typing import Any

from opsbot.core.errors import Refused

BAD_JSON = "bad_json"
DIGITS = 1_000
"""Digits of a whole number; the interpreter itself reads 4,300."""
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def value(body: bytes) -> Any:
    """The value that a body holds; Refused says what is wrong with it."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(BAD_JSON, f"the body is not UTF-8 (byte {error.start})") from None
    try:
        found = json.loads(
            text, object_pairs_hook=_once, parse_constant=_no_number, parse_float=_finite,
            parse_int=_short,
        )  # fmt: skip
    except json.JSONDecodeError as error:
        raise Refused(
            BAD_JSON, f"the body is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except RecursionError:
        raise Refused(BAD_JSON, "the body is nested too deeply") from None
    except ValueError as error:
        raise Refused(BAD_JSON, f"the body is no JSON to be taken: {error}") from None
    if _HALF.search(text):
        _whole(found)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1) if len(names) < 1000 else ""
        raise ValueError(f"the key {shown(twice)} is given twice in one object")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def _finite(word: str) -> float:
    number = float(word)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{word[:20]} is too large a number")
    return number


def _short(digits: str) -> int:
    if len(digits) > DIGITS:
        raise ValueError(f"a number has {len(digits)} digits: at most {DIGITS}")
    return int(digits)


def _whole(found: Any) -> None:
    """Half a character of two can be stored nowhere. Looked for without recursion, however deep it is hidden."""
    left = [found]
    while left:
        one = left.pop()
        if isinstance(one, str):
            if _SURROGATE.search(one):
                raise Refused(BAD_JSON, f"the text {shown(one)} holds half a character")
        elif isinstance(one, dict):
            left += [*one.keys(), *one.values()]
        elif isinstance(one, list):
            left += one


def shown(text: str) -> str:
    """A word of somebody's in a message of ours: short, quoted, and with nothing in it that a screen would obey."""
    return ascii(text[:40])
