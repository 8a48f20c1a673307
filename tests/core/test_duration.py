"""Durations in Prometheus spelling."""

from datetime import timedelta

import pytest

from opsbot.core.duration import parse, spell

PAIRS = [
    ("0s", timedelta()), ("30s", timedelta(seconds=30)), ("5m", timedelta(minutes=5)), ("1h30m", timedelta(minutes=90)),
    ("2d", timedelta(days=2)), ("1w", timedelta(weeks=1)), ("1y", timedelta(days=365)),
     ("250ms", timedelta(milliseconds=250)),
    ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)), ("8d", timedelta(days=8)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "length"), PAIRS, ids=[text for text, _ in PAIRS])
def test_there_and_back(text: str, length: timedelta) -> None:
    assert parse(text) == length
    assert spell(length) == text


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", timedelta()), ("90m", timedelta(minutes=90)), ("36h", timedelta(days=1.5)), ("7d", timedelta(weeks=1)),
     ("007s", timedelta(seconds=7)), ("1y1w", timedelta(days=372)), ("1m1ms", timedelta(seconds=60, milliseconds=1))],
    ids=str,
)  # fmt: skip
def test_other_spellings_are_read_too(text: str, length: timedelta) -> None:
    assert parse(text) == length
    assert parse(spell(length)) == length


@pytest.mark.parametrize(
    "text",
    ["", " ", "5", "5 m", "m5", "-5m", "+5m", "5M", "1.5h", "5m1h", "5m5m", "5min", "1h ", "٣s", "five", "5m\n",
     "9" * 41 + "s"],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 30s, 5m, 1h30m or 2d"):
        parse(text)


@pytest.mark.parametrize("text", ["293y", "9" * 38 + "y"], ids=["293 years", "forty digits"])
def test_too_long_a_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="292 years"):
        parse(text)


@pytest.mark.parametrize(
    ("length", "text"),
    [(timedelta(seconds=-90), "-1m30s"), (timedelta(microseconds=400), "0s"), (timedelta(microseconds=1600), "2ms"),
     (timedelta(days=372), "372d"), (timedelta(weeks=2), "2w"), (timedelta(days=730), "2y")],
    ids=str,
)  # fmt: skip
def test_spelling(length: timedelta, text: str) -> None:
    assert spell(length) == text
