"""Secret objects inside a text, as YAML or JSON: all under `data` and `stringData` is secret, whatever its key.

Text in, places out. A text may hold many objects, parts of objects, and lines that are no YAML at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from opsbot.mask.words import placeholder

Span = tuple[int, int]

_HINT = re.compile(r"kind\\*[\"']?[ \t]*:[ \t]*\\*[\"']?[Ss]ecret(?![A-Za-z])")
_LINE = re.compile(
    r"(?P<lead>[ \t]*(?:-[ \t]+)*)(?P<key>[\"']?[\w./-]+[\"']?)[ \t]*:(?=[ \t]|$)[ \t]*(?P<value>.*?)[ \t\r]*$"
)
_TOKEN = re.compile(r"\"(?P<text>(?:\\[^\n]|[^\"\\\n])*+)\"?|[{}]")
_NO_VALUE = re.compile(r"[|>][+-]?\d?|[\s{}\[\],]*")  # what opens a block scalar or only closes JSON
_HIDDEN = ("data", "stringData")


@dataclass(slots=True)
class _Object:
    """A mapping that is being read: where it stands, whether it is a Secret, what its hidden parts hold."""

    column: int
    secret: bool = False
    open: bool = False
    held: list[Span] = field(default_factory=list)
    key: str = ""


def secret_objects(text: str) -> Iterator[Span]:
    """The places of all values of the Secrets in a text."""
    if _HINT.search(text) is None:
        return
    yield from _yaml(text)
    yield from _json(text)
    if '\\"' in text:
        yield from _json(text.replace('\\"', "\0\0").replace('"', " ").replace("\0\0", ' "'))


def _yaml(text: str) -> Iterator[Span]:
    stack: list[_Object] = []
    at = 0
    for line in text.split("\n"):
        found = _LINE.match(line)
        lead = len(found["lead"]) if found else len(line) - len(line.lstrip())
        dash = found is not None and "-" in found["lead"]
        if line.strip():
            yield from _close(stack, lead, dash, line)
        hiding = [outer for outer in stack if outer.open and outer.column < lead]
        for outer in hiding if line.strip() else ():
            outer.held += _held(line, found, at)
        if found is not None:
            _note(stack, found, lead)
        at += len(line) + 1
    for left in stack:
        yield from left.held if left.secret else ()


def _close(stack: list[_Object], lead: int, dash: bool, line: str) -> Iterator[Span]:
    """End the mappings that this line does not belong to any more."""
    fresh = dash or line.startswith(("---", "..."))
    while stack and (stack[-1].column > lead or (fresh and stack[-1].column >= (lead if dash else 0))):
        done = stack.pop()
        yield from done.held if done.secret else ()


def _held(line: str, found: re.Match[str] | None, at: int) -> Iterator[Span]:
    """The value of a line inside `data`: after its key, or all of it where the value goes on over several lines."""
    if found is not None:
        start, end = found.span("value")
    else:
        start, end = len(line) - len(line.lstrip()), len(line.rstrip())
    value = line[start:end]
    if value.startswith('"') and value.endswith(","):
        end, value = end - 1, value[:-1]
    if len(value) > 1 and value[0] in "\"'" and value[-1] == value[0]:
        start, end, value = start + 1, end - 1, value[1:-1]
    if not placeholder(value) and not _NO_VALUE.fullmatch(value):
        yield at + start, at + end


def _note(stack: list[_Object], found: re.Match[str], lead: int) -> None:
    if not stack or stack[-1].column < lead:
        stack.append(_Object(lead))
    here, key = stack[-1], found["key"].strip("\"'")
    here.open = key in _HIDDEN
    if key == "kind" and found["value"].strip("\"', ").title() == "Secret":
        here.secret = True


def _json(text: str) -> Iterator[Span]:
    stack: list[_Object] = []
    for found in _TOKEN.finditer(text):
        if found[0] == "{":
            stack.append(_opened(stack, found.start()))
        elif found[0] == "}":
            if stack:
                yield from _ended(stack)
        elif stack:
            _string(stack[-1], text, found)
    while stack:
        yield from _ended(stack)


def _opened(stack: list[_Object], at: int) -> _Object:
    """A JSON object that begins here; inside `data` everything is held in one list, however deep it stands."""
    around = stack[-1] if stack else _Object(0)
    if around.open:
        return _Object(at, open=True, held=around.held)
    return _Object(at, open=around.key in _HIDDEN)


def _ended(stack: list[_Object]) -> Iterator[Span]:
    """Close the innermost object: what it holds is its Secret's own, or goes to the object around it."""
    done = stack.pop()
    if done.secret:
        yield from done.held
    elif done.open and stack and stack[-1].held is not done.held:
        stack[-1].held += done.held


def _string(here: _Object, text: str, found: re.Match[str]) -> None:
    after = text[found.end() : found.end() + 8].lstrip(" \t")
    if after.startswith(":"):
        here.key = found["text"].strip()
    elif here.open and not placeholder(found["text"].strip()):
        start, end = found.span("text")
        here.held.append((start, end - len(found["text"]) + len(found["text"].rstrip())))
    elif here.key == "kind" and found["text"].strip().title() == "Secret":
        here.secret = True
