"""Templates of alert labels and annotations, as Prometheus has them: text in, a parsed Template out, then plain text.

Known are `$value`, `$labels.NAME`, `$labels`, their spellings `.Value`, `.Labels.NAME`, `.Labels`, constants, brackets,
pipes and the functions of `gofuncs`. All else is refused at load, never skipped. It reads nothing but what is passed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opsbot.monitor import gofuncs

LONGEST = 20_000
DEEPEST = 20


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template may speak of: the sample's own labels, and its value."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Constant:
    """A text or a number as written."""

    value: str | int | float


@dataclass(frozen=True, slots=True)
class SampleValue:
    """`$value`."""


@dataclass(frozen=True, slots=True)
class AllLabels:
    """`$labels`."""


@dataclass(frozen=True, slots=True)
class Label:
    """`$labels.NAME`: empty where the sample has no such label."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; what comes down a pipe is the last of them."""

    function: str
    arguments: tuple[Node, ...]


Node = Constant | SampleValue | AllLabels | Label | Call


@dataclass(frozen=True, slots=True)
class Template:
    """Text and nodes in turn, as they are written out."""

    parts: tuple[str | Node, ...]

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the sample that it names."""
        return frozenset(node.name for part in self.parts if not isinstance(part, str) for node in _labels_in(part))

    def render(self, scope: Scope) -> str:
        """The text for one sample; TemplateError where a function cannot take what it is given."""
        return "".join(part if isinstance(part, str) else gofuncs.shown(_value(part, scope)) for part in self.parts)


def parse(text: str) -> Template:
    """Read a template; ValueError names the first thing in it that is wrong or not supported."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return Template(tuple(_parts(text)))


def _labels_in(node: Node) -> Iterator[Label]:
    if isinstance(node, Label):
        yield node
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from _labels_in(argument)


def _value(node: Node, scope: Scope) -> Any:
    match node:
        case Constant(value):
            return value
        case SampleValue():
            return scope.value
        case AllLabels():
            return scope.labels
        case Label(name):
            return scope.labels.get(name, "")
        case Call(function, arguments):
            return gofuncs.FUNCTIONS[function](*(_value(argument, scope) for argument in arguments))


# reading ------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""(?P<blank>\s+) | (?P<close>}}) | (?P<pipe>\|) | (?P<open>\() | (?P<end>\))
    | (?P<text>"(?:\\.|[^"\\\n])*") | (?P<raw>`[^`]*`)
    | (?P<number>[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+))(?![\w.])
    | (?P<name>[$.]?[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)""",
    re.VERBOSE | re.ASCII,
)
_COMMENT = re.compile(r"/\*.*?\*/(?=(?:\s+-)?}})", re.DOTALL)
_VALUES = ("$value", ".Value")
_LABELS = ("$labels", ".Labels")

Token = tuple[str, str]


def _parts(text: str) -> Iterator[str | Node]:
    at, trim = 0, False
    while (start := text.find("{{", at)) >= 0:
        before, inner = text[at:start], start + 2
        trims_before = text[inner : inner + 1] == "-" and text[inner + 1 : inner + 2].isspace()
        yield from _plain(before, left=trim, right=trims_before)
        node, at, trim = _action(text, inner + trims_before)
        yield from () if node is None else (node,)
    yield from _plain(text[at:], left=trim, right=False)


def _plain(text: str, *, left: bool, right: bool) -> Iterator[str]:
    text = text.lstrip() if left else text
    text = text.rstrip() if right else text
    yield from (text,) if text else ()


def _action(text: str, at: int) -> tuple[Node | None, int, bool]:
    """What stands between `{{` and `}}`, where the text goes on, and whether blanks after it are trimmed."""
    comment = _COMMENT.match(text, at) or _COMMENT.match(text, at + 1 if text[at : at + 1].isspace() else at)
    if comment:
        trim = text[comment.end() : comment.end() + 2] != "}}"
        return None, text.index("}}", comment.end()) + 2, trim
    tokens: list[Token] = []
    while True:
        if text[at : at + 3] == "-}}" and text[at - 1].isspace():
            return _Reader(tokens).all(), at + 3, True
        found = _TOKEN.match(text, at)
        if not found:
            raise ValueError(_unread(text, at))
        at = found.end()
        if found.lastgroup == "close":
            return _Reader(tokens).all(), at, False
        if found.lastgroup != "blank":
            tokens.append((str(found.lastgroup), found[0]))


def _unread(text: str, at: int) -> str:
    left = text[at : at + 20]
    return f"{left!r} is not supported in a template" if left else "an opening {{ has no closing }}"


class _Reader:
    """The tokens of one action as a node: a pipe of commands."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def all(self) -> Node:
        node = self.pipe()
        if self.at < len(self.tokens):
            raise ValueError(f"unexpected {self.tokens[self.at][1]!r} in a template")
        return node

    def peek(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def take(self) -> Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def pipe(self) -> Node:
        node = self.command(())
        while self.peek() == "pipe":
            self.take()
            node = self.command((node,))
        return node

    def command(self, piped: tuple[Node, ...]) -> Node:
        """A function with its arguments, or one value alone where nothing is piped into it."""
        kind, word = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "name" and word[0] not in "$.":
            self.take()
            _vet_name(word)
            return self.call(word, (*self.operands(), *piped))
        found = self.operands()
        if not found:
            raise ValueError("an empty {{ }} or pipe in a template")
        if piped or len(found) > 1:
            raise ValueError(f"{word!r} in a template is no function: it cannot be given a value")
        return found[0]

    def operands(self) -> tuple[Node, ...]:
        found: list[Node] = []
        while self.peek() not in ("", "pipe", "end"):
            found.append(self.operand())
        return tuple(found)

    def operand(self) -> Node:
        kind, word = self.take()
        if kind == "open":
            return self.bracket()
        if kind == "name":
            _vet_name(word)
            return self.call(word, ()) if word[0] not in "$." else _reference(word)
        return Constant(_constant(kind, word))

    def bracket(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ValueError(f"a template has more than {DEEPEST} brackets")
        node = self.pipe()
        if self.peek() != "end":
            raise ValueError("an opening ( in a template has no closing )")
        self.take()
        return node

    def call(self, word: str, arguments: tuple[Node, ...]) -> Node:
        if word == "printf":
            _vet_printf(arguments)
        elif len(arguments) != 1:
            raise ValueError(f"{word} in a template takes one value, not {len(arguments)}")
        return Call(word, arguments)


def _vet_name(word: str) -> None:
    if word[0] not in "$." and word not in gofuncs.FUNCTIONS:
        raise ValueError(f"{word!r} is not supported in a template; known are {', '.join(gofuncs.FUNCTIONS)}")


def _vet_printf(arguments: tuple[Node, ...]) -> None:
    if not arguments:
        raise ValueError('printf in a template needs a format, such as "%.2f"')
    first = arguments[0]
    if isinstance(first, Constant):
        gofuncs.vet_format(str(first.value))


def _reference(word: str) -> Node:
    base, dot, rest = (word[0] + word[1:].partition(".")[0], *word[1:].partition(".")[1:])
    if base in _VALUES and not dot:
        return SampleValue()
    if base in _LABELS and not dot:
        return AllLabels()
    if base in _LABELS and "." not in rest:
        return Label(rest)
    raise ValueError(f"{word!r} is not supported in a template; known are $value, $labels and $labels.NAME")


def _constant(kind: str, word: str) -> str | int | float:
    if kind == "raw":
        return word[1:-1]
    if kind == "text":
        return _unquoted(word)
    if kind != "number":
        raise ValueError(f"unexpected {word!r} in a template")
    return int(word) if re.fullmatch(r"[-+]?\d{1,18}", word) else float(word)


def _unquoted(word: str) -> str:
    try:
        return str(json.loads(word))
    except ValueError:
        raise ValueError(f"the text {word[:40]} in a template has an escape that is not supported") from None
