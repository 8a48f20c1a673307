"""The labels that the result of an expression can have at most."""

from __future__ import annotations

from typing import Any, NamedTuple

from opsbot.promql.looks import ABSENT, BARE
from opsbot.promql.parsing import parse
from opsbot.promql.tree import SETS, folded, kind, number, unwrapped

Labels = frozenset[str] | None
"""Labels that a result has at most; None where that cannot be told from the text."""

_PICKING = ("topk", "bottomk", "limitk", "limit_ratio")


class _Side(NamedTuple):
    """What is known of a part: its labels, and whether it is one number."""

    labels: Labels
    number: bool


def kept_labels(expression: str) -> Labels:
    """The labels that a result can have at most, or None where any may be there; the metric's name does not count."""
    return folded(parse(expression), _side).labels


def _side(node: Any, sides: list[_Side]) -> _Side:
    return _Side(_kept(node, sides), number(node, [side.number for side in sides]))


def _kept(node: Any, sides: list[_Side]) -> Labels:
    name = kind(node)
    if name == "BinaryExpr":
        return _of_binary(node, *sides)
    if name == "Call":
        return _of_call(node, [side.labels for side in sides])
    if name == "AggregateExpr":
        return _of_aggregate(node, sides[0].labels)
    if name in ("ParenExpr", "UnaryExpr", "SubqueryExpr"):
        return sides[0].labels
    return frozenset() if name == "NumberLiteral" else None


def _of_aggregate(node: Any, inner: Labels) -> Labels:
    modifier, op = node.modifier, str(node.op)
    if op in _PICKING:
        return inner
    named = frozenset(modifier.labels) if modifier else frozenset()
    if modifier is None or str(modifier.type).endswith("By"):
        kept: Labels = named
    else:
        kept = None if inner is None else inner - named
    if op != "count_values" or kept is None:
        return kept
    return kept | {str(unwrapped(node.param).val)}


def _of_call(node: Any, inner: list[Labels]) -> Labels:
    name, args = node.func.name, list(node.args)
    if name in ABSENT:
        return _pinned(unwrapped(args[0]))
    if name in BARE or not args:
        return frozenset()
    if name in ("label_replace", "label_join"):
        return None if inner[0] is None else inner[0] | {str(unwrapped(args[1]).val)}
    if name == "info":
        return None
    literal = ("NumberLiteral", "StringLiteral")
    return next((labels for arg, labels in zip(args, inner, strict=True) if kind(unwrapped(arg)) not in literal),
                inner[-1])  # fmt: skip


def _pinned(node: Any) -> Labels:
    """What absent() of a selector carries: the labels that it asks to be equal to one value, each named once."""
    selector = getattr(node, "vector_selector", node)
    if kind(selector) != "VectorSelector":
        return frozenset()
    matchers = selector.matchers.matchers
    names = [matcher.name for matcher in matchers]
    equal = (m.name for m in matchers if str(m.op).endswith("Equal") and "Not" not in str(m.op))
    return frozenset(name for name in equal if names.count(name) == 1 and name != "__name__")


def _of_binary(node: Any, left: _Side, right: _Side) -> Labels:
    op = str(node.op)
    if left.number or right.number:
        return right.labels if left.number else left.labels
    if op == "or":
        return None if left.labels is None or right.labels is None else left.labels | right.labels
    return left.labels if op in SETS else _matched(node.modifier, left.labels, right.labels)


def _matched(modifier: Any, left: Labels, right: Labels) -> Labels:
    """What is left of two vectors' labels (promql/engine.go, resultMetric): those that matched, or the many side's."""
    card = str(modifier.card) if modifier else ""
    if "ManyToOne" in card or "OneToMany" in card:
        many = left if "ManyToOne" in card else right
        return None if many is None else many | frozenset(modifier.group_labels or ())
    matching = modifier.matching if modifier else None
    named = frozenset(matching.labels) if matching else frozenset()
    if matching and str(matching.type).endswith("Include"):
        return named
    return next((side - named for side in (left, right) if side is not None), None)
