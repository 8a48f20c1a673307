"""Proof that a run helped, or not, or that nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsbot.core.alert import AlertState, Answer, Sample
from opsbot.core.audit import Note
from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import VerifySpec
from opsbot.core.task import Again
from opsbot.remediate import manual
from tests.remediate.remediation_world import TARGET, World, shipped


def verifying(world: World) -> Incident:
    """An incident whose run has just ended."""
    world.approved()
    made = world.walk((State.VERIFYING,))
    assert made.state is State.VERIFYING
    world.later(seconds=1)
    return made


def test_an_answer_from_before_the_end_proves_nothing(world: World) -> None:
    world.approved()
    world.answer(world.alert(holds=False, state=AlertState.RESOLVED))
    world.later(seconds=1)
    world.walk((State.VERIFYING,))
    assert isinstance(world.once(), Again)
    assert world.incident.state is State.VERIFYING


def test_a_complete_answer_in_which_nothing_holds_resolves(world: World) -> None:
    verifying(world)
    world.answer()
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.RESOLVED, "verified")
    assert told.says == "it helped: none of its alerts holds any more"
    assert told.resolved_at == world.clock()


def test_what_only_keep_firing_for_keeps_up_is_clear(world: World) -> None:
    verifying(world)
    world.answer(world.alert(holds=False))
    world.once()
    assert world.incident.state is State.RESOLVED


@pytest.mark.parametrize("state", [AlertState.FIRING, AlertState.PENDING])
def test_what_holds_is_waited_for(world: World, state: AlertState) -> None:
    verifying(world)
    world.answer(world.alert(state=state, fired_at=None))
    assert world.once() == Again(world.clock() + timedelta(seconds=1))
    assert world.incident.state is State.VERIFYING


def test_not_better_at_the_deadline_is_undone(world: World) -> None:
    verifying(world)
    world.later(minutes=10)
    world.answer(world.alert())
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "not_better")
    assert told.says == "it did not help: High Task Latency still holds; undone"
    assert world.effects() == [6, 4]


def test_an_answer_older_than_the_deadline_is_not_judged_by(world: World) -> None:
    verifying(world)
    world.later(minutes=5)
    world.answer(world.alert())
    world.later(minutes=6)
    assert isinstance(world.once(), Again)
    assert world.effects() == [6]
    world.answer(world.alert())
    assert world.walk().reason == "not_better"


def test_answers_that_stop_are_blindness_and_nothing_is_undone(world: World) -> None:
    verifying(world)
    world.later(minutes=5)
    world.answer(world.alert())
    world.later(minutes=25)
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert told.says == (
        "nobody can tell whether it helped: High Task Latency still holds; what was done is left as it is")  # fmt: skip
    assert world.effects() == [6]


def test_no_answer_since_the_end_is_blindness_at_the_deadline(world: World) -> None:
    verifying(world)
    world.later(minutes=9)
    assert isinstance(world.once(), Again)
    world.later(minutes=2)
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert world.effects() == [6]
    assert world.replicas() == 6


def test_an_alert_that_came_back_and_belongs_to_nobody_still_holds(world: World) -> None:
    verifying(world)
    world.answer(world.alert(state=AlertState.RESOLVED, holds=False))
    world.answer()
    world.answer(world.alert())
    assert world.incident.alerts == ()
    assert isinstance(world.once(), Again)
    assert world.incident.state is State.VERIFYING


@pytest.mark.parametrize(
    ("given", "worse"),
    [
        ({}, True),
        ({"severity": "warning"}, False),
        ({"target": replace(TARGET, name="other")}, False),
        ({"target": None}, False),
        ({"state": AlertState.PENDING, "fired_at": None}, False),
        ({"fired_at": datetime.fromisoformat("2025-12-31T00:00:00Z")}, False),
    ],
    ids=["as bad", "less bad", "another target", "no target", "pending", "fired before the run"],
)
def test_a_new_alert_of_the_same_target_is_worse(world: World, given: dict[str, Any], worse: bool) -> None:
    verifying(world)
    world.answer(replace(world.alert(fingerprint="f2", rule="rule-2", name="Errors"), **given), rule="rule-2")
    world.answer()
    told = world.walk()
    if worse:
        assert (told.state, told.reason) == (State.ESCALATED, "worse")
        assert told.says == "after the change began, Errors fired too; undone"
        assert world.effects() == [6, 4]
    else:
        assert (told.state, told.reason) == (State.RESOLVED, "verified")


def test_its_own_alert_that_fires_again_is_not_worse(world: World) -> None:
    verifying(world)
    world.answer(world.alert())  # fired_at is now, after the run began
    assert isinstance(world.once(), Again)
    assert world.incident.reason == "ran"


def test_a_playbook_without_undo_is_left_as_it_is(world: World) -> None:
    world.approved("restart_workload")
    world.walk((State.VERIFYING,))
    world.later(minutes=11)
    world.answer(world.alert())
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "not_better")
    assert (told.says or "").endswith("this playbook has no undo")


def test_an_undo_without_a_write_account_is_told(world: World) -> None:
    verifying(world)
    world.later(minutes=11)
    world.answer(world.alert())
    world.writer = None
    told = world.walk()
    assert told.reason == "not_better"
    assert (told.says or "").endswith("not undone: there is no account to change the cluster with (kubernetes.write)")


def test_a_pushed_alert_waits_for_its_resolved_notice(world: World) -> None:
    pushed = {"source": "alertmanager", "holds": False}
    world.open("scale_up_agents")
    world.answer(world.alert(**pushed))
    world.walk()
    world.decide()
    world.walk((State.VERIFYING,))
    world.later(seconds=1)
    world.answer(world.alert(**pushed))
    assert isinstance(world.once(), Again)
    world.answer(world.alert(state=AlertState.RESOLVED, **pushed))
    world.once()
    assert (world.incident.state, world.incident.reason) == (State.RESOLVED, "verified")


# the playbook's own condition ---------------------------------------------------------------------------------------


class Series:
    """A Prometheus in which a condition holds from some time on; None means that it does not answer."""

    def __init__(self, since: datetime | None) -> None:
        self.since = since
        self.asked: list[datetime] = []

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
        assert expression == "up == 1"
        if self.since is None:
            raise Blind("no answer in time")
        self.asked.append(at)
        samples: Sequence[Sample] = [Sample({}, 1.0, at)] if at >= self.since else []
        return Answer(tuple(samples), at)


def by_hand(world: World, verify: VerifySpec) -> Incident:
    """A run that Ben asked for and Ana approved, at its end."""
    playbook = replace(shipped(), verify=verify)
    world.playbooks = {playbook.name: playbook}
    made = manual.incident(playbook, TARGET, {"add": 1}, "Ben", "load test", world.clock())
    world.id = world.store.create(made, Note("Ben", "asked"), world.clock()).id
    world.walk()
    world.decide("Ana")
    return world.walk((State.VERIFYING,))


CONDITION = VerifySpec(condition="up == 1", holds_for=timedelta(minutes=1), within=timedelta(minutes=5))


def test_a_manual_run_without_a_condition_says_that_it_is_not_verified(world: World) -> None:
    by_hand(world, VerifySpec(alert_clears_within=timedelta(minutes=10)))
    told = world.walk()
    assert (told.state, told.reason) == (State.RESOLVED, "not_verified")
    assert (told.says or "").startswith("done, but not verified")
    assert world.effects() == [5]


def test_a_manual_run_is_verified_by_a_condition_that_holds_for_a_while(world: World) -> None:
    ended = by_hand(world, CONDITION).since
    world.metrics = series = Series(world.clock() + timedelta(seconds=20))
    told = world.walk()
    assert (told.state, told.reason) == (State.RESOLVED, "verified")
    assert world.clock() >= ended + timedelta(seconds=80)
    assert min(series.asked) > ended


def test_a_condition_that_never_holds_is_not_better(world: World) -> None:
    by_hand(world, CONDITION)
    world.metrics = Series(world.clock() + timedelta(days=1))
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "not_better")
    assert world.effects() == [5, 4]


@pytest.mark.parametrize("metrics", [None, Series(None)], ids=["no Prometheus", "no answer"])
def test_a_condition_that_cannot_be_asked_is_blindness(world: World, metrics: Series | None) -> None:
    by_hand(world, CONDITION)
    world.metrics = metrics
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert world.effects() == [5]


def test_with_an_alert_both_must_be_seen(world: World) -> None:
    playbook = replace(shipped(), verify=CONDITION)
    world.playbooks = {playbook.name: playbook}
    verifying(world)
    world.metrics = series = Series(world.clock() + timedelta(days=1))
    world.later(minutes=2)
    world.answer()
    assert isinstance(world.once(), Again)
    series.since = datetime.fromisoformat("2025-01-01T00:00:00Z")
    world.once()
    assert world.incident.state is State.RESOLVED
