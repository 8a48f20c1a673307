"""Ways through the syntax tree of promql-parser. None of them recurses: a tree may be deeper than a thread's stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

SETS = ("and", "or", "unless")
LEAVES = ("VectorSelector", "MatrixSelector")
NUMBERS = ("scalar", "time", "pi", "start", "end", "step", "range", "max_of", "min_of")
"""Functions that give one number."""

T = TypeVar("T")


def kind(node: Any) -> str:
    """The name of its class."""
    return type(node).__name__


def unwrapped(node: Any) -> Any:
    """What stands in its brackets and behind its signs."""
    while kind(node) in ("ParenExpr", "UnaryExpr"):
        node = node.expr
    return node


def parts(node: Any) -> list[Any]:
    """What is right below it: the operands from left to right, the arguments, or the inner one and its parameter."""
    named = (getattr(node, name, None) for name in ("expr", "lhs", "rhs", "param"))
    return [part for part in (*named, *(getattr(node, "args", None) or ())) if part is not None]


def walk(tree: Any) -> Iterator[Any]:
    """Every node, from left to right."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(parts(node)))


def folded(tree: Any, judge: Callable[[Any, list[T]], T]) -> T:
    """What `judge` says of the whole tree: it is given each node, and what it has said of that node's `parts`."""
    nodes, below = [tree], []
    for node in nodes:  # which grows meanwhile: what is below a node stands behind it
        first = len(nodes)
        nodes.extend(parts(node))
        below.append(range(first, len(nodes)))
    said: dict[int, T] = {}
    for at in reversed(range(len(nodes))):
        said[at] = judge(nodes[at], [said.pop(part) for part in below[at]])
    return said[0]


def selectors(tree: Any) -> Iterator[Any]:
    """Every selector of series, those with a range without it."""
    return (getattr(node, "vector_selector", node) for node in walk(tree) if kind(node) in LEAVES)


def fills(node: Any) -> bool:
    """Whether an operator has a value for the series that have no partner on the other side."""
    fill = node.modifier and node.modifier.fill_values
    return bool(fill) and (fill.lhs is not None or fill.rhs is not None)


def number(node: Any, numbers: list[bool]) -> bool:
    """Whether a node gives one number and not a vector; for `folded`."""
    name = kind(node)
    if name in ("BinaryExpr", "ParenExpr", "UnaryExpr"):
        return all(numbers)
    return name == "NumberLiteral" or (name == "Call" and node.func.name in NUMBERS)
