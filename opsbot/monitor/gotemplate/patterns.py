"""Regular expressions as Go has them: patterns and texts in, whether and what they match out, in linear time."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

LONGEST = 20_000
"""Characters that a replacement may grow to."""

_GROUP = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")
_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 20


class PatternError(ValueError):
    """A text that is no pattern, or a replacement that is too long."""


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        raise PatternError(f"{pattern[:40]!r} is no regular expression") from error


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found somewhere in the text."""
    return _compiled(pattern).search(text) is not None


def replaced(pattern: str, by: str, text: str) -> str:
    """The text with every match replaced; a group that is not there or found nothing is empty (regexp.Expand).

    A match of nothing right after another match does not count, as in Go.
    """
    found, out, done, at = _compiled(pattern), "", 0, 0
    while at <= len(text) and (hit := found.search(text, at)) is not None:
        out += text[done : hit.start()]
        if hit.end() > done or hit.start() == 0:
            out += _expanded(by, hit)
        done, at = hit.end(), max(hit.end(), at + 1)
        if len(out) > LONGEST:
            raise PatternError("the text grows too long")
    return out + text[done:]


def _expanded(by: str, hit: Any) -> str:
    return _GROUP.sub(lambda word: "$" if word[1] else _group(word[2] or word[3], hit), by)


def _group(name: str, hit: Any) -> str:
    try:
        return hit.group(int(name) if name.isdigit() else name) or ""
    except (IndexError, KeyError, re2.error):
        return ""
