"""The text of a condition in, what can be said of it without a server out: whether it parses, filters, keeps a label.

It never evaluates anything. The parser is a compiled library that dies with its process on an expression that is
nested too deep, so the size is bounded before it sees the text.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from typing import Any

LONGEST = 10_000
MOST_OPERATORS = 300

_OPERATOR = re.compile(r"[-+*/%^({\[]|[<>]=?|[=!]=|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)
_STRING = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|`[^`]*`|#[^\n]*', re.DOTALL)
_NUMBER = re.compile(
    r"(?<![\w:.])(?:0x[\da-f]+(?:_[\da-f]+)*|\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?(?:e[-+]?\d+(?:_\d+)*)?)(?![\w:.])",
    re.ASCII | re.IGNORECASE,
)
_RENAMED = {"holt_winters": "double_exponential_smoothing"}
"""What Prometheus 2 calls otherwise."""

_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_SETS = ("and", "or", "unless")
_ABSENT = ("absent", "absent_over_time")
_PICKING = ("topk", "bottomk", "limitk", "limit_ratio")
_BARE = ("scalar", "time", "vector", "pi")

Labels = frozenset[str] | None
"""Labels that a result has at most; None where that cannot be told from the text."""


_WORD = re.compile(r"[\w:]+|[^\w\s]+")
_JOINS = re.compile(
    r"and|or|unless|atan2|bool|on|ignoring|by|without|offset|group_left|group_right|[^\w\s]+", re.IGNORECASE
)


class PromqlError(ValueError):
    """What is wrong with an expression, in one line; `at` is the place in it, None where that is not known."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


@lru_cache(maxsize=4_096)
def parse(expression: str) -> Any:
    """The syntax tree of promql-parser; PromqlError says what is wrong."""
    if len(expression) > LONGEST:
        raise PromqlError(f"is longer than {LONGEST} characters")
    bare = _bare_text(expression)
    if sum(1 for _ in _OPERATOR.finditer(bare)) > MOST_OPERATORS:
        raise PromqlError(f"has more than {MOST_OPERATORS} operators and brackets")
    import promql_parser

    modern = _modern(expression, bare)
    try:
        tree = promql_parser.parse(modern)
    except ValueError as error:
        message = " ".join(str(error).split())[:200]
        if message == _NO_MORE:
            raise _misfit(expression, bare) from None
        raise PromqlError(message, _place(message, expression, bare)) from None
    if any(selector.matchers.or_matchers for selector in _selectors(tree)):
        raise PromqlError("`or` between labels is no PromQL: use a regular expression")
    return tree


def excerpt(expression: str, at: int | None) -> str:
    """The line of an expression that holds a place, and a caret under it; empty where no place is known."""
    if at is None or not 0 <= at <= len(expression):
        return ""
    start = expression.rfind("\n", 0, at) + 1
    line = expression[start:].partition("\n")[0]
    first = max(0, at - start - 80)
    return f"{line[first : first + 120]}\n{' ' * (at - start - first)}^"


def offset(expression: str, line: int, column: int) -> int | None:
    """The place that Prometheus means with line:column (from 1, the column in bytes); None where there is none."""
    lines = expression.split("\n")
    if not 1 <= line <= len(lines):
        return None
    before = lines[line - 1].encode()[: max(column - 1, 0)].decode("utf-8", "ignore")
    return sum(len(one) + 1 for one in lines[: line - 1]) + len(before)


def _bare_text(expression: str) -> str:
    """The expression with blanks for its texts and comments: every other character stays where it is."""
    return _STRING.sub(lambda found: " " * len(found[0]), expression)


def _modern(expression: str, bare: str) -> str:
    """The same for this parser: it knows functions by their names of today alone, and no backslash in raw text."""
    for old, new in _RENAMED.items():
        for found in reversed(list(re.finditer(rf"\b{old}(?=\s*\()", bare))):
            expression = expression[: found.start()] + new + expression[found.end() :]
            bare = bare[: found.start()] + new + bare[found.end() :]
    for found in reversed(list(_NUMBER.finditer(bare))):
        expression = expression[: found.start()] + _number(found) + expression[found.end() :]
    return _STRING.sub(_quoted, expression)


def _number(found: re.Match[str]) -> str:
    """A number without the underscores that may part its digits; PromqlError where it is too large for a float."""
    plain = found[0].replace("_", "")
    if plain[:2].lower() == "0x":
        return plain
    if math.isinf(float(plain)):
        raise PromqlError(f"the number {found[0][:40]} is out of range", found.start())
    return plain.lstrip("0") if re.fullmatch(r"0+[1-9]\d*e.*", plain, re.IGNORECASE) else plain


def _quoted(found: re.Match[str]) -> str:
    """A raw text with a backslash as a quoted one; every other text as it is."""
    text = found[0]
    if text[0] != "`" or "\\" not in text:
        return text
    return '"' + text[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


_NO_MORE = "invalid promql query"
"""All that the parser says where a word does not fit, or the end comes too early."""
_TRIED = 60


def _misfit(expression: str, bare: str) -> PromqlError:
    """What does not fit: the first word or sign after the longest beginning that is an expression by itself."""
    import promql_parser

    words = list(_WORD.finditer(bare))
    for last in range(len(words) - 1, max(len(words) - _TRIED, 0), -1):
        try:
            promql_parser.parse(expression[: words[last].start()])
        except ValueError:
            continue
        if all(_JOINS.fullmatch(word[0]) for word in words[last:]):
            return PromqlError("ends too early: something must follow", len(expression.rstrip()))
        return PromqlError(f"{words[last][0][:40]!r} does not fit here", words[last].start())
    return PromqlError("is no PromQL")


def _place(message: str, expression: str, bare: str) -> int | None:
    """Where a complaint of the parser belongs, which names no place: at the function, bracket or word that it names."""
    if function := re.search(r"function (?:with name )?'(\w+)'|in call to '(\w+)'", message):
        name = function[1] or function[2]
        old = next((old for old, new in _RENAMED.items() if new == name), name)
        found = re.search(rf"\b(?:{name}|{old})\s*\(", bare)
        return found.start() if found else None
    if named := re.search(r"(?:syntax: |illegal regex for |character [a-z ]*: ?')([^']+)", message):
        place = expression.find(named[1].strip())
        return place if place >= 0 else None
    return _unpaired(bare)


def _unpaired(bare: str) -> int | None:
    """The first bracket that closes nothing, or the last one that is never closed."""
    pairs, opened = {")": "(", "]": "[", "}": "{"}, []
    for place, letter in enumerate(bare):
        if letter in pairs.values():
            opened.append(place)
        elif letter in pairs and (not opened or bare[opened.pop()] != pairs[letter]):
            return place
    return opened[-1] if opened else None


def condition(expression: str) -> Any:
    """The tree of an expression that a rule may have; PromqlError for one that gives no vector and no number.

    As Prometheus, which refuses the result of such a rule when it evaluates it (rules/manager.go, EngineQueryFunc).
    """
    found = parse(expression)
    kind = _kind(_bare(found))
    if kind in ("MatrixSelector", "SubqueryExpr"):
        raise PromqlError("gives a range of time, not a value: wrap it in a function such as rate()")
    if kind == "StringLiteral":
        raise PromqlError("gives a text, not a value")
    return found


def is_number(expression: str) -> bool:
    """Whether it gives one number, which no label can stand at, and not a vector."""
    return _scalar(_bare(parse(expression)))


def has_comparison(expression: str) -> bool:
    """Whether something in it filters: a comparison without `bool`, or absent().

    A condition without one is true for every series that there is, even at 0.
    """
    return any(_filters(node) for node in _walk(parse(expression)))


def kept_labels(expression: str) -> Labels:
    """The labels that a result can have at most, or None where any may be there; the metric's name does not count."""
    return _kept(parse(expression))


@lru_cache(maxsize=4_096)
def metrics(expression: str) -> tuple[frozenset[str], bool]:
    """The metrics that it names, and whether it may look at others too, whose names it does not spell out."""
    selectors = list(_selectors(parse(expression)))
    names = [_name(selector) for selector in selectors]
    return frozenset(filter(None, names)), "" in names


@lru_cache(maxsize=4_096)
def never_alone(expression: str) -> bool:
    """Whether it can only give something where one of its metrics has series: there is no number or absent() in it."""
    return _fed(parse(expression))


def looks_ahead(expression: str) -> bool:
    """Whether it may ask for a time after its own: a negative offset, or `@`."""
    nodes = (getattr(node, "vector_selector", node) for node in _walk(parse(expression)))
    return any(getattr(n, "at", None) is not None or (getattr(n, "offset", None) or _NOW) < _NOW for n in nodes)


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


_NOW = timedelta()
_LEAVES = ("VectorSelector", "MatrixSelector")


def _selectors(tree: Any) -> Iterator[Any]:
    return (getattr(n, "vector_selector", n) for n in _walk(tree) if _kind(n) in _LEAVES)


def _name(selector: Any) -> str:
    if selector.name:
        return str(selector.name)
    named = [m.value for m in selector.matchers.matchers if m.name == "__name__" and str(m.op).endswith(".Equal")]
    return str(named[0]) if len(named) == 1 and not selector.matchers.or_matchers else ""


def _fed(node: Any) -> bool:
    """Whether a part gives nothing where no metric of it has series."""
    kind = _kind(node)
    if kind in _LEAVES:
        return True
    if kind == "BinaryExpr":
        left, right, op = _fed(node.lhs), _fed(node.rhs), str(node.op)
        return left and right if op == "or" else left if op in ("and", "unless") else left or right
    if kind == "Call":
        return node.func.name not in (*_ABSENT, *_BARE) and any(_fed(part) for part in node.args)
    return kind in ("ParenExpr", "UnaryExpr", "AggregateExpr", "SubqueryExpr") and _fed(node.expr)


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
