"""What every API server promises of a dry run: the answer of the real one, and nothing else, whatever the verb."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.contracts.cluster.ground import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    EVENTS,
    JSON_PATCH,
    MERGE,
    PLAIN,
    PODS,
    STRATEGIC,
    Ground,
    deployment,
    pod,
)  # fmt: skip

WEB = f"{DEPLOYMENTS}/web"


def everything(ground: Ground) -> list[Any]:
    """All that could have changed in the namespace."""
    for _ in range(3):
        ground.step()
    return [ground.good("GET", path)["items"] for path in (DEPLOYMENTS, PODS, CONFIG_MAPS, EVENTS)]


@pytest.mark.parametrize(
    ("sort", "body"),
    [(MERGE, {"spec": {"replicas": 9}}), (STRATEGIC, {"spec": {"replicas": 9}}),
     (JSON_PATCH, [{"op": "replace", "path": "/spec/replicas", "value": 9}])],
    ids=["merge", "strategic", "JSON"],
)  # fmt: skip
def test_a_patch(ground: Ground, web: dict[str, Any], sort: str, body: Any) -> None:
    before = everything(ground)
    found = ground.good("PATCH", WEB, body, content_type=sort, dryRun="All")
    assert (found["spec"]["replicas"], found["metadata"]["generation"]) == (9, 2)
    assert found["metadata"]["resourceVersion"] == web["metadata"]["resourceVersion"]
    assert everything(ground) == before
    assert ground.good("GET", WEB) == web


def test_a_replacement(ground: Ground, web: dict[str, Any]) -> None:
    body = copy.deepcopy(web)
    body["spec"]["replicas"] = 9
    assert ground.good("PUT", WEB, body, dryRun="All")["spec"]["replicas"] == 9
    assert ground.good("GET", WEB) == web


def test_a_scale(ground: Ground, web: dict[str, Any]) -> None:
    body = {"spec": {"replicas": 9}}
    assert ground.good("PATCH", f"{WEB}/scale", body, content_type=MERGE, dryRun="All")["spec"]["replicas"] == 9
    assert ground.good("GET", WEB) == web


def test_a_new_object(ground: Ground) -> None:
    before = everything(ground)
    made = ground.good("POST", DEPLOYMENTS, deployment(), dryRun="All")
    assert (len(made["metadata"]["uid"]), made["metadata"].get("resourceVersion", "")) == (36, "")
    assert ground.good("POST", PODS, pod("a"), dryRun="All")["status"]["phase"] == "Pending"
    assert everything(ground) == before


@pytest.mark.parametrize("inside", [False, True], ids=["in the query", "in the body"])
def test_a_delete(ground: Ground, web: dict[str, Any], inside: bool) -> None:
    before = everything(ground)
    asked: dict[str, str] = {} if inside else {"dryRun": "All"}
    ground.good("DELETE", WEB, {"dryRun": ["All"]} if inside else None, **asked)
    assert everything(ground) == before


def test_an_eviction(ground: Ground) -> None:
    ground.good("POST", PODS, pod("a"))
    ground.until(f"{PODS}/a", lambda found: found["status"]["phase"] == "Running")
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    ground.good("POST", f"{PODS}/a/eviction", body, dryRun="All")
    ground.step()
    assert "deletionTimestamp" not in ground.good("GET", f"{PODS}/a")["metadata"]


@pytest.mark.parametrize(
    ("method", "body", "sort", "status"),
    [
        ("PATCH", {"spec": {"replicas": -1}}, MERGE, 422),
        ("PATCH", {"metadata": {"resourceVersion": "1"}}, MERGE, 409),
        ("DELETE", {"preconditions": {"uid": "00000000-0000-0000-0000-000000000000"}}, PLAIN, 409),
    ],
    ids=["invalid", "stale", "another"],
)  # fmt: skip
def test_it_is_refused_for_what_a_real_one_would_be(
    ground: Ground, web: dict[str, Any], method: str, body: Any, sort: str, status: int
) -> None:
    assert ground.refused(method, WEB, body, content_type=sort, dryRun="All")["code"] == status
