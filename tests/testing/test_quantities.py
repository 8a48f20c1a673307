"""Quantities: what they say, how they add up, and how they are told."""

from __future__ import annotations

from fractions import Fraction

import pytest

from opsbot.testing.cluster.quantities import Quantity, parse


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", "1"), ("0.3", "3/10"), ("300m", "3/10"), ("2k", "2000"), ("1Ki", "1024"), ("1.5Gi", "1610612736"),
     ("1e3", "1000"), ("5E-1", "1/2"), ("1E", "1000000000000000000"), ("+5", "5"), ("-5", "-5"), (".5", "1/2"),
     ("100n", "1/10000000"), (2, "2")],
)  # fmt: skip
def test_what_it_says(text: object, value: str) -> None:
    assert parse(text).value == Fraction(value)


@pytest.mark.parametrize("text", ["", "x", "1x", "1 Gi", "1KI", "--1", "1..0", "Gi", True, None, "1e999", "1m\n"])
def test_what_is_none(text: object) -> None:
    with pytest.raises(ValueError, match="quantities must match"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [("1500m", "1500m"), ("0.3", "300m"), ("1000", "1k"), ("1024Mi", "1Gi"), ("0.5Gi", "512Mi"), ("0", "0"),
     ("0Gi", "0"), ("100", "100"), ("1.5", "1500m"), ("2000m", "2"), ("1000000000", "1G"), ("-1000m", "-1"),
     ("1u", "1u"), ("0.0000001", "100n"), ("0.5Ki", "512")],
)  # fmt: skip
def test_how_it_is_told(text: str, told: str) -> None:
    assert str(parse(text)) == told


@pytest.mark.parametrize(
    ("parts", "told"),
    [(("300m", "700m"), "1"), (("512Mi", "512Mi"), "1Gi"), (("0", "1Gi"), "1Gi"), (("1Gi", "1000"), "1073742824"),
     ((), "0")],
    ids=["parts", "binary", "from nothing", "the first one's way", "nothing"],
)  # fmt: skip
def test_how_they_add_up(parts: tuple[str, ...], told: str) -> None:
    assert str(sum((parse(part) for part in parts), Quantity())) == told
