"""opsbot's own two hands on every cluster: what they ask is answered, and what they are told they understand."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.core.errors import Blind, Conflict, Refused
from opsbot.core.target import Target
from opsbot.kube.read import KubeReader
from opsbot.kube.write import KubeWriter
from tests.contracts.cluster.ground import DEPLOYMENTS, PODS, Ground, paused, pod

WEB = f"{DEPLOYMENTS}/web"


@pytest.fixture
def reader(ground: Ground) -> KubeReader:
    return KubeReader(ground.apis["reader"])


@pytest.fixture
def writer(ground: Ground) -> KubeWriter:
    return KubeWriter(ground.apis["writer"])


def target(ground: Ground, name: str = "web") -> Target:
    return Target(ground.namespace, "Deployment", name)


def locked(obj: dict[str, Any], spec: Any, **meta: Any) -> dict[str, Any]:
    lock = {"uid": obj["metadata"]["uid"], "resourceVersion": obj["metadata"]["resourceVersion"]}
    return {"metadata": {**lock, **meta}, "spec": spec}


# reading ------------------------------------------------------------------------------------------------------------


def test_get_and_none(ground: Ground, web: dict[str, Any], reader: KubeReader) -> None:
    assert reader.get("Deployment", ground.namespace, "web") == web
    assert reader.get("Deployment", ground.namespace, "nobody") is None
    with pytest.raises(Blind, match="the read account lacks this right"):
        reader.get("Secret", ground.namespace, "x")


def test_list_over_pages(ground: Ground, reader: KubeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opsbot.kube.read.PAGE", 2)
    for name in "abcde":
        ground.good("POST", PODS, pod(name, {"app": "x"}, schedulerName="nobody"))
    found = reader.list("Pod", ground.namespace, labels="app in (x)", fields="status.phase=Pending")
    assert ([item["metadata"]["name"] for item in found.items], found.truncated) == (list("abcde"), False)
    assert {(item["kind"], item["apiVersion"]) for item in found.items} == {("Pod", "v1")}
    few = reader.list("Pod", ground.namespace, limit=3)
    assert ([item["metadata"]["name"] for item in few.items], few.truncated) == (list("abc"), True)


def test_logs(ground: Ground, reader: KubeReader) -> None:
    ground.good("POST", PODS, pod("a"))
    ground.until(f"{PODS}/a", lambda found: found["status"]["phase"] == "Running")
    ground.log(ground.namespace, "a", "one\ntwo\n", "the end\n")
    found = reader.logs(ground.namespace, "a", "main")
    assert found is not None
    assert [line.split(b" ", 1)[1] for line in found.content.splitlines()] == [b"one", b"two"]
    before = reader.logs(ground.namespace, "a", "main", previous=True)
    assert before is not None
    assert before.content.endswith(b"the end\n")
    assert reader.logs(ground.namespace, "nobody", "main") is None


def test_rights_and_version(ground: Ground, reader: KubeReader) -> None:
    assert reader.may("list", "Pod", ground.namespace)
    assert reader.may("get", "Pod", ground.namespace, "log")
    assert not reader.may("patch", "Deployment", ground.namespace)
    assert reader.version().startswith("v1.")
    assert "answers and knows this account" in reader.check()


# writing ------------------------------------------------------------------------------------------------------------


def test_a_locked_patch_goes_through_once(ground: Ground, web: dict[str, Any], writer: KubeWriter) -> None:
    body = locked(web, {"replicas": 4}, annotations={"action": "a-1"})
    assert writer.patch(target(ground), body, dry_run=True)["spec"]["replicas"] == 4
    assert ground.good("GET", WEB) == web
    made = writer.patch(target(ground), body)
    assert (made["spec"]["replicas"], made["metadata"]["annotations"]["action"]) == (4, "a-1")
    seen = writer.read(target(ground))
    assert seen is not None
    assert seen["spec"]["replicas"] == 4
    with pytest.raises(Conflict, match="the object has been modified"):
        writer.patch(target(ground), body)


@pytest.mark.parametrize(
    ("spec", "why", "said"),
    [
        ({"replicas": -1}, "invalid", "must be greater than or equal to 0"),
        ({"replicas": "two"}, "invalid", "of type int32"),
        ({"replicsa": 4}, "invalid", 'unknown field "spec.replicsa"'),
        ({"selector": {"matchLabels": {"app": "x"}}}, "invalid", "field is immutable"),
    ],
    ids=["negative", "text", "unknown field", "immutable"],
)  # fmt: skip
def test_what_is_refused_says_why(
    ground: Ground, web: dict[str, Any], writer: KubeWriter, spec: Any, why: str, said: str
) -> None:
    with pytest.raises(Refused) as told:
        writer.patch(target(ground), locked(web, spec))
    assert told.value.reason == why
    assert said in str(told.value)
    assert len(str(told.value)) < 500
    assert ground.good("GET", WEB) == web


def test_what_is_not_there_or_not_allowed(ground: Ground, web: dict[str, Any], writer: KubeWriter) -> None:
    assert writer.read(target(ground, "nobody")) is None
    with pytest.raises(Refused) as told:
        writer.patch(target(ground, "nobody"), locked(web, {"replicas": 1}))
    assert told.value.reason == "not_found"
    with pytest.raises(Refused) as told:
        KubeWriter(ground.apis["reader"]).patch(target(ground), locked(web, {"replicas": 1}))
    assert told.value.reason == "forbidden"


def test_an_object_made_anew_is_not_the_one_that_was_meant(
    ground: Ground, web: dict[str, Any], writer: KubeWriter
) -> None:
    ground.good("DELETE", WEB)
    ground.good("POST", DEPLOYMENTS, paused())
    with pytest.raises((Conflict, Refused)):
        writer.patch(target(ground), locked(web, {"replicas": 9}))
    assert ground.good("GET", WEB)["spec"]["replicas"] == 2
