"""What is told of a model in Slack: of the present round, what came of asking, and nothing that was not asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.access import Access
from opsbot.chat import replies
from opsbot.chat.card import card
from opsbot.chat.notify import Notifier, opinion
from opsbot.commands import shape
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis
from opsbot.core.incident import Incident, State, advance
from opsbot.core.message import Kind, Place
from opsbot.store import SqlStore, open_store
from tests.chat.chat_world import CAUSE, EVIDENCE, GUESS, NOW, ORIGINS, incident_in

LATER, PLACE = NOW + timedelta(minutes=5), Place("C1", "1.1")
BEFORE = "The model was asked in an earlier round: it is asked once about an incident."
GUESSED = "A model's hypothesis, not a finding: slow_dependency"


@dataclass
class World:
    """One incident, diagnosed by rules that leave a question open, and what has been told of it."""

    store: SqlStore
    number: int = 0

    def __post_init__(self) -> None:
        made = incident_in(State.DIAGNOSED, open_question=True)
        self.number = self.store.create(made, Note("monitor", "opened"), NOW).id
        self._gathered(1)

    def _gathered(self, round: int) -> None:
        self.store.add_evidence(self.number, round, EVIDENCE, (), Note("diagnostic", "evidence"), NOW)

    @property
    def incident(self) -> Incident:
        found = self.store.load(self.number)
        assert found is not None
        return found

    def asks(self, reason: str, *guesses: Hypothesis, **detail: str) -> None:
        """A model is asked about the present round, and this comes of it."""
        told = {"round": str(self.incident.round)}
        self.store.note(self.number, Note("diagnostic", "ask_model", "asking", told), NOW)
        note = Note("diagnostic", "ask_model", reason, told | detail)
        self.store.add_hypotheses(self.number, self.incident.round, guesses, note, NOW)

    def fires_again(self) -> None:
        """It is resolved, fires again, and the rules leave a question open once more."""
        for event in ("cleared", "refired", "diagnosed"):
            self.store.save(advance(self.incident, event, LATER), Note("monitor", event), LATER)
        self.store.save(
            replace(self.incident, diagnosed_at=LATER, open_question=True, findings=(CAUSE,)),
            Note("diagnostic", "diagnose"),
            LATER,
        )
        self._gathered(2)

    def told(self) -> dict[str, str]:
        """The text of the card and of each note that waits."""
        Notifier(self.store, Access([], {}, {})).notify(self.incident, LATER)
        found = {}
        while waiting := self.store.next_messages(LATER):
            for message in waiting:
                found["card" if message.kind is Kind.CARD else message.key] = str(message.body)
                self.store.message_sent(message.id, PLACE, LATER)
        return found


@pytest.fixture
def world() -> Iterator[World]:
    store = open_store("sqlite://", NOW)
    yield World(store)
    store.close()


def test_before_the_answer_nothing_is_said(world: World) -> None:
    world.store.note(world.number, Note("diagnostic", "ask_model", "asking", {"round": "1"}), NOW)
    told = world.told()
    assert "model.1" not in told
    assert "model" not in told["card"]


def test_an_opinion_is_on_the_card_and_in_the_thread(world: World) -> None:
    world.asks("answered", GUESS, dropped="1 quote_not_found")
    told = world.told()
    assert GUESSED in told["card"]
    assert "gave hypotheses" not in told["card"], "they are shown"
    assert "The model gave hypotheses (dropped: 1 quote not found). The diagnosis above" in told["model.1"]


FAILED: dict[str, tuple[str, dict[str, str], str]] = {
    "no answer": ("no_answer", {"why": "the model m refuses the connection"},
                  "The model gave no answer: the model m refuses the connection."),
    "all dropped": ("nothing_usable", {"dropped": "2 unknown_fault"},
                    "The model's answer could not be used (dropped: 2 unknown fault)."),
    "nothing": ("nothing_to_add", {}, "The model had nothing to add."),
    "no money": ("over_budget", {"why": "usd_per_day is 5"}, "The model was not asked: over budget: usd_per_day is 5."),
    "lost": ("interrupted", {}, "The model was asked, but the answer was lost."),
}  # fmt: skip


@pytest.mark.parametrize(("reason", "detail", "says"), FAILED.values(), ids=FAILED)
def test_why_there_is_none_is_small_print_on_the_card(
    world: World, reason: str, detail: dict[str, str], says: str
) -> None:
    world.asks(reason, **detail)
    shown = card(world.incident, ORIGINS, [], opinion(world.store, world.incident))
    small = [part["text"] for block in shown["blocks"] if block["type"] == "context" for part in block["elements"]]
    assert says in small
    assert f"{says} The diagnosis above stands as it is." in world.told()["model.1"]
    assert shape.asked(world.incident, world.store.audit(world.number)) == {"reason": reason, "says": says}


def test_after_a_new_firing_nothing_is_said_of_the_answer_before(world: World) -> None:
    world.asks("answered", GUESS)
    world.told()
    world.fires_again()
    told = world.told()
    assert (world.incident.round, world.incident.asked, world.incident.hypotheses) == (2, True, ())
    for text in told.values():
        assert "gave hypotheses" not in text
        assert GUESSED not in text
    assert BEFORE in told["card"]
    assert BEFORE in told["model.2"]
    assert shape.full(world.incident, (), world.store.audit(world.number))["model"] == {
        "reason": "asked_before", "says": BEFORE,
    }  # fmt: skip


def test_a_first_question_after_a_new_firing_is_told_as_ever(world: World) -> None:
    world.told()
    world.fires_again()
    world.asks("answered", GUESS)
    told = world.told()
    assert GUESSED in told["card"]
    assert "The model gave hypotheses." in told["model.2"]
    assert GUESSED in told["model.2"]


def test_what_is_resolved_shows_no_guesswork(world: World) -> None:
    world.asks("no_answer", why="it is dead")
    closed = advance(world.incident, "closed", LATER)
    assert "it is dead" not in str(card(closed, ORIGINS, [], opinion(world.store, closed)))


# answers to a person ------------------------------------------------------------------------------------------------

STAMPED = "2026-03-04T03:15:07.123456789Z WARN queue is full (512)"


def diagnosis(**given: Any) -> str:
    line = {"id": "e1", "source": "pod_logs", "line": 7, "text": STAMPED}
    guess = {**shape.hypothesis(GUESS), "evidence": [{"id": "e1", "quote": STAMPED}]}
    plain = {
        "target": shape.target(CAUSE.target), "findings": [{**shape.finding(CAUSE), "evidence": [line]}],
        "hypotheses": [guess], "model": None, "origins": ORIGINS, "gaps": [], "proposals": [],
    }  # fmt: skip
    return str(replies.reply("diagnose", plain | given))


def test_a_diagnosis_looks_as_on_a_card() -> None:
    text = diagnosis()
    assert "e1:7 pod_logs  03:15:07 WARN queue is full (512)" in text
    assert "e1  03:15:07 WARN queue is full (512)" in text
    assert "2026-03-04T" not in text
    assert f"Evidence e1: {ORIGINS['e1']}" in text
    assert "It would try restart_workload." in text
    assert GUESSED in text
    assert "Evidence of an origin that was not kept" in diagnosis(origins={})


def test_the_history_says_whether_it_was_asked_or_has_answered(world: World) -> None:
    world.asks("answered", GUESS)
    entries: list[Mapping[str, Any]] = [shape.entry(entry) for entry in world.store.audit(world.number)]
    text = str(replies.shown(card(world.incident, ORIGINS), entries, world.number))
    assert "diagnostic: ask model (asking)" in text
    assert "diagnostic: ask model (answered)" in text
    assert "monitor: opened\\n" in text, "a reason that says no more is left out"
