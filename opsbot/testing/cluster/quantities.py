"""Quantities of resources as Kubernetes writes them: `300m`, `1Gi`, `2` in, numbers that can be added and told out.

The spelling is the canonical one of k8s.io/apimachinery, pkg/api/resource/quantity.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(|[numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,2})", re.ASCII)
_DECIMAL = {"n": -3, "u": -2, "m": -1, "": 0, "k": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}
_BINARY = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei")


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much of something; `binary` is how it likes to be told (1Gi, not 1073741824)."""

    value: Fraction = Fraction(0)
    binary: bool = False

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(self.value + other.value, self.binary if self.value else other.binary)

    def __str__(self) -> str:
        if self.binary and self.value.denominator == 1:
            return _told(int(self.value), 1024, _BINARY)
        scale = next((name for name in ("", "m", "u", "n") if (self.value / _power(name)).denominator == 1), "n")
        number = int(self.value / _power(scale))
        return _told(number, 1000, tuple(_DECIMAL)[3:]) if not scale else f"{number}{scale}"


ONE = Quantity(Fraction(1))


def parse(text: object) -> Quantity:
    """What a text (or a plain number) says; ValueError where it is none."""
    found = _FORM.fullmatch(str(text)) if not isinstance(text, bool) else None
    if not found:
        raise ValueError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    number, unit = Fraction(found[1]), found[2]
    if unit in _BINARY[1:]:
        return Quantity(number * 1024 ** _BINARY.index(unit), binary=True)
    if unit[:1] in ("e", "E") and len(unit) > 1:
        return Quantity(number * Fraction(10) ** int(unit[1:]))
    return Quantity(number * _power(unit))


def _power(unit: str) -> Fraction:
    return Fraction(1000) ** _DECIMAL[unit]


def _told(number: int, base: int, units: tuple[str, ...]) -> str:
    """With the largest unit that leaves a whole number."""
    place = 0
    while number and number % base == 0 and place + 1 < len(units):
        number, place = number // base, place + 1
    return f"{number}{units[place]}"
