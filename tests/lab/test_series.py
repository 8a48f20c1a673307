"""The notation of series, as the real promtool reads it; tests/contracts asks it for the same."""

from __future__ import annotations

import math

import pytest

from opsbot.lab import series


def spelt(value: float | None) -> str:
    return "_" if value is None else "stale" if series.is_stale(value) else f"{value:g}"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1 2.5 -3", "1 2.5 -3"), ("1x3", "1 1 1 1"), ("1+2x3", "1 3 5 7"), ("10-2x3", "10 8 6 4"), ("-1-2x2",
        "-1 -3 -5"),
        ("_ _x2 1", "_ _ _ 1"), ("_x0 1", "1"), ("stale 1", "stale 1"), ("010 1e3 .5 0x2", "8 1000 0.5 0 0 0"),
        ("1_000 1_0x1", "1000 10 10"),
        ("stale+0x2 1", "stale nan nan 1"), ("stale-1x1", "stale nan"), ("stale+1x0 5", "stale 5"),
        ("Inf -inf NaN", "inf -inf nan"), ("", ""), (" 1\n  2 ", "1 2"), ("1e308x0 09", "1e+308 9"),
    ],
)  # fmt: skip
def test_values(text: str, want: str) -> None:
    assert " ".join(map(spelt, series.values(text))) == want


def test_values_are_added_up_one_by_one() -> None:
    assert series.values("0.1+0.1x2")[2] == 0.1 + 0.1 + 0.1


@pytest.mark.parametrize(
    "text",
    [
        "1x",
        "x3",
        "stalex3",
        "stale+1",
        "Stale",
        "-stale",
        "1e400",
        "-1e400",
        "1+1e400x2",
        "1\u00a01",
        "1_",
        "1+2",
        "1+-2x3",
        "1,2",
        "nanx2",
        "Infx2",
        "0b1",
        '"1"',
        "1 +2+x3",
        "1x9999999",
        "{{sum:1}}x2",
    ],
)
def test_what_is_no_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"no value|lacks how often|more than|histograms"):
        series.values(text)


def test_a_nan_is_not_stale() -> None:
    assert not series.is_stale(math.nan)
    assert series.is_stale(series.STALE)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("up", {"__name__": "up"}), ("{}", {}), ("a:b{}", {"__name__": "a:b"}), ('{a="b"}', {"a": "b"}),
        ("up{a='b', c=`d\\n`,}", {"__name__": "up", "a": "b", "c": "d\\n"}),
        (' up { a = "q\\"\\u00e4\\x41\\101\\n}" } ', {"__name__": "up", "a": 'q"äAA\n}'}),
        ('{__name__="x",a="{,}"}', {"__name__": "x", "a": "{,}"}),
        ('{"x.y", "a.b"="c", d="e"}', {"__name__": "x.y", "a.b": "c", "d": "e"}),
        ('up{__name__="x"}', {"__name__": "up"}), ('up{a="1",a=""}', {"__name__": "up", "a": "1"}),
        ('sum{by="x"}', {"__name__": "sum", "by": "x"}),
    ],
    ids=["name", "nothing", "empty", "no name", "quotes", "escapes", "braces", "quoted names", "two names",
    "a label and nothing", "words of PromQL"],
)  # fmt: skip
def test_labels(text: str, want: dict[str, str]) -> None:
    assert series.labels(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "", "1a", "up{a}", "up{a=b}", "up{a='b' c='d'}", "up{", "up{a='\\z'}", "NaN", "inf{}", "bool", 'up{a="b\nc"}',
        "atan2", "ON", "ignoring{}", "group_left", 'group_right{a="b"}', 'up{a="1",a="2"}', 'up{a="1",a="1"}',
        "up{a=\"\\'\"}", 'up{a="\\777"}', 'up{a="\\ud800"}', 'up{a="\\UFFFFFFFF"}',
    ],
)  # fmt: skip
def test_what_is_no_series(text: str) -> None:
    with pytest.raises(ValueError, match=r"no series|no label|not known|given twice"):
        series.labels(text)


@pytest.mark.parametrize(
    ("line", "want"),
    [
        ("up 1 2", ("up", "1 2")), ("up", ("up", "")),
        ('up{a="} {", b=\'}\', c=`}`}\t1', ('up{a="} {", b=\'}\', c=`}`}', "1")),
        ('{a="b"} 1', ('{a="b"}', "1")), ('up {a="b"} 1', ("up", '{a="b"} 1')), ("up{}1", ("up{}1", "")),
        ("1 1", ("1 1", "")), ("up{a 1", ("up{a 1", "")), ('up{a="} 1', ('up{a="} 1', "")),
    ],
    ids=["both", "no values", "braces in quotes", "no name", "a space before the brace", "no space", "values alone",
    "open brace", "open quote"],
)  # fmt: skip
def test_a_line_is_a_series_and_values(line: str, want: tuple[str, str]) -> None:
    assert series.split(line) == want


def test_a_native_histogram_is_told_from_numbers() -> None:
    assert series.is_histogram("1 {{schema:0 sum:1}}x3")
    assert not series.is_histogram("1 2x3")
