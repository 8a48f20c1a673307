"""What is wrong with an expression, in words and with its place: what the parser says names no place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from opsbot.promql import calls

_WORD = re.compile(r"[\w:]+|[^\w\s]+")
_JOINS = re.compile(
    r"and|or|unless|atan2|bool|on|ignoring|by|without|offset|group_left|group_right|[^\w\s]+", re.IGNORECASE
)

_LIST = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(", re.IGNORECASE)
_NAMES = re.compile(r"\s*+(?:[\w:]++\s*+(?:,\s*+[\w:]++\s*+)*+(?:,\s*+)?)?")
"""Labels and the commas between them; Prometheus takes one at the end too."""

_PLACES = {
    r"function (?:with name )?'(\w+)'": r"\b({})\s*\(",
    r"duration must be greater than 0": r"[\[:]\s*(0[0smhdwyx._]*+)\s*[:\]]",
    r"unexpected identifier '([\w:]+)' in label matching": r"[=~]\s*({})\b",
    r"label matching operator after '([\w:]+)'": r"[{{,]\s*({})\s*[,}}]",
    r"no grouping allowed for '(\w+)'": r"\b{}\s+(?:on|ignoring)\s*\([^()]*\)\s*(group_(?:left|right))\b",
    r"set operator '(\w+)' not allowed": r"\b({})\b",
}
"""What the parser says, and what to look for then: the place is where the group starts."""


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
    words, (start, unlisted) = list(_WORD.finditer(bare)), _unlisted(expression, bare)
    for last in range(len(words) - 1, max(len(words) - tries, 0), -1):
        if not reads(expression[: words[last].start()]):
            continue
        if all(_JOINS.fullmatch(word[0]) for word in words[last:]):
            return PromqlError("ends too early: something must follow", len(expression.rstrip()))
        led = all(_JOINS.fullmatch(word[0]) for word in words[last:] if word.start() < start)
        return _unfit(unlisted if unlisted and led else words[last])
    return _unfit(unlisted) if unlisted else PromqlError("is no PromQL")


def _unfit(word: re.Match[str]) -> PromqlError:
    return PromqlError(f"{word[0][:40]!r} does not fit here", word.start())


def _unlisted(expression: str, bare: str) -> tuple[int, re.Match[str] | None]:
    """Where the first list of labels begins that is none, and what does not fit in it; a quoted label is one too."""
    if "#" in expression:
        return 0, None
    text = "".join(blank if blank == sign else "_" for sign, blank in zip(expression, bare, strict=True))
    for found in _LIST.finditer(text):
        names = _NAMES.match(text, found.end())
        if names and text[names.end() : names.end() + 1] not in (")", ""):
            return found.start(), re.compile(r"[\w:]+|[^\w\s]").match(text, names.end())
    return 0, None


def place(
    message: str, expression: str, bare: str, renamed: Iterable[tuple[str, str]], reads: Callable[[str], bool]
) -> int | None:
    """Where a complaint of the parser belongs, which names no place: at the function, bracket or word that it names.

    `renamed` are functions that the parser was given under another name: old and new; `reads` judges a part.
    """
    if call := re.search(r"(?:expected type (\w+) )?in call to (?:function )?'(\w+)'", message):
        old = next((old for old, new in renamed if new == call[2]), call[2])
        return calls.wrong(f"{call[2]}|{old}", call[1] or "", expression, bare, reads)
    for says, where in _PLACES.items():
        if said := re.search(says, message):
            return _start(where.format(*said.groups()), bare)
    if named := re.search(r"(?:syntax: |character [a-z ]*: ?')([^']+)", message):
        at = expression.find(named[1].strip())
        return at if at >= 0 else None
    return _unpaired(bare)


def _start(pattern: str, bare: str) -> int | None:
    """Where the first group of a pattern is first found."""
    found = re.search(pattern, bare, re.IGNORECASE)
    return found.start(1) if found else None


def _unpaired(bare: str) -> int | None:
    """The first bracket that closes nothing, or the last one that is never closed."""
    pairs, opened = {")": "(", "]": "[", "}": "{"}, []
    for at, letter in enumerate(bare):
        if letter in pairs.values():
            opened.append(at)
        elif letter in pairs and (not opened or bare[opened.pop()] != pairs[letter]):
            return at
    return opened[-1] if opened else None
