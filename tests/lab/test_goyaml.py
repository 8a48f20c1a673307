"""Bare words of YAML, as the real promtool reads them."""

from __future__ import annotations

import math

import pytest

from opsbot.lab import goyaml


@pytest.mark.parametrize(
    ("word", "want"),
    [
        ("0b110", 6), ("-0b11", -3), ("0x10", 16), ("-0X1f", -31), ("0o17", 15), ("017", 15), ("-017", -15),
        ("08", 8), ("018", 18),
        ("0", 0), ("00", 0), ("+5", 5), ("1_000", 1000), ("0_7", 7),
        ("1e3", 1000), (".5", 0.5), ("5.", 5), ("1.5E-1", 0.15),
        ("18446744073709551615", 2.0**64), ("99999999999999999999", 1e20), (".inf", math.inf), ("-.Inf", -math.inf),
    ],
)  # fmt: skip
def test_numbers(word: str, want: float) -> None:
    assert goyaml.number(word) == want


def test_not_a_number() -> None:
    assert math.isnan(goyaml.number(".NaN"))


@pytest.mark.parametrize(
    "word",
    ["Inf", "inf", "NaN", "+Inf", ".iNf", "1e400", "-1e400", "0x", "0b2", "0o8", "0x1p4", "1.2.3", "1:30", "true",
     "2001-01-01", "0x1ffffffffffffffff", "x", "_1", "._5", "1_x", "\u0661", ""],
)  # fmt: skip
def test_what_is_no_number(word: str) -> None:
    with pytest.raises(ValueError, match="is no number"):
        goyaml.number(word)


@pytest.mark.parametrize("word", ["tRue", "1", "maybe", "ye", ""])
def test_what_is_no_truth(word: str) -> None:
    with pytest.raises(ValueError, match="neither true nor false"):
        goyaml.truth(word)
