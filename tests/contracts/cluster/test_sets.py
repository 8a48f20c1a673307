"""What every cluster promises of StatefulSets: an order, a name that stays, revisions, and scaling like any other."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import EVENTS, MERGE, PODS, STRATEGIC, Ground, deployment

SETS = "/apis/apps/v1/namespaces/{ns}/statefulsets"
DB = f"{SETS}/db"


def stateful(replicas: int = 2) -> dict[str, Any]:
    made = deployment("db", replicas, serviceName="db")
    return {**made, "kind": "StatefulSet"}


def is_done(found: dict[str, Any]) -> bool:
    status, wanted = found.get("status") or {}, found["spec"]["replicas"]
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("replicas", "readyReplicas", "updatedReplicas")]
    return seen and counts == [wanted] * 3 and status["currentRevision"] == status["updateRevision"]


@pytest.fixture
def running(ground: Ground) -> dict[str, Any]:
    ground.good("POST", SETS, stateful())
    return ground.until(DB, is_done)


def pods(ground: Ground) -> dict[str, str]:
    """The uid of each pod, by name."""
    return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in ground.good("GET", PODS)["items"]}


def test_its_pods_have_numbers_and_say_which_revision_they_are(ground: Ground, running: dict[str, Any]) -> None:
    found = {pod["metadata"]["name"]: pod["metadata"]["labels"] for pod in ground.good("GET", PODS)["items"]}
    assert sorted(found) == ["db-0", "db-1"]
    assert found["db-1"]["statefulset.kubernetes.io/pod-name"] == "db-1"
    assert found["db-1"]["apps.kubernetes.io/pod-index"] == "1"
    assert found["db-1"]["controller-revision-hash"] == running["status"]["updateRevision"]
    expected = {"Create Pod db-0 in StatefulSet db successful", "Create Pod db-1 in StatefulSet db successful"}
    ground.until(EVENTS, lambda found: expected <= {event["message"] for event in found["items"]})


def test_the_annotation_and_the_replicas_go_in_one_patch(ground: Ground, running: dict[str, Any]) -> None:
    meta = {"uid": running["metadata"]["uid"], "resourceVersion": running["metadata"]["resourceVersion"]}
    body = {"metadata": {**meta, "annotations": {"action": "a-1"}}, "spec": {"replicas": 3}}
    found = ground.good("PATCH", DB, body, content_type=MERGE, fieldValidation="Strict")
    assert (found["metadata"]["annotations"]["action"], found["spec"]["replicas"]) == ("a-1", 3)
    assert found["metadata"]["generation"] == running["metadata"]["generation"] + 1
    assert found["status"]["observedGeneration"] < found["metadata"]["generation"]
    ground.until(DB, is_done)
    assert sorted(pods(ground)) == ["db-0", "db-1", "db-2"]


def test_an_annotation_alone_is_no_new_generation(ground: Ground, running: dict[str, Any]) -> None:
    found = ground.good("PATCH", DB, {"metadata": {"annotations": {"a": "1"}}}, content_type=MERGE)
    assert found["metadata"]["generation"] == running["metadata"]["generation"]


def test_the_scale_subresource_drops_annotations(ground: Ground, running: dict[str, Any]) -> None:
    body = {"metadata": {"annotations": {"action": "a-1"}}, "spec": {"replicas": 1}}
    scale = ground.good("PATCH", f"{DB}/scale", body, content_type=MERGE)
    assert (scale["kind"], scale["spec"]["replicas"], scale["status"]["selector"]) == ("Scale", 1, "app=db")
    found = ground.until(DB, is_done)
    assert "action" not in (found["metadata"].get("annotations") or {})
    ground.until(PODS, lambda found: [pod["metadata"]["name"] for pod in found["items"]] == ["db-0"])


def restart(at: str) -> dict[str, Any]:
    mark = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}
    return {"spec": {"template": mark}}


def test_a_restart_makes_each_pod_anew_under_its_old_name(ground: Ground, running: dict[str, Any]) -> None:
    before = pods(ground)
    ground.good("PATCH", DB, restart("2026-01-01T00:00:00Z"), content_type=STRATEGIC)
    found = ground.until(DB, is_done)
    assert found["status"]["currentRevision"] != running["status"]["currentRevision"]
    after = pods(ground)
    assert sorted(after) == sorted(before)
    assert not set(after.values()) & set(before.values())


def test_its_revisions_are_kept_to_go_back_to(ground: Ground, running: dict[str, Any]) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}}}
    ground.good("PATCH", DB, body, content_type=STRATEGIC)
    ground.until(DB, is_done)
    kept = ground.good("GET", "/apis/apps/v1/namespaces/{ns}/controllerrevisions")["items"]
    images = {item["revision"]: item["data"]["spec"]["template"]["spec"]["containers"][0]["image"] for item in kept}
    assert images == {1: "web:1", 2: "web:2"}
    assert {item["metadata"]["ownerReferences"][0]["uid"] for item in kept} == {running["metadata"]["uid"]}
    (old,) = [item for item in kept if item["revision"] == 1]
    assert old["metadata"]["name"] == running["status"]["currentRevision"]
    ground.good("PATCH", DB, old["data"], content_type=STRATEGIC)
    found = ground.until(DB, is_done)
    assert found["status"]["currentRevision"] == running["status"]["currentRevision"]
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "web:1"


def test_what_cannot_be_changed_is_refused(ground: Ground, running: dict[str, Any]) -> None:
    found = ground.refused("PATCH", DB, {"spec": {"serviceName": "other"}}, content_type=MERGE)
    assert (found["code"], found["reason"]) == (422, "Invalid")
    assert found["message"].startswith('StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec')
    assert found["details"]["causes"][0]["reason"] == "FieldValueForbidden"
