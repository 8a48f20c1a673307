"""FakeCluster's own promises: what it does not know it says, its writes are on record, its faults do as ordered."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Request, Response, Rule, faults

WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
PODS = "/api/v1/namespaces/shop/pods"


def deployment(name: str = "web", image: str = "web:1", **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
    return {"kind": "Deployment", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template, **spec}}  # fmt: skip


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add(deployment())
    return made


def ask(
    cluster: FakeCluster, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None,
    content_type: str = "application/merge-patch+json", account: str = "admin",
) -> Response:  # fmt: skip
    raw = b"" if body is None else json.dumps(body).encode()
    return cluster.handle(Request(method, path, query or {}, raw, content_type, cluster.token(account)))


# what it knows, and what it says of the rest ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/apis/example.com/v1/widgets", {}), ("GET", "/api/v2/pods", {}), ("GET", "/metrics", {}),
        ("GET", "/apis/apps/v1/namespaces/shop/deployments/web/rollback", {}), ("POST", f"{PODS}/a/exec", {}),
        ("DELETE", PODS, {}), ("GET", PODS, {"watch": "true", "sendInitialEvents": "true"}), ("GET", "/", {}),
        ("PATCH", WEB, {"type": "apply"}), ("GET", "/apis/apps/v1/deployments/web", {}),
    ],
    ids=["kind", "version", "metrics", "subresource", "exec", "delete many", "watch list", "root", "apply",
         "no namespace"],
)  # fmt: skip
def test_what_it_does_not_know_is_501_and_loud(
    cluster: FakeCluster, method: str, path: str, query: dict[str, str]
) -> None:
    kind = "application/apply-patch+yaml" if query.pop("type", "") else "application/merge-patch+json"
    answer = ask(cluster, method, path, query=query, content_type=kind)
    assert (answer.status, answer.json["kind"]) == (501, "Status")
    assert "does not know" in answer.json["message"]


def test_a_log_cannot_be_followed(cluster: FakeCluster) -> None:
    cluster.run(4)
    name = cluster.list("Pod", "shop")[0]["metadata"]["name"]
    assert ask(cluster, "GET", f"{PODS}/{name}/log", query={"follow": "true"}).status == 501


def test_it_states_what_it_knows(cluster: FakeCluster) -> None:
    known = cluster.knows()
    assert known["deployments.apps"] == ("get", "list", "watch", "create", "update", "patch", "delete")
    assert known["pods/log"] == ("get",)
    assert known["pods/eviction"] == ("create",)
    assert "deployments.apps/scale" in known


def test_discovery_tells_the_same(cluster: FakeCluster) -> None:
    found = set()
    for group in ask(cluster, "GET", "/apis").json["groups"]:
        version = group["preferredVersion"]["groupVersion"]
        for item in ask(cluster, "GET", f"/apis/{version}").json["resources"]:
            plural, slash, sub = item["name"].partition("/")
            found.add(f"{plural}.{group['name']}{slash}{sub}")
    for item in ask(cluster, "GET", "/api/v1").json["resources"]:
        found.add(item["name"])
    assert found == set(cluster.knows())


@pytest.mark.parametrize("kind", ["Widget", "", "deployment"])
def test_a_test_cannot_prepare_what_it_does_not_know(cluster: FakeCluster, kind: str) -> None:
    with pytest.raises(ValueError, match="does not know the kind"):
        cluster.add({"kind": kind, "metadata": {"name": "x"}})


def test_health_needs_no_token_but_a_wrong_one_is_refused(cluster: FakeCluster) -> None:
    assert cluster.handle(Request("GET", "/readyz")).body == b"ok"
    assert cluster.handle(Request("GET", "/version")).json["gitVersion"] == "v1.36.3"
    assert cluster.handle(Request("GET", "/version", token="nobody")).status == 401
    assert cluster.handle(Request("GET", "/api/v1/pods")).status == 401


@pytest.mark.parametrize(
    "body", [b"{", b"[" * 50_000, b"\xff\xfe", b"5", b"null", b'{"metadata": 5}', b'{"metadata": null}'],
    ids=["half", "deep", "binary", "number", "null", "metadata a number", "no metadata"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT"])
def test_a_bad_body_is_refused_and_breaks_nothing(cluster: FakeCluster, method: str, body: bytes) -> None:
    path = WEB.removesuffix("/web") if method == "POST" else WEB
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    before = cluster.get("Deployment", "shop", "web")
    answer = cluster.handle(Request(method, path, {}, body, kind, cluster.token("admin")))
    assert answer.status in (400, 422), answer
    assert cluster.get("Deployment", "shop", "web") == before


# preparing ----------------------------------------------------------------------------------------------------------


def test_what_is_added_stands_as_given(cluster: FakeCluster) -> None:
    given = {
        "kind": "Pod", "metadata": {"name": "sick", "namespace": "other", "uid": "u-7", "labels": {"a": "b"}},
        "spec": {"containers": [{"name": "main", "image": "x:1"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "main", "restartCount": 9}]},
    }  # fmt: skip
    cluster.add(given)
    cluster.run(30)
    found = cluster.get("Pod", "other", "sick") or {}
    assert (found["status"], found["metadata"]["uid"]) == (given["status"], "u-7")
    assert cluster.get("Namespace", "", "other") is not None


def test_what_it_hands_out_is_a_copy(cluster: FakeCluster) -> None:
    mine = cluster.get("Deployment", "shop", "web") or {}
    mine["spec"]["replicas"] = 99
    cluster.list("Deployment")[0]["spec"]["replicas"] = 99
    assert (cluster.get("Deployment", "shop", "web") or {})["spec"]["replicas"] == 2


def test_a_change_from_outside_moves_version_and_generation(cluster: FakeCluster) -> None:
    before = (cluster.get("Deployment", "shop", "web") or {})["metadata"]
    after = cluster.change("Deployment", "shop", "web", {"spec": {"replicas": 7}})["metadata"]
    assert int(after["resourceVersion"]) > int(before["resourceVersion"])
    assert after["generation"] == before["generation"] + 1
    assert cluster.writes == []


def test_an_object_that_is_taken_away_is_gone(cluster: FakeCluster) -> None:
    cluster.remove("Deployment", "shop", "web")
    cluster.remove("Deployment", "shop", "web")
    assert ask(cluster, "GET", WEB).status == 404


def test_the_same_seed_makes_the_same_cluster() -> None:
    first, second, other = FakeCluster(seed=1), FakeCluster(seed=1), FakeCluster(seed=2)
    for cluster in (first, second, other):
        cluster.add(deployment())
        cluster.run(3)
    assert first.list("Pod") == second.list("Pod") != other.list("Pod")


def test_logs_by_pattern_function_and_time(cluster: FakeCluster) -> None:
    cluster.run(4)
    first, second = (pod["metadata"]["name"] for pod in cluster.list("Pod", "shop"))
    cluster.set_logs("shop", "web-*", lambda pod, now: f"{pod} at {now:%H:%M}\n")
    cluster.set_logs("shop", second, b"\xff bytes\n", "main")
    assert ask(cluster, "GET", f"{PODS}/{first}/log").body == f"{first} at 00:00\n".encode()
    assert ask(cluster, "GET", f"{PODS}/{second}/log").body == b"\xff bytes\n"


# the record of writes -----------------------------------------------------------------------------------------------


def test_every_write_is_on_record_with_its_outcome(cluster: FakeCluster) -> None:
    ask(cluster, "GET", WEB)
    ask(cluster, "PATCH", WEB, {"spec": {"replicas": 3}}, {"dryRun": "All"}, account="writer")
    ask(cluster, "PATCH", WEB, {"spec": {"replicas": 4}}, account="reader")
    ask(cluster, "PATCH", WEB, {"metadata": {"resourceVersion": "1"}}, account="writer")
    ask(cluster, "PATCH", WEB, {"spec": {"replicas": 5}}, account="writer")
    ask(cluster, "PATCH", f"{WEB}/scale", {"spec": {"replicas": 6}})
    ask(cluster, "POST", "/api/v1/namespaces/shop/configmaps", {"metadata": {"name": "c"}}, content_type="")
    ask(cluster, "DELETE", WEB)
    rows = [(w.account, w.verb, w.kind, w.name, w.subresource, w.dry_run, w.status, w.applied) for w in cluster.writes]
    assert rows == [
        ("writer", "patch", "Deployment", "web", "", True, 200, False),
        ("reader", "patch", "Deployment", "web", "", False, 403, False),
        ("writer", "patch", "Deployment", "web", "", False, 409, False),
        ("writer", "patch", "Deployment", "web", "", False, 200, True),
        ("admin", "patch", "Deployment", "web", "scale", False, 200, True),
        ("admin", "create", "ConfigMap", "c", "", False, 201, True),
        ("admin", "delete", "Deployment", "web", "", False, 200, True),
    ]  # fmt: skip
    assert cluster.writes[3].body == {"spec": {"replicas": 5}}
    assert cluster.writes[3].at == cluster.clock()


def test_asking_what_one_may_is_no_write(cluster: FakeCluster) -> None:
    body = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    assert ask(cluster, "POST", path, body, content_type="application/json").json["status"]["allowed"] is True
    assert cluster.writes == []


# accounts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "method", "path", "allowed"),
    [
        (Rule(("get",), ("deployments",), ("apps",), ("shop",)), "GET", WEB, True),
        (Rule(("get",), ("deployments",), ("apps",), ("other",)), "GET", WEB, False),
        (Rule(("get",), ("deployments",), ("",)), "GET", WEB, False),
        (Rule(("get",), ("deployments",)), "GET", f"{WEB}/scale", False),
        (Rule(("get",), ("deployments/scale",)), "GET", f"{WEB}/scale", True),
        (Rule(("get",), ("*/scale",)), "GET", f"{WEB}/scale", True),
        (Rule(("list",), ("deployments",)), "GET", WEB, False),
        (Rule(("get",), ("deployments",), names=("web",)), "GET", WEB, True),
        (Rule(("get",), ("deployments",), names=("other",)), "GET", WEB, False),
        (Rule(("*",)), "DELETE", WEB, True), (Rule(()), "GET", WEB, False),
    ],
    ids=["namespace", "other namespace", "other group", "subresource", "its own rule", "any subresource", "other verb",
         "name", "other name", "all", "nothing"],
)  # fmt: skip
def test_rules(cluster: FakeCluster, rule: Rule, method: str, path: str, allowed: bool) -> None:
    cluster.account("someone", [rule])
    assert ask(cluster, method, path, account="someone").status == (200 if allowed else 403)


# faults -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "applied", "status", "ending"),
    [
        (faults.lost_answer(), True, 200, "lost"), (faults.broken_connection(), False, 500, "lost"),
        (faults.hang(), False, 500, "hangs"), (faults.hang(applies=True), True, 200, "hangs"),
        (faults.refused(), False, 500, "refused"), (faults.error(503), False, 503, "whole"),
        (faults.error(500, applies=True), True, 500, "whole"), (faults.body(b"<html>"), False, 200, "whole"),
    ],
    ids=["lost answer", "broken", "hang", "hang after", "refused", "error", "error after", "html"],
)  # fmt: skip
def test_a_fault_applies_or_not_and_ends_as_ordered(
    cluster: FakeCluster, fault: faults.Fault, applied: bool, status: int, ending: str
) -> None:
    cluster.fail_next(fault)
    answer = ask(cluster, "PATCH", WEB, {"spec": {"replicas": 9}})
    assert (answer.status, answer.ending.value) == (status, ending)
    assert ((cluster.get("Deployment", "shop", "web") or {})["spec"]["replicas"] == 9) is applied
    assert len(cluster.writes) == applied
    assert ask(cluster, "GET", WEB).status == 200


def test_a_fault_waits_for_the_request_that_it_is_for(cluster: FakeCluster) -> None:
    cluster.fail_next(faults.error(500), times=2, methods=["PATCH"], path="/deployments/", query={"dryRun": ""})
    body = {"spec": {"replicas": 9}}
    codes = [
        ask(cluster, "GET", WEB).status, ask(cluster, "PATCH", WEB, body, {"dryRun": "All"}).status,
        ask(cluster, "PATCH", WEB, body).status, ask(cluster, "PATCH", WEB, body).status,
        ask(cluster, "PATCH", WEB, body).status,
    ]  # fmt: skip
    assert codes == [200, 200, 500, 500, 200]


def test_retry_after_goes_out_as_a_header(cluster: FakeCluster) -> None:
    cluster.fail_next(faults.error(429, retry_after=3))
    assert ask(cluster, "GET", WEB).headers["Retry-After"] == "3"


# threads and time ---------------------------------------------------------------------------------------------------


def test_of_many_writers_with_one_lock_one_wins(cluster: FakeCluster) -> None:
    version = (cluster.get("Deployment", "shop", "web") or {})["metadata"]["resourceVersion"]
    codes: list[int] = []

    def write(number: int) -> None:
        body = {"metadata": {"resourceVersion": version}, "spec": {"replicas": number}}
        codes.append(ask(cluster, "PATCH", WEB, body).status)

    threads = [threading.Thread(target=write, args=(10 + number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [200] + [409] * 15


def test_time_is_moved_only_on_a_clock_that_can_be_moved(cluster: FakeCluster) -> None:
    start = cluster.clock()
    cluster.run(90, step=30)
    assert (cluster.clock() - start).total_seconds() == 90
    with pytest.raises(TypeError, match="ManualClock"):
        FakeCluster(lambda: start).run(1)


def test_settling_ends_where_nothing_moves(cluster: FakeCluster) -> None:
    cluster.settle()
    before = cluster.list("Pod")
    cluster.settle()
    assert cluster.list("Pod") == before != []
