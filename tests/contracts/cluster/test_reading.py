"""What every API server promises of reads: objects, lists by selectors, pages, and "there is none"."""

from __future__ import annotations

import pytest

from tests.contracts.cluster.ground import CONFIG_MAPS, DEPLOYMENTS, PODS, Ground, deployment, pod


@pytest.fixture
def pods(ground: Ground) -> Ground:
    for name, labels in (
        ("a", {"app": "web", "tier": "front"}),
        ("b", {"app": "web"}),
        ("c", {"app": "db"}),
        ("d", {}),
    ):
        # Another scheduler's pods: none of them gets a node, so that they stay as they are.
        ground.good("POST", PODS, pod(name, {**labels, "space": ground.namespace}, schedulerName="nobody"))
    return ground


def names(found: dict[str, object]) -> str:
    items = found["items"]
    assert isinstance(items, list)
    return "".join(item["metadata"]["name"] for item in items)


def test_an_object_comes_with_what_only_the_server_sets(ground: Ground) -> None:
    ground.good("POST", DEPLOYMENTS, deployment())
    found = ground.good("GET", f"{DEPLOYMENTS}/web")
    meta = found["metadata"]
    assert (found["apiVersion"], found["kind"]) == ("apps/v1", "Deployment")
    assert (meta["name"], meta["namespace"], meta["generation"]) == ("web", ground.namespace, 1)
    assert len(meta["uid"]) == 36
    assert meta["resourceVersion"].isdecimal()
    assert meta["creationTimestamp"].endswith("Z")


def test_defaults_are_filled_in(ground: Ground) -> None:
    spec = ground.good("POST", DEPLOYMENTS, deployment())["spec"]
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert (spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (10, 600)
    assert spec["template"]["spec"]["restartPolicy"] == "Always"


def test_a_missing_object_is_named_in_the_status(ground: Ground) -> None:
    reply = ground.ask("GET", f"{DEPLOYMENTS}/nobody")
    found = reply.parsed() or {}
    assert (reply.status, found["kind"], found["reason"], found["code"]) == (404, "Status", "NotFound", 404)
    assert found["message"] == 'deployments.apps "nobody" not found'
    assert found["details"] == {"name": "nobody", "group": "apps", "kind": "deployments"}


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        ("", "abcd"), ("app=web", "ab"), ("app==web", "ab"), ("app!=web", "cd"), ("app=web,tier=front", "a"),
        ("app in (web, db)", "abc"), ("app notin (web)", "cd"), ("app", "abc"), ("!app", "d"), ("app,!tier", "bc"),
        ("app=nobody", ""),
    ],
    ids=["all", "equal", "double equal", "unequal", "both", "in", "not in", "exists", "absent", "mixed", "none"],
)  # fmt: skip
def test_lists_by_label(pods: Ground, selector: str, want: str) -> None:
    assert names(pods.good("GET", PODS, labelSelector=selector)) == want


@pytest.mark.parametrize(
    ("selector", "want"),
    [
        ("metadata.name=b", "b"), ("metadata.name!=b", "acd"), ("spec.nodeName=", "abcd"),
        ("status.phase=Pending", "abcd"),
        ("status.phase=Running", ""), ("metadata.name=a,status.phase=Pending", "a"),
    ],
    ids=["name", "not the name", "no node", "phase", "other phase", "two"],
)  # fmt: skip
def test_lists_by_field(pods: Ground, selector: str, want: str) -> None:
    assert names(pods.good("GET", PODS, fieldSelector=selector)) == want


@pytest.mark.parametrize(
    "query",
    [{"labelSelector": "app=web=db"}, {"labelSelector": "a in b"}, {"labelSelector": "app in (web"},
     {"labelSelector": "-a=b"}, {"fieldSelector": "spec.containers=x"}, {"fieldSelector": "metadata.name"}],
    ids=["label", "set", "half a set", "no key", "field that is not offered", "no value"],
)  # fmt: skip
def test_a_selector_that_cannot_be_read_is_refused_and_never_means_all(pods: Ground, query: dict[str, str]) -> None:
    assert pods.refused("GET", PODS, **query)["reason"] == "BadRequest"


@pytest.mark.parametrize(
    ("kind", "selector", "status"),
    [("secrets", "type=Opaque", 200), ("events", "involvedObject.name=x", 200), ("namespaces", "status.phase=x", 200),
     ("nodes", "spec.unschedulable=true", 200), ("configmaps", "data.x=y", 400), ("nodes", "spec.podCIDR=x", 400)],
    ids=["secret type", "event", "namespace", "node", "config map", "another of a node"],
)  # fmt: skip
def test_each_kind_offers_its_own_fields(ground: Ground, kind: str, selector: str, status: int) -> None:
    space = "" if kind in ("namespaces", "nodes") else "/namespaces/{ns}"
    assert ground.ask("GET", f"/api/v1{space}/{kind}", fieldSelector=selector).status == status


def test_a_list_tells_its_kind_and_its_items_do_not(pods: Ground) -> None:
    found = pods.good("GET", PODS)
    assert (found["kind"], found["apiVersion"]) == ("PodList", "v1")
    assert not {"kind", "apiVersion"} & set(found["items"][0])


def test_a_list_over_all_namespaces_holds_those_of_one(pods: Ground) -> None:
    everywhere = pods.good("GET", "/api/v1/pods", labelSelector=f"app=web,space={pods.namespace}")["items"]
    assert [item["metadata"]["name"] for item in everywhere] == ["a", "b"]


def test_an_empty_list_is_no_error(ground: Ground) -> None:
    assert ground.good("GET", CONFIG_MAPS, labelSelector="no=such")["items"] == []
    assert ground.good("GET", "/api/v1/namespaces/no-such-namespace/pods")["items"] == []


def test_the_server_says_its_version_and_that_it_is_ready(ground: Ground) -> None:
    assert ground.good("GET", "/version")["gitVersion"].startswith("v1.")
    assert ground.ask("GET", "/readyz").body == b"ok"
