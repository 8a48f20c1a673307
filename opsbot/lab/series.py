"""Series as promtool's unit tests write them: their text in, labels and values out; it evaluates nothing.

The notation is that of prometheus/promql/parser (ParseSeriesDesc): `1`, `1x3` (four times), `1+2x3` (1 3 5 7), `_`,
`_x3`, `stale`. Values that grow are added up one by one, as there, so that they end in the same digits, and `stale+1x2`
is the mark, then two plain NaN.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator

STALE: float = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
"""The mark that ends a series (prometheus/model/value); it is a NaN, told from others by its bits."""

MOST = 1_000_000
"""Values that one series may have."""

_NUMBER = r"(?:\d+(?:_\d+)*\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|[iI][nN][fF](?!\w)|[nN][aA][nN](?!\w))"
_ITEM = re.compile(
    rf"(?P<first>[-+]?{_NUMBER}|stale(?!x))(?P<step>[-+]{_NUMBER})?(?:x(?P<times>\d+))?|_(?:x(?P<gaps>\d+))?", re.ASCII
)
_SPACE = re.compile(r"[ \t\r\n]+")
_HEAD = re.compile(
    r"""([a-zA-Z_:][a-zA-Z0-9_:]*)?(?:\{(?:[^"'`}]|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`)*\})?(?=[ \t\r]|$)""",
    re.ASCII | re.DOTALL,
)
"""What stands before the values; there is no space between the name and the brace."""

_METRIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)?\s*(?:\{(.*)\})?\s*", re.ASCII | re.DOTALL)
_LABEL = re.compile(
    r"""\s*(?:([a-zA-Z_][a-zA-Z0-9_]*|"(?:\\.|[^"\\\n])*")\s*=\s*)?("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)\s*(?:,|$)""",
    re.ASCII | re.DOTALL,
)
_NO_NAMES = ("inf", "nan", "bool", "on", "ignoring", "group_left", "group_right", "atan2")
"""Words of PromQL that are no name of a metric there, in whatever case; others (`sum`, `by`) are."""

_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPES = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92}


def is_stale(value: float) -> bool:
    """Whether a value is the mark that ends a series."""
    return math.isnan(value) and struct.pack("<d", value) == struct.pack("<d", STALE)


def split(line: str) -> tuple[str, str]:
    """A line `name{a="b"} 1 2` as series and values; all of it is the series where it is not of that form."""
    found = _HEAD.match(line)
    return (found[0], line[found.end() :].strip()) if found and found[0] else (line, "")


def labels(text: str) -> dict[str, str]:
    """The labels in `name{a="b"}`, the name as `__name__`.

    ValueError where it is not of that form, or a label has two values: an empty one counts for none.
    """
    found = _METRIC.fullmatch(text)
    if not found or (found[1] is None and found[2] is None) or str(found[1]).lower() in _NO_NAMES:
        raise ValueError(f'{text[:60]!r} is no series: write metric{{label="value"}}')
    made: dict[str, str] = {}
    for name, value in _labels(found[2] or ""):
        if value and made.get(name):
            raise ValueError(f"the label {name[:40]!r} is given twice")
        made[name] = value or made.get(name, "")
    return {**made, "__name__": found[1]} if found[1] else made


def _labels(inner: str) -> Iterator[tuple[str, str]]:
    at = 0
    while inner[at:].strip():
        found = _LABEL.match(inner, at)
        if not found:
            raise ValueError(f'{inner[at : at + 40]!r} is no label: write label="value"')
        quoted = found[1] is not None and found[1].startswith('"')
        name = _unquoted(found[1]) if quoted else found[1]
        yield name or "__name__", _unquoted(found[2])
        at = found.end()


def _unquoted(word: str) -> str:
    if word[0] == "`":
        return word[1:-1]
    raw = bytearray()
    body, at = word[1:-1], 0
    for found in _ESCAPE.finditer(body):
        raw += body[at : found.start()].encode()
        raw += _escaped(found, word[0])
        at = found.end()
    return (raw + body[at:].encode()).decode("utf-8", "replace")


def _escaped(found: re.Match[str], quote: str) -> bytes:
    byte, octal, short, wide, plain = found.groups()
    try:
        if plain is not None:
            return bytes([{**_ESCAPES, quote: ord(quote)}[plain]])
        if byte or octal:
            return bytes([int(byte, 16) if byte else int(octal, 8)])
        return chr(int(short or wide, 16)).encode()
    except (KeyError, ValueError, OverflowError):  # no such letter, or a number that is no byte or no character
        raise ValueError(f"the escape {found[0]!r} is not known") from None


def is_histogram(text: str) -> bool:
    """Whether some of the values are native histograms."""
    return "{{" in text


def values(text: str) -> list[float | None]:
    """The values of a series, None where there is none at that time; ValueError names what is no value."""
    if is_histogram(text):
        raise ValueError("native histograms in series are not supported")
    made: list[float | None] = []
    for word in filter(None, _SPACE.split(text)):
        found = _ITEM.fullmatch(word)
        if not found:
            raise ValueError(f"{word[:40]!r} is no value of a series: write 1, 1x3, 1+2x3, _, _x3 or stale")
        times = int(found["times"] or found["gaps"] or 0)
        if len(made) + times > MOST:
            raise ValueError(f"has more than {MOST} values")
        made += _expanded(found, times)
    return made


def _expanded(found: re.Match[str], times: int) -> Iterator[float | None]:
    if found["first"] is None:
        yield from [None] * (times if found["gaps"] else 1)
    elif found["step"] and not found["times"]:
        raise ValueError(f"{found[0]!r} lacks how often: write {found[0]}x5")
    else:
        value = _number(found["first"])
        for _ in range(times + 1):
            yield value
            value = value + _number(found["step"]) if found["step"] else value


def _number(text: str) -> float:
    if text == "stale":
        return STALE
    sign, digits = (-1.0 if text[0] == "-" else 1.0), text.lstrip("+-").replace("_", "")
    number: float = int(digits, 8) if re.fullmatch(r"0[0-7]+", digits) else float(digits)
    if math.isinf(number) and digits[0].isdigit():
        raise ValueError(f"{text[:40]!r} is no value of a series: it is too large")
    return sign * number
