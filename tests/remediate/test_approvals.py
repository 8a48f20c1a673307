"""Who may say yes, to what, until when, and that nothing is decided twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.approval import ApprovalState, Decision
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, Refused
from opsbot.core.incident import Incident, State, advance
from opsbot.mask import mask
from opsbot.remediate import approvals, manual
from tests.remediate.remediation_world import TARGET, World, people, shipped


@pytest.fixture
def asked(world: World) -> World:
    world.open("scale_up_agents")
    world.walk()
    return world


def refusal(world: World, *given: Any, **named: Any) -> str:
    version = world.incident.version
    with pytest.raises(Refused) as caught:
        world.decide(*given, **named)
    assert world.incident.version == version
    assert str(caught.value)
    return caught.value.reason


def test_yes(asked: World) -> None:
    made = asked.decide("Ana")
    assert (made.state, made.reason) == (State.APPROVED, "approved")
    entry = asked.store.audit(asked.id)[-1]
    assert (entry.who, entry.act, entry.detail["door"]) == ("Ana", "approved", "cli")
    assert made.plan is not None
    assert entry.detail["plan"] == made.plan.digest[:8]


def test_no(asked: World) -> None:
    incident = asked.incident
    assert incident.plan is not None
    decision = Decision("Ben", False, asked.clock(), "cli", mask("not on a Friday"))
    made = approvals.decide(incident, decision, incident.plan.digest[:8], asked.access, asked.store)
    assert (made.state, made.reason) == (State.ESCALATED, "rejected")
    assert made.approval is not None
    assert made.approval.state is ApprovalState.REJECTED
    assert asked.store.audit(asked.id)[-1].detail["says"] == "not on a Friday"


@pytest.mark.parametrize("person", ["Cleo", "Mallory", ""], ids=["no right", "unknown", "nobody"])
@pytest.mark.parametrize("approves", [True, False], ids=["yes", "no"])
def test_who_has_no_right_decides_nothing(asked: World, person: str, approves: bool) -> None:
    assert refusal(asked, person, approves) == "not_allowed"


@pytest.mark.parametrize("prefix", ["", "abc", "00000000", "g" * 8, "DEADBEEF"])
def test_another_plan_is_not_approved(asked: World, prefix: str) -> None:
    plan = asked.incident.plan
    assert plan is not None
    decision = Decision("Ana", True, asked.clock(), "cli")
    with pytest.raises(Refused) as caught:
        approvals.decide(asked.incident, decision, prefix, asked.access, asked.store)
    assert caught.value.reason == "other_plan"


def test_the_plan_before_the_last_is_not_approved(asked: World) -> None:
    old = asked.incident.plan
    assert old is not None
    asked.decide()
    asked.scale(5)
    asked.walk((State.AWAITING_APPROVAL,))
    assert refusal(asked, prefix=old.digest[:8]) == "other_plan"


def test_too_late(asked: World) -> None:
    asked.later(minutes=15)
    assert refusal(asked) == "approval_expired"
    asked.once()
    assert refusal(asked) == "not_waiting"


@pytest.mark.parametrize("first", [True, False], ids=["after yes", "after no"])
def test_nothing_is_decided_twice(asked: World, first: bool) -> None:
    asked.decide("Ana", first)
    assert refusal(asked, "Ben", True) == "not_waiting"
    assert refusal(asked, "Ben", False) == "not_waiting"


@pytest.mark.parametrize("event", ["cleared", "closed"])
def test_a_question_that_was_withdrawn_is_not_answered(asked: World, event: str) -> None:
    asked.store.save(advance(asked.incident, event, asked.clock()), Note("monitor", event), asked.clock())
    assert refusal(asked) == "not_waiting"


def quorum(world: World, count: int) -> None:
    made = shipped()
    world.playbooks = {made.name: replace(made, approval=replace(made.approval, quorum=count))}
    world.open("scale_up_agents")
    world.walk()


def test_a_quorum_counts_persons(world: World) -> None:
    quorum(world, 2)
    waiting = world.decide("Ana")
    assert waiting.state is State.AWAITING_APPROVAL
    assert refusal(world, "Ana") == "same_person"
    assert world.decide("Ben").state is State.APPROVED


def test_one_no_outweighs_a_yes(world: World) -> None:
    quorum(world, 2)
    world.decide("Ana")
    assert world.decide("Ana", False).state is State.ESCALATED


def test_two_who_decide_at_the_same_time_are_both_counted(world: World) -> None:
    quorum(world, 2)
    stale = world.incident
    assert stale.plan is not None
    world.decide("Ana")
    decision = Decision("Ben", True, world.clock(), "cli")
    made = approvals.decide(stale, decision, stale.plan.digest[:8], world.access, world.store)
    assert made.state is State.APPROVED


def test_a_right_lost_by_one_of_two_is_asked_again(world: World) -> None:
    quorum(world, 2)
    world.decide("Ana")
    world.decide("Ben")
    world.access = people("Ana")
    assert world.walk().reason == "approver_lost_right"
    assert world.cluster.writes == []


def irreversible(world: World) -> Incident:
    made = manual.incident(shipped("restart_workload"), TARGET, {}, "Ana", "stuck", world.clock())
    world.id = world.store.create(made, Note("Ana", "asked"), world.clock()).id
    return world.walk()


def test_what_cannot_be_undone_needs_another_person_than_who_asked(world: World) -> None:
    assert irreversible(world).state is State.AWAITING_APPROVAL
    assert refusal(world, "Ana") == "second_person"
    assert world.decide("Ben").state is State.APPROVED


def test_who_asked_may_still_say_no(world: World) -> None:
    irreversible(world)
    assert world.decide("Ana", False).state is State.ESCALATED


def test_an_approval_serves_one_run(asked: World) -> None:
    asked.decide()
    ran = asked.walk((State.VERIFYING,))
    assert ran.approval is not None
    assert ran.approval.state is ApprovalState.USED
    assert refusal(asked) == "not_waiting"


def test_an_incident_that_is_gone(asked: World) -> None:
    class Empty:
        def load(self, incident: int) -> None:
            return None

        def save(self, *_: object) -> None:
            raise Conflict("moved on")

    incident = asked.incident
    assert incident.plan is not None
    decision = Decision("Ana", True, asked.clock(), "cli")
    with pytest.raises(Refused) as caught:
        approvals.decide(incident, decision, incident.plan.digest, asked.access, Empty())  # type: ignore[arg-type]
    assert caught.value.reason == "gone"


def test_an_incident_that_others_keep_changing(asked: World) -> None:
    incident = asked.incident

    class Busy:
        def load(self, _: int) -> Incident:
            return incident

        def save(self, *_: object) -> None:
            raise Conflict("moved on")

    assert incident.plan is not None
    decision = Decision("Ana", True, asked.clock(), "cli")
    with pytest.raises(Refused) as caught:
        approvals.decide(incident, decision, incident.plan.digest, asked.access, Busy())  # type: ignore[arg-type]
    assert caught.value.reason == "busy"


def test_it_expires_when_the_playbook_says(asked: World) -> None:
    approval = asked.incident.approval
    assert approval is not None
    assert approval.expires_at - approval.asked_at == timedelta(minutes=15)
