from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsbot.practice.plane import audit

DEPLOYMENT = {"resource": "deployments", "apiGroup": "apps", "apiVersion": "v1", "namespace": "agents", "name": "web"}


def event(verb: str = "patch", about: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """As the API server writes one, cut down to what is read."""
    return {
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "stage": "ResponseComplete",
        "requestURI": "/apis/apps/v1/namespaces/agents/deployments/web", "verb": verb, "user": {"username": "writer"},
        "objectRef": DEPLOYMENT if about is None else about, "responseStatus": {"code": 200},
        "requestObject": {"spec": {"replicas": 6}}, "requestReceivedTimestamp": "2026-11-22T10:00:00.123456Z",
        "annotations": {"authorization.k8s.io/decision": "allow"}, **more,
    }  # fmt: skip


def test_a_write_as_the_server_saw_it() -> None:
    (write,) = audit.writes([event()])
    assert (write.account, write.verb, write.kind) == ("writer", "patch", "Deployment")
    assert (write.namespace, write.name, write.subresource) == ("agents", "web", "")
    assert write.body == {"spec": {"replicas": 6}}
    assert write.at == datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
    assert (write.status, write.dry_run, write.applied) == (200, False, True)


@pytest.mark.parametrize(("more", "dry", "applied"), [
    pytest.param({}, False, True, id="meant"),
    pytest.param({"requestURI": "/x?fieldManager=opsbot&dryRun=All"}, True, False, id="dry run"),
    pytest.param({"requestURI": "/x?fieldManager=dryRun%3DAll"}, False, True, id="only looks like a dry run"),
    pytest.param({"verb": "delete", "requestObject": {"kind": "DeleteOptions", "dryRun": ["All"]}}, True, False,
                 id="dry run of a delete"),
    pytest.param({"requestObject": {"spec": {"dryRun": ["All"]}}}, False, True, id="a field of that name"),
    pytest.param({"responseStatus": {"code": 403}}, False, False, id="refused"),
    pytest.param({"responseStatus": {"code": 409}}, False, False, id="conflict"),
])  # fmt: skip
def test_what_became_of_it(more: dict[str, Any], dry: bool, applied: bool) -> None:
    (write,) = audit.writes([event() | more])
    assert (write.dry_run, write.applied) == (dry, applied)


@pytest.mark.parametrize(("about", "kind", "subresource"), [
    pytest.param({"resource": "pods", "namespace": "a", "name": "p"}, "Pod", "", id="core"),
    pytest.param({"resource": "pods", "subresource": "eviction", "namespace": "a", "name": "p"}, "Pod", "eviction",
                 id="subresource"),
    pytest.param({"resource": "widgets", "apiGroup": "example.org", "name": "w"}, "widgets", "", id="unknown"),
    pytest.param({"resource": "deployments", "apiGroup": "other.example"}, "deployments", "", id="another group's"),
])  # fmt: skip
def test_kinds(about: dict[str, str], kind: str, subresource: str) -> None:
    (write,) = audit.writes([event(about=about)])
    assert (write.kind, write.subresource) == (kind, subresource)


def test_what_is_created_may_be_named_in_the_body_alone() -> None:
    about = {"resource": "configmaps", "namespace": "agents"}
    named = event("create", about, requestObject={"metadata": {"name": "one"}})
    generated = event("create", about, requestObject={"metadata": {"generateName": "one-"}})
    empty = event("create", about, requestObject={"metadata": None})
    listed = event("create", about, requestObject=[1])
    assert [write.name for write in audit.writes([named, generated, empty, listed])] == ["one", "", "", ""]


def test_reads_are_no_writes_and_writes_come_in_order() -> None:
    late = event(requestReceivedTimestamp="2026-11-22T10:00:09Z", user={"username": "late"})
    found = audit.writes([late, event("get"), event("list"), event("watch"), event()])
    assert [write.account for write in found] == ["writer", "late"]


def test_requests_for_no_object_are_no_writes() -> None:
    odd = event("create")
    del odd["objectRef"]
    assert audit.writes([odd]) == ()


def test_rights_that_were_used() -> None:
    log = {"resource": "pods", "subresource": "log", "namespace": "a", "name": "p"}
    refused = {"annotations": {"authorization.k8s.io/decision": "forbid"}}
    found = [event(), event("get", log), event("get", log), event("delete") | refused,
             event("list", user={"username": "admin"}), {**event("get"), "annotations": {}}]  # fmt: skip
    assert audit.used(found, "writer") == {("patch", "deployments.apps"), ("get", "pods/log")}
    assert audit.used(found, "nobody") == frozenset()


# the file -----------------------------------------------------------------------------------------------------------


def users(folder: Path) -> list[str]:
    return [found["user"]["username"] for found in audit.events(folder)]


def line(user: str, **more: Any) -> bytes:
    return json.dumps(event(user={"username": user}) | more).encode() + b"\n"


def test_rotated_parts_come_first(tmp_path: Path) -> None:
    (tmp_path / "audit.log").write_bytes(line("third"))
    (tmp_path / "audit-2026-11-22T10-00-00.000.log").write_bytes(line("first"))
    (tmp_path / "audit-2026-11-22T11-00-00.000.log").write_bytes(line("second"))
    assert users(tmp_path) == ["first", "second", "third"]


@pytest.mark.parametrize("odd", [
    pytest.param(b"", id="nothing"),
    pytest.param(line("x")[:60], id="half a line"),
    pytest.param(b"\xff\xfe\n", id="no text"),
    pytest.param(b"[]\nnull\n7\n\"x\"\n", id="other JSON"),
    pytest.param(line("x", stage="RequestReceived"), id="another stage"),
    pytest.param(line("x", stage="Panic"), id="a stage with no answer"),
])  # fmt: skip
def test_what_is_no_event_is_passed_over(tmp_path: Path, odd: bytes) -> None:
    (tmp_path / "audit.log").write_bytes(line("before") + odd + b"\n" + line("after") + odd)
    assert users(tmp_path) == ["before", "after"]


def test_no_log_yet(tmp_path: Path) -> None:
    assert users(tmp_path) == []
