"""Refires: which count, when there are enough, and since when it is calm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from opsbot.config import Incidents
from opsbot.core.alert import AlertState
from opsbot.core.canonical import digest
from opsbot.core.incident import Incident
from opsbot.core.silence import Verdict
from opsbot.monitor.looking import flapping
from opsbot.report import flapping as in_words
from tests.monitor.calm_world import alert, at, gone
from tests.monitor.looking.test_storms import incident

CALM = Incidents(flaps=2, flaps_within=timedelta(seconds=100))
ONE, TWO = alert("A", 10), alert("B", 20)


def refired(*times: float) -> Incident:
    found = incident()
    for time in times:
        found = flapping.again(found, at(time), CALM)
    return found


@pytest.mark.parametrize(
    ("times", "flaps", "is_flapping"),
    [((), 0, False), ((5,), 1, False), ((5, 50), 2, True), ((5, 5), 1, False), ((50, 5), 1, False),
     ((5, 200), 1, False), ((5, 50, 500), 1, False), ((5, 105), 2, True)],
    ids=["never", "once", "enough", "the same", "an older one", "too rare", "not any more", "just within"],
)  # fmt: skip
def test_again(times: tuple[float, ...], flaps: int, is_flapping: bool) -> None:
    found = refired(*times)
    assert (len(found.flaps), found.flapping) == (flaps, is_flapping)


def test_only_the_newest_are_remembered() -> None:
    assert len(refired(*(place / 10 for place in range(200))).flaps) == flapping.MOST


def said(reason: str, seconds: float, one: object = ONE) -> dict[str, Verdict]:
    return {one.fingerprint: Verdict(one.fingerprint, at(seconds), reason)}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("alerts", "verdicts", "when"),
    [
        ([], {}, None),
        ([gone(ONE, 15)], said("joined", 11), None),
        ([ONE], said("joined", 11), None),
        ([ONE], said("flapping", 5), 10),
        ([ONE], said("cleared", 5), 10),
        ([ONE], said("joined", 9), 10),
        ([ONE], {}, 10),
        ([ONE, TWO], said("opened", 11), None),
        ([ONE, TWO], said("flapping", 5), 20),
        ([replace(ONE, state=AlertState.PENDING)], said("flapping", 5), None),
    ],
    ids=[
        "none", "cleared", "stays up", "back", "back before", "came and went unseen", "new", "one stayed up",
        "both are back", "pending",
    ],
)  # fmt: skip
def test_refired(alerts: list, verdicts: dict[str, Verdict], when: float | None) -> None:  # type: ignore[type-arg]
    assert flapping.refired(alerts, verdicts) == (None if when is None else at(when))


def test_calm_counts_from_the_last_clear() -> None:
    found = replace(incident(opened=3), alerts=(gone(ONE, 30), gone(TWO, 25)))
    assert flapping.calm_since(found) == at(30)
    assert flapping.calm_since(incident(opened=3)) == at(3)


@pytest.mark.parametrize(
    ("times", "words"),
    [
        ((5,), ""),
        ((5, 50), "flapping: fired again 2 times in 45s"),
        ((0, 40, 100), "flapping: fired again 3 times in 1m40s"),
    ],
    ids=["not flapping", "twice", "three times"],
)  # fmt: skip
def test_in_words(times: tuple[float, ...], words: str) -> None:
    assert in_words(refired(*times)) == words


def test_what_never_flapped_has_the_digest_that_it_had_before() -> None:
    assert "flap" not in str(sorted(vars_of(incident())))
    assert digest(incident()) != digest(refired(5, 50))


def vars_of(found: Incident) -> list[str]:
    from opsbot.core.canonical import plain

    return list(plain(found))
