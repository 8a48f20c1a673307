"""Writing: one patch, locked, sent once; and each outcome under its own name."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.core.errors import Blind, Conflict, OpsbotError, PermanentError, Refused, TemporaryError, Unknown
from opsbot.core.ports import ClusterWriter
from opsbot.core.target import Target
from opsbot.kube.write import KubeWriter
from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Response, Rule, faults

WEB = Target("shop", "Deployment", "web")


@pytest.fixture
def writer(cluster: FakeCluster) -> KubeWriter:
    return KubeWriter(cluster.connect("writer"))


def locked(cluster: FakeCluster, replicas: int = 5, **meta: Any) -> dict[str, Any]:
    now = (cluster.get("Deployment", "shop", "web") or {})["metadata"]
    return {"metadata": {"uid": now["uid"], "resourceVersion": now["resourceVersion"], **meta},
            "spec": {"replicas": replicas}}  # fmt: skip


def replicas(cluster: FakeCluster) -> int:
    return int((cluster.get("Deployment", "shop", "web") or {})["spec"]["replicas"])


def test_it_is_a_cluster_writer(writer: KubeWriter) -> None:
    door: ClusterWriter = writer
    assert door.read(WEB) is not None


def test_a_patch_changes_replicas_and_annotation_at_once(writer: KubeWriter, cluster: FakeCluster) -> None:
    found = writer.patch(WEB, locked(cluster, annotations={"opsbot/action": "a-1"}))
    assert (found["spec"]["replicas"], found["metadata"]["annotations"]["opsbot/action"]) == (5, "a-1")
    assert found == cluster.get("Deployment", "shop", "web")
    (write,) = cluster.writes
    assert (write.account, write.verb, write.kind, write.name, write.dry_run, write.status) == (
        "writer", "patch", "Deployment", "web", False, 200,
    )  # fmt: skip
    assert write.applied


def test_how_it_is_sent(writer: KubeWriter, cluster: FakeCluster) -> None:
    writer.patch(WEB, locked(cluster))
    sent = cluster.requests[-1]
    assert sent.content_type == "application/merge-patch+json"
    assert sent.query == {"fieldManager": "opsbot", "fieldValidation": "Strict"}


def test_a_null_takes_an_annotation_off(writer: KubeWriter, cluster: FakeCluster) -> None:
    writer.patch(WEB, locked(cluster, annotations={"a": "1"}))
    assert "a" not in writer.patch(WEB, locked(cluster, annotations={"a": None}))["metadata"]["annotations"]


def test_a_dry_run_changes_nothing(writer: KubeWriter, cluster: FakeCluster) -> None:
    before = cluster.get("Deployment", "shop", "web")
    assert writer.patch(WEB, locked(cluster), dry_run=True)["spec"]["replicas"] == 5
    assert cluster.get("Deployment", "shop", "web") == before
    assert [(write.dry_run, write.applied) for write in cluster.writes] == [(True, False)]


def test_a_later_read_sees_the_write(writer: KubeWriter, cluster: FakeCluster) -> None:
    writer.patch(WEB, locked(cluster))
    found = writer.read(WEB)
    assert found is not None
    assert (found["kind"], found["spec"]["replicas"]) == ("Deployment", 5)
    assert writer.read(Target("shop", "Deployment", "nobody")) is None


# the lock -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "meta",
    [
        None, [], {}, {"uid": "u"}, {"resourceVersion": "5"}, {"uid": "", "resourceVersion": "5"},
        {"uid": "u", "resourceVersion": ""}, {"uid": "u", "resourceVersion": None}, {"uid": "u", "resourceVersion": 5},
        {"uid": "u", "resourceVersion": "x"}, {"uid": 5, "resourceVersion": "5"},
        {"uid": "u", "resourceVersion": "\u0665"},
    ],
    ids=["none", "list", "empty", "uid alone", "version alone", "empty uid", "empty version", "null", "number", "word",
         "uid a number", "other digits"],
)  # fmt: skip
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
def test_without_a_precondition_nothing_is_sent(
    writer: KubeWriter, cluster: FakeCluster, meta: Any, dry_run: bool
) -> None:
    before = len(cluster.requests)
    with pytest.raises(Refused) as refusal:
        writer.patch(WEB, {"metadata": meta, "spec": {"replicas": 9}}, dry_run=dry_run)
    assert refusal.value.reason == "no_precondition"
    assert len(cluster.requests) == before


def test_a_body_without_metadata_is_refused(writer: KubeWriter) -> None:
    with pytest.raises(Refused, match="holds no uid"):
        writer.patch(WEB, {"spec": {"replicas": 9}})


def test_a_patch_for_another_object_than_the_target_is_refused(writer: KubeWriter, cluster: FakeCluster) -> None:
    with pytest.raises(Refused) as refusal:
        writer.patch(WEB.named("another-uid"), locked(cluster))
    assert refusal.value.reason == "other_object"
    assert cluster.writes == []


def test_who_came_first_wins(writer: KubeWriter, cluster: FakeCluster) -> None:
    body = locked(cluster)
    cluster.change("Deployment", "shop", "web", {"spec": {"replicas": 3}})
    with pytest.raises(Conflict, match="the object has been modified"):
        writer.patch(WEB, body)
    assert replicas(cluster) == 3
    assert len(cluster.writes) == 1


def test_a_target_that_was_made_anew_is_a_conflict(writer: KubeWriter, cluster: FakeCluster) -> None:
    body, old = locked(cluster), cluster.get("Deployment", "shop", "web") or {}
    cluster.remove("Deployment", "shop", "web")
    cluster.add({"kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": old["spec"]})
    with pytest.raises(Conflict):
        writer.patch(WEB, body)


def test_a_target_that_is_gone_is_refused_as_such(writer: KubeWriter, cluster: FakeCluster) -> None:
    body = locked(cluster)
    cluster.remove("Deployment", "shop", "web")
    with pytest.raises(Refused) as refusal:
        writer.patch(WEB, body)
    assert refusal.value.reason == "not_found"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"spec": {"replicas": -1}}, "invalid"), ({"spec": {"replicas": "many"}}, "invalid"),
        ({"spec": {"replicsa": 3}}, "invalid"), ({"spec": {"selector": {"matchLabels": {"a": "b"}}}}, "invalid"),
    ],
    ids=["negative", "text", "misspelt", "immutable"],
)  # fmt: skip
def test_what_the_server_finds_invalid_is_refused(
    writer: KubeWriter, cluster: FakeCluster, body: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as refusal:
        writer.patch(WEB, {**locked(cluster), **body})
    assert refusal.value.reason == reason
    assert replicas(cluster) == 2


def test_no_right_to_write_is_refused(cluster: FakeCluster) -> None:
    with pytest.raises(Refused, match="cannot patch resource") as refusal:
        KubeWriter(cluster.connect("reader")).patch(WEB, locked(cluster))
    assert refusal.value.reason == "forbidden"
    assert replicas(cluster) == 2


def test_a_credential_that_is_not_accepted_is_refused(writer: KubeWriter, cluster: FakeCluster) -> None:
    cluster.account("writer", [Rule(("*",))], token="changed")
    with pytest.raises(Refused) as refusal:
        writer.patch(WEB, locked(cluster))
    assert refusal.value.reason == "unauthorized"


# answers that do not come -------------------------------------------------------------------------------------------

NOT_DONE: dict[str, tuple[faults.Fault, type[OpsbotError]]] = {
    "refused": (faults.refused(), TemporaryError),
    "429": (faults.error(429, retry_after=7), TemporaryError),
    "429 in plain text": (faults.body(b"Too many requests", code=429, content_type="text/plain"), TemporaryError),
    "415": (faults.error(415), Refused),
    "hangs": (faults.hang(), Unknown),
    "broken off": (faults.broken_connection(), Unknown),
    "500": (faults.error(500), Unknown),
    "503": (faults.error(503, retry_after=1), Unknown),
    "proxy 502": (faults.body(b"<html>", code=502, content_type="text/html"), Unknown),
    "proxy 403": (faults.body(b"<html>", code=403, content_type="text/html"), Unknown),
    "redirect": (faults.body(b"", code=307), Unknown),
}
DONE: dict[str, faults.Fault] = {
    "answer lost": faults.lost_answer(), "hangs after": faults.hang(applies=True),
    "500 after": faults.error(500, applies=True), "html after": faults.body(b"<html>", applies=True),
    "half an answer": faults.body(b'{"metadata":{"uid', applies=True),
    "another object": faults.body(b'{"metadata":{"uid":"other"}}', applies=True),
    "201": faults.body(b"{}", code=201, applies=True),
}  # fmt: skip


@pytest.mark.parametrize("name", NOT_DONE)
def test_what_was_not_done_is_told_and_tried_once(writer: KubeWriter, cluster: FakeCluster, name: str) -> None:
    fault, error = NOT_DONE[name]
    cluster.fail_next(fault, methods=["PATCH"])
    before = len(cluster.requests)
    with pytest.raises(error) as told:
        writer.patch(WEB, locked(cluster), timeout=2)
    assert len(cluster.requests) - before == 1
    assert replicas(cluster) == 2
    assert type(told.value) is error


@pytest.mark.parametrize("name", DONE)
def test_what_was_done_without_an_answer_is_unknown_and_done_once(
    writer: KubeWriter, cluster: FakeCluster, name: str
) -> None:
    cluster.fail_next(DONE[name], methods=["PATCH"])
    with pytest.raises(Unknown):
        writer.patch(WEB, locked(cluster), timeout=2)
    assert replicas(cluster) == 5
    assert len(cluster.writes) == 1


def test_after_unknown_the_same_patch_cannot_be_done_twice(writer: KubeWriter, cluster: FakeCluster) -> None:
    body = locked(cluster)
    cluster.fail_next(faults.lost_answer(), methods=["PATCH"])
    with pytest.raises(Unknown):
        writer.patch(WEB, body)
    with pytest.raises(Conflict):
        writer.patch(WEB, body)


@pytest.mark.parametrize(
    ("header", "want"), [("7", 7.0), ("0", 1.0), ("99999", 60.0), ("soon", 1.0), ("-3", 1.0), ("9" * 400, 1.0)],
    ids=["seconds", "none", "long", "word", "negative", "absurd"],
)  # fmt: skip
def test_how_long_to_wait_is_kept_within_reason(
    writer: KubeWriter, cluster: FakeCluster, header: str, want: float
) -> None:
    answer = Response(429, b"", headers={"Retry-After": header})
    cluster.fail_next(faults.Fault(applies=False, response=answer))
    with pytest.raises(TemporaryError) as told:
        writer.patch(WEB, locked(cluster))
    assert told.value.retry_after == want


# reading before a write ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [faults.error(403), faults.error(500), faults.hang(), faults.refused(), faults.body(b"<html>"), faults.body(b"{}"),
     faults.body(b"<html>", code=404)],
    ids=["403", "500", "hangs", "refused", "html", "no uid", "a proxy's 404"],
)  # fmt: skip
def test_a_read_that_fails_is_blind_and_not_tried_again(
    writer: KubeWriter, cluster: FakeCluster, fault: faults.Fault
) -> None:
    cluster.fail_next(fault)
    before = len(cluster.requests)
    with pytest.raises(Blind):
        writer.read(WEB)
    assert len(cluster.requests) - before == 1


def test_a_target_without_a_name_is_refused(writer: KubeWriter, cluster: FakeCluster) -> None:
    with pytest.raises(PermanentError):
        writer.patch(Target("shop", "Deployment", ""), locked(cluster))
    with pytest.raises(PermanentError):
        writer.read(Target("shop", "Deployment", ""))
    assert cluster.writes == []


def test_a_body_that_is_no_json_is_refused(writer: KubeWriter, cluster: FakeCluster) -> None:
    for odd in (float("nan"), {1, 2}, object()):
        with pytest.raises(Refused) as refusal:
            writer.patch(WEB, locked(cluster, annotations={"a": odd}))
        assert refusal.value.reason == "no_json"
    assert cluster.writes == []
