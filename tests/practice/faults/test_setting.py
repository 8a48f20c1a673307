"""Each fault on a real plane: it is set, it shows, it is healed and leaves nothing. And what setting refuses to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.errors import PermanentError, Refused
from opsbot.practice import paths
from opsbot.practice.faults import ALL, BY_NAME
from opsbot.practice.faults.fault import NAMESPACE, Fault, Look, node_name
from opsbot.practice.faults.parts import deployment
from opsbot.practice.faults.setting import Setter, unsaid
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.real import RealPlane

REAL = [pytest.mark.plane, pytest.mark.real("kubernetes")]
BASE = {"node-1", "node-2", "node-3"}


@pytest.mark.parametrize(
    "server", ["https://10.0.0.1:6443", "https://prod.example", "https://127.0.0.1.example:6443", "nonsense", ""]
)
def test_only_a_plane_on_loopback_is_touched(server: str) -> None:
    with pytest.raises(Refused) as refused:
        Setter(Client(Access(server, "t")), Path("/nowhere"), lambda _text: None)
    assert refused.value.reason == "not_practice"


def items(plane: RealPlane, kind: str, namespace: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plane.client().get(paths.of(kind, namespace))["items"]
    return found


@pytest.fixture
def clean(plane: RealPlane, setter: Setter) -> Iterator[None]:
    yield
    for fault in setter.present(ALL):
        setter.heal(fault)


@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name, marks=REAL) for fault in ALL])
def test_it_is_set_shows_and_is_healed(fault: Fault, plane: RealPlane, setter: Setter, clean: None) -> None:
    assert not setter.shows(fault)
    setter.put(fault)
    assert setter.shows(fault)
    assert fault.name in setter.set_ones()
    nodes = {node["metadata"]["name"]: node for node in items(plane, "Node")}
    assert all("taints" not in nodes[name]["spec"] for name in BASE)
    setter.heal(fault)
    assert setter.set_ones() == frozenset()
    assert {node["metadata"]["name"] for node in items(plane, "Node")} == BASE
    assert [pod["metadata"]["name"] for pod in items(plane, "Pod", fault.namespace)] == []
    assert list((plane.folder / "faults").glob(f"{fault.slug}.*")) == []


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_to_set_it_twice_changes_nothing(plane: RealPlane, setter: Setter, clean: None) -> None:
    fault = BY_NAME["node_selector_mismatch"]
    setter.put(fault)
    before = [(pod["metadata"]["uid"], pod["metadata"]["resourceVersion"]) for pod in items(plane, "Pod", NAMESPACE)]
    setter.put(fault)
    again = [(pod["metadata"]["uid"], pod["metadata"]["resourceVersion"]) for pod in items(plane, "Pod", NAMESPACE)]
    assert again == before


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_to_heal_what_is_not_set_does_nothing(plane: RealPlane, setter: Setter) -> None:
    setter.heal(BY_NAME["app_crash"])
    setter.heal(BY_NAME["quota_cpu"])
    assert setter.set_ones() == frozenset()


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_one_fault_does_not_touch_another(plane: RealPlane, setter: Setter, clean: None) -> None:
    setter.put(BY_NAME["image_not_found"])
    setter.put(BY_NAME["quota_objects"])
    setter.heal(BY_NAME["quota_objects"])
    assert setter.shows(BY_NAME["image_not_found"])
    assert setter.set_ones() == {"image_not_found"}
    assert setter.present(ALL) == [BY_NAME["image_not_found"]]


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_one_that_never_shows_says_what_is_missing(plane: RealPlane, setter: Setter) -> None:
    never = Fault(
        "overload", "", (deployment("overload"),), (Look("Pod", {"status.phase": "^Nonsense$"}),), patience=2.0
    )
    with pytest.raises(PermanentError, match=r"overload: it does not show.* after 2 s: Pod with status.phase ~ \^Nons"):
        setter.put(never)
    setter.heal(never)
    assert setter.set_ones() == frozenset()


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_the_shared_namespace_goes_with_the_last_fault_and_can_come_back(
    plane: RealPlane, setter: Setter, clean: None
) -> None:
    fault = BY_NAME["replicas_zero"]
    setter.put(fault)
    setter.tidy()
    assert "deletionTimestamp" not in plane.client().get(paths.of("Namespace", "", NAMESPACE))["metadata"]
    setter.heal(fault)
    setter.tidy()
    assert plane.client().find(paths.of("Namespace", "", NAMESPACE)) is None
    setter.put(fault)
    assert setter.shows(fault)


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_configs_for_looking_at_a_fault_go_with_it(plane: RealPlane, setter: Setter, clean: None) -> None:
    shared, own, other = (plane.folder / f"{NAMESPACE}{end}.yaml" for end in ("", "-quota-cpu", "-quota-memory"))
    for file in (shared, own, other):
        file.write_text("{}")
    setter.put(BY_NAME["replicas_zero"])
    setter.heal(BY_NAME["quota_cpu"])
    setter.tidy()
    assert [file.exists() for file in (shared, own, other)] == [True, False, True]
    setter.heal(BY_NAME["replicas_zero"])
    setter.heal(BY_NAME["quota_memory"])
    setter.tidy()
    assert [file.exists() for file in (shared, own, other)] == [False, False, False]


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_nothing_is_said_any_more_of_a_node_that_is_healed(plane: RealPlane, setter: Setter, clean: None) -> None:
    fault = BY_NAME["node_disk_pressure"]
    setter.put(fault)
    ends = time.monotonic() + 20
    while "RegisteredNode" not in said_of(plane, fault):  # the controller looks at its nodes every 5 s
        assert time.monotonic() < ends
        time.sleep(0.2)
    setter.heal(fault)
    setter.tidy()
    assert said_of(plane, fault) == set()
    time.sleep(6)
    assert said_of(plane, fault) == set()
    assert {event["involvedObject"]["name"] for event in items(plane, "Event", "default")} >= BASE


def said_of(plane: RealPlane, fault: Fault) -> set[str]:
    events = items(plane, "Event", "default")
    return {event["reason"] for event in events if event["involvedObject"]["name"] == node_name(fault.name)}


def said(reason: str, uid: str) -> dict[str, Any]:
    return {"kind": "Event", "reason": reason, "involvedObject": {"kind": "Node", "uid": uid}}


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ([], set()),
        ([said("RegisteredNode", "a")], {"a"}),
        ([said("RegisteredNode", "a"), said("RemovingNode", "a")], set()),
        ([said("RegisteredNode", "a"), said("RegisteredNode", "b"), said("RemovingNode", "a")], {"b"}),
        ([said("RemovingNode", "a"), said("NodeNotReady", "b")], set()),
    ],
    ids=["nothing", "registered", "removed", "one of two", "never registered"],
)
def test_the_last_word_on_a_node_is_awaited_once_it_was_registered(
    events: list[dict[str, Any]], left: set[str]
) -> None:
    assert unsaid(events) == left


@pytest.mark.plane
@pytest.mark.real("kubernetes")
@pytest.mark.parametrize(
    ("name", "now", "before"),
    [
        ("app_crash", "shop 2.3.1 starts", "panic: "),
        ("init_container_failing", "migrations to apply", "already exists"),
    ],
)
def test_its_log_is_served_from_now_and_from_before(
    name: str, now: str, before: str, plane: RealPlane, setter: Setter, clean: None
) -> None:
    fault = BY_NAME[name]
    setter.put(fault)
    pod = items(plane, "Pod", fault.namespace)[0]["metadata"]["name"]
    path = f"{paths.of('Pod', fault.namespace, pod)}/log?container={fault.speaks}"
    assert now in plane.client().raw("GET", path).decode()
    assert before in plane.client().raw("GET", f"{path}&previous=true").decode()
    assert plane.client().raw("GET", f"{path}&previous=true&tailLines=1").decode() == f"{fault.previous[-1]}\n"


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_a_container_that_crashes_is_restarted_more_and_more(plane: RealPlane, setter: Setter, clean: None) -> None:
    fault = BY_NAME["out_of_memory"]
    setter.put(fault)
    events = [event for event in items(plane, "Event", fault.namespace) if event["reason"] == "BackOff"]
    assert len(events) == 1
    assert events[0]["count"] >= 2
    assert events[0]["source"]["component"] == "kubelet"
    assert events[0]["involvedObject"]["fieldPath"] == "spec.containers{out-of-memory}"
    assert events[0]["firstTimestamp"] < events[0]["lastTimestamp"]


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_events_of_scheduler_and_controllers_are_their_own(plane: RealPlane, setter: Setter, clean: None) -> None:
    for name in ("insufficient_cpu", "service_account_missing", "pvc_no_default_class"):
        setter.put(BY_NAME[name])
    told = {
        (event["reason"], event["source"].get("component") or event["reportingComponent"])
        for event in items(plane, "Event", NAMESPACE)
    }
    assert told >= {
        ("FailedScheduling", "default-scheduler"),
        ("FailedCreate", "replicaset-controller"),
        ("FailedBinding", "persistentvolume-controller"),
    }


@pytest.mark.plane
@pytest.mark.real("kubernetes")
def test_a_container_that_is_well_says_so(plane: RealPlane, setter: Setter, clean: None) -> None:
    fault = BY_NAME["service_selects_nothing"]
    setter.put(fault)
    pod = items(plane, "Pod", fault.namespace)[0]["metadata"]["name"]
    assert b"listens on" in plane.client().raw("GET", f"{paths.of('Pod', fault.namespace, pod)}/log")
