"""Which lists match which labels; time is linear whatever the pattern."""

from __future__ import annotations

import random
import re
import threading

import pytest

from opsbot.core.silence import Match, Matcher
from opsbot.matchers import Table, everything, parse, table

CASES: dict[str, tuple[str, dict[str, str], bool]] = {
    "equal": ("a=b", {"a": "b"}, True),
    "not equal at all": ("a=b", {"a": "bb"}, False),
    "case counts": ("a=b", {"a": "B"}, False),
    "missing is no value": ("a=b", {}, False),
    "missing is empty": ('a=""', {}, True),
    "there and empty": ('a=""', {"a": ""}, True),
    "unequal": ("a!=b", {"a": "c"}, True),
    "unequal and missing": ("a!=b", {}, True),
    "unequal to empty": ('a!=""', {}, False),
    "like": ("a=~b.*", {"a": "bcd"}, True),
    "like is anchored in front": ("a=~b.*", {"a": "abc"}, False),
    "like is anchored behind": ("a=~b", {"a": "bc"}, False),
    "alternatives are anchored too": ("a=~b|c", {"a": "bc"}, False),
    "an alternative": ("a=~b|c", {"a": "c"}, True),
    "like the empty": ("a=~.*", {}, True),
    "like at least one": ("a=~.+", {}, False),
    "unlike": ("a!~b.*", {"a": "c"}, True),
    "unlike what is like": ("a!~b.*", {"a": "bc"}, False),
    "unlike and missing": ("a!~b.+", {}, True),
    "unlike the empty": ("a!~.*", {}, False),
    "a point is no line feed": ("a=~b.c", {"a": "b\nc"}, False),
    "the end is the end": ("a=~b$", {"a": "b\n"}, False),
    "flags": ("a=~(?i)B", {"a": "b"}, True),
    "letters of elsewhere": ("a=~Z.rich", {"a": "Zürich"}, True),
    "half a letter": ("a=~x.", {"a": "x\ud800"}, True),
    "all must match": ("a=b,c=d", {"a": "b"}, False),
    "two on one label": ("a=~b.*,a!=bad", {"a": "bad"}, False),
    "two that contradict": ("a=b,a=c", {"a": "b"}, False),
    "no matcher": ("", {"a": "b"}, True),
    "other labels do not count": ("a=b", {"a": "b", "c": "d"}, True),
}


@pytest.mark.parametrize(("text", "labels", "wanted"), CASES.values(), ids=CASES)
def test_matching(text: str, labels: dict[str, str], wanted: bool) -> None:
    assert Table([parse(text)]).matching(labels) == int(wanted)
    assert Table([(), parse(text)]).matching(labels) == 1 + 2 * wanted


def matched(matchers: tuple[Matcher, ...], labels: dict[str, str]) -> bool:
    """The meaning in plain words of Python, whose patterns agree with RE2 on what is tried here."""
    for one in matchers:
        value = labels.get(one.name, "")
        like = one.match in (Match.LIKE, Match.NOT_LIKE)
        hit = bool(re.fullmatch(one.value, value)) if like else value == one.value
        if hit != (one.match in (Match.IS, Match.LIKE)):
            return False
    return True


def test_many_lists_at_once_mean_what_each_means_alone() -> None:
    chance = random.Random(3)
    values = ["", "a", "b", "ab", "ba", "aab"]
    patterns = ["a.*", ".*b", "a|b", "(ab)+", ".+", "", "a?b?"]
    lists = []
    for _ in range(80):
        count = chance.randint(0, 3)
        plain = [
            Matcher(chance.choice("xyz"), chance.choice([*Match][:2]), chance.choice(values)) for _ in range(count)
        ]
        count = chance.randint(0, 2)
        like = [
            Matcher(chance.choice("xyz"), chance.choice([*Match][2:]), chance.choice(patterns)) for _ in range(count)
        ]
        lists.append((*plain, *like))
    asked = Table(lists)
    for _ in range(500):
        labels = {name: chance.choice(values) for name in chance.sample("xyz", chance.randint(0, 3))}
        wanted = sum(1 << number for number, one in enumerate(lists) if matched(one, labels))
        assert asked.matching(labels) == wanted


@pytest.mark.parametrize("match", [Match.LIKE, Match.NOT_LIKE], ids=str)
def test_a_pattern_that_cannot_be_read_matches_nothing(match: Match) -> None:
    bad = (Matcher("a", match, "("), Matcher("a", Match.IS_NOT, "z"))
    assert Table([bad, parse("a=b"), ()]).matching({"a": "b"}) == 0b110


def test_patterns_too_large_for_one_automaton_are_asked_in_parts() -> None:
    patterns = [rf"\pL{{1,90}}-{number}" for number in range(5)]
    asked = Table([(Matcher("a", Match.LIKE, pattern),) for pattern in patterns])
    assert asked.matching({"a": "abc-4"}) == 1 << 4
    assert asked.matching({"a": "abc-x"}) == 0


def test_a_pattern_that_runs_away_elsewhere_ends() -> None:
    assert Table([parse('a=~"(a|aa)+$"')]).matching({"a": "a" * 100_000 + "!"}) == 0


def test_what_is_remembered_is_bounded_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsbot.matchers.matching.REMEMBERED", 10)
    asked = Table([parse("a=~b.*7")])
    for _ in range(2):
        assert [number for number in range(40) if asked.matching({"a": f"b{number}"})] == [7, 17, 27, 37]
    assert all(len(column) <= 10 for _, column in asked._columns)


def test_threads_may_share_a_table() -> None:
    asked = table((parse("a=~b.*7"), parse("a!=b7")))
    wrong: list[int] = []

    def ask(start: int) -> None:
        for number in range(start, start + 2000):
            wanted = 0b10 + (number % 10 == 7)
            if number != 7 and asked.matching({"a": f"b{number}"}) != wanted:
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number * 500,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", True), ("a!=b", True), ("a=~.*", True), ('a=""', True), ("a=b", False), ("a=~.+", False),
        ("a!=b,c=d", False), ('a!=""', False),
    ],
    ids=["none", "unequal", "anything", "empty", "equal", "something", "one is enough", "not empty"],
)  # fmt: skip
def test_lists_that_ask_for_nothing(text: str, wanted: bool) -> None:
    assert everything(parse(text)) is wanted
