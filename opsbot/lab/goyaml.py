"""Bare words of YAML in, numbers and truth values out, as Go's yaml.v2 (resolve.go) takes them for promtool."""

from __future__ import annotations

import math
import re

_OCTAL = re.compile(r"([-+]?)0(?=[0-7])")
_DECIMAL = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?", re.ASCII)
_NO_DIGITS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TRUE = re.compile(r"y(?:es)?|Y(?:es|ES)?|true|True|TRUE|on|On|ON")
_FALSE = re.compile(r"no?|N[oO]?|false|False|FALSE|off|Off|OFF")


def number(word: str) -> float:
    """A number; whole ones of 64 bits also in base 2, 8 (`0o17`, `017`) and 16. ValueError for what is none."""
    if _NO_DIGITS.fullmatch(word):
        return float(word.replace(".", ""))
    plain = word if word.startswith(("_", "._")) else word.replace("_", "")
    whole = _whole(plain)
    if whole is not None:
        return float(whole)
    value = float(plain) if _DECIMAL.fullmatch(plain) else math.inf
    if math.isinf(value):  # too large, too
        raise ValueError(f"{word[:40]!r} is no number")
    return value


def truth(word: str) -> bool:
    """True or false, `yes`, `on` and the like included; ValueError for another word."""
    if not _TRUE.fullmatch(word) and not _FALSE.fullmatch(word):
        raise ValueError(f"{word[:40]!r} is neither true nor false")
    return _TRUE.fullmatch(word) is not None


def _whole(plain: str) -> int | None:
    try:
        value = int(_OCTAL.sub(r"\g<1>0o", plain, count=1), 0) if plain.isascii() else None
    except ValueError:
        return None
    return value if value is not None and -(2**63) <= value < 2**64 else None
