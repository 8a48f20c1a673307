"""Which call of an expression is wrong, and which of its arguments: what the parser says names only the function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_EXAMPLES = {"matrix": "x[1m]", "vector": "x", "scalar": "1", "string": "'a'"}
_MOST_BRACKETS = 60
_LONGEST = 6_000
"""Expressions beyond these are not tried call by call: each try reads a part of them again."""
_TRIED = 20
"""Arguments of a call that are tried: only label_join and histogram_quantiles can have more."""


class Call(NamedTuple):
    """Where a call starts and ends, and its arguments do."""

    start: int
    end: int
    arguments: list[tuple[int, int]]


def wrong(names: str, wanted: str, expression: str, bare: str, reads: Callable[[str], bool]) -> int | None:
    """Where the first call, or the argument of it, stands that makes the expression wrong; None where it is not found.

    `names` is a pattern of the function's names, `wanted` the type that an argument lacks, empty where their number is
    wrong; `bare` is the expression with blanks for its texts; `reads` judges a part.
    """
    found = re.search(rf"\b(?:{names})\s*\(", bare)
    if not found or bare.count("(") > _MOST_BRACKETS or len(bare) > _LONGEST:
        return found.start() if found else None
    for call in _calls(names, bare):
        parts = [expression[start:end] for start, end in call.arguments]
        if all(map(reads, parts)) and not reads(expression[call.start : call.end]):
            return _wanting(call, wanted, expression, reads)
    return found.start()


def _wanting(call: Call, wanted: str, expression: str, reads: Callable[[str], bool]) -> int:
    """The argument in whose place one of the wanted type would do, or the call itself."""
    for start, end in call.arguments[:_TRIED] if wanted in _EXAMPLES else ():
        if reads(expression[call.start : start] + _EXAMPLES[wanted] + expression[end : call.end]):
            return end - len(expression[start:end].lstrip())
    return call.start


def _calls(names: str, bare: str) -> Iterator[Call]:
    for found in re.finditer(rf"\b(?:{names})\s*\(", bare):
        depth, start, arguments = 1, found.end(), []
        for at in range(found.end(), len(bare)):
            depth += (bare[at] in "([{") - (bare[at] in ")]}")
            if depth == 0 or (depth == 1 and bare[at] == ","):
                arguments.append((start, at))
                start = at + 1
            if depth == 0:
                yield Call(found.start(), at + 1, arguments)
                break
