"""Facts: what is read off objects, what a plan is bound to, and objects of odd shapes."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.core.errors import Blind
from opsbot.core.ports import Listing
from opsbot.remediate import facts
from tests.remediate.remediation_world import TARGET, World, autoscaler, deployment


def test_of_a_live_deployment(world: World) -> None:
    found = world.seen()
    assert found is not None
    uid, read = found
    assert uid
    assert set(read) == set(facts.SAMPLE)
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in facts.SAMPLE.items()
    }
    wanted = {
        "replicas": 4, "ready_replicas": 4, "paused": False, "images": ["app:1"], "hpa_owns_target": False,
        "rollout_in_progress": False, "restarted_at": "", "selector": {"matchLabels": {"app": "agents"}},
    }  # fmt: skip
    assert {name: read[name] for name in wanted} == wanted
    assert read["generation"] == read["observed_generation"]


@pytest.mark.parametrize(
    ("scaler", "owned"),
    [
        (autoscaler(), True),
        (autoscaler("other"), False),
        (
            {**autoscaler(), "spec": {"scaleTargetRef": {"kind": "StatefulSet", "name": "agents"}, "maxReplicas": 2}},
            False,
        ),
    ],
    ids=["its own", "another's", "another kind"],
)
def test_an_autoscaler_owns_what_it_refers_to(world: World, scaler: dict[str, Any], owned: bool) -> None:
    world.cluster.add(scaler)
    found = world.seen()
    assert found is not None
    assert found[1]["hpa_owns_target"] is owned


def test_what_is_not_there_is_none(world: World) -> None:
    world.cluster.remove("Deployment", "agents", "agents")
    assert world.seen() is None


@pytest.mark.parametrize(
    "odd",
    [
        {}, {"metadata": None, "spec": None, "status": None}, {"metadata": [], "spec": "x", "status": 1},
        {"spec": {"replicas": "4", "paused": "yes", "template": None, "selector": None}},
        {"spec": {"template": {"metadata": None, "spec": {"containers": ["x", {"image": None}]}}}},
        {"metadata": {"generation": None, "labels": None}, "status": {"readyReplicas": None}},
    ],
)  # fmt: skip
def test_objects_of_odd_shapes_have_facts_of_the_right_types(odd: dict[str, Any]) -> None:
    read = facts.of(odd)
    for name, value in read.items():
        assert type(value) is type(facts.SAMPLE[name]), name


@pytest.mark.parametrize("meta", [None, {}, {"uid": ""}, {"uid": 7}])
def test_an_object_without_a_uid_is_blindness(meta: Any) -> None:
    with pytest.raises(Blind):
        facts.uid({"metadata": meta})


def test_a_daemon_sets_replicas_are_status() -> None:
    daemon = facts.of({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 3, "numberReady": 2}})
    assert (daemon["replicas"], daemon["ready_replicas"]) == (3, 2)
    assert facts.bound(daemon, ["replicas", "paused", "ready_replicas"]) == {"paused": False}


def test_status_and_unknown_names_are_never_bound() -> None:
    every = [*facts.SAMPLE, "resource_version"]
    assert set(facts.bound(facts.SAMPLE, every)) == set(facts.BOUND)


@pytest.mark.parametrize(
    ("expected", "now", "words"),
    [
        ({"replicas": 4}, {"replicas": 4}, ()),
        ({"replicas": 4}, {"replicas": 8}, ("replicas was 4 and is 8",)),
        ({"images": ["a"]}, {"images": ("a",)}, ()),
        ({"restarted_at": ""}, {"restarted_at": "2026"}, ("restarted_at was empty and is 2026",)),
        ({"hpa_owns_target": False}, {}, ()),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, ("a was 1 and is 2", "b was 1 and is 2")),
        ({"a": "x" * 500}, {"a": 1}, (f"a was {'x' * 119}… and is 1",)),
    ],
)
def test_differences_in_words(expected: dict[str, Any], now: dict[str, Any], words: tuple[str, ...]) -> None:
    assert facts.differences(expected, now) == words


@pytest.mark.parametrize(
    ("spec", "status", "rolling"),
    [
        ({"replicas": 3}, {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1}, True),
        ({"replicas": 3}, {"observedGeneration": 1, "replicas": 3, "updatedReplicas": 3}, True),
        (
            {"replicas": 3},
            {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 0},
            False,
        ),
        ({"replicas": 3, "paused": True}, {"observedGeneration": 2, "replicas": 4, "updatedReplicas": 1}, False),
    ],
    ids=["old pods left", "not seen yet", "crashing after its rollout", "paused"],
)
def test_a_rollout_in_progress(spec: dict[str, Any], status: dict[str, Any], rolling: bool) -> None:
    thing = {"kind": "Deployment", "metadata": {"generation": 2}, "spec": spec, "status": status}
    assert facts.of(thing)["rollout_in_progress"] is rolling


def test_odd_autoscalers_are_passed_over() -> None:
    class Reader:
        def list(self, *_: object) -> Listing:
            return Listing(({}, {"spec": None}, {"spec": {"scaleTargetRef": "x"}}))

    whole = facts.whole(Reader(), TARGET, deployment())  # type: ignore[arg-type]
    assert whole["hpa_owns_target"] is False
