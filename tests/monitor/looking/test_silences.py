"""What may be silenced and what is refused by name; how a silence stands; what it hides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.errors import Refused
from opsbot.core.silence import Silence
from opsbot.matchers import parse
from opsbot.monitor.looking import silences
from opsbot.monitor.looking.silences import COMMENT, FURTHEST, LONGEST

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def asked(matchers: str = "a=b", **given: Any) -> Silence:
    known: dict[str, Any] = {"author": "Ana", "comment": "why", "now": NOW, "begins": NOW, "lasting": 2 * HOUR}
    return silences.silence(parse(matchers), **(known | given))


def test_a_silence() -> None:
    assert asked(comment=" why \n") == Silence(0, parse("a=b"), "Ana", "why", NOW, NOW, NOW + 2 * HOUR)


TIMES: dict[str, tuple[timedelta, timedelta, timedelta, timedelta]] = {
    "later": (HOUR, HOUR, HOUR, 2 * HOUR),
    "begun already": (-HOUR, 2 * HOUR, 0 * HOUR, HOUR),
    "the longest": (0 * HOUR, LONGEST, 0 * HOUR, LONGEST),
    "the furthest": (FURTHEST, HOUR, FURTHEST, FURTHEST + HOUR),
}


@pytest.mark.parametrize(("begins", "lasting", "first", "last"), TIMES.values(), ids=TIMES)
def test_its_time(begins: timedelta, lasting: timedelta, first: timedelta, last: timedelta) -> None:
    made = asked(begins=NOW + begins, lasting=lasting)
    assert (made.starts_at, made.ends_at) == (NOW + first, NOW + last)


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no matcher": ({"matchers": "{}"}, "no_matchers", "which alerts?"),
    "all that lack a label": ({"matchers": "a!=b"}, "too_wide", "also match alerts without"),
    "any value or none": ({"matchers": 'a=~".*",b=""'}, "too_wide", "alertname="),
    "no comment": ({"comment": ""}, "no_comment", "--comment"),
    "a comment of blanks": ({"comment": " \n"}, "no_comment", "--comment"),
    "a long comment": ({"comment": "x" * (COMMENT + 1)}, "too_long", "1001 characters"),
    "no time": ({"lasting": timedelta()}, "over", "more than 0s"),
    "too long": ({"lasting": LONGEST + timedelta(seconds=1)}, "too_long", "at most 90d"),
    "too far": ({"begins": NOW + FURTHEST + timedelta(seconds=1)}, "too_far", "more than 1y"),
    "over as it is made": ({"begins": NOW - 2 * HOUR}, "over", "ended already"),
}


@pytest.mark.parametrize(("given", "reason", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_by_name(given: dict[str, Any], reason: str, says: str) -> None:
    with pytest.raises(Refused) as error:
        asked(**given)
    assert error.value.reason == reason
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("hours", "state", "holds"),
    [(-1, "pending", False), (0, "active", True), (1, "active", True), (2, "expired", False), (3, "expired", False)],
    ids=["before", "as it begins", "inside", "as it ends", "after"],
)
def test_how_it_stands(hours: int, state: str, holds: bool) -> None:
    made, at = asked(), NOW + hours * HOUR
    assert silences.state(made, at) == state
    assert made.holds(at) is holds


def test_one_that_was_ended_before_it_began_is_expired() -> None:
    made = Silence(1, parse("a=b"), "Ana", "why", NOW, NOW + HOUR, NOW, "Ben")
    assert [silences.state(made, NOW + hours * HOUR) for hours in (0, 1, 2)] == ["expired"] * 3
    assert not any(made.holds(NOW + hours * HOUR) for hours in (0, 1, 2))


def test_what_fires_and_matches_is_hidden() -> None:
    states = [*AlertState]
    alerts = [
        Alert("r", "x", f"{value}{state}", "warning", {"a": value}, state, NOW) for value in "bc" for state in states
    ]
    assert [one.fingerprint for one in silences.hidden(parse("a=b"), alerts)] == ["bfiring"]


OVERLAPS: dict[str, tuple[str, int, int, bool]] = {
    "the same time": ("a=b", 0, 2, True),
    "in part": ("a=b", 1, 3, True),
    "just before": ("a=b", -1, 0, False),
    "just after": ("a=b", 2, 3, False),
    "other matchers": ("a=c", 0, 2, False),
    "wider matchers": ("a=b,c=d", 0, 2, False),
}


@pytest.mark.parametrize(("matchers", "begins", "ends", "wanted"), OVERLAPS.values(), ids=OVERLAPS)
def test_the_same_at_the_same_time(matchers: str, begins: int, ends: int, wanted: bool) -> None:
    other = Silence(9, parse(matchers), "Ben", "why", NOW, NOW + begins * HOUR, NOW + ends * HOUR)
    assert silences.overlapping(asked(), [other]) == [other] * wanted


def test_the_order_of_matchers_makes_no_other_silence() -> None:
    other = Silence(9, parse("c=d,a=b"), "Ben", "why", NOW, NOW, NOW + HOUR)
    assert silences.overlapping(asked("a=b,c=d"), [other]) == [other]
    assert silences.overlapping(other, [other]) == []
