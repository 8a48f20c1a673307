"""The labels that the result of an expression can have at most: what it certainly drops is not among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from opsbot.promql.labelset import ANY, NONE, Labels
from opsbot.promql.looks import ABSENT, BARE
from opsbot.promql.parsing import parse
from opsbot.promql.tree import SETS, fills, folded, kind, number, unwrapped

_PICKING = ("topk", "bottomk", "limitk", "limit_ratio")
_NAMING = ("label_replace", "label_join", "histogram_quantiles")
"""Functions that give the label that their second argument names."""
_BUCKETS = ("histogram_quantile", "histogram_quantiles", "histogram_fraction")
"""Functions that make one value of the buckets of a histogram, which `le` tells apart."""


class _Side(NamedTuple):
    """What is known of a part: its labels, and whether it is one number."""

    labels: Labels
    number: bool


def kept_labels(expression: str) -> Labels:
    """The labels that a result can have at most; the metric's name does not count."""
    return folded(parse(expression), _side).labels


def _side(node: Any, sides: list[_Side]) -> _Side:
    return _Side(_kept(node, sides), number(node, [side.number for side in sides]))


def _kept(node: Any, sides: list[_Side]) -> Labels:
    name = kind(node)
    if name == "BinaryExpr":
        return _of_binary(node, *sides)
    if name == "Call":
        return _of_call(node, sides)
    if name == "AggregateExpr":
        return _of_aggregate(node, sides[0].labels)
    if name in ("ParenExpr", "UnaryExpr", "SubqueryExpr"):
        return sides[0].labels
    return NONE if name == "NumberLiteral" else ANY


def _of_aggregate(node: Any, inner: Labels) -> Labels:
    modifier, op = node.modifier, str(node.op)
    if op in _PICKING:
        return inner
    named = Labels.of(modifier.labels if modifier else ())
    by = modifier is None or str(modifier.type).endswith("By")
    kept = inner & named if by else inner - named
    return kept | _text(node.param) if op == "count_values" else kept


def _of_call(node: Any, sides: Sequence[_Side]) -> Labels:
    name, args = node.func.name, list(node.args)
    if name in ABSENT:
        return _pinned(unwrapped(args[0]))
    if name in BARE or not args:
        return NONE
    if name == "info":
        return ANY
    pairs = zip(args, sides, strict=True)
    vectors = (side.labels for arg, side in pairs if not side.number and kind(unwrapped(arg)) != "StringLiteral")
    kept = next(vectors, NONE)
    if name in _BUCKETS:
        kept = kept - Labels.of(("le",))
    return kept | _text(args[1]) if name in _NAMING else kept


def _text(node: Any) -> Labels:
    """The label that a text names."""
    return Labels.of((str(unwrapped(node).val),))


def _pinned(node: Any) -> Labels:
    """What absent() of a selector carries: the labels that it asks to be equal to one value, each named once."""
    selector = getattr(node, "vector_selector", node)
    if kind(selector) != "VectorSelector":
        return NONE
    matchers = selector.matchers.matchers
    names = [matcher.name for matcher in matchers]
    equal = (m.name for m in matchers if str(m.op).endswith("Equal") and "Not" not in str(m.op))
    return Labels.of(name for name in equal if names.count(name) == 1 and name != "__name__")


def _of_binary(node: Any, left: _Side, right: _Side) -> Labels:
    op = str(node.op)
    if left.number or right.number:
        return right.labels if left.number else left.labels
    if op == "or":
        return left.labels | right.labels
    return left.labels if op in SETS else _matched(node, left.labels, right.labels)


def _matched(node: Any, left: Labels, right: Labels) -> Labels:
    """What is left of two vectors' labels (promql/engine.go, resultMetric): those that matched, or the many side's.

    What a fill stands in for has the labels of the other side.
    """
    modifier = node.modifier
    card = str(modifier.card) if modifier else ""
    if "ManyToOne" in card or "OneToMany" in card:
        many, one = (left, right) if "ManyToOne" in card else (right, left)
        brought = Labels.of(modifier.group_labels or ())
        return many | one | brought if fills(node) else (many - brought) | (one & brought)
    both = left | right if fills(node) else left & right
    matching = modifier.matching if modifier else None
    named = Labels.of(matching.labels if matching else ())
    return both & named if matching and str(matching.type).endswith("Include") else both - named
