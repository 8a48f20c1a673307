"""Whether a webhook loses alerts: from the first refusal until it is well again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.monitor.receiving.hearing import CALM, Hearing

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LONG = int(CALM.total_seconds())


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def heard(*said: tuple[int, str]) -> Hearing:
    """What is known after these: a reason refuses, none takes."""
    found = Hearing(last=at(0))
    for seconds, why in said:
        found = found.refused(why, at(seconds)) if why else found.took(at(seconds))
    return found


STORIES = {
    "nothing came": ((), LONG, False, False),
    "taken, just begun": (((1, ""),), 2, False, False),
    "taken for long": (((1, ""),), LONG, False, True),
    "refused": (((1, "x"),), 2, True, False),
    "refused and nothing since": (((1, "x"),), 10 * LONG, True, False),
    "refused, then taken": (((1, "x"), (2, "")), 3, True, False),
    "refused, then taken, and long calm": (((1, "x"), (2, "")), 1 + LONG, False, True),
    "taken and refused by turns": (((1, "x"), (2, ""), (LONG, "x"), (LONG + 1, "")), LONG + 2, True, False),
    "taken, but refused last": (((1, "x"), (2, ""), (3, "x")), 3 + LONG, True, False),
}


@pytest.mark.parametrize(("said", "now", "lost", "well"), STORIES.values(), ids=STORIES.keys())
def test_stories(said: Sequence[tuple[int, str]], now: int, lost: bool, well: bool) -> None:
    found = heard(*said)
    assert (found.lost(at(now)), found.well(at(now))) == (lost, well)


def test_the_first_reason_stays_until_it_is_well_and_then_another_begins() -> None:
    found = heard((1, "too long"), (2, ""), (3, "no JSON"))
    assert (found.since, found.why) == (at(1), "too long")
    again = found.took(at(4)).refused("no JSON", at(4 + LONG))
    assert (again.since, again.why) == (at(4 + LONG), "no JSON")
