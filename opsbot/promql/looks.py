"""Questions about an expression: an expression in, yes or no out, or the metrics that it names."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any

from opsbot.promql.complaint import PromqlError
from opsbot.promql.parsing import parse
from opsbot.promql.tree import LEAVES, NUMBERS, fills, folded, kind, number, selectors, unwrapped, walk

ABSENT = ("absent", "absent_over_time")
BARE = (*NUMBERS, "vector")
"""Functions that give something without any series."""

_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_NOW = timedelta()


def condition(expression: str) -> Any:
    """The tree of an expression that a rule may have; PromqlError for one that gives no vector and no number.

    As Prometheus, which refuses the result of such a rule when it evaluates it (rules/manager.go, EngineQueryFunc).
    """
    found = parse(expression)
    name = kind(unwrapped(found))
    if name in ("MatrixSelector", "SubqueryExpr"):
        raise PromqlError("gives a range of time, not a value: wrap it in a function such as rate()")
    if name == "StringLiteral":
        raise PromqlError("gives a text, not a value")
    return found


def is_number(expression: str) -> bool:
    """Whether it gives one number, which no label can stand at, and not a vector."""
    return folded(parse(expression), number)


def has_comparison(expression: str) -> bool:
    """Whether something in it filters: a comparison without `bool`, or absent().

    A condition without one is true for every series that there is, even at 0.
    """
    return any(_filters(node) for node in walk(parse(expression)))


@lru_cache(maxsize=4_096)
def metrics(expression: str) -> tuple[frozenset[str], bool]:
    """The metrics that it names, and whether it may look at others too, whose names it does not spell out."""
    names = [_name(selector) for selector in selectors(parse(expression))]
    return frozenset(filter(None, names)), "" in names


@lru_cache(maxsize=4_096)
def never_alone(expression: str) -> bool:
    """Whether it can only give something where one of its metrics has series: there is no number or absent() in it."""
    return folded(parse(expression), _fed)


def looks_ahead(expression: str) -> bool:
    """Whether it may ask for a time after its own: a negative offset, or `@`."""
    nodes = (getattr(node, "vector_selector", node) for node in walk(parse(expression)))
    return any(getattr(n, "at", None) is not None or (getattr(n, "offset", None) or _NOW) < _NOW for n in nodes)


def _name(selector: Any) -> str:
    if selector.name:
        return str(selector.name)
    named = [m.value for m in selector.matchers.matchers if m.name == "__name__" and str(m.op).endswith(".Equal")]
    return str(named[0]) if len(named) == 1 else ""


def _fed(node: Any, parts: list[bool]) -> bool:
    """Whether a part gives nothing where no metric of it has series."""
    name = kind(node)
    if name in LEAVES:
        return True
    if name == "BinaryExpr":
        return _both_fed(node, *parts)
    if name == "Call":
        return node.func.name not in (*ABSENT, *BARE) and any(parts)
    return name in ("ParenExpr", "UnaryExpr", "AggregateExpr", "SubqueryExpr") and parts[0]


def _both_fed(node: Any, left: bool, right: bool) -> bool:
    op = str(node.op)
    if op == "or" or fills(node):
        return left and right
    return left if op in ("and", "unless") else left or right


def _filters(node: Any) -> bool:
    if kind(node) == "BinaryExpr":
        return str(node.op) in _COMPARISONS and not (node.modifier and node.modifier.return_bool)
    return kind(node) == "Call" and node.func.name in ABSENT
