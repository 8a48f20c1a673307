"""What the Stages make of pods that are in no trouble, and of Jobs: as a kubelet would, on a real plane."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from opsbot.practice.faults.parts import told
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.real import RealPlane

pytestmark = [pytest.mark.plane, pytest.mark.real("kubernetes")]

SPACE = "/api/v1/namespaces/default"
JOBS = "/apis/batch/v1/namespaces/default/jobs"
Pod = Mapping[str, Any]
Make = Callable[..., Callable[[], Pod]]


def until(look: Callable[[], Pod], true: Callable[[Pod], bool]) -> Pod:
    ends = time.monotonic() + 30
    while True:
        found = look()
        if true(found):
            return found
        assert time.monotonic() < ends, found.get("status")
        time.sleep(0.05)


def condition(pod: Pod, name: str) -> Mapping[str, Any]:
    return next((one for one in pod["status"].get("conditions", ()) if one["type"] == name), {})


def ready(pod: Pod) -> bool:
    return condition(pod, "Ready").get("status") == "True"


@pytest.fixture
def client(plane: RealPlane) -> Client:
    return plane.client()


@pytest.fixture
def make(client: Client) -> Iterator[Make]:
    """Makes a pod, and gives a way to look at it; all of them are gone in the end."""
    made: list[str] = []

    def pod(notes: Mapping[str, str] | None = None, **spec: Any) -> Callable[[], Pod]:
        body = {"containers": [{"name": "app", "image": "registry.example/app:1"}], **spec}
        meta = {"name": f"life-{len(made)}", "annotations": dict(notes or {})}
        client.create(f"{SPACE}/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": body})
        made.append(f"{SPACE}/pods/life-{len(made)}")
        return lambda path=made[-1]: client.get(path)  # type: ignore[misc]

    yield pod
    for path in made:
        client.delete(f"{path}?gracePeriodSeconds=0")
    for path in made:
        while client.find(path):
            time.sleep(0.05)


def test_a_pod_gets_an_address_and_is_ready(make: Make) -> None:
    pod = until(make(), ready)
    state = pod["status"]["containerStatuses"][0]
    assert pod["status"]["phase"] == "Running"
    assert pod["status"]["podIP"] == pod["status"]["podIPs"][0]["ip"]
    assert pod["status"]["observedGeneration"] == pod["metadata"]["generation"]
    assert (state["ready"], state["started"], state["restartCount"]) == (True, True, 0)
    assert state["containerID"].startswith("containerd://")
    assert {one["status"] for one in pod["status"]["conditions"]} == {"True"}


def test_two_pods_have_two_addresses(make: Make) -> None:
    first, second = until(make(), ready), until(make(), ready)
    assert first["status"]["podIP"] != second["status"]["podIP"]


def test_it_runs_before_it_is_ready(make: Make) -> None:
    look = make(told(ready_after="2s"))
    pod = until(look, lambda pod: pod["status"]["phase"] == "Running")
    assert condition(pod, "Ready")["reason"] == "ContainersNotReady"
    assert condition(pod, "Ready")["message"] == "containers with unready status: [app]"
    until(look, ready)


def test_a_readiness_gate_keeps_it_from_being_ready(make: Make, client: Client) -> None:
    look = make(readinessGates=[{"conditionType": "example.com/open"}])
    pod = until(look, lambda pod: condition(pod, "ContainersReady").get("status") == "True")
    assert (condition(pod, "Ready")["status"], condition(pod, "Ready")["reason"]) == ("False", "ReadinessGatesNotReady")
    opened = {"type": "example.com/open", "status": "True"}
    path = f"{SPACE}/pods/{pod['metadata']['name']}/status"
    client.patch(path, {"status": {"conditions": [*pod["status"]["conditions"], opened]}})
    until(look, ready)


def test_init_containers_come_first(make: Make) -> None:
    look = make(initContainers=[{"name": "first", "image": "registry.example/first:1"}])
    pod = until(look, lambda pod: bool(pod["status"].get("initContainerStatuses")))
    assert pod["status"]["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}
    pod = until(look, ready)
    assert pod["status"]["initContainerStatuses"][0]["state"]["terminated"]["reason"] == "Completed"


def test_a_pod_that_is_deleted_keeps_the_finalizers_of_others(make: Make, client: Client) -> None:
    look = make()
    name = until(look, ready)["metadata"]["name"]
    client.patch(f"{SPACE}/pods/{name}", {"metadata": {"finalizers": ["example.com/mine"]}})
    client.delete(f"{SPACE}/pods/{name}")
    until(look, lambda pod: "deletionTimestamp" in pod["metadata"])
    time.sleep(1)
    assert look()["metadata"]["finalizers"] == ["example.com/mine"]
    client.patch(f"{SPACE}/pods/{name}", {"metadata": {"finalizers": None}})
    ends = time.monotonic() + 10
    while client.find(f"{SPACE}/pods/{name}"):
        assert time.monotonic() < ends
        time.sleep(0.05)
    make()  # so that there is one of this name to delete in the end
    client.create(f"{SPACE}/pods", {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "app", "image": "registry.example/app:1"}]},
    })  # fmt: skip


@pytest.mark.parametrize(
    ("notes", "policy", "ends", "times"),
    [
        ({}, "Never", "Complete", {0}),
        ({"exit_code": "0"}, "OnFailure", "Complete", {0}),
        ({"exit_code": "1", "runs_for": "200ms"}, "Never", "Failed", {0}),
        ({"exit_code": "1", "runs_for": "200ms"}, "OnFailure", "Failed", {1, 2}),
    ],
    ids=["done", "exit code 0", "failed", "restarted in place, then failed"],
)
def test_a_job_ends_as_its_pod_does(
    notes: dict[str, str], policy: str, ends: str, times: set[int], client: Client
) -> None:
    template = {
        "metadata": {"annotations": told(**notes)},
        "spec": {"restartPolicy": policy, "containers": [{"name": "app", "image": "registry.example/app:1"}]},
    }
    body = {"template": template, "backoffLimit": 0 if policy == "Never" else 1}
    client.create(JOBS, {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "work"}, "spec": body})
    restarts: set[int] = set()

    def over(job: Pod) -> bool:
        for pod in client.get(f"{SPACE}/pods?labelSelector=job-name%3Dwork")["items"]:
            restarts.update(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))
        return condition(job, ends).get("status") == "True"

    try:
        until(lambda: client.get(f"{JOBS}/work"), over)
        assert max(restarts) in times
    finally:
        client.delete(f"{JOBS}/work?propagationPolicy=Foreground")
        while client.find(f"{JOBS}/work"):
            time.sleep(0.05)


def test_a_service_that_ends_well_is_restarted_all_the_same(make: Make) -> None:
    look = make(told(exit_code="0", runs_for="200ms"))
    pod = until(look, lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) >= 1)
    ended = until(look, lambda pod: "terminated" in pod["status"]["containerStatuses"][0].get("lastState", {}))
    assert ended["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"] == "Completed"
    assert not ready(pod)


def events_of(client: Client, pod: Pod) -> dict[str, Any]:
    """The Events about a pod, by reason."""
    about = f"{SPACE}/events?fieldSelector=involvedObject.uid%3D{pod['metadata']['uid']}"
    return {event["reason"]: event for event in client.get(about)["items"]}


def test_what_is_told_of_its_start_is_told_by_the_kubelet(make: Make, client: Client) -> None:
    pod = until(make(), ready)
    told_of = events_of(client, pod)
    assert {reason: told_of[reason]["message"] for reason in ("Pulled", "Created", "Started")} == {
        "Pulled": 'Container image "registry.example/app:1" already present on machine and can be accessed by the pod',
        "Created": "Container created",
        "Started": "Container started",
    }
    for reason in ("Pulled", "Created", "Started"):
        event = told_of[reason]
        assert event["source"] == {"component": "kubelet", "host": pod["spec"]["nodeName"]}
        assert event["reportingComponent"] == "kubelet"
        assert event["involvedObject"]["fieldPath"] == "spec.containers{app}"
        assert event["count"] == 1


def test_what_is_told_of_its_start_is_counted_with_each_restart(make: Make, client: Client) -> None:
    look = make(told(exit_code="1", runs_for="200ms"))
    pod = until(look, lambda pod: pod["status"].get("containerStatuses", [{}])[0].get("restartCount", 0) == 1)
    told_of = events_of(client, pod)
    assert {told_of[reason]["count"] for reason in ("Pulled", "Created", "Started")} == {2}
    assert {event["source"]["component"] for event in told_of.values() if event["reason"] != "Scheduled"} == {"kubelet"}


@pytest.mark.parametrize(
    ("probe", "times"), [({"failureThreshold": 5}, 5), ({}, 3), (None, 3)], ids=["stated", "default", "no probe"]
)
def test_a_probe_kills_after_as_many_failures_as_it_states(
    probe: dict[str, int] | None, times: int, make: Make, client: Client
) -> None:
    container = {"name": "app", "image": "registry.example/app:1"}
    asked = {} if probe is None else {"livenessProbe": {"tcpSocket": {"port": 1}, **probe}}
    look = make(
        told(probe="liveness", probe_message="refused", exit_code="137", runs_for="200ms"),
        containers=[{**container, **asked}],
    )
    pod = until(look, lambda pod: "terminated" in pod["status"].get("containerStatuses", [{}])[0].get("state", {}))
    assert events_of(client, pod)["Unhealthy"]["count"] == times
