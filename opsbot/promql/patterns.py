"""Regular expressions of matchers, judged as Prometheus would: a pattern in, what is wrong with it out."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

import re2

MOST_GROUPS = 1_000
"""Opening brackets of a pattern: Go refuses what nests deeper (regexp/syntax, maxHeight)."""

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 1 << 26

_ESCAPED = re.compile(r"\\Q.*?(?:\\E|\Z)|\\(.)", re.DOTALL)


class Verdict(NamedTuple):
    """What is wrong with a pattern, empty where nothing is; and whether it matches the empty text."""

    why_not: str
    empty: bool


@lru_cache(maxsize=4_096)
def judged(pattern: str) -> Verdict:
    r"""The verdict on a pattern. RE2 reads what Go reads, and `\C` besides (google/re2, doc/syntax.txt)."""
    if pattern.count("(") > MOST_GROUPS:
        return Verdict(f"more than {MOST_GROUPS:,} groups", False)
    if any(found[1] == "C" for found in _ESCAPED.finditer(pattern)):
        return Verdict(r"\C is not known", False)
    whole = re2.Set.FullMatchSet(_OPTIONS)  # which keeps no groups: a pattern would take memory for each
    try:
        whole.Add(pattern)
        whole.Compile()
    except (re2.error, UnicodeError):
        return Verdict(_why_not(pattern), False)
    return Verdict("", bool(whole.Match(b"")))


def _why_not(pattern: str) -> str:
    try:
        re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        said = error.args[0] if error.args else ""
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "it is too large"
