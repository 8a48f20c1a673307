"""What is wrong with an expression, in words and with its place: what the parser says names no place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

_WORD = re.compile(r"[\w:]+|[^\w\s]+")
_JOINS = re.compile(
    r"and|or|unless|atan2|bool|on|ignoring|by|without|offset|group_left|group_right|[^\w\s]+", re.IGNORECASE
)


class PromqlError(ValueError):
    """What is wrong with an expression, in one line; `at` is the place in it, None where that is not known."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


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


def misfit(expression: str, bare: str, reads: Callable[[str], bool], tries: int) -> PromqlError:
    """What does not fit: the first word or sign after the longest beginning that is an expression by itself.

    `bare` is the expression with blanks for its texts; `reads` judges a beginning, and is asked so many times at most.
    """
    words = list(_WORD.finditer(bare))
    for last in range(len(words) - 1, max(len(words) - tries, 0), -1):
        if not reads(expression[: words[last].start()]):
            continue
        if all(_JOINS.fullmatch(word[0]) for word in words[last:]):
            return PromqlError("ends too early: something must follow", len(expression.rstrip()))
        return PromqlError(f"{words[last][0][:40]!r} does not fit here", words[last].start())
    return PromqlError("is no PromQL")


def place(message: str, expression: str, bare: str, renamed: Iterable[tuple[str, str]]) -> int | None:
    """Where a complaint of the parser belongs, which names no place: at the function, bracket or word that it names.

    `renamed` are functions that the parser was given under another name: old and new.
    """
    if function := re.search(r"function (?:with name )?'(\w+)'|in call to '(\w+)'", message):
        name = function[1] or function[2]
        old = next((old for old, new in renamed if new == name), name)
        found = re.search(rf"\b(?:{name}|{old})\s*\(", bare)
        return found.start() if found else None
    if "duration must be greater than 0" in message:
        found = re.search(r"[\[:]\s*(0[0smhdwyx._]*+)\s*[:\]]", bare)
        return found.start(1) if found else None
    if named := re.search(r"(?:syntax: |character [a-z ]*: ?')([^']+)", message):
        at = expression.find(named[1].strip())
        return at if at >= 0 else None
    return _unpaired(bare)


def _unpaired(bare: str) -> int | None:
    """The first bracket that closes nothing, or the last one that is never closed."""
    pairs, opened = {")": "(", "]": "[", "}": "{"}, []
    for at, letter in enumerate(bare):
        if letter in pairs.values():
            opened.append(at)
        elif letter in pairs and (not opened or bare[opened.pop()] != pairs[letter]):
            return at
    return opened[-1] if opened else None
