"""Functions of alert templates, and how Go writes values: arguments in, the same text out as from Prometheus.

The figures are those of prometheus/template/template.go (functions humanize to humanizeTimestamp) and of Go's fmt
package; the real promtool is asked for the same texts in the tests.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote_plus, urlsplit

from opsbot.core import duration
from opsbot.core.alert import Sample
from opsbot.monitor.gotemplate import moments, patterns
from opsbot.monitor.gotemplate.builtin import cut, equal, index, length, less, printed, truth
from opsbot.monitor.gotemplate.letters import lower, titled, upper
from opsbot.monitor.gotemplate.printing import TemplateError, bare, printf, short, shown, text_of
from opsbot.monitor.gotemplate.verbs import Byte

_UP = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_UP_1024 = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_DOWN = ("m", "u", "n", "p", "f", "a", "z", "y")
_NUMBER = re.compile(
    r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?)|nan|(?P<hex>[-+]?0x(?:[\da-f]+\.?[\da-f]*|\.[\da-f]+)p[-+]?\d+)",
    re.ASCII | re.IGNORECASE,
)
_PARTED = re.compile(
    r"(?<=\d)_(?=\d)|(?<=0x)_(?=[\da-f])|(?<=[\da-f])_(?=[\da-f]+[._\da-f]*p)", re.ASCII | re.IGNORECASE
)
"""Underscores between digits, as in Go's own numbers."""


def number(value: Any) -> float:
    """What a function takes for a number: a number, or a text that spells one, and no byte of a text."""
    if isinstance(value, int | float) and not isinstance(value, bool | Byte):
        return float(value)
    text = _PARTED.sub("", value[:400]) if isinstance(value, str) else ""
    found = _NUMBER.fullmatch(text)
    if not found:
        raise TemplateError(f"{shown(value)[:40]!r} is no number")
    try:
        made = float.fromhex(text) if found["hex"] else float(text)
    except OverflowError:
        made = math.inf
    if math.isinf(made) and "n" not in text.lower():
        raise TemplateError(f"{text[:40]!r} is out of range")
    return made


def humanize(value: Any) -> str:
    """`12345` as `12.35k`: four digits and a metric prefix."""
    v = number(value)
    if v == 0 or not math.isfinite(v):
        return short(v)
    return _scaled(v, 1000, _UP) if abs(v) >= 1 else _shrunk(v)


def humanize1024(value: Any) -> str:
    """`2048` as `2ki`: four digits and a binary prefix."""
    v = number(value)
    return short(v) if abs(v) <= 1 or not math.isfinite(v) else _scaled(v, 1024, _UP_1024)


def humanize_duration(value: Any) -> str:
    """Seconds as `1d 2h 3m 4s`; below a minute with four digits, below a second with a metric prefix.

    From 2^63 seconds on, where the original overflows into nonsense, the bare figure.
    """
    v = number(value)
    if not math.isfinite(v):
        return short(v)
    if abs(v) >= 2**63:
        return shown(v) + "s"
    if v == 0:
        return short(v) + "s"
    if abs(v) < 1:
        return _shrunk(v) + "s"
    sign, whole = ("-" if v < 0 else ""), int(abs(v))
    days, hours, minutes, seconds = whole // 86400, whole // 3600 % 24, whole // 60 % 60, whole % 60
    if days:
        return f"{sign}{days}d {hours}h {minutes}m {seconds}s"
    if hours:
        return f"{sign}{hours}h {minutes}m {seconds}s"
    return f"{sign}{minutes}m {seconds}s" if minutes else f"{sign}{short(abs(v))}s"


def humanize_percentage(value: Any) -> str:
    """`0.123` as `12.3%`."""
    return short(number(value) * 100) + "%"


def humanize_timestamp(value: Any) -> str:
    """Unix seconds as `2015-03-10 13:39:41.123 +0000 UTC`, cut to milliseconds."""
    v = number(value)
    if not math.isfinite(v):
        return short(v)
    return str(to_time(v))


def to_time(value: Any) -> moments.Moment:
    """Unix seconds as a time, cut to milliseconds."""
    v = number(value)
    if not math.isfinite(v) or abs(v * 1e9) >= 2**63:
        raise TemplateError(f"{shown(v)} is no time that fits")
    return moments.of_nanoseconds(int(v * 1e9))


def _scaled(v: float, step: int, prefixes: tuple[str, ...]) -> str:
    prefix = ""
    for bigger in prefixes:
        if abs(v) < step:
            break
        prefix, v = bigger, v / step
    return short(v) + prefix


def _shrunk(v: float) -> str:
    prefix = ""
    for smaller in _DOWN:
        if abs(v) >= 1:
            break
        prefix, v = smaller, v * 1000
    return short(v) + prefix


def strip_port(value: Any) -> str:
    """`10.0.0.1:9100` as `10.0.0.1`; a text that is no address with a port as it is."""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):([^:\[\]]*)", text_of(value))
    return value if not found else (found[1] if found[1] is not None else found[2])


def strip_domain(value: Any) -> str:
    """`web-1.example.org:80` as `web-1:80`; an address of numbers as it is."""
    host = strip_port(value)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        name, port = host.partition(".")[0], value[len(host) :] if value.startswith(host) else ""
        return f"[{name}]{port}" if port and ":" in name else name + port
    return str(value)


def parse_duration(value: Any) -> float:
    """`1h30m` in seconds."""
    try:
        return duration.parse(text_of(value)).total_seconds()
    except ValueError as error:
        raise TemplateError(str(error)) from error


# series -------------------------------------------------------------------------------------------------------------


class Served(Protocol):
    """What a function may know of the server behind the rules."""

    @property
    def url(self) -> str:
        """Where people find it."""

    @property
    def query(self) -> Callable[[str], Sequence[Sample]]:
        """An instant query for the time of the rule."""


def query(server: Served, text: Any) -> Sequence[Sample]:
    """The series that the server answers."""
    return list(server.query(text_of(text)))


def first(series: Any) -> Sample:
    """The first of some series; TemplateError where there is none."""
    if not _series(series):
        raise TemplateError("first() called on vector with no elements")
    found: Sample = series[0]
    return found


def value(sample: Any) -> float:
    """The value of one of them."""
    return _sample(sample).value


def label(name: Any, sample: Any) -> str:
    """A label of one of them, empty where it has none."""
    return _sample(sample).labels.get(text_of(name), "")


def strvalue(sample: Any) -> str:
    """The label `__value__`, which old rules use."""
    return label("__value__", sample)


def sort_by_label(name: Any, series: Any) -> list[Sample]:
    """The series by the text of a label."""
    return sorted(_series(series), key=lambda sample: sample.labels.get(text_of(name), ""))


def path_prefix(server: Served) -> str:
    """The path of the server's address."""
    return urlsplit(server.url).path


def replaced(pattern: Any, by: Any, text: Any) -> str:
    """The text with every match of a pattern replaced; `$1` or `${name}` in `by` is what a group has found."""
    return str(_patterned(patterns.replaced, pattern, by, text))


def matches(pattern: Any, text: Any) -> bool:
    """Whether a pattern is found somewhere in the text."""
    return bool(_patterned(patterns.matches, pattern, text))


def _patterned(call: Callable[..., Any], *texts: Any) -> Any:
    try:
        return call(*map(text_of, texts))
    except patterns.PatternError as error:
        raise TemplateError(str(error)) from error


def link(expression: Any, tab: int) -> str:
    """Where a Prometheus shows an expression."""
    return f"/graph?g0.expr={quote_plus(text_of(expression))}&g0.tab={tab}"


def escaped(*values: Any) -> str:
    """Go's urlquery: its values, written one after the other, as they can stand in the query of an address."""
    return quote_plus(printed(*("<no value>" if value is None else value for value in values), write=shown))


def _series(value: Any) -> list[Sample]:
    if not isinstance(value, list):
        raise TemplateError(f"{shown(value)[:40]!r} is no answer of `query`")
    return value


def _sample(value: Any) -> Sample:
    if not isinstance(value, Sample):
        raise TemplateError(f"{shown(value)[:40]!r} is no series")
    return value


class Function(NamedTuple):
    """A function, how many values it takes (least, most), and whether it is passed the server first."""

    call: Callable[..., Any]
    takes: tuple[int, int | None] = (1, 1)
    served: bool = False


FUNCTIONS: dict[str, Function] = {
    "printf": Function(printf, (1, None)), "humanize": Function(humanize), "humanize1024": Function(humanize1024),
    "humanizeDuration": Function(humanize_duration), "humanizePercentage": Function(humanize_percentage),
    "humanizeTimestamp": Function(humanize_timestamp), "toTime": Function(to_time),
    "title": Function(lambda value: titled(text_of(value))),
    "toUpper": Function(lambda value: upper(text_of(value))),
    "toLower": Function(lambda value: lower(text_of(value))),
    "stripPort": Function(strip_port), "stripDomain": Function(strip_domain), "parseDuration": Function(parse_duration),
    "query": Function(query, served=True), "first": Function(first), "value": Function(value),
    "label": Function(label, (2, 2)), "strvalue": Function(strvalue), "sortByLabel": Function(sort_by_label, (2, 2)),
    "externalURL": Function(lambda server: server.url, (0, 0), served=True),
    "pathPrefix": Function(path_prefix, (0, 0), served=True),
    "reReplaceAll": Function(replaced, (3, 3)), "match": Function(matches, (2, 2)),
    "graphLink": Function(lambda text: link(text, 0)), "tableLink": Function(lambda text: link(text, 1)),
    "urlQueryEscape": Function(lambda text: quote_plus(text_of(text))), "urlquery": Function(escaped, (0, None)),
    "and": Function(truth, (1, None)), "or": Function(truth, (1, None)),
    "not": Function(lambda value: not truth(value)),
    "eq": Function(equal, (2, None)), "ne": Function(lambda one, other: not equal(one, other), (2, 2)),
    "lt": Function(less, (2, 2)), "le": Function(lambda one, other: less(one, other) or equal(one, other), (2, 2)),
    "gt": Function(lambda one, other: not (less(one, other) or equal(one, other)), (2, 2)),
    "ge": Function(lambda one, other: not less(one, other), (2, 2)),
    "len": Function(length), "index": Function(index, (1, None)),
    "slice": Function(cut, (1, 4)), "print": Function(printed, (0, None)),
    "println": Function(lambda *values: " ".join(map(bare, values)) + "\n", (0, None)),
}  # fmt: skip
"""Those of Prometheus' templates that real rules use, and Go's own; `and` and `or` are walked by the writer."""


def miscounted(name: str, given: int) -> str:
    """What to say where a function is given too few values or too many; empty where it is not."""
    least, most = FUNCTIONS[name].takes
    if least <= given and (most is None or given <= most):
        return ""
    if name == "printf":
        return 'printf in a template needs a format, such as "%.2f"'
    wanted = "one value" if (least, most) == (1, 1) else f"{least} values" if least == most else f"{least} or more"
    return f"{name} in a template takes {wanted}, not {given}"
