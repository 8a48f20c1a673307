"""Quotas and garbage of FakeCluster, where more kinds of workload meet them than the contract has."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Request

CREATORS = {"StatefulSet": "statefulset-controller", "DaemonSet": "daemonset-controller", "Job": "job-controller",
            "ReplicaSet": "replicaset-controller"}  # fmt: skip


def workload(kind: str) -> dict[str, Any]:
    labels = {"app": "web"}
    spec: dict[str, Any] = {"restartPolicy": "Never"} if kind == "Job" else {}
    template = {"metadata": {"labels": labels}, "spec": {**spec, "containers": [{"name": "main", "image": "web:1"}]}}
    return {"kind": kind, "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}}  # fmt: skip


def quota(cluster: FakeCluster, **hard: str) -> None:
    cluster.add({"kind": "ResourceQuota", "metadata": {"name": "few", "namespace": "shop"}, "spec": {"hard": hard}})
    cluster.tick()


@pytest.mark.parametrize("kind", list(CREATORS))
def test_every_controller_says_that_it_was_refused_and_goes_on_when_it_is_not(kind: str) -> None:
    cluster = FakeCluster()
    cluster.add({"kind": "Node", "metadata": {"name": "n"}})
    quota(cluster, pods="0")
    cluster.add(workload(kind))
    cluster.run(3)
    assert cluster.list("Pod", "shop") == []
    (event,) = [item for item in cluster.list("Event", "shop") if item["reason"] == "FailedCreate"]
    assert (event["type"], event["source"]["component"]) == ("Warning", CREATORS[kind])
    assert "is forbidden: exceeded quota: few, requested: pods=1, used: pods=0, limited: pods=0" in event["message"]
    assert event["count"] > 1
    cluster.remove("ResourceQuota", "shop", "few")
    cluster.run(6)
    assert cluster.list("Pod", "shop")


def test_a_quota_is_not_in_force_before_its_controller_has_seen_it() -> None:
    cluster = FakeCluster()
    cluster.add({"kind": "ResourceQuota", "metadata": {"name": "few", "namespace": "shop"},
                 "spec": {"hard": {"pods": "0"}}})  # fmt: skip
    body = json.dumps({"metadata": {"name": "a"}, "spec": {"containers": [{"name": "m", "image": "x:1"}]}}).encode()
    path = "/api/v1/namespaces/shop/pods"
    assert cluster.handle(Request("POST", path, {}, body, "application/json", "admin-token")).status == 201
    cluster.change("ResourceQuota", "shop", "few", {"status": {"hard": {"pods": "5"}}})
    answer = cluster.handle(Request("POST", path, {}, body.replace(b'"a"', b'"b"'), "application/json", "admin-token"))
    assert answer.json["message"] == 'pods "b" is forbidden: status unknown for quota: few, resources: pods'


def test_an_init_container_that_wants_more_counts() -> None:
    cluster = FakeCluster()
    quota(cluster, **{"requests.cpu": "2", "requests.storage": "5Gi"})
    cluster.add({
        "kind": "Pod", "metadata": {"name": "a", "namespace": "shop"},
        "spec": {"initContainers": [{"name": "i", "image": "x:1", "resources": {"requests": {"cpu": "1500m"}}}],
                 "containers": [{"name": n, "image": "x:1", "resources": {"requests": {"cpu": "500m"}}} for n in "ab"]},
    })  # fmt: skip
    claim = {"resources": {"requests": {"storage": "2Gi"}}}
    cluster.add({"kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "shop"}, "spec": claim})
    cluster.tick()
    found = cluster.get("ResourceQuota", "shop", "few") or {}
    assert found["status"]["used"] == {"requests.cpu": "1500m", "requests.storage": "2Gi"}


def test_pods_that_have_ended_count_no_more() -> None:
    cluster = FakeCluster()
    quota(cluster, **{"pods": "5", "count/pods": "5"})
    for name, phase in (("a", "Running"), ("b", "Succeeded"), ("c", "Failed")):
        cluster.add({"kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {"containers": []},
                     "status": {"phase": phase}})  # fmt: skip
    cluster.tick()
    found = cluster.get("ResourceQuota", "shop", "few") or {}
    assert found["status"]["used"] == {"pods": "1", "count/pods": "3"}


def test_a_daemon_set_keeps_its_revisions_up_to_its_limit() -> None:
    cluster = FakeCluster()
    cluster.add({"kind": "Node", "metadata": {"name": "n"}})
    cluster.add({**workload("DaemonSet"), "spec": {**workload("DaemonSet")["spec"], "revisionHistoryLimit": 1}})
    for number in range(2, 5):
        cluster.run(6)
        image = {"containers": [{"name": "main", "image": f"web:{number}"}]}
        cluster.change("DaemonSet", "shop", "web", {"spec": {"template": {"spec": image}}})
    cluster.run(6)
    kept = {item["revision"]: item for item in cluster.list("ControllerRevision", "shop")}
    assert sorted(kept) == [3, 4]
    assert kept[4]["data"]["spec"]["template"]["spec"]["containers"][0]["image"] == "web:4"


def test_in_the_foreground_a_finalizer_below_holds_all_up() -> None:
    cluster = FakeCluster()
    cluster.add(workload("ReplicaSet"))
    cluster.run(3)
    victim = cluster.list("Pod", "shop")[0]["metadata"]["name"]
    cluster.change("Pod", "shop", victim, {"metadata": {"finalizers": ["example.com/hold"]}})
    path = "/apis/apps/v1/namespaces/shop/replicasets/web"
    body = b'{"propagationPolicy": "Foreground"}'
    assert cluster.handle(Request("DELETE", path, {}, body, "application/json", "admin-token")).status == 200
    cluster.run(5)
    assert [pod["metadata"]["name"] for pod in cluster.list("Pod", "shop")] == [victim]
    assert cluster.get("ReplicaSet", "shop", "web")
    cluster.change("Pod", "shop", victim, {"metadata": {"finalizers": None}})
    cluster.run(3)
    assert (cluster.list("Pod", "shop"), cluster.list("ReplicaSet", "shop")) == ([], [])


def test_a_job_of_its_own_choice_keeps_its_selector() -> None:
    cluster = FakeCluster()
    cluster.add({"kind": "Namespace", "metadata": {"name": "shop"}})
    spec = {**workload("Job")["spec"], "manualSelector": True}
    body = json.dumps(
        {"metadata": {"name": "web"}, "spec": {k: v for k, v in spec.items() if k != "replicas"}}
    ).encode()
    path = "/apis/batch/v1/namespaces/shop/jobs"
    made = cluster.handle(Request("POST", path, {}, body, "application/json", "admin-token")).json
    assert made["spec"]["selector"] == {"matchLabels": {"app": "web"}}


def test_a_quota_for_some_pods_only_is_501_and_loud() -> None:
    cluster = FakeCluster()
    body = {"metadata": {"name": "few"}, "spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}
    path = "/api/v1/namespaces/default/resourcequotas"
    answer = cluster.handle(Request("POST", path, {}, json.dumps(body).encode(), "application/json", "admin-token"))
    assert (answer.status, "scopes" in answer.json["message"]) == (501, True)
