"""What every store promises of hypotheses: rows of the round, in the audit, and the question counts as asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis, Quote
from opsbot.core.errors import PermanentError
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, advance
from opsbot.core.ports import Store
from opsbot.core.target import Target
from opsbot.mask import mask

NOTE, ASKED = Note("monitor", "opened"), Note("diagnostic", "asked", "unexplained", {"dropped": "1"})
POD = Target("agents", "Pod", "agents-1", cluster="prod-1", uid="u-2")
ONE = Hypothesis("overload", POD, mask("too much\x00 work"), 0.25, (Quote("e1", mask("timed out")),), "scale_up_agents")
TWO = Hypothesis("app_error", POD, mask("it fails"), 1.0, ())
Make = Callable[..., Incident]


@pytest.fixture
def made(store: Store, now: datetime, incident: Make) -> Incident:
    return store.create(incident(), NOTE, now)


def _load(store: Store) -> Incident:
    found = store.load(1)
    assert found is not None
    return found


def test_they_come_back_with_their_incident_and_leave_its_version(store: Store, now: datetime, made: Incident) -> None:
    store.add_hypotheses(made.id, 1, [ONE, TWO], ASKED, now)
    found = _load(store)
    assert found == replace(made, hypotheses=(ONE, TWO), asked=True)
    assert isinstance(found.hypotheses[0].says, MaskedText)
    assert isinstance(found.hypotheses[0].evidence[0].quote, MaskedText)
    assert store.due() == store.incidents() == (found,)
    assert [(e.act, e.reason, e.version, e.detail) for e in store.audit(1)][1] == (
        "asked", "unexplained", 0, {"dropped": "1"},
    )  # fmt: skip
    assert store.verify() == ()


def test_none_at_all_is_an_answer_too(store: Store, now: datetime, made: Incident) -> None:
    assert _load(store).asked is False
    store.add_hypotheses(made.id, 1, [], ASKED, now)
    assert (_load(store).asked, _load(store).hypotheses) == (True, ())
    assert len(store.audit(1)) == 2
    assert store.verify() == ()


def test_there_is_something_new_to_tell_of(store: Store, now: datetime, made: Incident) -> None:
    store.add_messages(made.id, [], made.mark, now)
    assert _load(store).told == _load(store).mark
    store.add_hypotheses(made.id, 1, [ONE], ASKED, now)
    assert _load(store).told != _load(store).mark


def test_saving_is_no_conflict_after_them_and_loses_none(store: Store, now: datetime, made: Incident) -> None:
    """The rules' walk goes on while a model is asked."""
    store.add_hypotheses(made.id, 1, [ONE], ASKED, now)
    saved = store.save(replace(made, collected_at=now), NOTE, now)
    assert (saved.version, saved.asked, saved.hypotheses) == (2, True, (ONE,))
    assert _load(store) == saved
    assert saved.mark == "2.1.1"


def test_a_new_round_has_none_of_them_and_the_question_stays_asked(store: Store, now: datetime, made: Incident) -> None:
    diagnosed = store.save(advance(made, "diagnosed", now), NOTE, now)
    store.add_hypotheses(made.id, 1, [ONE], ASKED, now)
    again = store.save(advance(diagnosed, "again", now), NOTE, now)
    assert (again.round, again.asked, again.hypotheses) == (2, True, ())
    assert _load(store) == again
    store.add_hypotheses(made.id, 1, [TWO], ASKED, now)  # an answer that came too late
    assert _load(store) == again
    store.add_hypotheses(made.id, 2, [TWO], ASKED, now)
    assert _load(store).hypotheses == (TWO,)
    assert store.verify() == ()


def test_what_was_added_last_for_a_round_counts(store: Store, now: datetime, made: Incident) -> None:
    store.add_hypotheses(made.id, 1, [], Note("diagnostic", "asks"), now)
    store.add_hypotheses(made.id, 1, [ONE], ASKED, now)
    assert _load(store).hypotheses == (ONE,)
    store.add_hypotheses(made.id, 1, [TWO], ASKED, now)
    assert _load(store).hypotheses == (TWO,)
    assert [entry.act for entry in store.audit(1)] == ["opened", "asks", "asked", "asked"]


def test_each_incident_has_its_own(store: Store, now: datetime, made: Incident, incident: Make) -> None:
    other = store.create(incident(key="other"), NOTE, now)
    store.add_hypotheses(other.id, 1, [TWO], ASKED, now)
    store.add_hypotheses(made.id, 1, [ONE], ASKED, now)
    assert [one.hypotheses for one in store.due()] == [(ONE,), (TWO,)]


@pytest.mark.parametrize(
    ("number", "thought"),
    [(7, ONE), (1, replace(ONE, confidence=float("nan"))), (1, replace(ONE, fault="\ud800"))],
    ids=["no incident", "not a number", "half a surrogate"],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_asked(
    store: Store, now: datetime, made: Incident, number: int, thought: Hypothesis
) -> None:
    with pytest.raises(PermanentError, match=r"incident 7|stored"):
        store.add_hypotheses(number, 1, [thought], ASKED, now)
    assert _load(store) == made
    assert len(store.audit()) == 1
    assert store.verify() == ()
