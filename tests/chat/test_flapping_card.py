"""A flapping incident in chat: its card counts, its thread is quiet; a storm's card names the worst."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from opsbot.chat.card import card
from opsbot.chat.notes import notes
from opsbot.core.incident import Incident, State
from tests.chat.chat_world import NOW, incident_in
from tests.monitor.calm_world import alert, gone


def flapping(state: State, times: int) -> Incident:
    flaps = tuple(NOW + timedelta(minutes=place) for place in range(times))
    return replace(incident_in(state), flaps=flaps, flapping=True, reopened=2, round=3, version=5 + times)


@pytest.mark.parametrize("state", [State.OPEN, State.DIAGNOSED, State.ESCALATED], ids=str)
def test_a_flap_more_edits_the_card_and_says_nothing(state: State) -> None:
    before, after = flapping(state, 3), flapping(state, 4)
    assert [note.key for note in notes(before, {})] == [note.key for note in notes(after, {})]
    assert "Flapping: fired again 3 times in 2m. Calm ends it." in str(card(before, {}))
    assert "Flapping: fired again 4 times in 3m. Calm ends it." in str(card(after, {}))


def test_what_is_over_flaps_no_more() -> None:
    assert "Flapping" not in str(card(flapping(State.RESOLVED, 3), {}))
    assert "Flapping" not in str(card(incident_in(State.OPEN), {}))


def test_that_it_flaps_is_said_when_it_comes_back() -> None:
    (note, *_) = notes(flapping(State.OPEN, 2), {})
    assert "It is flapping: it stays open now until it has been calm." in str(note.body)


def test_the_card_of_a_storm_names_the_worst_that_fire_and_counts_the_rest() -> None:
    alerts = (
        gone(alert("Over", severity="critical"), 5), alert("Mild", severity="info"), alert("Bad", severity="critical"),
        *(alert(f"Other{place}") for place in range(7)),
    )  # fmt: skip
    text = str(card(replace(incident_in(State.OPEN), alerts=alerts), {}))
    assert text.index("Bad") < text.index("Other0")
    assert ("Over" in text, "Mild" in text, "and 7 more alerts" in text) == (False, False, True)
