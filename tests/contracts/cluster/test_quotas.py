"""What every cluster promises of quotas: what is used of them, and refusals that say what, how much and of how much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import CONFIG_MAPS, DEPLOYMENTS, EVENTS, PODS, Ground, deployment

QUOTAS = "/api/v1/namespaces/{ns}/resourcequotas"
SETS = "/apis/apps/v1/namespaces/{ns}/replicasets"
FEW = f"{QUOTAS}/few"


def sized(name: str, limits: dict[str, str] | None = None, **requests: str) -> dict[str, Any]:
    resources = {"requests": requests, "limits": limits or {}}
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"schedulerName": "nobody",
                 "containers": [{"name": "main", "image": "x:1", "resources": resources}]},
    }  # fmt: skip


def limit(ground: Ground, **hard: str) -> None:
    """A quota, in force."""
    given = {name.replace("_", ".").replace("count.", "count/"): value for name, value in hard.items()}
    ground.good("POST", QUOTAS, {"metadata": {"name": "few"}, "spec": {"hard": given}})
    ground.until(FEW, lambda found: "used" in (found.get("status") or {}))


def used(ground: Ground) -> dict[str, str]:
    found: dict[str, str] = ground.good("GET", FEW)["status"]["used"]
    return found


def refused(ground: Ground, body: dict[str, Any], path: str = PODS) -> str:
    found = ground.refused("POST", path, body)
    assert (found["code"], found["reason"]) == (403, "Forbidden")
    assert found["details"]["name"] == body["metadata"]["name"]
    return str(found["message"])


def test_what_is_made_is_counted_and_what_is_gone_is_not(ground: Ground) -> None:
    limit(ground, pods="4", requests_cpu="1", limits_memory="1Gi")
    assert used(ground) == {"pods": "0", "requests.cpu": "0", "limits.memory": "0"}
    ground.good("POST", PODS, sized("a", {"memory": "512Mi"}, cpu="0.3"))
    assert used(ground) == {"pods": "1", "requests.cpu": "300m", "limits.memory": "512Mi"}
    ground.good("POST", PODS, sized("b", {"memory": "256Mi"}, cpu="700m"))
    assert used(ground) == {"pods": "2", "requests.cpu": "1", "limits.memory": "768Mi"}
    ground.good("DELETE", f"{PODS}/a")
    ground.until(FEW, lambda found: found["status"]["used"]["pods"] == "1")
    assert used(ground) == {"pods": "1", "requests.cpu": "700m", "limits.memory": "256Mi"}


def test_one_too_many_is_refused(ground: Ground) -> None:
    limit(ground, pods="1")
    ground.good("POST", PODS, sized("a"))
    assert refused(ground, sized("b")) == (
        'pods "b" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1'
    )
    assert ground.ask("GET", f"{PODS}/b").status == 404
    assert used(ground) == {"pods": "1"}


def test_too_much_is_refused_and_only_that_is_told(ground: Ground) -> None:
    limit(ground, pods="9", requests_cpu="1", limits_memory="1Gi")
    ground.good("POST", PODS, sized("a", {"memory": "512Mi"}, cpu="0.3"))
    assert refused(ground, sized("b", {"memory": "700Mi"}, cpu="1500m")) == (
        'pods "b" is forbidden: exceeded quota: few, requested: limits.memory=700Mi,requests.cpu=1500m, '
        "used: limits.memory=512Mi,requests.cpu=300m, limited: limits.memory=1Gi,requests.cpu=1"
    )
    assert refused(ground, sized("b", {"memory": "1Mi", "cpu": "2"})) == (
        'pods "b" is forbidden: exceeded quota: few, requested: requests.cpu=2, used: requests.cpu=300m, '
        "limited: requests.cpu=1"
    )


@pytest.mark.parametrize(
    ("pod", "missing"),
    [(sized("a"), "limits.memory for: main; requests.cpu for: main"), (sized("a", cpu="1"), "limits.memory for: main"),
     (sized("a", {"memory": "1Mi"}), "requests.cpu for: main")],
    ids=["neither", "no memory", "no cpu"],
)  # fmt: skip
def test_a_quota_on_cpu_or_memory_wants_them_stated(ground: Ground, pod: dict[str, Any], missing: str) -> None:
    limit(ground, requests_cpu="1", limits_memory="1Gi")
    assert refused(ground, pod) == f'pods "a" is forbidden: failed quota: few: must specify {missing}'


def test_objects_are_counted_too(ground: Ground) -> None:
    there = len(ground.good("GET", CONFIG_MAPS)["items"])
    limit(ground, count_configmaps=str(there + 1))
    ground.good("POST", CONFIG_MAPS, {"metadata": {"name": "a"}})
    said = f"requested: count/configmaps=1, used: count/configmaps={there + 1}, limited: count/configmaps={there + 1}"
    found = refused(ground, {"metadata": {"name": "b"}}, CONFIG_MAPS)
    assert found == f'configmaps "b" is forbidden: exceeded quota: few, {said}'


def test_a_dry_run_is_refused_too_and_uses_nothing(ground: Ground) -> None:
    limit(ground, pods="1")
    ground.good("POST", PODS, sized("a"), dryRun="All")
    assert used(ground) == {"pods": "0"}
    ground.good("POST", PODS, sized("a"))
    assert ground.refused("POST", PODS, sized("b"), dryRun="All")["code"] == 403


def test_a_workload_that_is_refused_its_pods_says_why(ground: Ground) -> None:
    limit(ground, pods="1")
    ground.good("POST", DEPLOYMENTS, deployment(replicas=3))

    def failing(found: dict[str, Any]) -> bool:
        said = (found.get("status") or {}).get("conditions") or []
        return any(item["type"] == "ReplicaFailure" for item in said) and found["status"].get("replicas") == 1

    found = ground.until(f"{DEPLOYMENTS}/web", failing)
    (why,) = [item for item in found["status"]["conditions"] if item["type"] == "ReplicaFailure"]
    assert (why["status"], why["reason"]) == ("True", "FailedCreate")
    said = "is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
    assert why["message"].startswith('pods "web-')
    assert why["message"].endswith(said)
    (rs,) = ground.good("GET", SETS)["items"]
    assert rs["status"]["conditions"][0]["message"] == why["message"]
    assert found["status"]["unavailableReplicas"] >= 2
    told = ground.good("GET", EVENTS, fieldSelector="type=Warning,reason=FailedCreate")["items"]
    assert {item["involvedObject"]["kind"] for item in told} == {"ReplicaSet"}
    assert {item["source"]["component"] for item in told} == {"replicaset-controller"}
    assert told[0]["message"].startswith('Error creating: pods "web-')
    assert told[0]["message"].endswith(said)


def test_when_there_is_room_again_the_pods_come(ground: Ground) -> None:
    limit(ground, pods="1")
    ground.good("POST", DEPLOYMENTS, deployment(replicas=2))
    ground.until(f"{DEPLOYMENTS}/web", lambda found: (found.get("status") or {}).get("replicas") == 1)
    ground.good("DELETE", FEW)
    # A real controller tries again after a while that grows with each failure; a change makes it try at once.
    body = {"metadata": {"labels": {"again": "yes"}}}
    ground.good("PATCH", f"{DEPLOYMENTS}/web", body, content_type="application/merge-patch+json")
    found = ground.until(f"{DEPLOYMENTS}/web", lambda found: found["status"].get("readyReplicas") == 2)
    assert "ReplicaFailure" not in {item["type"] for item in found["status"]["conditions"]}


@pytest.mark.parametrize(
    ("amount", "status", "said"),
    [("x", 400, "quantities must match the regular expression"),
     ("-1", 422, 'spec.hard[pods]: Invalid value: "-1": must be greater than or equal to 0')],
    ids=["no amount", "less than none"],
)  # fmt: skip
def test_a_quota_that_cannot_be_is_refused(ground: Ground, amount: str, status: int, said: str) -> None:
    found = ground.refused("POST", QUOTAS, {"metadata": {"name": "few"}, "spec": {"hard": {"pods": amount}}})
    assert (found["code"], said in found["message"]) == (status, True)
