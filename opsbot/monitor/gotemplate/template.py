"""Templates of alert labels and annotations, as Prometheus has them: text in, a parsed Template out, then plain text.

Known are the values that Prometheus passes, pipes, variables, `if`, `with`, `range`, and the functions of `functions`.
All else is refused at load, never skipped. It reads nothing but what is passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate import builtin, functions, parser, printing
from opsbot.monitor.gotemplate.nodes import Block, Body, Call, Chain, Constant, Method, Node, Pipe, Reference
from opsbot.monitor.gotemplate.printing import TemplateError

LONGEST = 100_000
MOST_WORK = 100_000
"""Values that one text may look at: a `range` over many series must end."""


Bases = frozenset[str]
"""What the labels of the alert are reached by: `$labels`, `$`, and `.` where no `with` or `range` has another there."""


def nobody(_query: str) -> Sequence[Sample]:
    """What `query` meets where there is no server to ask."""
    raise TemplateError("there is no server to ask")


@dataclass(frozen=True, slots=True)
class Server:
    """What a template may know of the Prometheus behind it: how it names itself, and what it answers."""

    labels: Mapping[str, str] = field(default_factory=dict)
    url: str = ""
    query: Callable[[str], Sequence[Sample]] = nobody


NOWHERE = Server()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template may speak of: the sample's own labels, its value, and the server."""

    labels: Mapping[str, str]
    value: float
    server: Server = NOWHERE


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read; `doubts` say what in it can never be filled, which Prometheus tells only then."""

    body: Body
    doubts: tuple[str, ...] = ()

    @property
    def labels(self) -> frozenset[str]:
        """The labels of the sample that it writes out without asking first whether they are there."""
        return frozenset(_named(self.body, frozenset({".", "$", "$labels"} - _declared(self.body))))

    @property
    def queries(self) -> bool:
        """Whether it asks the server."""
        return bool(self.asked)

    @property
    def asked(self) -> tuple[str | None, ...]:
        """What it asks the server; None for an expression that is only put together when it is filled."""
        calls = (node.arguments for node in _nodes(self.body) if isinstance(node, Call) and node.function == "query")
        return tuple(_text(arguments[0]) if arguments else None for arguments in calls)

    def render(self, scope: Scope) -> str:
        """The text for one sample; TemplateError where a function cannot take what it is given."""
        writer = _Writer(scope)
        writer.write(self.body, writer.root)
        return "".join(writer.out)


@lru_cache(maxsize=4_096)
def parse(text: str) -> Template:
    """Read a template; ValueError names the first thing in it that is wrong or not supported."""
    if len(text) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    return Template(*parser.body(text))


# looking ------------------------------------------------------------------------------------------------------------


def _nodes(body: Body) -> Iterator[Node]:
    for item in body:
        if isinstance(item, Block):
            yield from (*_within(item.pipe.node), *_nodes(item.body), *_nodes(item.other))
        elif isinstance(item, Pipe):
            yield from _within(item.node)


def _within(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Chain):
        yield from _within(node.inner)
    elif isinstance(node, Call | Method):
        for inner in (*((node.inner,) if isinstance(node, Method) else ()), *node.arguments):
            yield from _within(inner)


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, Constant) and isinstance(node.value, str) else None


def _label(node: Node, bases: Bases) -> str:
    """The label that a reference names; empty where it names none."""
    if not isinstance(node, Reference) or node.base not in bases:
        return ""
    match (node.base, *node.path):
        case ("$labels", name) | ("." | "$", "Labels", name):
            return name
    return ""


def _named(body: Body, bases: Bases) -> Iterator[str]:
    for item in body:
        if isinstance(item, Pipe):
            yield from (name for node in _within(item.node) if (name := _label(node, bases)))
        elif isinstance(item, Block):
            asked = {_label(node, bases) for node in _within(item.pipe.node)}
            inside = bases if item.kind == "if" else bases - {"."}
            found = (*_named(item.body, inside), *_named(item.other, bases))
            yield from (name for name in found if name not in asked)


def _declared(body: Body) -> frozenset[str]:
    """The variables that it sets somewhere: a `$labels` among them is another's."""
    blocks = [item for item in body if isinstance(item, Block)]
    pipes = [item for item in body if isinstance(item, Pipe)] + [block.pipe for block in blocks]
    below = (_declared(inner) for block in blocks for inner in (block.body, block.other))
    return frozenset(name for pipe in pipes for name in pipe.names).union(*below)


# writing ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Root:
    """`.` at the top of a template."""

    scope: Scope

    def field(self, name: str) -> Any:
        scope = self.scope
        fields = {
            "Labels": scope.labels, "Value": scope.value, "ExternalLabels": scope.server.labels,
            "ExternalURL": scope.server.url,
        }  # fmt: skip
        if name not in fields:
            raise TemplateError(f"there is no field {name!r}")
        return fields[name]


_NEVER = {"nil": "nil is no value", "given": "a value that is no function was given another"}
"""What a template may call and Go never fills."""


class _Writer:
    """One template being filled: what is written so far, the variables, the innermost last, and the work done."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.root = _Root(scope)
        self.out: list[str] = []
        self.work = 0
        self.variables: list[tuple[str, Any]] = [
            ("$", self.root), ("$labels", scope.labels), ("$externalLabels", scope.server.labels),
            ("$externalURL", scope.server.url), ("$value", scope.value),
        ]  # fmt: skip

    def write(self, body: Body, dot: Any) -> None:
        for item in body:
            if isinstance(item, str):
                self.spend(1 + len(item) // 100)
                self.out.append(item)
            elif isinstance(item, Block):
                self.block(item, dot)
            else:
                value = self.value(item.node, dot)
                self.keep(item, value)
                if not item.names:
                    self.out.append(printing.shown(value))

    def block(self, block: Block, dot: Any) -> None:
        mark = len(self.variables)
        value = self.value(block.pipe.node, dot)
        if block.kind == "range":
            self.each(block, value, dot)
        else:
            self.keep(block.pipe, value)
            held = builtin.truth(value)
            inner = value if block.kind == "with" and held else dot
            self.write(block.body if held else block.other, inner)
        del self.variables[mark:]

    def each(self, block: Block, value: Any, dot: Any) -> None:
        items = builtin.items(value, len(block.pipe.names))
        for key, item in items:
            self.spend()
            mark = len(self.variables)
            names = block.pipe.names
            for name, what in zip(names, (item,) if len(names) == 1 else (key, item), strict=False):
                self.set(name, what, new=block.pipe.new)
            self.write(block.body, item)
            del self.variables[mark:]
        if not items:
            self.write(block.other, dot)

    def keep(self, pipe: Pipe, value: Any) -> None:
        for name in pipe.names:
            self.set(name, value, new=pipe.new)

    def set(self, name: str, value: Any, *, new: bool) -> None:
        if not new:
            places = [place for place, (known, _) in enumerate(self.variables) if known == name]
            if not places:
                raise TemplateError(f"{name!r} is not defined")
            self.variables[places[-1]] = (name, value)
        else:
            self.variables.append((name, value))

    def spend(self, much: int = 1) -> None:
        self.work += much
        if self.work > MOST_WORK:
            raise TemplateError("the template is too much work")

    def value(self, node: Node, dot: Any) -> Any:
        self.spend()
        match node:
            case Constant(value):
                return value
            case Reference(base, path):
                return self.fields(dot if base == "." else self.variable(base), path)
            case Chain(inner, path):
                return self.fields(self.value(inner, dot), path)
            case Call(function, arguments):
                return self.call(function, arguments, dot)
            case Method(inner, name, arguments):
                return builtin.method(self.value(inner, dot), name, *(self.value(one, dot) for one in arguments))

    def variable(self, name: str) -> Any:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        raise TemplateError(f"{name!r} is not defined")

    def fields(self, value: Any, path: Sequence[str]) -> Any:
        for name in path:
            value = value.field(name) if isinstance(value, _Root) else builtin.part(value, name)
        return value

    def call(self, function: str, arguments: Sequence[Node], dot: Any) -> Any:
        """`and` and `or` look at no more than they need; `query` and its like ask the server of the scope."""
        wrong = _NEVER.get(function) or functions.miscounted(function, len(arguments))
        if wrong:
            raise TemplateError(wrong)
        if function in ("and", "or"):
            value = None
            for argument in arguments:
                value = self.value(argument, dot)
                if builtin.truth(value) is (function == "or"):
                    break
            return value
        given = [self.value(argument, dot) for argument in arguments]
        found = functions.FUNCTIONS[function]
        return found.call(self.scope.server, *given) if found.served else found.call(*given)
