"""What every cluster promises of its workloads: rollouts, revisions, status that lags, and who holds pods back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import DEPLOYMENTS, EVENTS, MERGE, PODS, Ground, deployment

WEB = f"{DEPLOYMENTS}/web"
SETS = "/apis/apps/v1/namespaces/{ns}/replicasets"
BUDGETS = "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets"


def is_done(found: dict[str, Any]) -> bool:
    status, wanted = found.get("status") or {}, found["spec"]["replicas"]
    seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
    return seen and counts == [wanted] * 3


@pytest.fixture
def running(ground: Ground) -> dict[str, Any]:
    ground.good("POST", DEPLOYMENTS, deployment(replicas=3))
    return ground.until(WEB, is_done)


def pods(ground: Ground) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ground.good("GET", PODS, labelSelector="app=web")["items"]
    return found


def test_a_deployment_runs_ready_pods_under_a_replica_set(ground: Ground, running: dict[str, Any]) -> None:
    (rs,) = ground.good("GET", SETS)["items"]
    assert rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "1"
    assert rs["metadata"]["ownerReferences"][0]["uid"] == running["metadata"]["uid"]
    for pod in pods(ground):
        assert pod["metadata"]["ownerReferences"][0]["uid"] == rs["metadata"]["uid"]
        assert pod["metadata"]["labels"]["pod-template-hash"] == rs["metadata"]["labels"]["pod-template-hash"]
        assert pod["status"]["phase"] == "Running"
        ready = next(item for item in pod["status"]["conditions"] if item["type"] == "Ready")
        assert ready["status"] == "True"


def test_right_after_a_patch_the_status_speaks_of_what_was_before(ground: Ground, running: dict[str, Any]) -> None:
    found = ground.good("PATCH", WEB, {"spec": {"replicas": 5}}, content_type=MERGE)
    assert found["status"]["observedGeneration"] < found["metadata"]["generation"]
    assert found["status"]["readyReplicas"] == found["status"]["updatedReplicas"] == 3
    ground.until(WEB, is_done)
    assert len(pods(ground)) == 5


def test_scaling_down_to_none_ends_all_pods(ground: Ground, running: dict[str, Any]) -> None:
    ground.good("PATCH", WEB, {"spec": {"replicas": 0}}, content_type=MERGE)
    ground.until(WEB, is_done)
    ground.until(PODS, lambda found: not found["items"])


def test_a_new_template_rolls_over_and_keeps_the_old_revision(ground: Ground, running: dict[str, Any]) -> None:
    before = {pod["metadata"]["uid"] for pod in pods(ground)}
    mark = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}}}
    ground.good("PATCH", WEB, {"spec": {"template": mark}}, content_type=MERGE)
    done = ground.until(WEB, is_done)
    assert done["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"
    ground.until(PODS, lambda found: not before & {pod["metadata"]["uid"] for pod in found["items"]})
    sizes = {
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: rs["spec"]["replicas"]
        for rs in ground.good("GET", SETS)["items"]
    }
    assert sizes == {"1": 0, "2": 3}


def test_a_rollout_never_goes_below_what_may_be_missed(ground: Ground, running: dict[str, Any]) -> None:
    body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:2"}]}}}}
    ground.good("PATCH", WEB, body, content_type=MERGE)
    available, total = [], []
    for _ in range(60):
        found = ground.good("GET", WEB)
        available.append(found["status"].get("availableReplicas", 0))
        total.append(found["status"].get("replicas", 0))
        if is_done(found):
            break
        ground.step()
    assert is_done(found)
    assert min(available) >= 3  # 25 % of 3, rounded down, is none
    assert max(total) == 4  # 25 % of 3, rounded up, is one


def test_going_back_to_the_old_template_takes_the_old_replica_set_up_again(
    ground: Ground, running: dict[str, Any]
) -> None:
    for image in ("web:2", "web:1"):
        body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}
        ground.good("PATCH", WEB, body, content_type="application/strategic-merge-patch+json")
        ground.until(WEB, is_done)
    revisions = {
        rs["metadata"]["annotations"]["deployment.kubernetes.io/revision"]: rs["spec"]["replicas"]
        for rs in ground.good("GET", SETS)["items"]
    }
    assert revisions == {"2": 0, "3": 3}


def test_a_deleted_pod_is_replaced_by_another(ground: Ground, running: dict[str, Any]) -> None:
    victim = pods(ground)[0]["metadata"]
    ground.good("DELETE", f"{PODS}/{victim['name']}", {"preconditions": {"uid": victim["uid"]}})
    ground.step()
    ground.until(WEB, is_done)
    ground.until(PODS, lambda found: len(found["items"]) == 3)
    assert victim["uid"] not in {pod["metadata"]["uid"] for pod in pods(ground)}


def test_controllers_tell_of_what_they_do_in_events(ground: Ground, running: dict[str, Any]) -> None:
    selector = f"involvedObject.kind=Deployment,involvedObject.name=web,involvedObject.uid={running['metadata']['uid']}"
    expected = {"ScalingReplicaSet", "SuccessfulCreate", "Scheduled"}  # they come a moment after what they tell of
    ground.until(EVENTS, lambda found: expected <= {item["reason"] for item in found["items"]})
    (event,) = ground.good("GET", EVENTS, fieldSelector=selector)["items"]
    assert (event["type"], event["reason"]) == ("Normal", "ScalingReplicaSet")
    assert event["message"].startswith("Scaled up replica set web-")
    assert event["source"]["component"] == "deployment-controller"
    assert ground.good("GET", EVENTS, fieldSelector="type=Warning")["items"] == []


def test_an_event_can_be_written_down(ground: Ground, running: dict[str, Any]) -> None:
    body = {
        "metadata": {"name": "web.1"}, "reason": "Seen", "message": "hello", "type": "Warning",
        "involvedObject": {"kind": "Deployment", "name": "web", "namespace": ground.namespace},
    }  # fmt: skip
    ground.good("POST", EVENTS, body)
    (found,) = ground.good("GET", EVENTS, fieldSelector="type=Warning,reason=Seen")["items"]
    assert found["message"] == "hello"


def eviction(name: str) -> dict[str, Any]:
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}


def test_an_eviction_is_refused_where_a_budget_allows_none(ground: Ground, running: dict[str, Any]) -> None:
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "web"}}}}
    ground.good("POST", BUDGETS, budget)
    ground.until(f"{BUDGETS}/web", lambda found: (found.get("status") or {}).get("currentHealthy") == 3)
    name = pods(ground)[0]["metadata"]["name"]
    reply = ground.ask("POST", f"{PODS}/{name}/eviction", eviction(name))
    found = reply.parsed() or {}
    assert (reply.status, found["reason"]) == (429, "TooManyRequests")
    assert found["details"]["causes"][0]["reason"] == "DisruptionBudget"
    assert "needs 3 healthy pods and has 3 currently" in found["details"]["causes"][0]["message"]
    assert name in {pod["metadata"]["name"] for pod in pods(ground)}


def test_an_eviction_within_the_budget_takes_the_pod_and_spends_it(ground: Ground, running: dict[str, Any]) -> None:
    budget = {"metadata": {"name": "web"}, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    ground.good("POST", BUDGETS, budget)
    ground.until(f"{BUDGETS}/web", lambda found: (found.get("status") or {}).get("disruptionsAllowed") == 1)
    first, second = (pod["metadata"]["name"] for pod in pods(ground)[:2])
    ground.good("POST", f"{PODS}/{first}/eviction", eviction(first), dryRun="All")
    ground.good("POST", f"{PODS}/{first}/eviction", eviction(first))
    assert ground.ask("POST", f"{PODS}/{second}/eviction", eviction(second)).status == 429
    assert ground.good("GET", f"{PODS}/{first}")["metadata"]["deletionTimestamp"]
