from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsbot.diagnose import pattern
from opsbot.diagnose.pattern import Hit, Lines
from tests.diagnose.diagnosis_world import log

STAMP = "2026-03-04T09:59:00.123456789Z "


def hits(text: str, wanted: str, seconds: float = 5.0) -> list[Hit]:
    return list(Lines(log(text)).search(wanted, lambda: seconds))


@pytest.mark.parametrize(
    ("wanted", "wrong"),
    [
        ("(", "does not compile: missing ) at character 2"),
        ("[a-", "does not compile"),
        ("(?P<a>x)(?P<1>y)", "does not compile"),
        ("x" * 501, "is longer than 500 characters"),
        ("(" * 240 + ")" * 240, "is found in an empty line"),
        ("a*", "is found in an empty line"),
        ("(a+)+$", "takes too long"),
        ("(a|aa)+$", "takes too long"),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", "takes too long"),
        ("(a|aa)+:$", "takes too long"),
        (r"(?P<host>\S+) refused", ""),
        (r"foo.*bar.*baz", ""),
        (r"\bqueue (?:is )?full\b", ""),
        (r"\s+$", ""),
    ],
    ids=["open bracket", "open class", "bad group name", "long", "only brackets", "finds nothing everywhere",
         "nested repeat", "overlapping choice", "classic", "with an end", "plain", "three parts", "choice", "blanks"],
)  # fmt: skip
def test_patterns_are_vetted(wanted: str, wrong: str) -> None:
    assert pattern.vet(wanted).startswith(wrong)
    assert bool(pattern.vet(wanted)) == bool(wrong)


def test_named_groups_are_listed() -> None:
    assert set(pattern.groups(r"(?P<a>x)|(?P<b>y)(?P<a>z)")) == {"a", "b"}


def test_lines_are_found_by_number_with_their_time_and_groups() -> None:
    text = f"one\n{STAMP}pool p1 empty\nthree\n2026-03-04T10:59:00+01:00 pool p2 empty\n"
    first, second = hits(text, r"pool (?P<pool>\S+) empty")
    assert (first.line, first.groups, first.text) == (2, {"pool": "p1"}, f"{STAMP}pool p1 empty")
    assert first.at == datetime(2026, 3, 4, 9, 59, 0, 123456, tzinfo=UTC)
    assert (second.line, second.groups) == (4, {"pool": "p2"})
    assert second.at == datetime(2026, 3, 4, 9, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "wanted", "lines"),
    [
        ("alpha\nbeta", r"alpha\s+beta", []),
        ("alpha beta\nalpha\nbeta", r"alpha\s+beta", [1]),
        ("x\nalpha\nalpha beta", r"alpha\s+beta", [3]),
        (f"{STAMP}ready", r"^ready$", [1]),
        (f"{STAMP}ready", r"2026-03", []),
        ("a\n\nb\n", r"b", [3]),
        ("a\r b", r"^b", []),
        ("one two one two", r"one", [1]),
        ("", r"x", []),
        ("\n\n\n", r"x", []),
        ("2026-99-99T99:99:99Z odd time", r"odd", [1]),
    ],
    ids=["never over two lines", "one of them", "after a false start", "anchors and the time", "the time is no text",
         "empty lines count", "a newline ends a line", "a line once", "nothing", "blank",
         "a time that is none"],
)  # fmt: skip
def test_lines_are_searched_one_by_one(text: str, wanted: str, lines: list[int]) -> None:
    assert [hit.line for hit in hits(text, wanted)] == lines


def test_a_very_long_line_is_searched_up_to_a_cap() -> None:
    assert hits("x" * pattern.LONGEST_LINE + "needle", "needle") == []
    assert hits("x" * (pattern.LONGEST_LINE - 6) + "needle", "needle")


def test_a_search_that_takes_too_long_says_so() -> None:
    with pytest.raises(TimeoutError):
        hits("a" * 60 + "!", "(a|aa)+$", seconds=0.05)


def test_times_before_lines_are_listed() -> None:
    assert pattern.stamps(f"{STAMP}a\nb\n2026-03-04T10:00:00Z c") == [
        datetime(2026, 3, 4, 9, 59, 0, 123456, tzinfo=UTC), datetime(2026, 3, 4, 10, 0, tzinfo=UTC),
    ]  # fmt: skip
