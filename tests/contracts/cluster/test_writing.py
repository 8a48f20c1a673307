"""What every API server promises of writes: locks, patches, dry runs, generations, and refusals that change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    JSON_PATCH,
    MERGE,
    PODS,
    STRATEGIC,
    Ground,
    at_rest,
    deployment,
    paused,
    pod,
)  # fmt: skip

WEB = f"{DEPLOYMENTS}/web"


def lock(obj: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"uid": obj["metadata"]["uid"], "resourceVersion": obj["metadata"]["resourceVersion"], **more}


# creating -----------------------------------------------------------------------------------------------------------


def test_the_same_name_twice_is_a_conflict(ground: Ground, web: dict[str, Any]) -> None:
    reply = ground.ask("POST", DEPLOYMENTS, deployment())
    assert (reply.status, (reply.parsed() or {})["reason"]) == (409, "AlreadyExists")


def test_a_generated_name_is_told(ground: Ground) -> None:
    made = ground.good("POST", CONFIG_MAPS, {"metadata": {"generateName": "run-"}, "data": {"a": "1"}})
    assert made["metadata"]["name"].startswith("run-")
    assert len(made["metadata"]["name"]) == 9


def broken(**spec: Any) -> dict[str, Any]:
    made = deployment()
    made["spec"] |= spec
    return made


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (broken(replicas=-1), 422), (broken(replicas="two"), 400), (broken(selector=None), 422),
        (broken(selector={"matchLabels": {"app": "other"}}), 422), (broken(template={}), 422),
        ({**deployment(), "metadata": {"name": "Not_A_Name"}}, 422),
        ({**deployment(), "metadata": {"name": "web", "namespace": "default"}}, 400),
        ({**deployment(), "metadata": {"name": "web", "resourceVersion": "5"}}, 500),
        ({**deployment(), "kind": "Pod"}, 400), ([], 400),
    ],
    ids=["negative", "text for a number", "no selector", "other labels", "no containers", "name", "other namespace",
         "a version", "other kind", "a list"],
)  # fmt: skip
def test_what_is_wrong_is_not_created(ground: Ground, body: Any, status: int) -> None:
    assert ground.ask("POST", DEPLOYMENTS, body).status == status
    assert ground.ask("GET", WEB).status == 404


def test_nothing_is_created_in_a_namespace_that_is_not_there(ground: Ground) -> None:
    reply = ground.ask("POST", "/apis/apps/v1/namespaces/nowhere/deployments", deployment())
    assert (reply.status, (reply.parsed() or {})["message"]) == (404, 'namespaces "nowhere" not found')


# three kinds of patch -----------------------------------------------------------------------------------------------


def test_a_merge_patch_sets_removes_and_replaces_lists(ground: Ground, web: dict[str, Any]) -> None:
    ground.good("PATCH", WEB, {"metadata": {"annotations": {"a": "1", "b": "2"}}}, content_type=MERGE)
    body = {"metadata": {"annotations": {"a": None}}, "spec": {"replicas": 5}}
    found = ground.good("PATCH", WEB, body, content_type=MERGE)
    assert (found["metadata"]["annotations"], found["spec"]["replicas"]) == ({"b": "2"}, 5)
    only = {"spec": {"template": {"spec": {"containers": [{"name": "other", "image": "x:1"}]}}}}
    found = ground.good("PATCH", WEB, only, content_type=MERGE)
    assert [item["name"] for item in found["spec"]["template"]["spec"]["containers"]] == ["other"]


def test_a_strategic_patch_merges_containers_by_name(ground: Ground, web: dict[str, Any]) -> None:
    body = {"spec": {"template": {"spec": {"containers": [
        {"name": "main", "image": "web:2"}, {"name": "side", "image": "side:1"}]}}}}  # fmt: skip
    containers = ground.good("PATCH", WEB, body, content_type=STRATEGIC)["spec"]["template"]["spec"]["containers"]
    assert {item["name"]: item["image"] for item in containers} == {"main": "web:2", "side": "side:1"}
    assert containers[0]["terminationMessagePath"] == "/dev/termination-log"
    gone = {"spec": {"template": {"spec": {"containers": [{"name": "side", "$patch": "delete"}]}}}}
    containers = ground.good("PATCH", WEB, gone, content_type=STRATEGIC)["spec"]["template"]["spec"]["containers"]
    assert [item["name"] for item in containers] == ["main"]


def put(replicas: int) -> dict[str, Any]:
    return {"op": "replace", "path": "/spec/replicas", "value": replicas}


def test_a_json_patch_is_done_wholly_or_not_at_all(ground: Ground, web: dict[str, Any]) -> None:
    good = [
        {"op": "test", "path": "/spec/replicas", "value": 2},
        {"op": "replace", "path": "/spec/replicas", "value": 4},
    ]
    assert ground.good("PATCH", WEB, good, content_type=JSON_PATCH)["spec"]["replicas"] == 4
    bad = [
        {"op": "replace", "path": "/spec/replicas", "value": 9},
        {"op": "test", "path": "/spec/paused", "value": False},
    ]
    reply = ground.ask("PATCH", WEB, bad, content_type=JSON_PATCH)
    assert reply.status == 422
    assert ground.good("GET", WEB)["spec"]["replicas"] == 4


@pytest.mark.parametrize("kind", ["application/json", "text/plain"], ids=["json", "text"])
def test_another_content_type_is_no_patch(ground: Ground, web: dict[str, Any], kind: str) -> None:
    body: Any = {"spec": {"replicas": 9}} if kind == "application/json" else b'{"spec": {"replicas": 9}}'
    assert ground.ask("PATCH", WEB, body, content_type=kind).status == 415
    assert ground.good("GET", WEB)["spec"]["replicas"] == 2


# the lock -----------------------------------------------------------------------------------------------------------


def test_a_stale_resource_version_is_a_conflict_and_changes_nothing(ground: Ground, web: dict[str, Any]) -> None:
    ground.good("PATCH", WEB, {"spec": {"replicas": 3}}, content_type=MERGE)
    body = {"metadata": lock(web), "spec": {"replicas": 9}}
    reply = ground.ask("PATCH", WEB, body, content_type=MERGE)
    assert (reply.status, (reply.parsed() or {})["reason"]) == (409, "Conflict")
    assert ground.good("GET", WEB)["spec"]["replicas"] == 3


def test_an_object_made_anew_is_not_the_one_that_was_meant(ground: Ground, web: dict[str, Any]) -> None:
    ground.good("DELETE", WEB)
    ground.good("POST", DEPLOYMENTS, paused())
    assert ground.ask("PATCH", WEB, {"metadata": lock(web), "spec": {"replicas": 9}}, content_type=MERGE).status == 409


def test_a_wrong_uid_is_invalid(ground: Ground, web: dict[str, Any]) -> None:
    body = {"metadata": {"uid": "00000000-0000-0000-0000-000000000000"}, "spec": {"replicas": 9}}
    reply = ground.ask("PATCH", WEB, body, content_type=MERGE)
    assert (reply.status, (reply.parsed() or {})["reason"]) == (422, "Invalid")
    assert ground.good("GET", WEB)["spec"]["replicas"] == 2


def test_an_empty_resource_version_is_no_lock_at_all(ground: Ground, web: dict[str, Any]) -> None:
    ground.good("PATCH", WEB, {"spec": {"replicas": 3}}, content_type=MERGE)
    body = {"metadata": {"resourceVersion": ""}, "spec": {"replicas": 9}}
    assert ground.good("PATCH", WEB, body, content_type=MERGE)["spec"]["replicas"] == 9


def test_a_resource_version_that_is_no_number_is_an_internal_error(ground: Ground, web: dict[str, Any]) -> None:
    assert ground.ask("PATCH", WEB, {"metadata": {"resourceVersion": "x"}}, content_type=MERGE).status == 500


def test_a_replacement_is_locked_too(ground: Ground, web: dict[str, Any]) -> None:
    ground.good("PATCH", WEB, {"spec": {"replicas": 3}}, content_type=MERGE)
    assert ground.ask("PUT", WEB, web).status == 409
    now = ground.until(WEB, at_rest)
    now["spec"]["replicas"] = 7
    assert ground.good("PUT", WEB, now)["spec"]["replicas"] == 7


# what changes and what does not -------------------------------------------------------------------------------------


def test_a_dry_run_answers_as_if_and_changes_nothing(ground: Ground, web: dict[str, Any]) -> None:
    body = {"metadata": lock(web), "spec": {"replicas": 9}}
    assert ground.good("PATCH", WEB, body, content_type=MERGE, dryRun="All")["spec"]["replicas"] == 9
    assert ground.good("GET", WEB) == web
    assert ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "dry"}}, dryRun="All")["metadata"]["uid"]
    assert ground.ask("GET", f"{CONFIG_MAPS}/dry").status == 404
    ground.good("DELETE", WEB, dryRun="All")
    assert ground.good("GET", WEB) == web


def test_a_dry_run_is_refused_for_what_a_real_one_would_be(ground: Ground, web: dict[str, Any]) -> None:
    assert ground.ask("PATCH", WEB, {"spec": {"replicas": -1}}, content_type=MERGE, dryRun="All").status == 422
    stale = {"metadata": {"resourceVersion": "1"}}
    assert ground.ask("PATCH", WEB, stale, content_type=MERGE, dryRun="All").status == 409
    assert ground.ask("PATCH", WEB, {}, content_type=MERGE, dryRun="Some").status == 422


def test_a_patch_that_changes_nothing_keeps_the_version(ground: Ground, web: dict[str, Any]) -> None:
    found = ground.good("PATCH", WEB, {"spec": {"replicas": 2}}, content_type=MERGE)
    assert found["metadata"]["resourceVersion"] == web["metadata"]["resourceVersion"]


def test_the_annotation_and_the_replicas_go_in_one_patch(ground: Ground, web: dict[str, Any]) -> None:
    body = {"metadata": lock(web, annotations={"action": "a-1"}), "spec": {"replicas": 4}}
    found = ground.good("PATCH", WEB, body, content_type=MERGE)
    assert (found["metadata"]["annotations"]["action"], found["spec"]["replicas"]) == ("a-1", 4)
    assert int(found["metadata"]["resourceVersion"]) > int(web["metadata"]["resourceVersion"])


@pytest.mark.parametrize(
    ("body", "rises"),
    [
        ({"spec": {"replicas": 3}}, True), ({"metadata": {"annotations": {"a": "1"}}}, True),
        ({"metadata": {"labels": {"a": "1"}}}, False), ({"status": {"replicas": 9}}, False),
    ],
    ids=["spec", "annotation", "label", "status"],
)  # fmt: skip
def test_what_raises_the_generation_of_a_deployment(
    ground: Ground, web: dict[str, Any], body: dict[str, Any], rises: bool
) -> None:
    found = ground.good("PATCH", WEB, body, content_type=MERGE)
    assert found["metadata"]["generation"] == 1 + rises
    assert (found.get("status") or {}).get("replicas") in (None, 0)


def test_status_is_written_at_its_own_place_and_leaves_the_spec_alone(ground: Ground, web: dict[str, Any]) -> None:
    body = {"metadata": {"labels": {"x": "y"}}, "spec": {"replicas": 9}, "status": {"collisionCount": 3}}
    found = ground.good("PATCH", f"{WEB}/status", body, content_type=MERGE)
    assert (found["status"]["collisionCount"], found["spec"], found["metadata"]["generation"]) == (3, web["spec"], 1)
    assert "x" not in (found["metadata"].get("labels") or {})


def test_the_status_of_a_pod_takes_labels_along(ground: Ground) -> None:
    ground.good("POST", PODS, pod("a", schedulerName="nobody"))
    body = {"metadata": {"labels": {"x": "y"}}, "status": {"message": "hello"}}
    found = ground.good("PATCH", f"{PODS}/a/status", body, content_type=MERGE)
    assert (found["status"]["message"], found["metadata"]["labels"]) == ("hello", {"x": "y"})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"spec": {"replicas": -1}}, 422), ({"spec": {"replicas": "two"}}, 422),
        ({"spec": {"selector": {"matchLabels": {"app": "x"}}}}, 422), ({"metadata": {"name": "other"}}, 400),
        ([], 400),
    ],
    ids=["negative", "text for a number", "immutable", "other name", "a list"],
)  # fmt: skip
def test_a_patch_that_would_spoil_the_object_is_refused(
    ground: Ground, web: dict[str, Any], body: Any, status: int
) -> None:
    assert ground.ask("PATCH", WEB, body, content_type=MERGE).status == status
    assert ground.good("GET", WEB) == web


def test_an_unknown_field_is_dropped_or_refused_as_asked(ground: Ground, web: dict[str, Any]) -> None:
    body = {"spec": {"replicsa": 9}}
    reply = ground.ask("PATCH", WEB, body, content_type=MERGE, fieldValidation="Strict")
    assert reply.status == 422
    assert b'unknown field \\"spec.replicsa\\"' in reply.body
    found = ground.good("PATCH", WEB, body, content_type=MERGE)
    assert "replicsa" not in found["spec"]
    assert found["metadata"]["resourceVersion"] == web["metadata"]["resourceVersion"]


def test_the_scale_subresource_counts_replicas_alone_and_drops_annotations(ground: Ground, web: dict[str, Any]) -> None:
    body = {"metadata": {"annotations": {"action": "a-1"}}, "spec": {"replicas": 6}}
    scale = ground.good("PATCH", f"{WEB}/scale", body, content_type=MERGE)
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 6)
    found = ground.good("GET", WEB)
    assert found["spec"]["replicas"] == 6
    assert "action" not in found["metadata"].get("annotations", {})


def test_scale_is_locked_and_runs_dry_too(ground: Ground, web: dict[str, Any]) -> None:
    stale = {"metadata": {"resourceVersion": "1"}, "spec": {"replicas": 6}}
    assert ground.ask("PATCH", f"{WEB}/scale", stale, content_type=MERGE).status == 409
    ground.good("PATCH", f"{WEB}/scale", {"spec": {"replicas": 6}}, content_type=MERGE, dryRun="All")
    assert ground.good("GET", f"{WEB}/scale")["spec"]["replicas"] == 2


# deleting -----------------------------------------------------------------------------------------------------------


def test_a_delete_may_be_bound_to_a_uid(ground: Ground, web: dict[str, Any]) -> None:
    wrong = {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}
    assert ground.ask("DELETE", WEB, wrong).status == 409
    assert ground.good("GET", WEB) == web
    ground.good("DELETE", WEB, {"preconditions": {"uid": web["metadata"]["uid"]}})
    assert ground.ask("GET", WEB).status == 404
    assert ground.ask("DELETE", WEB).status == 404


def test_an_object_with_a_finalizer_stays_until_it_is_off(ground: Ground) -> None:
    where = f"{CONFIG_MAPS}/held"
    ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    ground.good("DELETE", where)
    assert ground.good("GET", where)["metadata"]["deletionTimestamp"]
    ground.good("PATCH", where, {"metadata": {"finalizers": None}}, content_type=MERGE)
    assert ground.ask("GET", where).status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", DEPLOYMENTS), ("POST", WEB), ("POST", "/apis/apps/v1/deployments")],
    ids=["patch of a list", "create at a name", "create without a namespace"],
)  # fmt: skip
def test_a_method_that_makes_no_sense_is_not_allowed(
    ground: Ground, web: dict[str, Any], method: str, path: str
) -> None:
    reply = ground.ask(method, path, {}, content_type=MERGE if method == "PATCH" else "application/json")
    assert (reply.status, (reply.parsed() or {})["reason"]) == (405, "MethodNotAllowed")
