"""The controllers of the fake cluster beyond the contract: sick images, sets by ordinal, jobs, nodes, garbage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Behaviour


@pytest.fixture
def cluster() -> FakeCluster:
    return FakeCluster()


def workload(kind: str = "Deployment", image: str = "web:1", replicas: int | None = 2, **spec: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    sized = {} if replicas is None else {"replicas": replicas}
    return {"kind": kind, "metadata": {"name": "web", "namespace": "shop"},
            "spec": {**sized, "selector": {"matchLabels": labels}, "template": template, **spec}}  # fmt: skip


def image(name: str) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": name}]}}}}


def of(cluster: FakeCluster, kind: str = "Deployment") -> dict[str, Any]:
    return cluster.get(kind, "shop", "web") or {}


def status(cluster: FakeCluster, kind: str = "Deployment") -> dict[str, Any]:
    found: dict[str, Any] = of(cluster, kind)["status"]
    return found


def pods(cluster: FakeCluster) -> list[dict[str, Any]]:
    return cluster.list("Pod", "shop")


def conditions(found: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in found["conditions"]}


# images that behave badly -------------------------------------------------------------------------------------------


def test_an_image_that_cannot_be_pulled(cluster: FakeCluster) -> None:
    cluster.behave("web:1", Behaviour(pull_error="not found"))
    cluster.add(workload(replicas=1))
    cluster.run(8)
    (pod,) = pods(cluster)
    (state,) = pod["status"]["containerStatuses"]
    assert (pod["status"]["phase"], state["state"]["waiting"]["reason"]) == ("Pending", "ImagePullBackOff")
    said = {event["message"] for event in cluster.list("Event", "shop") if event["type"] == "Warning"}
    assert 'Failed to pull image "web:1": not found' in said
    cluster.behave("web:1", Behaviour())
    cluster.run(4)
    assert pods(cluster)[0]["status"]["phase"] == "Running"


def test_a_container_that_is_killed_again_and_again(cluster: FakeCluster) -> None:
    cluster.behave("web:1", Behaviour(exits_after=timedelta(seconds=2), exit_code=137, reason="OOMKilled"))
    cluster.add(workload(replicas=1))
    cluster.run(60)
    (pod,) = pods(cluster)
    (state,) = pod["status"]["containerStatuses"]
    assert state["lastState"]["terminated"]["reason"] == "OOMKilled"
    assert state["lastState"]["terminated"]["exitCode"] == 137
    assert state["restartCount"] >= 2
    assert state["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    assert state["state"]["waiting"]["message"].startswith("back-off ")
    (told,) = [event for event in cluster.list("Event", "shop") if event["reason"] == "BackOff"]
    assert told["count"] >= 2


def test_a_release_that_never_gets_ready_is_stuck_and_can_be_taken_back(cluster: FakeCluster) -> None:
    cluster.add(workload(progressDeadlineSeconds=30))
    cluster.run(8)
    cluster.behave("web:2", Behaviour(ready=False))
    cluster.change("Deployment", "shop", "web", image("web:2"))
    cluster.run(20)
    assert conditions(status(cluster))["Progressing"] == ("True", "ReplicaSetUpdated")
    cluster.run(40)
    assert conditions(status(cluster))["Progressing"] == ("False", "ProgressDeadlineExceeded")
    assert conditions(status(cluster))["Available"] == ("True", "MinimumReplicasAvailable")
    assert status(cluster)["availableReplicas"] == 2
    cluster.change("Deployment", "shop", "web", image("web:1"))
    cluster.run(10)
    assert conditions(status(cluster))["Progressing"] == ("True", "NewReplicaSetAvailable")
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(cluster)} == {"web:1"}


def test_how_long_a_start_takes_is_settable() -> None:
    cluster = FakeCluster(ready_after=timedelta(seconds=30))
    cluster.behave("quick:1", Behaviour(ready_after=timedelta()))
    cluster.add(workload())
    cluster.add({"kind": "Pod", "metadata": {"name": "quick", "namespace": "shop"},
                 "spec": {"containers": [{"name": "main", "image": "quick:1"}]}})  # fmt: skip
    cluster.run(10)
    ready = {pod["metadata"]["name"]: pod["status"]["containerStatuses"][0]["ready"] for pod in pods(cluster)}
    assert sorted(ready.values()) == [False, False, True]
    assert ready["quick"]
    cluster.run(30)
    assert status(cluster)["readyReplicas"] == 2


# Deployments --------------------------------------------------------------------------------------------------------


def test_recreate_ends_the_old_pods_first(cluster: FakeCluster) -> None:
    cluster.add(workload(strategy={"type": "Recreate"}))
    cluster.run(8)
    cluster.change("Deployment", "shop", "web", image("web:2"))
    images = []
    for _ in range(12):
        cluster.run(1)
        images.append({pod["spec"]["containers"][0]["image"] for pod in pods(cluster)})
    assert {"web:1", "web:2"} not in images
    assert images[-1] == {"web:2"}


def test_a_paused_deployment_scales_but_does_not_roll(cluster: FakeCluster) -> None:
    cluster.add(workload())
    cluster.run(8)
    cluster.change("Deployment", "shop", "web", {"spec": {"paused": True, "replicas": 4}})
    cluster.change("Deployment", "shop", "web", image("web:2"))
    cluster.run(8)
    assert [pod["spec"]["containers"][0]["image"] for pod in pods(cluster)] == ["web:1"] * 4
    cluster.change("Deployment", "shop", "web", {"spec": {"paused": False}})
    cluster.run(25)
    assert [pod["spec"]["containers"][0]["image"] for pod in pods(cluster)] == ["web:2"] * 4


def test_ready_for_a_moment_is_not_available(cluster: FakeCluster) -> None:
    cluster.add(workload(minReadySeconds=20))
    cluster.run(8)
    found = status(cluster)
    assert (found["readyReplicas"], found.get("availableReplicas", 0)) == (2, 0)
    cluster.run(25)
    assert status(cluster)["availableReplicas"] == 2


def test_old_revisions_are_forgotten_beyond_the_limit(cluster: FakeCluster) -> None:
    cluster.add(workload(replicas=1, revisionHistoryLimit=2))
    for number in range(2, 7):
        cluster.run(10)
        cluster.change("Deployment", "shop", "web", image(f"web:{number}"))
    cluster.run(12)
    revisions = [
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] for rs in cluster.list("ReplicaSet")
    ]
    assert sorted(revisions) == ["4", "5", "6"]


def test_sets_and_pods_that_were_prepared_are_adopted(cluster: FakeCluster) -> None:
    made = workload(replicas=1)
    labels = {"app": "web", "pod-template-hash": "abc"}
    template = {**made["spec"]["template"], "metadata": {"labels": labels}}
    cluster.add({"kind": "ReplicaSet", "metadata": {"name": "web-abc", "namespace": "shop", "labels": labels},
                 "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}})  # fmt: skip
    cluster.add({"kind": "Pod", "metadata": {"name": "web-abc-1", "namespace": "shop", "labels": labels},
                 "spec": template["spec"], "status": {"phase": "Running", "conditions": [
                     {"type": "Ready", "status": "True"}]}})  # fmt: skip
    cluster.add(made)
    cluster.run(4)
    assert [rs["metadata"]["name"] for rs in cluster.list("ReplicaSet")] == ["web-abc"]
    assert [pod["metadata"]["name"] for pod in pods(cluster)] == ["web-abc-1"]
    assert status(cluster)["readyReplicas"] == 1


def test_a_deleted_deployment_takes_all_that_it_owns_along(cluster: FakeCluster) -> None:
    cluster.add(workload())
    cluster.run(6)
    cluster.remove("Deployment", "shop", "web")
    cluster.run(3)
    assert (cluster.list("ReplicaSet"), pods(cluster)) == ([], [])


def test_a_deleted_namespace_takes_all_in_it_along(cluster: FakeCluster) -> None:
    cluster.add(workload())
    cluster.run(6)
    cluster.remove("Namespace", "", "shop")
    cluster.tick()
    assert (cluster.list("Deployment"), pods(cluster)) == ([], [])


# StatefulSets, DaemonSets, Jobs -------------------------------------------------------------------------------------


def test_a_stateful_set_starts_and_rolls_one_by_one(cluster: FakeCluster) -> None:
    cluster.add(workload("StatefulSet", replicas=3, serviceName="web"))
    seen = []
    for _ in range(20):
        cluster.run(1)
        seen.append([pod["metadata"]["name"] for pod in pods(cluster)])
    assert [names for at, names in enumerate(seen) if at == 0 or names != seen[at - 1]] == [
        ["web-0"], ["web-0", "web-1"], ["web-0", "web-1", "web-2"]
    ]  # fmt: skip
    before = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods(cluster)}
    cluster.change("StatefulSet", "shop", "web", image("web:2"))
    assert status(cluster, "StatefulSet")["observedGeneration"] < of(cluster, "StatefulSet")["metadata"]["generation"]
    cluster.run(2)
    now = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods(cluster)}
    assert [name for name in before if now.get(name) == before[name]] == ["web-0", "web-1"]
    cluster.run(40)
    found = status(cluster, "StatefulSet")
    assert found["updatedReplicas"] == found["readyReplicas"] == found["currentReplicas"] == 3
    assert found["currentRevision"] == found["updateRevision"]
    assert {pod["spec"]["containers"][0]["image"] for pod in pods(cluster)} == {"web:2"}


def test_a_stateful_set_is_scaled_down_from_the_highest(cluster: FakeCluster) -> None:
    cluster.add(workload("StatefulSet", replicas=3, podManagementPolicy="Parallel"))
    cluster.run(6)
    assert len(pods(cluster)) == 3
    cluster.change("StatefulSet", "shop", "web", {"spec": {"replicas": 1}})
    cluster.run(6)
    assert [pod["metadata"]["name"] for pod in pods(cluster)] == ["web-0"]


def test_a_daemon_set_has_a_pod_on_each_node(cluster: FakeCluster) -> None:
    for name in ("n1", "n2", "n3"):
        cluster.add({"kind": "Node", "metadata": {"name": name}})
    cluster.add(workload("DaemonSet", replicas=None))
    cluster.run(6)
    assert {pod["spec"]["nodeName"] for pod in pods(cluster)} == {"n1", "n2", "n3"}
    cluster.change("DaemonSet", "shop", "web", image("web:2"))
    cluster.run(30)
    found = status(cluster, "DaemonSet")
    assert found["updatedNumberScheduled"] == found["numberReady"] == found["desiredNumberScheduled"] == 3
    cluster.remove("Node", "", "n2")
    cluster.run(4)
    assert {pod["spec"]["nodeName"] for pod in pods(cluster)} == {"n1", "n3"}


def job(image: str = "job:1", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": image}]}}
    return {"kind": "Job", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"template": template, **spec}}


def test_a_job_runs_its_pods_to_the_end(cluster: FakeCluster) -> None:
    cluster.add(job(completions=3, parallelism=2))
    cluster.run(3)
    assert len(pods(cluster)) == 2
    cluster.run(15)
    found = status(cluster, "Job")
    assert (found["succeeded"], conditions(found)["Complete"]) == (3, ("True", "CompletionsReached"))
    assert found["completionTime"]


def test_a_job_that_fails_too_often_has_failed(cluster: FakeCluster) -> None:
    cluster.behave("job:1", Behaviour(exits_after=timedelta(), exit_code=2))
    cluster.add(job(backoffLimit=1))
    cluster.run(20)
    found = status(cluster, "Job")
    assert (found["failed"], conditions(found)["Failed"]) == (2, ("True", "BackoffLimitExceeded"))


def test_a_job_has_a_deadline(cluster: FakeCluster) -> None:
    cluster.behave("job:1", Behaviour())
    cluster.add(job(activeDeadlineSeconds=10))
    cluster.run(20)
    assert conditions(status(cluster, "Job"))["Failed"] == ("True", "DeadlineExceeded")
    assert pods(cluster) == []


# nodes --------------------------------------------------------------------------------------------------------------


def test_pods_wait_for_a_node_that_takes_them(cluster: FakeCluster) -> None:
    cluster.add({"kind": "Node", "metadata": {"name": "n1"}, "spec": {"unschedulable": True}})
    cluster.add(workload(replicas=1))
    cluster.run(4)
    (pod,) = pods(cluster)
    assert pod["status"]["phase"] == "Pending"
    assert conditions(pod["status"])["PodScheduled"] == ("False", "Unschedulable")
    (told,) = [event for event in cluster.list("Event", "shop") if event["reason"] == "FailedScheduling"]
    assert told["message"] == "0/1 nodes are available: 1 node(s) were unschedulable."
    cluster.change("Node", "", "n1", {"spec": {"unschedulable": False}})
    cluster.run(6)
    assert pods(cluster)[0]["spec"]["nodeName"] == "n1"
    assert status(cluster)["readyReplicas"] == 1


def test_pods_are_spread_over_nodes(cluster: FakeCluster) -> None:
    for name in ("n1", "n2"):
        cluster.add({"kind": "Node", "metadata": {"name": name}})
    cluster.add(workload(replicas=4))
    cluster.run(4)
    assert sorted(pod["spec"]["nodeName"] for pod in pods(cluster)) == ["n1", "n1", "n2", "n2"]


def test_a_prepared_pod_can_be_deleted(cluster: FakeCluster) -> None:
    cluster.add({"kind": "Pod", "metadata": {"name": "sick", "namespace": "shop"},
                 "spec": {"nodeName": "n1", "containers": [{"name": "main", "image": "x"}]},
                 "status": {"phase": "Running"}})  # fmt: skip
    cluster.change("Pod", "shop", "sick", {"metadata": {"labels": {"a": "b"}}})
    cluster.run(2)
    assert len(pods(cluster)) == 1
    cluster.remove("Pod", "shop", "sick")
    assert pods(cluster) == []


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [({"minAvailable": 1}, 2), ({"minAvailable": "50%"}, 1), ({"maxUnavailable": 1}, 1), ({"maxUnavailable": "34%"}, 2),
     ({"minAvailable": 3}, 0), ({"minAvailable": 5}, 0)],
    ids=["one", "half", "missing one", "missing a third", "all", "more than all"],
)  # fmt: skip
def test_what_a_budget_allows(cluster: FakeCluster, spec: dict[str, Any], allowed: int) -> None:
    cluster.add(workload(replicas=3))
    cluster.add({"kind": "PodDisruptionBudget", "metadata": {"name": "web", "namespace": "shop"},
                 "spec": {**spec, "selector": {"matchLabels": {"app": "web"}}}})  # fmt: skip
    cluster.run(6)
    assert status(cluster, "PodDisruptionBudget")["disruptionsAllowed"] == allowed
