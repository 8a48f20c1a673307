"""One spelling for one value."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any

import pytest

from opsbot.core.canonical import LATER, canonical, digest, plain
from opsbot.mask import mask


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True)
class Point:
    x: int
    at: datetime | None = None


@dataclass(frozen=True)
class Labelled(Point):
    """A point of a later release."""

    label: str = field(default="", metadata=LATER)
    tags: tuple[str, ...] = field(default=(), metadata=LATER)


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param({"b": 1, "a": [True, None]}, '{"a":[true,null],"b":1}', id="sorted keys, no blanks"),
        pytest.param("é\u2028", '"\\u00e9\\u2028"', id="ascii only"),
        pytest.param(Colour.RED, '"red"', id="enum"),
        pytest.param(mask("x"), '"x"', id="masked text"),
        pytest.param(Point(1, NOON), '{"at":"2026-01-02T12:00:00.000000Z","x":1}', id="dataclass and time"),
        pytest.param(timedelta(minutes=90), '"1h30m"', id="duration"),
        pytest.param({"b", "a"}, '["a","b"]', id="set"),
        pytest.param((1, 2.5), "[1,2.5]", id="tuple"),
        pytest.param({Colour.RED: 1}, '{"red":1}', id="enum as key"),
    ],
)
def test_the_spelling_of_a_value(value: Any, text: str) -> None:
    assert canonical(value) == text.encode()


def test_one_moment_has_one_digest_whatever_its_zone() -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert digest(NOON) == digest(elsewhere)


def test_a_digest_is_stable_over_releases_and_order() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": (1, 2), "a": 1})
    assert digest({"a": 1}) == "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"


def test_a_field_that_joined_later_counts_only_where_it_says_something() -> None:
    assert digest(Labelled(1, NOON)) == digest(Point(1, NOON))
    assert plain(Labelled(1, label="home")) == {"x": 1, "at": None, "label": "home"}
    assert plain(Labelled(1, tags=("a",))) == {"x": 1, "at": None, "tags": ["a"]}


@pytest.mark.parametrize(
    ("one", "other"),
    [({"a": 1}, {"a": "1"}), ({"a": None}, {}), ([1, 2], [2, 1]), (True, 1), ("a", ["a"]), (1, 1.5)],
    ids=["number and text", "null and nothing", "order", "truth and number", "item and list", "numbers"],
)
def test_what_differs_has_another_digest(one: Any, other: Any) -> None:
    assert digest(one) != digest(other)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [-float("inf")]], ids=str)
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


@pytest.mark.parametrize("value", [b"x", object(), Point, {"a": 1j}], ids=["bytes", "object", "class", "complex"])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no canonical form"):
        canonical(value)


def test_plain_values_are_of_the_plain_types() -> None:
    assert type(plain(mask("x"))) is str
    assert type(plain(Colour.RED)) is str
