"""Step kinds: how each is planned, what it writes, and how its effect is told from everything else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from opsbot.core.errors import Refused
from opsbot.core.target import Target
from opsbot.remediate import facts as reading
from opsbot.remediate.steps import ACTION, BY_NAME, KINDS, Look, Moment, StepKind, Subject
from opsbot.remediate.steps.restart import RESTARTED_AT
from opsbot.testing import ManualClock
from opsbot.testing.cluster import FakeCluster
from tests.remediate.remediation_world import deployment

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
TARGET = Target("agents", "Deployment", "agents", uid="u1")
MOMENT = Moment(NOW, NOW)


def planned(kind: str, arguments: dict[str, Any], **facts: Any) -> Any:
    given = BY_NAME[kind].schema.model_validate(arguments)
    return BY_NAME[kind].plan(given, Subject(TARGET, {**reading.SAMPLE, **facts}, NOW, BY_NAME[kind].timeout))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_states_what_it_needs(kind: StepKind) -> None:
    assert kind.blast
    assert set(kind.kinds) <= set(reading.KINDS)
    assert kind.verbs == (("get", "patch") if kind.writes else ("get",))
    assert set(kind.reads) <= set(reading.BOUND), "a plan is never bound to status"
    assert kind.timeout > timedelta()
    assert kind.schema.__doc__


@pytest.mark.parametrize(
    ("arguments", "replicas", "says"),
    [({"by": 2}, 4, "scale 4 -> 6"), ({"by": -1}, 4, "scale 4 -> 3"), ({"by": -4}, 4, "scale 4 -> 0"),
     ({"to": 0}, 4, "scale 4 -> 0"), ({"to": 9}, 0, "scale 0 -> 9")],
)  # fmt: skip
def test_scale_is_absolute_once_planned(arguments: dict[str, Any], replicas: int, says: str) -> None:
    step = planned("scale", arguments, replicas=replicas)
    assert step.says == says
    assert step.arguments["from"] == replicas
    assert BY_NAME["scale"].after(step, {"replicas": replicas, "x": 1}) == {"replicas": step.arguments["to"], "x": 1}
    body = BY_NAME["scale"].body
    assert body is not None
    assert body(step) == {"spec": {"replicas": step.arguments["to"]}}


@pytest.mark.parametrize(
    ("kind", "arguments", "facts", "reason"),
    [
        ("scale", {"by": -5}, {"replicas": 4}, "below_zero"),
        ("scale", {"by": 0}, {"replicas": 4}, "nothing_to_do"),
        ("scale", {"to": 4}, {"replicas": 4}, "nothing_to_do"),
        ("scale", {"to": 2**31}, {}, "too_many"),
        ("restart", {}, {"paused": True}, "rollout_paused"),
        ("restart", {}, {"restarted_at": "2026-01-01T12:00:00.000Z"}, "nothing_to_do"),
    ],
)
def test_what_makes_no_sense_is_refused(
    kind: str, arguments: dict[str, Any], facts: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        planned(kind, arguments, **facts)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [("scale", {}), ("scale", {"by": 1, "to": 1}), ("scale", {"to": -1}), ("scale", {"by": 1.5}),
     ("scale", {"by": "1"}),
     ("scale", {"by": True}), ("scale", {"by": 1, "x": 1}), ("restart", {"x": 1}), ("wait", {}),
     ("wait", {"until": "x"}), ("wait", {"for": "0s"}), ("wait", {"for": "x"}), ("wait", {"for": 5}),
     ("wait", {"for": "5s", "until": "rollout_complete"}), ("wait", {"for_": "5s"})],
)  # fmt: skip
def test_arguments_that_do_not_fit(kind: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BY_NAME[kind].schema.model_validate(arguments)


def thing(action: str = "", replicas: int = 4, restarted: str = "") -> dict[str, Any]:
    notes = {ACTION: action} if action else None
    template = {"metadata": {"annotations": {RESTARTED_AT: restarted}}} if restarted else {}
    return {"metadata": {"annotations": notes}, "spec": {"replicas": replicas, "template": template}}


AT = "2026-01-01T12:00:00.000Z"


@pytest.mark.parametrize(
    ("kind", "arguments", "found", "look"),
    [
        ("scale", {"by": 2}, thing("a1", 6), Look.DONE),
        ("scale", {"by": 2}, thing("a1", 7), Look.CHANGED),
        ("scale", {"by": 2}, thing("", 4), Look.NOT_YET),
        ("scale", {"by": 2}, thing("a0", 4), Look.NOT_YET),
        ("scale", {"by": 2}, thing("a0", 6), Look.CHANGED),
        ("scale", {"by": 2}, thing("", 5), Look.CHANGED),
        ("scale", {"by": 2}, {}, Look.CHANGED),
        ("restart", {}, thing("a1", restarted=AT), Look.DONE),
        ("restart", {}, thing("a1", restarted="2027"), Look.CHANGED),
        ("restart", {}, thing(), Look.NOT_YET),
        ("restart", {}, thing("a0"), Look.NOT_YET),
        ("restart", {}, thing("a0", restarted="2027"), Look.CHANGED),
        ("restart", {}, thing("", restarted=AT), Look.CHANGED),
    ],
)
def test_look_tells_our_own_effect(kind: str, arguments: dict[str, Any], found: dict[str, Any], look: Look) -> None:
    step = planned(kind, arguments, replicas=4)
    assert BY_NAME[kind].look(found, step, "a1", MOMENT) is look


def test_restart_is_a_fixed_value_that_cannot_be_undone() -> None:
    step = planned("restart", {}, restarted_at="2025-01-01T00:00:00Z")
    assert not step.reversible
    assert step.arguments == {"from": "2025-01-01T00:00:00Z", "at": AT}
    key = f"spec.template.metadata.annotations[{RESTARTED_AT}]"
    assert step.diff == (f"- {key}: 2025-01-01T00:00:00Z", f"+ {key}: {AT}")
    assert step.kubectl == "kubectl rollout restart deployment/agents -n agents"
    assert planned("restart", {}).diff == (f"+ {key}: {AT}",)


def test_wait_for_lasts_as_long_as_it_says_whatever_its_timeout() -> None:
    step = planned("wait", {"for": "10m"})
    assert step.timeout == timedelta(minutes=10, seconds=1)
    assert step.kubectl == "sleep 600"
    look = BY_NAME["wait"].look
    assert look({}, step, "", Moment(NOW + timedelta(minutes=9, seconds=59), NOW)) is Look.NOT_YET
    assert look({}, step, "", Moment(NOW + timedelta(minutes=10), NOW)) is Look.DONE


def workload(kind: str, *, wanted: int = 3, **status: Any) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"generation": 2}, "spec": {"replicas": wanted}, "status": status}


UP: dict[str, Any] = {
    "observedGeneration": 2,
    "replicas": 3,
    "updatedReplicas": 3,
    "availableReplicas": 3,
    "readyReplicas": 3,
}
ROLLED: dict[str, Any] = {**UP, "currentRevision": "r2", "updateRevision": "r2"}
DAEMON: dict[str, Any] = {
    "observedGeneration": 2,
    "desiredNumberScheduled": 3,
    "updatedNumberScheduled": 3,
    "numberAvailable": 3,
}


@pytest.mark.parametrize(
    ("found", "complete"),
    [
        (workload("Deployment", **UP), True),
        (workload("Deployment", **{**UP, "observedGeneration": 1}), False),
        (workload("Deployment", **{**UP, "updatedReplicas": 2}), False),
        (workload("Deployment", **{**UP, "availableReplicas": 2}), False),
        (workload("Deployment", **{**UP, "replicas": 4}), False),
        (workload("Deployment", wanted=5, **UP), False),
        (workload("Deployment", wanted=0, observedGeneration=2), True),
        (workload("Deployment"), False),
        ({}, False),
        ({"metadata": {"generation": "2"}, "status": {"observedGeneration": 2}}, False),
        (workload("StatefulSet", **ROLLED), True),
        (workload("StatefulSet", **{**ROLLED, "currentRevision": "r1"}), False),
        (workload("StatefulSet", **{**ROLLED, "readyReplicas": 2}), False),
        (workload("StatefulSet", **{**ROLLED, "observedGeneration": 1}), False),
        (workload("DaemonSet", **DAEMON), True),
        (workload("DaemonSet", **{**DAEMON, "updatedNumberScheduled": 2}), False),
        (workload("DaemonSet", **{**DAEMON, "numberAvailable": 2}), False),
        (workload("DaemonSet", **{**DAEMON, "observedGeneration": 1}), False),
    ],
)
def test_wait_sees_a_complete_rollout_and_the_generation_first(found: dict[str, Any], complete: bool) -> None:
    step = planned("wait", {"until": "rollout_complete"})
    assert BY_NAME["wait"].look(found, step, "", MOMENT) is (Look.DONE if complete else Look.NOT_YET)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_restart_on_a_cluster_completes(kind: str) -> None:
    """On the fake cluster, whose workloads move as real ones do: complete, then not, then again."""
    clock = ManualClock()
    cluster = FakeCluster(clock)
    made = {**deployment(), "kind": kind}
    if kind == "DaemonSet":
        made["spec"].pop("replicas")
        ready = {"type": "Ready", "status": "True"}
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        node = {"conditions": [ready], "allocatable": room}
        cluster.add({"kind": "Node", "metadata": {"name": "n1"}, "status": node})
    cluster.add(made)

    def settle() -> Any:
        for _ in range(40):
            cluster.settle()
            clock.advance(1)
        return cluster.get(kind, "agents", "agents")

    step = planned("wait", {"until": "rollout_complete"})
    look = BY_NAME["wait"].look
    assert look(settle(), step, "", MOMENT) is Look.DONE
    restart = BY_NAME["restart"].body
    assert restart is not None
    changed = cluster.change(kind, "agents", "agents", restart(planned("restart", {})))
    assert look(changed, step, "", MOMENT) is Look.NOT_YET
    assert reading.of(changed)["rollout_in_progress"]
    after = settle()
    assert look(after, step, "", MOMENT) is Look.DONE
    assert not reading.of(after)["rollout_in_progress"]
    assert reading.of(after)["restarted_at"] == AT
