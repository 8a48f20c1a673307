"""How Go writes values, and its printf: values in, the same text out as from Go's fmt package."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

WIDEST = 100


class TemplateError(ValueError):
    """A template that parsed but cannot be filled with this sample."""


def text_of(value: Any) -> str:
    """What a function takes for a text: nothing but a text."""
    if not isinstance(value, str):
        raise TemplateError(f"{shown(value)[:40]} is no text")
    return value


def short(v: float) -> str:
    """Go's `%.4g`."""
    return _not_finite(v) or f"{v:.4g}"


def shown(value: Any) -> str:
    """Go's `%v` of a text, number or set of labels: the shortest digits, with an exponent from 1e+06 on."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return "<no value>" if value is None else str(value).lower()
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{name}:{value[name]}" for name in sorted(value)) + "]"
    if not isinstance(value, int | float):
        raise TemplateError("a series cannot be written out: take its value or a label")
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
_VERBS = "vstqdfFeEgGxX%"


def vet_format(text: str) -> None:
    """TemplateError where a format holds something that printf here does not know."""
    for _flags, width, precision, verb in _VERB.findall(text):
        if not verb or verb not in _VERBS:
            raise TemplateError(f"the format {text[:40]!r} holds %{verb or ''}: known are %{' %'.join(_VERBS)}")
        if int(width or 0) > WIDEST or int(precision or 0) > WIDEST:
            raise TemplateError(f"the format {text[:40]!r} is wider than {WIDEST}")


def printf(text: Any, *arguments: Any) -> str:
    """Go's Sprintf for texts, numbers and labels, complaints such as `%!d(float64=5)` included."""
    vet_format(text_of(text))
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
    if value is None:
        return f"%!{verb}(<nil>)" if verb != "v" else "<nil>"
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
    kinds: dict[type, str] = {str: "string", bool: "bool", int: "int", float: "float64"}
    if type(value) not in kinds:
        raise TemplateError("a series cannot be written out: take its value or a label")
    return kinds[type(value)]


def _of_bool(value: bool, _flags: str, _width: str, _precision: str | None, verb: str) -> str | None:
    return str(value).lower() if verb in "vt" else None


_FORMS: dict[str, Callable[[Any, str, str, str | None, str], str | None]] = {
    "string": _of_text, "bool": _of_bool, "int": _of_int, "float64": _of_float,
}  # fmt: skip
