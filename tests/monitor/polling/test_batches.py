"""Conditions joined into one question, and its answer taken apart: nothing is lost, mixed up or let in."""

from __future__ import annotations

import re

import pytest

from opsbot import promql
from opsbot.core.alert import Sample
from opsbot.core.errors import Blind
from opsbot.monitor.polling.batches import LABEL, MOST_TEXT, fits, joined, packed, parted
from tests.monitor.monitor_world import START


def sample(**labels: str) -> Sample:
    return Sample(labels, 1.0, START)


def depth(text: str) -> int:
    """How deep its brackets nest."""
    deep = most = 0
    for letter in text:
        deep += {"(": 1, ")": -1}.get(letter, 0)
        most = max(most, deep)
    return most


# joined ---------------------------------------------------------------------------------------------------------------


def test_one_condition_stands_under_the_name_of_its_rule() -> None:
    assert joined({"a1": "up == 0"}) == 'label_replace(up == 0\n, "opsbot_rule", "a1 $1", "opsbot_rule", "(?s)(.*)")'


@pytest.mark.parametrize(
    ("condition", "number"),
    [("1", True), ("-(2)", True), ("time() - 5", True), ("scalar(up)", True), ("up", False), ("up > bool 1", False),
     ("vector(1)", False), ("1 > bool 2", True), ("hour()", False)],
)  # fmt: skip
def test_a_number_is_made_a_vector(condition: str, number: bool) -> None:
    assert joined({"a": condition}).startswith(f"label_replace({'vector(' if number else ''}{condition}")


@pytest.mark.parametrize(
    "condition",
    [
        "up > 1 # )",
        "# (\nup",
        "up{a=')) or (('}",
        "up{a=`\\`}",
        "((up))",
        "1 # x",
        'up{a=~`[\\w-.")}]`}',
        'up{a=~"[(]\\""}',
    ],
)
def test_what_is_joined_can_be_read(condition: str) -> None:
    promql.parse(joined({"a": condition, "b": "up == 0", "c": condition}))


def test_the_tree_is_balanced() -> None:
    assert depth(joined({f"r{at}": "up" for at in range(256)})) == 8 + depth(joined({"r": "up"}))


@pytest.mark.parametrize(
    ("condition", "fit"),
    [("up > 1", True), ("1", True), ("up) or (up", False), ("up{", False), ("'text'", False), ("up[5m]", False),
     ("up > 1 # comment", True), ("f(1)", False), ("up" + " + up" * 1_400, False),
     ("up{a=~`[\\w-.\")}]`} > 0", True), ("up{a=~'('}", False), ("up{a=~`[`}", False), ("up\f", False),
     ("up #\r) or (up", False), ("up + fill(0) 1", False), ("up{a=~`\\Q(\"{`}", True)],
    ids=["plain", "number", "closes too early", "open", "text", "range", "comment", "unknown function", "too much",
         "brackets in a pattern", "a group that is open", "a class that is open", "form feed", "comment that ends",
         "fill of a number", "quoted brackets"],
)  # fmt: skip
def test_only_what_can_be_read_here_stands_among_others(condition: str, fit: bool) -> None:
    assert fits(condition) is fit


# parted ---------------------------------------------------------------------------------------------------------------


def test_each_rule_gets_its_own_without_the_name() -> None:
    given = [sample(opsbot_rule="a ", pod="x"), sample(opsbot_rule="b ", pod="x"), sample(opsbot_rule="a ", pod="y")]
    assert parted(given, ["a", "b", "c"]) == {"a": [sample(pod="x"), sample(pod="y")], "b": [sample(pod="x")], "c": []}


@pytest.mark.parametrize("value", ["mine", "b steals", "two words", "a ", "line\nbreak", " "])
def test_a_label_that_a_series_has_already_is_kept(value: str) -> None:
    assert parted([sample(opsbot_rule=f"a {value}", pod="x")], ["a", "b"])["a"] == [sample(opsbot_rule=value, pod="x")]


@pytest.mark.parametrize(
    "labels", [{}, {LABEL: ""}, {LABEL: "a"}, {LABEL: "c "}, {LABEL: " a"}, {LABEL: "aa "}, {LABEL: "A "}],
    ids=["none", "empty", "without a blank", "another rule", "blank first", "longer", "other case"],
)  # fmt: skip
def test_a_series_of_no_rule_spoils_the_answer(labels: dict[str, str]) -> None:
    with pytest.raises(Blind, match="none of the rules"):
        parted([sample(opsbot_rule="a "), sample(**labels)], ["a", "b"])


# packed ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "parcels", "most", "sizes"),
    [(10, 2, 500, [5, 5]), (5, 2, 500, [3, 2]), (10, 2, 3, [3, 3, 2, 2]), (1, 2, 500, [1]), (3, 1, 500, [3]),
     (4, 2, 1, [1, 1, 1, 1]), (0, 2, 500, [])],
)  # fmt: skip
def test_conditions_are_dealt_out_evenly(count: int, parcels: int, most: int, sizes: list[int]) -> None:
    given = {f"r{at}": "up" for at in range(count)}
    dealt = packed(given, parcels, most)
    assert [len(parcel) for parcel in dealt] == sizes
    assert {name: text for parcel in dealt for name, text in parcel.items()} == given


@pytest.mark.parametrize(
    "lengths", [[9_000] * 40, [9_000, 10] * 30, [10_000] * 8 + [5] * 500], ids=["long", "mixed", "few"]
)
def test_no_question_is_too_long(lengths: list[int]) -> None:
    given = {f"{at:016x}": "x" * length for at, length in enumerate(lengths)}
    dealt = packed(given, 2, 500)
    assert sum(len(parcel) for parcel in dealt) == len(given)
    for parcel in dealt:
        frame = re.sub("x+", "", joined({"0" * 16: "x"}))
        assert sum(len(text) + len(frame) for text in parcel.values()) <= MOST_TEXT + len(parcel) * len(frame)
        assert len(joined(dict.fromkeys(parcel, "up"))) + sum(map(len, parcel.values())) <= MOST_TEXT * 1.1


def test_a_long_condition_stands_alone() -> None:
    assert packed({"a": "x" * (MOST_TEXT + 1), "b": "up"}, 1, 500) == [{"a": "x" * (MOST_TEXT + 1)}, {"b": "up"}]
