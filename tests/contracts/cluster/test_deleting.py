"""What every cluster promises of deletes: what goes at once, what waits, and what becomes of that which is below."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import CONFIG_MAPS, DEPLOYMENTS, MERGE, PODS, Ground, deployment, pod

WEB = f"{DEPLOYMENTS}/web"
SETS = "/apis/apps/v1/namespaces/{ns}/replicasets"
JOBS = "/apis/batch/v1/namespaces/{ns}/jobs"


@pytest.fixture
def web(ground: Ground) -> dict[str, Any]:
    ground.good("POST", DEPLOYMENTS, deployment())
    return ground.until(WEB, lambda found: (found.get("status") or {}).get("readyReplicas") == 2)


def gone(found: dict[str, Any]) -> bool:
    return not found["items"]


def test_a_delete_is_answered_with_who_went(ground: Ground) -> None:
    made = ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "a"}})
    found = ground.good("DELETE", f"{CONFIG_MAPS}/a")
    assert (found["kind"], found["status"]) == ("Status", "Success")
    assert found["details"] == {"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}


@pytest.mark.parametrize("policy", [{}, {"propagationPolicy": "Background"}], ids=["no policy", "background"])
def test_what_is_below_goes_later(ground: Ground, web: dict[str, Any], policy: dict[str, str]) -> None:
    found = ground.good("DELETE", WEB, policy or None)
    assert found["details"] == {"name": "web", "group": "apps", "kind": "deployments", "uid": web["metadata"]["uid"]}
    assert ground.ask("GET", WEB).status == 404
    ground.until(SETS, gone)
    ground.until(PODS, gone)


def test_in_the_foreground_the_owner_waits_for_what_is_below(ground: Ground, web: dict[str, Any]) -> None:
    found = ground.good("DELETE", WEB, {"propagationPolicy": "Foreground"})["metadata"]
    assert (found["finalizers"], found["generation"]) == (["foregroundDeletion"], web["metadata"]["generation"] + 1)
    assert found["deletionTimestamp"]
    assert found["deletionGracePeriodSeconds"] == 0
    ground.until(DEPLOYMENTS, gone)
    assert gone(ground.good("GET", SETS))
    ground.until(PODS, gone)


def test_orphans_live_on_without_an_owner(ground: Ground, web: dict[str, Any]) -> None:
    found = ground.good("DELETE", WEB, {"propagationPolicy": "Orphan"})
    assert found["metadata"]["finalizers"] == ["orphan"]
    ground.until(DEPLOYMENTS, gone)
    (rs,) = ground.good("GET", SETS)["items"]
    assert "ownerReferences" not in rs["metadata"]
    assert len(ground.good("GET", PODS)["items"]) == 2


def test_a_job_leaves_its_pods_behind_where_nothing_else_is_asked(ground: Ground) -> None:
    template = {"spec": {"restartPolicy": "Never", "schedulerName": "nobody",
                         "containers": [{"name": "main", "image": "x:1"}]}}  # fmt: skip
    ground.good("POST", JOBS, {"metadata": {"name": "once"}, "spec": {"template": template}})
    ground.until(PODS, lambda found: len(found["items"]) == 1)
    assert ground.good("DELETE", f"{JOBS}/once")["metadata"]["finalizers"] == ["orphan"]
    ground.until(JOBS, gone)
    (left,) = ground.good("GET", PODS)["items"]
    assert "ownerReferences" not in left["metadata"]


def test_a_policy_that_is_none_is_refused(ground: Ground) -> None:
    ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "a"}})
    found = ground.refused("DELETE", f"{CONFIG_MAPS}/a", {"propagationPolicy": "Sideways"})
    assert (found["code"], found["reason"]) == (422, "Invalid")
    assert found["message"].startswith('DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: ')
    assert ground.ask("GET", f"{CONFIG_MAPS}/a").status == 200


def test_a_pod_on_a_node_gets_time_to_end(ground: Ground) -> None:
    ground.good("POST", PODS, pod("a"))
    ground.until(f"{PODS}/a", lambda found: found["status"]["phase"] == "Running")
    found = ground.good("DELETE", f"{PODS}/a")
    assert (found["kind"], found["metadata"]["deletionGracePeriodSeconds"]) == ("Pod", 30)
    assert found["metadata"]["generation"] == 2
    ground.until(PODS, gone)


def test_a_pod_without_a_node_or_without_grace_goes_at_once(ground: Ground) -> None:
    ground.good("POST", PODS, pod("a", schedulerName="nobody"))
    ground.good("DELETE", f"{PODS}/a")
    assert ground.ask("GET", f"{PODS}/a").status == 404
    ground.good("POST", PODS, pod("b"))
    ground.until(f"{PODS}/b", lambda found: found["status"]["phase"] == "Running")
    ground.good("DELETE", f"{PODS}/b", {"gracePeriodSeconds": 0})
    assert ground.ask("GET", f"{PODS}/b").status == 404


def test_what_is_on_its_way_out_stays_on_it(ground: Ground) -> None:
    where = f"{CONFIG_MAPS}/held"
    ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}})
    first = ground.good("DELETE", where)["metadata"]["deletionTimestamp"]
    assert ground.good("DELETE", where)["metadata"]["deletionTimestamp"] == first
    assert ground.good("PATCH", where, {"data": {"a": "1"}}, content_type=MERGE)["data"] == {"a": "1"}
    ground.good("PATCH", where, {"metadata": {"finalizers": None}}, content_type=MERGE)
    assert ground.ask("GET", where).status == 404
