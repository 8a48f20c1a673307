"""What a template is made of once it is read: values that are asked for, and blocks that are written or walked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A text, number, truth value or nothing, as written."""

    value: str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A variable (`$labels`; `$` is the whole; `.` is what the block is about) and the fields that follow it."""

    base: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields of what stands in brackets, as in `(query "up" | first).Value`."""

    inner: Node
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its arguments; what comes down a pipe is the last of them."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a value with what it takes, as in `($value | toTime).Format "15:04"`."""

    inner: Node
    name: str
    arguments: tuple[Node, ...]


Node = Constant | Reference | Chain | Call | Method


@dataclass(frozen=True, slots=True)
class Pipe:
    """A value, and the variables that take it: new ones (`:=`) or one that is there (`=`)."""

    node: Node
    names: tuple[str, ...] = ()
    new: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """`if`, `with` or `range`: what is looked at, the body, and what stands under `else`."""

    kind: str
    pipe: Pipe
    body: Body
    other: Body = ()


Body = tuple["str | Pipe | Block", ...]
