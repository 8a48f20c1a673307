"""The skill `ask_model`: once per incident, after the rules, in rows of its own, and honest about what went wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from opsbot.core.audit import AuditEntry, Note
from opsbot.core.errors import Blind, Conflict, Refused
from opsbot.core.incident import Incident, State, advance
from opsbot.core.task import Mode, Skill, next_skills
from opsbot.diagnose import opinion
from opsbot.diagnose.agent import DiagnosticAgent
from opsbot.diagnose.analyze import Opinion
from opsbot.diagnose.opinion import ModelAgent
from opsbot.kube.read import KubeReader
from opsbot.mask import mask
from opsbot.report import write
from opsbot.testing import FakeModel
from tests.diagnose.order_world import Planted, Stage, rules, stage

THOUGHT = {
    "fault": "deadlock_or_hang", "object": "Deployment/agents/agents", "confidence": 0.6, "says": "It hangs.",
    "playbook": None,
}  # fmt: skip


def answer(text: str) -> str:
    piece = next(line.partition(":")[0] for line in text.split("\n") if "lease 77 moved" in line)
    quotes = [{"id": piece, "quote": "lease 77 moved"}, {"id": piece, "quote": "never written"}]
    return json.dumps({"hypotheses": [{**THOUGHT, "evidence": quotes}]})


@pytest.fixture
def made() -> Iterator[Stage]:
    with stage(Planted(), FakeModel(answer), busy=False) as found:
        yield found


def diagnosed(made: Stage, *, always: bool = False) -> Incident:
    agent = DiagnosticAgent(KubeReader(made.cluster.connect("reader")), made.store, rules(), (), always_ask=always)
    agent.collect_evidence(made.incident, made.clock())
    agent.match_rules(made.incident, made.clock())
    return made.incident


def agent(made: Stage, *said: Any) -> tuple[ModelAgent, FakeModel]:
    model = FakeModel(*(said or (answer,)))
    return ModelAgent(made.store, model, {"restart_workload": "Restart it"}), model


def entry(made: Stage) -> AuditEntry:
    return [entry for entry in made.store.audit(made.id) if entry.act == opinion.ACT][-1]


def outcome(made: Stage) -> str | None:
    found = opinion.outcome(made.incident, made.store.audit(made.id))
    return found.reason if found else None


def reopen(made: Stage) -> Incident:
    """A new round, as far as the rules go."""
    made.store.save(advance(made.incident, "again", made.clock()), Note("Ana", "diagnose_again"), made.clock())
    return diagnosed(made)


def test_a_question_is_left_open_where_nothing_was_found(made: Stage) -> None:
    incident = diagnosed(made)
    assert (incident.reason, incident.open_question, incident.asked) == ("no_cause_found", True, False)
    assert Skill.ASK_MODEL in next_skills(incident, made.clock(), Mode.OBSERVE)


@pytest.mark.parametrize("always", [False, True])
def test_what_a_cause_explains_is_asked_only_where_it_is_wanted(always: bool) -> None:
    with stage(Planted(), FakeModel(answer), busy=True) as made:
        assert diagnosed(made, always=always).open_question is always


def test_hypotheses_come_in_and_nothing_else_moves(made: Stage) -> None:
    before = diagnosed(made)
    asking, model = agent(made)
    assert asking.ask_model(before, made.clock()) is None
    after = made.incident
    assert [thought.fault for thought in after.hypotheses] == ["deadlock_or_hang"]
    assert replace(after, hypotheses=(), asked=False) == replace(before, hypotheses=(), asked=False)
    assert (after.version, after.asked) == (before.version, True)
    assert entry(made).detail == {
        "round": "1", "hypotheses": "1", "dropped": "1 quote_not_found", "tokens": "1100",
    }  # fmt: skip
    assert (entry(made).who, entry(made).reason) == ("diagnostic", "answered")
    assert Skill.ASK_MODEL not in next_skills(after, made.clock(), Mode.PROPOSE)
    assert len(model.asked) == 1
    assert made.store.verify() == ()


def test_it_is_asked_once_whatever_happens(made: Stage) -> None:
    incident = diagnosed(made)
    asking, model = agent(made)
    for _ in range(3):
        asking.ask_model(made.incident, made.clock())
    asking.ask_model(incident, made.clock())  # as it was loaded before: a doubled wake-up
    reopen(made)
    assert Skill.ASK_MODEL not in next_skills(made.incident, made.clock(), Mode.PROPOSE)
    asking.ask_model(made.incident, made.clock())
    assert len(model.asked) == 1


def test_one_that_was_cut_short_is_not_asked_again(made: Stage) -> None:
    incident = diagnosed(made)
    asking, model = agent(made, RuntimeError("the process fell over"))
    model._answers = [_falls]
    with pytest.raises(RuntimeError):
        asking.ask_model(incident, made.clock())
    assert made.incident.asked is False
    fresh, other = agent(made)
    assert fresh.ask_model(made.incident, made.clock()) is None
    assert (other.asked, made.incident.asked, entry(made).reason) == ([], True, "interrupted")
    assert "the answer was lost" in opinion.sentence(entry(made).reason, entry(made).detail)


def _falls(_text: str) -> str:
    raise RuntimeError("the process fell over")


@pytest.mark.parametrize(
    ("change", "why"),
    [({"open_question": False}, "no question"), ({"diagnosed_at": None}, "rules first"), ({"asked": True}, "asked")],
    ids=["no question is open", "the rules are not done", "asked already"],
)
def test_without_an_open_question_nobody_is_asked(made: Stage, change: dict[str, Any], why: str) -> None:
    asking, model = agent(made)
    assert asking.ask_model(replace(diagnosed(made), **change), made.clock()) is None
    assert model.asked == []
    assert outcome(made) is None


ELSEWHERE = "The model was asked in an earlier round: it is asked once about an incident."


def test_a_new_round_says_nothing_of_an_answer_about_the_last_one(made: Stage) -> None:
    agent(made)[0].ask_model(diagnosed(made), made.clock())
    assert (made.incident.round, outcome(made)) == (1, "answered")
    again = reopen(made)
    assert (again.round, again.asked, again.hypotheses, outcome(made)) == (2, True, (), "asked_before")
    report = write(again, made.store.audit(made.id))
    assert ELSEWHERE in report
    assert "gave hypotheses" not in report
    closed = replace(again, open_question=False)
    assert opinion.outcome(closed, made.store.audit(made.id)) is None, "it would not have been asked in any case"
    assert "Guesses" not in write(closed, made.store.audit(made.id))


def test_a_question_of_a_later_round_is_told_as_its_own(made: Stage) -> None:
    reopen_at_once = diagnosed(made)
    assert reopen_at_once.round == 1
    agent(made)[0].ask_model(reopen(made), made.clock())
    assert (made.incident.round, outcome(made), len(made.incident.hypotheses)) == (2, "answered", 1)
    assert entry(made).detail["round"] == "2"
    reopen(made)
    assert (made.incident.round, outcome(made)) == (3, "asked_before")


def test_an_answer_that_comes_a_round_too_late_is_told_of_its_own_round(made: Stage) -> None:
    incident = diagnosed(made)

    def slow(text: str) -> str:
        reopen(made)
        return answer(text)

    agent(made, slow)[0].ask_model(incident, made.clock())
    assert (made.incident.round, made.incident.hypotheses, outcome(made)) == (2, (), "asked_before")
    assert (entry(made).reason, entry(made).detail["round"]) == ("answered", "1")
    assert made.store.verify() == ()


def test_a_question_that_was_cut_short_a_round_ago_was_asked_then(made: Stage) -> None:
    first = diagnosed(made)
    made.store.note(first.id, Note("diagnostic", "ask_model", "asking", {"round": "1"}), made.clock())
    assert outcome(made) == "asking"
    again, (asking, model) = reopen(made), agent(made)
    assert asking.ask_model(again, made.clock()) is None
    assert (model.asked, made.incident.asked, outcome(made)) == ([], True, "asked_before")
    assert (entry(made).reason, entry(made).detail["round"]) == ("interrupted", "1")


@pytest.mark.parametrize("told", ["1", "", "one", "-1", "1.0"])
def test_an_entry_that_tells_of_no_round_is_about_the_first(made: Stage, told: str) -> None:
    detail = {"round": told} if told else {}
    entries = [AuditEntry(1, 1, made.clock(), "diagnostic", "ask_model", "answered", detail, "", "")]
    found = opinion.outcome(diagnosed(made), entries)
    assert found is not None
    assert found.reason == "answered"


@pytest.mark.parametrize(
    ("said", "reason", "words"),
    [
        (Blind("the model m at h gave no whole answer in time"), "no_answer", "gave no whole answer in time"),
        (Refused("over_budget", "usd_per_day is 5"), "over_budget", "not asked: over budget: usd_per_day is 5"),
        (Refused("budget_unreadable", "the disk"), "budget_unreadable", "cannot be read"),
        ("garbage", "nothing_usable", "could not be used (dropped: 1 not json)"),
        ('{"hypotheses": []}', "nothing_to_add", "had nothing to add"),
    ],
    ids=["none", "budget", "unreadable", "garbage", "empty"],
)
def test_what_goes_wrong_is_told_and_the_rules_stand(made: Stage, said: Any, reason: str, words: str) -> None:
    before = diagnosed(made)
    agent(made, said)[0].ask_model(before, made.clock())
    after = made.incident
    assert (after.asked, after.hypotheses, after.findings, after.state) == (True, (), before.findings, State.DIAGNOSED)
    assert entry(made).reason == reason
    assert words in opinion.sentence(reason, entry(made).detail)
    report = write(after, made.store.audit(made.id))
    assert "## Guesses of a model" in report
    assert words in report


def test_the_report_shows_what_it_thinks_with_its_words(made: Stage) -> None:
    agent(made)[0].ask_model(diagnosed(made), made.clock())
    report = write(made.incident, made.store.audit(made.id))
    assert "- deadlock_or_hang on Deployment/agents -n agents (60 %): It hangs." in report
    assert "`lease 77 moved`" in report
    assert "The model gave hypotheses (dropped: 1 quote not found)." in report


def test_where_none_was_asked_the_report_says_nothing_of_it(made: Stage) -> None:
    assert "Guesses" not in write(diagnosed(made), made.store.audit(made.id))


def test_an_incident_that_moves_on_meanwhile_keeps_both(made: Stage) -> None:
    incident = diagnosed(made)

    def slow(text: str) -> str:
        moved = advance(made.incident, "closed", made.clock())
        made.store.save(moved, Note("Ana", "close"), made.clock())
        return answer(text)

    try:
        agent(made, slow)[0].ask_model(incident, made.clock())
    except Conflict:  # pragma: no cover - rows of their own never conflict
        pytest.fail("hypotheses are rows of their own")
    assert (made.incident.state, len(made.incident.hypotheses)) == (State.RESOLVED, 1)
    assert made.store.verify() == ()


@pytest.mark.parametrize(
    "reason", ["answered", "nothing_to_add", "nothing_usable", "no_answer", "no_evidence", "asking"]
)
def test_every_reason_has_a_sentence(reason: str) -> None:
    assert opinion.sentence(reason, {}) != f"{reason}."


def test_the_detail_leaves_out_what_is_nothing() -> None:
    assert opinion.detail(Opinion("nothing_to_add")) == {"hypotheses": "0"}
    assert opinion.detail(Opinion("no_answer", why=mask("late"))) == {"hypotheses": "0", "why": "late"}
