"""What FakeCluster refuses, field by field and rule by rule, in the API server's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Request, Response
from opsbot.testing.cluster.selectors import matches

WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
PODS = "/api/v1/namespaces/shop/pods"
MERGE = "application/merge-patch+json"
JSON = "application/json"


def workload(kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}}
    return {"kind": kind, "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **spec}}  # fmt: skip


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add(workload())
    made.add(workload("StatefulSet", serviceName="web"))
    made.run(6)
    return made


def ask(cluster: FakeCluster, method: str, path: str, body: Any = None, kind: str = MERGE, **query: str) -> Response:
    raw = b"" if body is None else json.dumps(body).encode()
    return cluster.handle(Request(method, path, query, raw, kind, "admin-token"))


def template(**spec: Any) -> dict[str, Any]:
    return {"spec": {"template": {"spec": spec}}}


# shapes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"spec": {"replicas": True}}, "bool into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec": {"replicas": 1.5}}, "number into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec": {"paused": "yes"}}, "string into Go struct field DeploymentSpec.spec.paused of type bool"),
        ({"spec": {"template": 5}}, "number into Go struct field DeploymentSpec.spec.template"),
        (template(containers={}), "into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"),
        (template(containers=[{"name": 5}]), "Container.spec.template.spec.containers.name of type string"),
        (template(nodeSelector={"a": 1}), "PodSpec.spec.template.spec.nodeSelector of type string"),
        ({"metadata": {"labels": {"a": 1}}}, "ObjectMeta.metadata.labels of type string"),
        ({"metadata": {"labels": []}}, "array into Go struct field ObjectMeta.metadata.labels of type map[string]"),
        ({"spec": {"strategy": {"rollingUpdate": {"maxSurge": []}}}}, "of type intstr.IntOrString"),
    ],
    ids=["bool", "part", "word", "template", "containers", "name", "selector", "label", "labels", "surge"],
)  # fmt: skip
def test_values_of_a_wrong_type(cluster: FakeCluster, body: dict[str, Any], said: str) -> None:
    answer = ask(cluster, "PATCH", WEB, body)
    assert (answer.status, answer.json["reason"]) == (422, "Invalid")
    assert said in answer.json["message"]


@pytest.mark.parametrize(
    "body",
    [{"spec": {"replica": 1}}, {"metadata": {"label": {}}}, template(container=[]), {"extra": 1},
     template(containers=[{"name": "main", "image": "x", "imgae": "y"}])],
    ids=["spec", "metadata", "pod", "root", "container"],
)  # fmt: skip
def test_fields_that_nobody_knows(cluster: FakeCluster, body: dict[str, Any]) -> None:
    answer = ask(cluster, "PATCH", WEB, body, fieldValidation="Strict")
    assert answer.status == 422
    assert "strict decoding error: unknown field" in answer.json["message"]
    assert ask(cluster, "PATCH", WEB, body, fieldValidation="Perhaps").status == 422
    assert ask(cluster, "PATCH", WEB, body).status == 200


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        (WEB.replace("deployments", "statefulsets"), {"spec": {"serviceName": "other"}}, "updates to statefulset spec"),
        (WEB, {"spec": {"selector": {"matchLabels": {"app": "x"}}}}, "field is immutable"),
        (WEB, {"spec": {"minReadySeconds": -1}}, "must be greater than or equal to 0"),
        (WEB, {"metadata": {"uid": "other"}}, "metadata.uid"),
    ],
    ids=["service name", "selector", "negative", "uid"],
)  # fmt: skip
def test_rules_of_kinds(cluster: FakeCluster, path: str, body: dict[str, Any], said: str) -> None:
    answer = ask(cluster, "PATCH", path, body)
    assert answer.status == 422
    assert said in answer.json["message"]


def test_a_pod_changes_its_image_and_little_else(cluster: FakeCluster) -> None:
    path = f"{PODS}/{cluster.list('Pod', 'shop')[0]['metadata']['name']}"
    images = {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}
    strategic = "application/strategic-merge-patch+json"
    assert ask(cluster, "PATCH", path, images, strategic).status == 200
    answer = ask(cluster, "PATCH", path, {"spec": {"hostNetwork": True}})
    assert (answer.status, "may not change fields" in answer.json["message"]) == (422, True)


def test_several_faults_are_told_at_once(cluster: FakeCluster) -> None:
    answer = ask(cluster, "PATCH", WEB, {"spec": {"replicas": -1, "minReadySeconds": -2}})
    assert [cause["field"] for cause in answer.json["details"]["causes"]] == ["spec.replicas", "spec.minReadySeconds"]


# scale --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "status"),
    [({"spec": {"replicas": -1}}, 422), ({"spec": {"replicas": "x"}}, 422), ({"metadata": {"uid": "other"}}, 409),
     ({"metadata": {"resourceVersion": "1"}}, 409)],
    ids=["negative", "word", "uid", "stale"],
)  # fmt: skip
def test_a_scale_that_is_refused(cluster: FakeCluster, body: dict[str, Any], status: int) -> None:
    assert ask(cluster, "PATCH", f"{WEB}/scale", body).status == status
    assert (cluster.get("Deployment", "shop", "web") or {})["spec"]["replicas"] == 2


def test_a_scale_may_be_replaced_wholly(cluster: FakeCluster) -> None:
    scale = ask(cluster, "GET", f"{WEB}/scale").json
    scale["spec"]["replicas"] = 4
    assert ask(cluster, "PUT", f"{WEB}/scale", scale, JSON).json["spec"]["replicas"] == 4
    assert ask(cluster, "PUT", f"{WEB}/scale", [], JSON).status == 400
    assert ask(cluster, "DELETE", f"{WEB}/scale").status == 405


# deleting -----------------------------------------------------------------------------------------------------------


def test_orphans_live_on(cluster: FakeCluster) -> None:
    (rs,) = cluster.list("ReplicaSet")
    assert ask(cluster, "DELETE", WEB, {"propagationPolicy": "Orphan"}, JSON).status == 200
    cluster.run(3)
    left = cluster.get("ReplicaSet", "shop", rs["metadata"]["name"]) or {}
    assert not left["metadata"].get("ownerReferences")
    assert len([pod for pod in cluster.list("Pod", "shop") if pod["metadata"]["name"].startswith("web-")]) >= 2


@pytest.mark.parametrize(
    ("body", "status"),
    [({"propagationPolicy": "Sideways"}, 422), ({"preconditions": {"resourceVersion": "1"}}, 409), ([], 400)],
    ids=["policy", "version", "a list"],
)  # fmt: skip
def test_a_delete_that_is_refused(cluster: FakeCluster, body: Any, status: int) -> None:
    assert ask(cluster, "DELETE", WEB, body, JSON).status == status
    assert cluster.get("Deployment", "shop", "web") is not None


def test_a_pod_on_a_node_ends_in_its_own_time_unless_told(cluster: FakeCluster) -> None:
    first, second = (pod["metadata"]["name"] for pod in cluster.list("Pod", "shop")[:2])
    assert ask(cluster, "DELETE", f"{PODS}/{first}").json["metadata"]["deletionGracePeriodSeconds"] == 30
    assert cluster.get("Pod", "shop", first) is not None
    assert ask(cluster, "DELETE", f"{PODS}/{second}", {"gracePeriodSeconds": 0}, JSON).status == 200
    assert cluster.get("Pod", "shop", second) is None


# evictions ----------------------------------------------------------------------------------------------------------


def budget(name: str, **spec: Any) -> dict[str, Any]:
    return {"kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec}}  # fmt: skip


def evict(cluster: FakeCluster, **more: Any) -> Response:
    name = cluster.list("Pod", "shop")[0]["metadata"]["name"]
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, **more}
    return ask(cluster, "POST", f"{PODS}/{name}/eviction", body, JSON)


def test_two_budgets_are_one_too_many(cluster: FakeCluster) -> None:
    for name in ("a", "b"):
        cluster.add(budget(name, minAvailable=1))
    cluster.run(2)
    answer = evict(cluster)
    assert (answer.status, "more than one PodDisruptionBudget" in answer.json["message"]) == (500, True)


def test_a_budget_that_nobody_has_looked_at_yet_holds_pods_back(cluster: FakeCluster) -> None:
    cluster.add(budget("a", minAvailable=0))
    answer = evict(cluster)
    assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    cluster.run(2)
    assert evict(cluster).status == 201


def test_an_eviction_of_another_version_or_another_pod(cluster: FakeCluster) -> None:
    assert evict(cluster, apiVersion="policy/v1beta1").status == 400
    assert evict(cluster, deleteOptions={"preconditions": {"uid": "other"}}).status == 409
    assert evict(cluster, deleteOptions={"dryRun": ["All"]}).status == 201
    assert len(cluster.list("Pod", "shop")) == 4


# selectors as objects hold them -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        (None, False), ({}, True), ({"matchLabels": {"a": "1"}}, True), ({"matchLabels": {"a": "2"}}, False),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, False),
        ({"matchExpressions": [{"key": "z", "operator": "NotIn", "values": ["1"]}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, False),
        ({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "z", "operator": "Exists"}]}, False),
    ],
    ids=["none", "empty", "equal", "unequal", "in", "not in", "absent not in", "exists", "does not exist", "both"],
)  # fmt: skip
def test_matches(selector: Any, want: bool) -> None:
    assert matches(selector, {"a": "1"}) is want


@pytest.mark.parametrize(
    ("query", "names"),
    [("involvedObject.kind=Deployment", {"web"}), ("source=kubelet,reason=Started", None), ("reason!=Started", None)],
    ids=["kind", "source", "not"],
)
def test_events_by_field(cluster: FakeCluster, query: str, names: set[str] | None) -> None:
    found = ask(cluster, "GET", "/api/v1/namespaces/shop/events", fieldSelector=query).json["items"]
    assert found
    assert names is None or {item["involvedObject"]["name"] for item in found} == names


def test_what_breaks_inside_is_a_500_and_the_server_lives_on(cluster: FakeCluster) -> None:
    cluster.add({"kind": "Deployment", "metadata": {"name": "odd", "namespace": "shop"}, "spec": 5}, odd=True)
    assert ask(cluster, "GET", WEB.replace("web", "odd") + "/scale").status == 500
    assert ask(cluster, "GET", WEB).status == 200
