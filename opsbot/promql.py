"""The text of a condition in, what can be said of it without a server out: whether it parses, filters, keeps a label.

It never evaluates anything. The parser is a compiled library that dies with its process on an expression that is
nested too deep, so the size is bounded before it sees the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

LONGEST = 10_000
MOST_OPERATORS = 300

_OPERATOR = re.compile(r"[-+*/%^({\[]|[<>]=?|[=!]=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`', re.DOTALL)
_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_SETS = ("and", "or", "unless")
_ABSENT = ("absent", "absent_over_time")
_PICKING = ("topk", "bottomk", "limitk", "limit_ratio")
_BARE = ("scalar", "time", "vector", "pi")

Labels = frozenset[str] | None
"""Labels that a result has at most; None where that cannot be told from the text."""


def parse(expression: str) -> Any:
    """The syntax tree of promql-parser; ValueError says what is wrong, in one line."""
    if len(expression) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    if sum(1 for _ in _OPERATOR.finditer(_STRING.sub("", expression))) > MOST_OPERATORS:
        raise ValueError(f"has more than {MOST_OPERATORS} operators and brackets")
    import promql_parser

    try:
        return promql_parser.parse(expression)
    except ValueError as error:
        raise ValueError(" ".join(str(error).split())[:200]) from None


def condition(expression: str) -> Any:
    """The tree of an expression that an alert may have; ValueError for one that gives no vector and no number.

    As Prometheus, which refuses the result of such a rule when it evaluates it (rules/manager.go, EngineQueryFunc).
    """
    found = parse(expression)
    kind = _kind(_bare(found))
    if kind in ("MatrixSelector", "SubqueryExpr"):
        raise ValueError("gives a range of time, not a value: wrap it in a function such as rate()")
    if kind == "StringLiteral":
        raise ValueError("gives a text, not a value")
    return found


def has_comparison(expression: str) -> bool:
    """Whether something in it filters: a comparison without `bool`, or absent().

    A condition without one is true for every series that there is, even at 0.
    """
    return any(_filters(node) for node in _walk(parse(expression)))


def kept_labels(expression: str) -> Labels:
    """The labels that a result can have at most, or None where any may be there; the metric's name does not count."""
    return _kept(parse(expression))


# the tree -----------------------------------------------------------------------------------------------------------


def _kind(node: Any) -> str:
    return type(node).__name__


def _bare(node: Any) -> Any:
    while _kind(node) in ("ParenExpr", "UnaryExpr"):
        node = node.expr
    return node


def _walk(node: Any) -> Iterator[Any]:
    yield node
    parts = [getattr(node, name, None) for name in ("expr", "lhs", "rhs")]
    for part in (*parts, *(getattr(node, "args", None) or ())):
        if part is not None:
            yield from _walk(part)


def _filters(node: Any) -> bool:
    if _kind(node) == "BinaryExpr":
        return str(node.op) in _COMPARISONS and not (node.modifier and node.modifier.return_bool)
    return _kind(node) == "Call" and node.func.name in _ABSENT


def _kept(node: Any) -> Labels:
    look = _LOOKS.get(_kind(node))
    return look(node) if look else None


def _of_inner(node: Any) -> Labels:
    return _kept(node.expr)


def _of_number(_node: Any) -> Labels:
    return frozenset()


def _of_aggregate(node: Any) -> Labels:
    modifier, op = node.modifier, str(node.op)
    if op in _PICKING:
        return _kept(node.expr)
    named = frozenset(modifier.labels) if modifier else frozenset()
    if modifier is None or str(modifier.type).endswith("By"):
        kept: Labels = named
    else:
        inner = _kept(node.expr)
        kept = None if inner is None else inner - named
    if op != "count_values" or kept is None:
        return kept
    return kept | {str(node.param.val)}


def _of_call(node: Any) -> Labels:
    name, args = node.func.name, list(node.args)
    if name in _ABSENT:
        return _pinned(_bare(args[0]))
    if name in _BARE or not args:
        return frozenset()
    if name in ("label_replace", "label_join"):
        inner = _kept(args[0])
        return None if inner is None else inner | {str(args[1].val)}
    if name == "info":
        return None
    vector = next((arg for arg in args if _kind(_bare(arg)) not in ("NumberLiteral", "StringLiteral")), args[-1])
    return _kept(vector)


def _pinned(node: Any) -> Labels:
    """What absent() of a selector carries: the labels that it asks to be equal to one value, each named once."""
    selector = getattr(node, "vector_selector", node)
    if _kind(selector) != "VectorSelector":
        return frozenset()
    matchers = selector.matchers.matchers
    names = [matcher.name for matcher in matchers]
    equal = (m.name for m in matchers if str(m.op).endswith("Equal") and "Not" not in str(m.op))
    return frozenset(name for name in equal if names.count(name) == 1 and name != "__name__")


def _of_binary(node: Any) -> Labels:
    left, right, op = _bare(node.lhs), _bare(node.rhs), str(node.op)
    if _scalar(left) or _scalar(right):
        return _kept(right if _scalar(left) else left)
    if op == "or":
        both = _kept(left), _kept(right)
        return None if both[0] is None or both[1] is None else both[0] | both[1]
    return _kept(left) if op in _SETS else _matched(node.modifier, left, right)


def _scalar(node: Any) -> bool:
    if _kind(node) == "BinaryExpr":
        return _scalar(_bare(node.lhs)) and _scalar(_bare(node.rhs))
    return _kind(node) == "NumberLiteral" or (_kind(node) == "Call" and node.func.name in ("scalar", "time", "pi"))


def _matched(modifier: Any, left: Any, right: Any) -> Labels:
    """What is left of two vectors' labels (promql/engine.go, resultMetric): those that matched, or the many side's."""
    card = str(modifier.card) if modifier else ""
    if "ManyToOne" in card or "OneToMany" in card:
        many = _kept(left if "ManyToOne" in card else right)
        return None if many is None else many | frozenset(modifier.group_labels or ())
    matching = modifier.matching if modifier else None
    named = frozenset(matching.labels) if matching else frozenset()
    if matching and str(matching.type).endswith("Include"):
        return named
    sides = (side for side in (_kept(left), _kept(right)) if side is not None)
    return next((side - named for side in sides), None)


_LOOKS: dict[str, Callable[[Any], Labels]] = {
    "ParenExpr": _of_inner, "UnaryExpr": _of_inner, "SubqueryExpr": _of_inner, "NumberLiteral": _of_number,
    "AggregateExpr": _of_aggregate, "Call": _of_call, "BinaryExpr": _of_binary,
}  # fmt: skip
