"""The whole walk of an incident through remediation, on a fake cluster and the real store."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsbot.core.approval import ApprovalState
from opsbot.core.incident import State
from opsbot.core.playbook import StepState
from opsbot.remediate.steps import ACTION
from tests.remediate.remediation_world import World


def test_from_diagnosed_to_resolved(world: World) -> None:
    world.open("scale_up_agents")
    asked = world.walk()
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, "approval_needed")
    assert asked.plan is not None
    assert [step.says for step in asked.plan.steps] == ["scale 4 -> 6", "wait until the rollout is complete"]
    assert [step.says for step in asked.plan.undo] == ["scale 6 -> 4"]
    assert (
        asked.says
        == "proposes scale_up_agents on Deployment/agents -n agents: scale 4 -> 6; wait until the rollout is complete"
    )
    assert world.effects() == []

    world.decide()
    ran = world.walk((State.VERIFYING,))
    assert ran.run is not None
    assert [record.state for record in ran.run.steps] == [StepState.DONE, StepState.DONE]
    assert ran.approval is not None
    assert ran.approval.state is ApprovalState.USED
    assert world.effects() == [6]
    found = world.cluster.get("Deployment", "agents", "agents")
    assert found is not None
    assert found["status"]["readyReplicas"] == 6
    assert found["metadata"]["annotations"][ACTION] == f"{asked.plan.digest[:16]}.0"

    world.later(seconds=2)
    world.answer()
    done = world.walk()
    assert (done.state, done.reason) == (State.RESOLVED, "verified")
    assert world.acts() == [
        "opened",
        "proposed",
        "approved",
        "started",
        "intends",
        "did",
        "waits",
        "did",
        "ran",
        "verified",
    ]


def test_the_first_write_is_rehearsed(world: World) -> None:
    world.approved()
    world.walk((State.VERIFYING,))
    assert [(write.dry_run, write.status) for write in world.cluster.writes] == [(True, 200), (False, 200)]
    real = world.cluster.writes[-1].body
    assert set(real["metadata"]) == {"uid", "resourceVersion", "annotations"}


def test_a_restart_needs_no_undo_and_is_done_once(world: World) -> None:
    world.approved("restart_workload")
    done = world.walk((State.VERIFYING,))
    assert done.run is not None
    assert done.plan is not None
    assert done.plan.second_person
    assert done.plan.undo == ()
    assert len(world.applied()) == 1


def test_waiting_writes_nothing(world: World) -> None:
    world.cluster.ready_after = timedelta(minutes=2)
    world.running()
    while world.incident.run is None or len(world.incident.run.steps) < 2:
        world.move(world.once())
    before = (world.incident.version, len(world.store.audit(world.id)))
    for _ in range(20):
        again = world.once()
        assert again is not None
        assert again.at == world.clock() + timedelta(seconds=1)
        world.clock.advance(1)
    assert (world.incident.version, len(world.store.audit(world.id))) == before


@pytest.mark.parametrize("state", [State.APPROVED, State.RUNNING])
def test_without_a_write_account_a_human_is_told(world: World, state: State) -> None:
    world.approved()
    world.walk((state,))
    world.writer = None
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "no_writer")
    assert told.says == "there is no account to change the cluster with (kubernetes.write)"
    assert world.effects() == []
