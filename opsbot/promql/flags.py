"""What a Prometheus takes in an expression only where it was started with a flag."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opsbot.promql.parsing import parse
from opsbot.promql.tree import fills, kind, walk

_FUNCTIONS = frozenset({
    "double_exponential_smoothing", "end", "first_over_time", "histogram_quantiles", "info", "limit_ratio", "limitk",
    "mad_over_time", "max_of", "min_of", "range", "sort_by_label", "sort_by_label_desc", "start", "step",
    "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time",
})  # fmt: skip
"""Those of version 3 that are experimental (promql/parser/functions.go; lex.go, IsExperimentalAggregator)."""


def flagged(expression: str) -> dict[str, str]:
    """What in it needs a flag of Prometheus 3, and the flag of each."""
    found = dict(pair for node in walk(parse(expression)) for pair in _flags(node))
    if "double_exponential_smoothing" not in expression:
        found.pop("double_exponential_smoothing()", None)  # its name in version 2, which asked for no flag
    return found


def _flags(node: Any) -> Iterator[tuple[str, str]]:
    of_kind = kind(node)
    if of_kind == "BinaryExpr" and fills(node):
        yield "fill()", "promql-binop-fill-modifiers"
    name = node.func.name if of_kind == "Call" else str(node.op) if of_kind == "AggregateExpr" else ""
    if name in _FUNCTIONS:
        yield f"{name}()", "promql-experimental-functions"
