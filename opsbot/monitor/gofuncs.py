"""Functions of alert templates, and how Go writes values: arguments in, the same text out as from Prometheus.

The figures are those of prometheus/template/template.go (functions humanize to humanizeTimestamp) and of Go's fmt
package; the real promtool is asked for the same texts in the tests.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

_UP = ("k", "M", "G", "T", "P", "E", "Z", "Y")
_UP_1024 = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_DOWN = ("m", "u", "n", "p", "f", "a", "z", "y")
_NUMBER = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)", re.ASCII | re.IGNORECASE)
WIDEST = 100


class TemplateError(ValueError):
    """A template that parsed but cannot be filled with this sample."""


def number(value: Any) -> float:
    """What a function takes for a number: a number, or a text that spells one."""
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    raise TemplateError(f"{shown(value)[:40]!r} is no number")


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
        return "0s"
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
    if abs(v * 1e9) >= 2**63:
        raise TemplateError(f"{shown(v)} is no time that fits")
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(int(v * 1e9) / 10**6))
    fraction = f".{at.microsecond // 1000:03}".rstrip("0").rstrip(".")
    return f"{at:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"


def title(value: Any) -> str:
    """Every word with a capital first letter, the rest as it is."""
    text, before = _text(value), " "
    out = []
    for letter in text:
        inside = before.isalnum() or before == "_" or (ord(before) > 127 and not before.isspace())
        out.append(letter if inside else letter.upper())
        before = letter
    return "".join(out)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TemplateError(f"{shown(value)[:40]} is no text")
    return value


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


# how Go writes values -----------------------------------------------------------------------------------------------


def short(v: float) -> str:
    """Go's `%.4g`."""
    return _not_finite(v) or f"{v:.4g}"


def shown(value: Any) -> str:
    """Go's `%v` of a text, number or set of labels: the shortest digits, with an exponent from 1e+06 on."""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{name}:{value[name]}" for name in sorted(value)) + "]"
    return str(value) if isinstance(value, int) else _shortest(value)


def _not_finite(v: float) -> str:
    if math.isnan(v):
        return "NaN"
    return "" if math.isfinite(v) else ("+Inf" if v > 0 else "-Inf")


def _shortest(v: float) -> str:
    if not math.isfinite(v):
        return _not_finite(v)
    sign, digits, exponent = Decimal(repr(v)).normalize().as_tuple()
    point = len(digits) + int(exponent)
    if v == 0 or -4 <= point - 1 < 6:
        plain = f"{Decimal(repr(v)).normalize():f}"
        return "-0" if v == 0 and math.copysign(1, v) < 0 else plain
    text = "".join(map(str, digits))
    tail = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{tail}e{point - 1:+03d}"


# printf -------------------------------------------------------------------------------------------------------------

_VERB = re.compile(r"%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)", re.DOTALL)
_VERBS = "vsqdfFeEgGxX%"


def vet_format(text: str) -> None:
    """TemplateError where a format holds something that printf here does not know."""
    for _flags, width, precision, verb in _VERB.findall(text):
        if not verb or verb not in _VERBS:
            raise TemplateError(f"the format {text[:40]!r} holds %{verb or ''}: known are %{' %'.join(_VERBS)}")
        if int(width or 0) > WIDEST or int(precision or 0) > WIDEST:
            raise TemplateError(f"the format {text[:40]!r} is wider than {WIDEST}")


def printf(text: Any, *arguments: Any) -> str:
    """Go's Sprintf for texts, numbers and labels, complaints such as `%!d(float64=5)` included."""
    vet_format(_text(text))
    left = list(arguments)

    def one(found: re.Match[str]) -> str:
        flags, width, precision, verb = found.groups()
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        return _pad(_formatted(left.pop(0), flags, width, precision, verb), flags, width)

    out = _VERB.sub(one, text)
    return out + (f"%!(EXTRA {', '.join(f'{_type(v)}={shown(v)}' for v in left)})" if left else "")


def _pad(text: str, flags: str, width: str) -> str:
    return text.ljust(int(width or 0)) if "-" in flags else text.rjust(int(width or 0))


def _formatted(value: Any, flags: str, width: str, precision: str | None, verb: str) -> str:
    if isinstance(value, Mapping):
        inner = " ".join(
            f"{_formatted(n, flags, '', precision, verb)}:{_formatted(value[n], flags, '', precision, verb)}"
            for n in sorted(value)
        )
        return f"map[{inner}]"
    form = _FORMS.get(_type(value), _of_text)
    written = form(value, flags, width, precision, verb)
    return f"%!{verb}({_type(value)}={form(value, flags, '', precision, 'v')})" if written is None else written


def _of_text(value: str, _flags: str, _width: str, precision: str | None, verb: str) -> str | None:
    cut = value if precision is None else value[: int(precision or 0)]
    if verb in "vs":
        return cut
    if verb in "xX":
        return cut.encode().hex() if verb == "x" else cut.encode().hex().upper()
    return _quoted(cut) if verb == "q" else None


def _quoted(text: str) -> str:
    named = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(named.get(c) or (c if c.isprintable() else f"\\u{ord(c):04x}") for c in text) + '"'


def _of_int(value: int, flags: str, width: str, precision: str | None, verb: str) -> str | None:
    if verb not in "vdxX":
        return None
    kind = "d" if verb == "v" else verb
    point = "" if precision is None else f".{precision or 0}"
    return f"%{_kept(flags)}{_zeros(flags, width)}{point}{kind}" % value


def _of_float(value: float, flags: str, width: str, precision: str | None, verb: str) -> str | None:
    if verb not in "vfFeEgG":
        return None
    if not math.isfinite(value):
        return _not_finite(value) if verb == "v" else _signed(value, flags)
    if precision is None and verb in "vgG":
        text = _shortest(value)
        text = f"+{text}" if "+" in flags and verb != "v" and not text.startswith("-") else text
        return text.upper() if verb == "G" else text
    kind = "g" if verb == "v" else verb
    point = "" if precision is None else f".{precision or 0}"
    return f"%{_kept(flags)}{_zeros(flags, width)}{point}{kind}" % value


def _signed(value: float, flags: str) -> str:
    """NaN and infinity under a verb other than %v: infinity has a sign anyway, NaN where one is asked for."""
    default = "" if math.isnan(value) else "+"
    wanted = "+" if "+" in flags else " " if " " in flags else default
    return ("-" if value < 0 else wanted) + _not_finite(value).lstrip("+-")


def _kept(flags: str) -> str:
    return "".join(flag for flag in "+ #" if flag in flags)


def _zeros(flags: str, width: str) -> str:
    return f"0{width}" if "0" in flags and "-" not in flags and width else ""


def _type(value: Any) -> str:
    if isinstance(value, Mapping):
        return "map[string]string"
    return {str: "string", int: "int", float: "float64"}.get(type(value), "string")


_FORMS: dict[str, Callable[[Any, str, str, str | None, str], str | None]] = {
    "string": _of_text, "int": _of_int, "float64": _of_float,
}  # fmt: skip

FUNCTIONS: dict[str, Callable[..., Any]] = {
    "printf": printf, "humanize": humanize, "humanize1024": humanize1024, "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage, "humanizeTimestamp": humanize_timestamp, "title": title,
    "toUpper": lambda value: _text(value).upper(), "toLower": lambda value: _text(value).lower(),
}  # fmt: skip
