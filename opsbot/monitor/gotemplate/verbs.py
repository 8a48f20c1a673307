"""How Go's fmt package writes one value under one verb: a number, text or truth value and the flags in, text out.

The order of flags, padding and digits follows src/fmt/format.go of Go; what a verb cannot write is None.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Form:
    """What stands between `%` and the verb; `typed` is the `#` of `%#v`, which asks for Go's own notation."""

    flags: str = ""
    width: int | None = None
    precision: int | None = None
    typed: bool = False

    def has(self, flag: str) -> bool:
        """Whether a flag is set."""
        return flag in self.flags


PLAIN = Form()


class Byte(int):
    """A whole number that Go calls uint8: what stands at a place of a text."""


def pad(text: str, form: Form, *, zeros: bool = True) -> str:
    """The text in its width: to the left with blanks or zeros, to the right with blanks alone."""
    if form.has("-"):
        return text.ljust(form.width or 0)
    return text.rjust(form.width or 0, "0" if zeros and form.has("0") else " ")


# texts --------------------------------------------------------------------------------------------------------------


def of_text(text: str, form: Form, verb: str) -> str | None:
    """A text under %v %s %q %x %X."""
    if verb in ("x", "X"):
        return pad(_hex(text.encode()[: form.precision], form, verb), form)
    cut = text[: form.precision]
    if verb == "q" or (verb == "v" and form.typed):
        return pad(_quoted(cut, form), form)
    return pad(cut, form) if verb in ("v", "s") else None


def _hex(raw: bytes, form: Form, verb: str) -> str:
    lead = "0" + verb if form.has("#") and raw else ""
    pairs = [f"{byte:02{verb}}" for byte in raw]
    return (" " + lead).join(pairs).join((lead, "")) if form.has(" ") else lead + "".join(pairs)


_NAMED = {"\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
          "\v": "\\v"}  # fmt: skip


def _quoted(text: str, form: Form) -> str:
    raw = all(letter == "\t" or (letter >= " " and letter not in "`\x7f\ufeff") for letter in text)
    if form.has("#") and raw:
        return f"`{text}`"
    return '"' + "".join(_escaped(letter, ascii_only=form.has("+")) for letter in text) + '"'


def _escaped(letter: str, *, ascii_only: bool, quote: str = '"') -> str:
    code = ord(letter)
    if letter == quote:
        return f"\\{quote}"
    if letter in _NAMED:
        return _NAMED[letter]
    if letter.isprintable() and (code < 0x80 or not ascii_only):
        return letter
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def of_bool(value: bool, form: Form, verb: str) -> str | None:
    """A truth value under %v %t."""
    return pad(str(value).lower(), form) if verb in ("v", "t") else None


# whole numbers ------------------------------------------------------------------------------------------------------

_BASES = {"v": "d", "d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_LEADS = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}


def of_int(value: int, form: Form, verb: str) -> str | None:
    """A whole number under %v %d %b %o %O %x %X, and as the letter of that number under %c %q %U."""
    if verb in ("c", "q", "U"):
        return _unicode(value, form) if verb == "U" else _letter(value, form, quoted=verb == "q")
    if verb not in _BASES:
        return None
    if form.typed and isinstance(value, Byte):
        verb, form = "x", replace(form, flags=form.flags + "#")
    if form.precision == 0 and value == 0:
        return " " * (form.width or 0)
    base = _BASES[verb]
    sign = "-" if value < 0 else "+" if form.has("+") else " " if form.has(" ") else ""
    least = form.precision or 0
    if form.precision is None and form.has("0") and not form.has("-"):
        least = (form.width or 0) - len(sign)
    digits = format(abs(value), base).rjust(least, "0")
    lead = _LEADS.get(base, "") if form.has("#") and not (base == "o" and digits[0] == "0") else ""
    return pad(sign + ("0o" if verb == "O" else "") + lead + digits, form, zeros=False)


def _letter(code: int, form: Form, *, quoted: bool) -> str:
    """The letter of a number, U+FFFD where there is none."""
    letter = chr(code) if 0 <= code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd"
    return pad(f"'{_escaped(letter, ascii_only=form.has('+'), quote=chr(39))}'" if quoted else letter, form)


def _unicode(code: int, form: Form) -> str:
    """`U+002A`, and with `#` the letter too where it can be printed; a negative number as Go's 64 bits have it."""
    text = f"U+{code % 2**64:0{max(4, form.precision or 0)}X}"
    if form.has("#") and 0 <= code <= 0x10FFFF and chr(code).isprintable():
        text += f" '{chr(code)}'"
    return pad(text, form, zeros=False)


# numbers ------------------------------------------------------------------------------------------------------------


def of_float(value: float, form: Form, verb: str) -> str | None:
    """A number under %v %b %e %E %f %F %g %G %x %X."""
    if verb not in "vbeEfFgGxX":
        return None
    kind = {"v": "g", "F": "f"}.get(verb, verb)
    precision = 6 if form.precision is None and kind in "feE" else form.precision
    text = _digits(value, kind, precision)
    text = text if text[0] in "+-" else "+" + text
    if form.has(" ") and text[0] == "+" and not form.has("+"):
        text = " " + text[1:]
    if not math.isfinite(value):
        bare = math.isnan(value) and not form.has(" ") and not form.has("+")
        return pad(text[1:] if bare else text, form, zeros=False)
    if form.has("#") and kind != "b":
        text = _pointed(text, kind, precision)
    return _signed(text, form)


def _signed(text: str, form: Form) -> str:
    """A sign stands before the zeros that fill the width; a plus is shown where it is asked for."""
    if not form.has("+") and text[0] == "+":
        return pad(text[1:], form)
    if form.has("0") and not form.has("-"):
        return text[0] + text[1:].rjust((form.width or 0) - 1, "0")
    return pad(text, form)


def _digits(value: float, kind: str, precision: int | None) -> str:
    if not math.isfinite(value):
        return not_finite(value)
    if kind == "b":
        return _binary(value)
    if kind in "xX":
        text = _hexadecimal(value, precision)
        return text.upper() if kind == "X" else text
    if precision is None:
        text = shortest(value)
        return text.upper() if kind == "G" else text
    return f"%.{precision}{kind}" % value


def _pointed(text: str, kind: str, precision: int | None) -> str:
    """With `#` there is a point, and zeros stay (format.go, fmtFloat)."""
    at = next((place for place, letter in enumerate(text) if letter in ("pP" if kind in "xX" else "eE")), len(text))
    body, tail = text[:at], text[at:]
    wanted = (6 if precision is None else precision) if kind in "gGx" else 0
    figures = body[1:].replace(".", "")
    seen = len(figures.lstrip("0"))
    if "." not in body:
        seen += figures == "0"
        body += "."
    return body + "0" * max(wanted - seen, 0) + tail


def _hexadecimal(value: float, precision: int | None) -> str:
    """Go's %x of a number: one digit, a point, the rest, and an exponent of two."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    fraction, exponent = math.frexp(abs(value))
    whole = int(fraction * 2**53)
    if precision is not None and precision < 13:
        step = 1 << (52 - 4 * precision)
        low = whole % step
        whole -= low
        whole += step if low * 2 > step or (low * 2 == step and whole // step % 2) else 0
    if whole >> 53:
        whole, exponent = whole >> 1, exponent + 1
    digits = f"{whole % 2**52:013x}"
    digits = digits.rstrip("0") if precision is None else digits[:precision].ljust(precision, "0")
    power = exponent - 1 if whole else 0
    return f"{sign}0x{whole >> 52}{'.' if digits else ''}{digits}p{power:+03d}"


def _binary(value: float) -> str:
    """Go's %b of a number: all its digits as one whole number, and an exponent of two."""
    (bits,) = struct.unpack(">Q", struct.pack(">d", abs(value)))
    exponent, whole = bits >> 52, bits % 2**52
    whole += 2**52 if exponent else 0
    return f"{'-' if math.copysign(1, value) < 0 else ''}{whole}p{max(exponent, 1) - 1075:+d}"


def not_finite(value: float) -> str:
    """`NaN`, `+Inf` or `-Inf`; empty for any other number."""
    if math.isnan(value):
        return "NaN"
    return "" if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")


def shortest(value: float) -> str:
    """Go's `%v` of a number: the fewest digits that read back equal, with an exponent from 1e+06 on and below 1e-04."""
    if not math.isfinite(value):
        return not_finite(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    point = len(digits) + int(exponent)
    if value == 0 or -4 <= point - 1 < 6:
        plain = f"{Decimal(repr(value)).normalize():f}"
        return "-0" if value == 0 and math.copysign(1, value) < 0 else plain
    text = "".join(map(str, digits))
    tail = f".{text[1:]}" if len(text) > 1 else ""
    return f"{'-' if sign else ''}{text[0]}{tail}e{point - 1:+03d}"
