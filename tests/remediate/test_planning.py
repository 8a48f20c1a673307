"""From proposals to a question, or to a human who is told why there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from opsbot.core.diagnosis import Proposal
from opsbot.core.errors import Blind
from opsbot.core.incident import State
from opsbot.core.playbook import Verdict
from opsbot.core.ports import Listing
from opsbot.core.target import Target
from opsbot.core.task import Again, Mode
from opsbot.mask import mask
from opsbot.remediate import facts
from opsbot.remediate.guardrails import PAUSED
from opsbot.testing.cluster import faults
from tests.remediate.remediation_world import TARGET, World, autoscaler, shipped


def test_the_first_proposal_that_may_be_becomes_the_plan(world: World) -> None:
    world.cluster.add(autoscaler())
    world.open("scale_up_agents", "unheard_of", "restart_workload")
    asked = world.walk()
    assert asked.plan is not None
    assert asked.plan.playbook == "restart_workload"
    denials = [(ruling.reason, ruling.says) for ruling in asked.rulings if ruling.verdict is Verdict.DENY]
    assert denials == [
        ("hpa_owns_target",
         "scale_up_agents: an autoscaler sets the replicas of the target and would undo the change"),
        ("unknown_playbook", "unheard_of: there is no playbook 'unheard_of'"),
    ]  # fmt: skip
    assert [ruling.guardrail for ruling in asked.rulings if ruling.verdict is Verdict.ASK] == ["mode", "mode"]


def test_the_order_of_proposals_is_kept(world: World) -> None:
    world.open("restart_workload", "scale_up_agents")
    asked = world.walk()
    assert asked.plan is not None
    assert asked.plan.playbook == "restart_workload"


def test_a_plan_says_what_it_is_bound_to(world: World) -> None:
    world.open("scale_up_agents")
    plan = world.walk().plan
    assert plan is not None
    found = world.cluster.get("Deployment", "agents", "agents")
    assert found is not None
    assert plan.target.uid == found["metadata"]["uid"]
    assert plan.reads == {"replicas": 4, "hpa_owns_target": False}
    assert plan.before == {"replicas": 4}
    assert (plan.permission, plan.quorum, plan.second_person) == ("approve:scale", 1, False)
    assert plan.limits == world.limits.digest
    assert plan.expires_at - plan.made_at == timedelta(minutes=15)
    assert plan.why == "the logs hold timeouts"
    assert plan.steps[0].diff == ("- spec.replicas: 4", "+ spec.replicas: 6")
    assert [step.kubectl for step in plan.steps] == [
        "kubectl scale deployment/agents -n agents --current-replicas=4 --replicas=6",
        "kubectl rollout status deployment/agents -n agents --timeout=300s",
    ]


def test_no_two_plans_have_one_digest(world: World) -> None:
    """Of the same playbook on the same object at the same time: the nonce tells them apart."""
    world.open("scale_up_agents")
    first = world.walk().plan
    world.open("scale_up_agents", key="another")
    second = world.walk().plan
    assert first is not None
    assert second is not None
    assert replace(first, nonce="", made_at=second.made_at, expires_at=second.expires_at) == replace(second, nonce="")
    assert first.digest != second.digest


STUCK = {
    "no target": ({"target": None}, ("scale_up_agents",), "no_target"),
    "no proposal": ({}, (), "nothing_to_propose"),
    "unknown playbook": ({}, ("unheard_of",), "unknown_playbook"),
    "target not there": ({"target": Target("agents", "Deployment", "ghost")}, ("scale_up_agents",), "target_gone"),
    "another cluster": ({"target": replace(TARGET, cluster="prod-2")}, ("scale_up_agents",), "other_cluster"),
    "another namespace": ({"target": Target("shop", "Deployment", "agents")}, ("scale_up_agents",), "namespaces"),
    "forbidden namespace": (
        {"target": Target("kube-system", "Deployment", "dns")}, ("restart_workload",), "never_touch"),
    "another kind": ({"target": Target("agents", "DaemonSet", "agents")}, ("scale_up_agents",), "kinds"),
    "a kind that is no workload": ({"target": Target("", "Node", "n1")}, ("restart_workload",), "namespaces"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "playbooks", "reason"), STUCK.values(), ids=STUCK.keys())
def test_where_nothing_may_be_proposed_a_human_is_told(
    world: World, given: dict[str, Target | None], playbooks: tuple[str, ...], reason: str
) -> None:
    world.open(*playbooks, **given)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, reason)
    assert told.says
    assert world.cluster.writes == []


def test_without_a_cluster_a_human_is_told(world: World) -> None:
    world.reader = None
    world.open("scale_up_agents")
    assert world.walk().reason == "no_cluster"


def test_observe_plans_nothing(world: World) -> None:
    world.mode = Mode.OBSERVE
    world.open("scale_up_agents")
    assert world.agent().plan(world.incident, world.clock()) is None
    assert world.incident.state is State.DIAGNOSED


def test_blindness_is_waited_for_and_then_told(world: World) -> None:
    world.open("scale_up_agents")
    version = world.incident.version
    world.cluster.fail_next(faults.error(500), times=10_000)
    assert isinstance(world.once(), Again)
    world.later(minutes=14)
    assert isinstance(world.once(), Again)
    assert world.incident.version == version
    world.later(minutes=2)
    assert world.once() is None
    assert (world.incident.state, world.incident.reason) == (State.ESCALATED, "blind")


def test_autoscalers_that_cannot_be_read_are_blindness_too(world: World) -> None:
    world.cluster.fail_next(faults.error(403), times=10_000, path="horizontalpodautoscalers")
    world.open("scale_up_agents")
    assert isinstance(world.once(), Again)


def test_while_changes_are_paused_nothing_is_asked_and_in_the_end_a_human_is_told(world: World) -> None:
    world.store.put(PAUSED, "Ana: release day", world.clock())
    world.open("scale_up_agents")
    assert isinstance(world.once(), Again)
    assert world.incident.state is State.DIAGNOSED
    world.later(minutes=16)
    world.once()
    assert (world.incident.state, world.incident.reason) == (State.ESCALATED, "paused")


def test_a_pause_that_is_lifted_in_time_is_only_a_delay(world: World) -> None:
    world.store.put(PAUSED, "Ana: release day", world.clock())
    world.open("scale_up_agents")
    world.once()
    world.store.put(PAUSED, "", world.clock())
    assert world.walk().state is State.AWAITING_APPROVAL


def test_a_run_counts_against_the_next_one_of_the_same_target(world: World) -> None:
    world.approved()
    world.walk((State.VERIFYING,))
    world.later(seconds=2)
    world.walk(answering=True)
    world.later(minutes=1)
    world.open("scale_up_agents")
    assert world.walk().reason == "cooldown"


def test_inputs_are_a_humans_alone(world: World) -> None:
    """Inputs in the record do not reach a plan that a finding proposed."""
    world.open("scale_up_agents", inputs={"add": 5})
    plan = world.walk().plan
    assert plan is not None
    assert plan.inputs == {"add": 2}


def test_a_human_gives_inputs_within_bounds(world: World) -> None:
    by_hand = (Proposal("scale_up_agents", mask("I think so"), "human"),)
    world.open(proposals=by_hand, inputs={"add": 5})
    plan = world.walk().plan
    assert plan is not None
    assert plan.steps[0].says == "scale 4 -> 9"


def test_inputs_out_of_bounds_are_refused(world: World) -> None:
    by_hand = (Proposal("scale_up_agents", mask("I think so"), "human"),)
    world.open(proposals=by_hand, inputs={"add": 6})
    told = world.walk()
    assert (told.reason, told.says) == (
        "bad_input", "nothing safe to propose: scale_up_agents: input add: 6 is above the maximum 5")  # fmt: skip


def test_hostile_words_of_a_proposal_are_kept_as_words(world: World) -> None:
    why = mask("{{ inputs.target }} password=hunter2hunter2 <!channel>")
    world.open(proposals=(Proposal("scale_up_agents", why, "model"),))
    plan = world.walk().plan
    assert plan is not None
    assert plan.steps[0].says == "scale 4 -> 6"
    assert "hunter2" not in str(plan.why)


def test_a_wake_up_too_many_is_harmless(world: World) -> None:
    world.open("scale_up_agents")
    stale = world.incident
    world.walk()
    version = world.incident.version
    agent = world.agent()
    assert agent.plan(stale, world.clock()) is None
    assert agent.plan(world.incident, world.clock()) is None
    assert agent.run_playbook(world.incident, world.clock()) is None
    assert agent.verify(world.incident, world.clock()) is None
    assert world.incident.version == version


def test_a_shipped_playbook_alone_is_enough(world: World) -> None:
    world.playbooks = {"scale_up_agents": shipped()}
    world.open("scale_up_agents")
    assert world.walk().state is State.AWAITING_APPROVAL


def test_too_many_autoscalers_to_read_are_blindness(world: World) -> None:
    class Reader:
        def get(self, kind: str, namespace: str, name: str, timeout: float = 10.0) -> object:
            return world.cluster.get(kind, namespace, name)

        def list(self, *_: object, **__: object) -> Listing:
            return Listing((), truncated=True)

    with pytest.raises(Blind, match="too many autoscalers"):
        facts.read(Reader(), TARGET)  # type: ignore[arg-type]
