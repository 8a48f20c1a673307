"""What `test` said, told on a terminal: failed cases with what differs alone, passed ones counted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.text import Text

from opsbot.core.escape import visible

Data = Mapping[str, Any]
WIDE = 100
"""Letters of a value that are shown; a longer one is cut around the first that differs."""
NAN = "nan"
"""How a sample's value says that it is no number, which is as expected nowhere."""


def test(data: Data) -> Iterator[Text]:
    """Failed cases, one after the other; a reason that several in a row share is told once, after the last of them."""
    failed = (case for case in data["cases"] if not case["passed"])
    for _, alike in groupby(failed, _reason):
        cases = list(alike)
        for case in cases:
            yield _line(("FAIL", "bold red"), f" {_place(case)}: {case['name']}")
        yield from _told(cases[-1]["expected"], cases[-1]["got"])
    for word, found in (("", data["problems"]), ("warning: ", data["warnings"])):
        yield from (_line(_problem(one, word)) for one in found)
    if data["prometheus"]:
        yield _line(f"Prometheus {data['prometheus']['version']} was asked ({data['prometheus']['path']})")
    yield _line(f"{data['passed']} passed, {data['failed']} failed")


def _reason(case: Data) -> tuple[Any, ...]:
    """Equal for unit tests of one file that failed for one reason; every other case is for itself."""
    shared = isinstance(case["got"], str) and isinstance(case["expected"], list)
    return (case["file"], case["got"]) if shared else (id(case),)


def _place(case: Data) -> str:
    return f"{case['file']}:{case['line']}" if case.get("line") else str(case["file"])


def _problem(one: Data, word: str) -> str:
    place = f"{one['file']}:{one['line']}:{one['column']}" if one["line"] else one["file"]
    rule, hint = (f"{one['rule']}: " if one["rule"] else ""), (f" ({one['hint']})" if one["hint"] else "")
    return f"{place}: {word}{rule}{one['message']}{hint}"


def _told(expected: Any, got: Any) -> Iterator[Text]:
    if isinstance(expected, list) and isinstance(got, list):
        yield from _differences(expected, got)
        return
    if not isinstance(expected, list):
        yield _line(f"     expected {expected}")
        yield _line(f"     got      {got}")
        return
    yield _line(f"     {got}")


# alerts and samples --------------------------------------------------------------------------------------------------


def _differences(expected: Sequence[Data], got: Sequence[Data]) -> Iterator[Text]:
    """What is on one side alone; of two that are nearly the same, what differs."""
    wanted, there = list(expected), list(got)
    for one in expected:
        if one in there and one.get("value") != NAN:
            wanted.remove(one)
            there.remove(one)
    if len(expected) > len(wanted):
        yield _line(f"     {len(expected) - len(wanted)} as expected, and:")
    for one in wanted:
        near = max(there, key=lambda other: _shared(one, other), default=None)
        if near is None or not _shared(one, near):
            yield from _alone("expected, and not there:", one)
            continue
        there.remove(near)
        yield from _pair(one, near)
    for one in there:
        yield from _alone("there, and not expected:", one)


def _fields(one: Data) -> dict[tuple[str, str], Any]:
    """Labels, annotations and value, each under its kind and name, in the order in which they are told."""
    parts = (("label", one["labels"]), ("annotation", one.get("annotations") or {}))
    named = {(kind, name): texts[name] for kind, texts in parts for name in sorted(texts)}
    return named | ({("value", ""): one["value"]} if "value" in one else {})


def _shared(one: Data, other: Data) -> int:
    """How many fields of two are the same, the name of the alert not counted; 1 more where there is no other label."""
    left, right = _fields(one), _fields(other)
    equal = [key for key in left if key != ("label", "alertname") and left[key] == right.get(key)]
    return len(equal) + int(one["labels"] == other["labels"])


def _pair(one: Data, other: Data) -> Iterator[Text]:
    left, right = _fields(one), _fields(other)
    same = {name: text for (kind, name), text in left.items() if kind == "label" and right.get((kind, name)) == text}
    yield _line(f"     {_labels(same)} differs in")
    for kind, name in dict.fromkeys((*left, *right)):
        mine, theirs = left.get((kind, name)), right.get((kind, name))
        if mine != theirs or (kind, mine) == ("value", NAN):
            yield _line("       ", (f"{kind} {name}".rstrip(), "bold"))
            at = _parting(mine, theirs)
            yield _line(f"         expected {_shown(mine, at)}")
            yield _line(f"         got      {_shown(theirs, at)}")
        if (kind, mine, theirs) == ("value", NAN, NAN):
            yield _line("         NaN equals nothing, not even NaN: ask for `x != bool x`")


def _alone(words: str, one: Data) -> Iterator[Text]:
    value = f" {one['value']}" if "value" in one else ""
    yield _line(f"     {words} {_labels(one['labels'])}{value}")
    for name, text in sorted((one.get("annotations") or {}).items()):
        yield _line(f"       {name}: {_quoted(str(text))}")


def _labels(labels: Data) -> str:
    """Labels as PromQL writes them."""
    name = labels.get("__name__", "")
    inside = ", ".join(f"{key}={_quoted(labels[key])}" for key in sorted(labels) if key != "__name__")
    return f"{name}{{{inside}}}" if inside or not name else name


def _parting(one: Any, other: Any) -> int:
    """The first letter in which two texts differ."""
    if not isinstance(one, str) or not isinstance(other, str):
        return 0
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _shown(value: Any, at: int) -> str:
    """A value, cut to where it matters; nothing there is said as that."""
    if not isinstance(value, str):
        return "nothing" if value is None else str(value)
    first = max(0, at - WIDE // 3) if len(value) > WIDE else 0
    part = value[first : first + WIDE]
    return ("… " if first else "") + _quoted(part) + (" …" if first + WIDE < len(value) else "")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line(*parts: str | tuple[str, str]) -> Text:
    text = Text()
    for part in parts:
        words, style = part if isinstance(part, tuple) else (part, "")
        text.append(visible(words), style)
    return text
