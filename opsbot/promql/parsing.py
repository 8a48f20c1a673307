"""Text in, the syntax tree of promql-parser out; what Prometheus would refuse in it is refused."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Any

from opsbot.promql.complaint import PromqlError, misfit, place
from opsbot.promql.spelling import RENAMED, bare, modern, operators, pieces
from opsbot.promql.tree import LEAVES, SETS, fills, folded, kind, number

LONGEST = 60_000
"""Characters of an expression: less than one question to the server may have."""

MOST_OPERATORS = 1_000
"""The parser overflows the 8 MB stack of a thread somewhere above 4,000, and its time grows with their square."""

_NO_MORE = "invalid promql query"
"""All that the parser says where a word does not fit, or the end comes too early."""
_TWICE = re.compile(r"(must not be set twice):.*")
"""What follows may be the pattern that stands for another."""

_TRIED = 60
"""Beginnings of an expression that are tried while it is small."""


@lru_cache(maxsize=4_096)
def parse(expression: str) -> Any:
    """The syntax tree of promql-parser; PromqlError says what is wrong."""
    if len(expression) > LONGEST:
        raise PromqlError(f"is longer than {LONGEST:,} characters")
    found = pieces(expression)
    text = bare(found)
    count = operators(text)
    if count > MOST_OPERATORS:
        raise PromqlError(f"has more than {MOST_OPERATORS:,} operators and brackets")
    import promql_parser

    try:
        tree = promql_parser.parse(modern(found))
    except PromqlError:
        raise
    except ValueError as error:
        message = _TWICE.sub(r"\1", " ".join(str(error).split()))[:200]
        if message == _NO_MORE:
            tries = int(_TRIED / max(1, (count / 300) ** 2, len(expression) / 6_000))
            raise misfit(expression, text, _reads, tries) from None
        raise PromqlError(message, place(message, expression, text, RENAMED.items(), _reads)) from None
    _check(tree, expression, text)
    return tree


def _reads(expression: str) -> bool:
    import promql_parser

    try:
        promql_parser.parse(modern(pieces(expression)))
    except ValueError:
        return False
    return True


def _check(tree: Any, expression: str, text: str) -> None:
    """PromqlError for what the parser takes and Prometheus does not (promql/parser/generated_parser.y, checkAST)."""
    try:
        folded(tree, _checked)
    except PromqlError as error:
        raise PromqlError(str(error), place(str(error), expression, text, (), _reads)) from None


def _checked(node: Any, numbers: list[bool]) -> bool:
    name = kind(node)
    if name in LEAVES and getattr(node, "vector_selector", node).matchers.or_matchers:
        raise PromqlError("`or` between labels is no PromQL: use a regular expression")
    if name in ("MatrixSelector", "SubqueryExpr") and timedelta() in (node.range, getattr(node, "step", None)):
        raise PromqlError("duration must be greater than 0")
    if name == "BinaryExpr" and fills(node) and (str(node.op) in SETS or any(numbers)):
        raise PromqlError("fill modifiers are only allowed between instant vectors, and not for set operators")
    return number(node, numbers)
