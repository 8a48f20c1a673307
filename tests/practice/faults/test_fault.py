"""What is looked for in an object, and whose object it is."""

from __future__ import annotations

from typing import Any

import pytest

from opsbot.practice.faults.fault import LABEL, Fault, Look, holds, kinds, marked, owns, values

POD: dict[str, Any] = {
    "kind": "Pod",
    "metadata": {"name": "shop-1", "labels": {LABEL: "app_crash"}},
    "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "x:2"}], "empty": []},
    "status": {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}, {"type": "Initialized", "status": "True"}],
        "containerStatuses": [{"name": "a", "restartCount": 3, "ready": False, "lastState": {}}],
    },
}
FAULT = Fault("app_crash", "it ends", (), (Look("Pod", {"status.phase": "^Running$"}),))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("status.phase", ["Running"]),
        ("spec.containers.image", ["x:1", "x:2"]),
        ("spec.containers[b].image", ["x:2"]),
        ("status.conditions[Ready].status", ["False"]),
        ("status.containerStatuses.restartCount", ["3"]),
        ("status.containerStatuses.ready", ["false"]),
        ("status.containerStatuses.lastState.terminated.reason", []),
        ("status.containerStatuses.lastState", []),
        ("metadata.labels", [LABEL]),
        ("spec.empty", []),
        ("spec.containers[c].image", []),
        ("spec.nothing[c].image", []),
        ("status.phase.deeper", []),
        ("nowhere", []),
    ],
    ids=str,
)
def test_a_path_leads_to_all_that_is_there(path: str, found: list[str]) -> None:
    assert list(values(POD, path.split("."))) == found


@pytest.mark.parametrize(
    ("where", "seen"),
    [
        ({"status.phase": "^Run"}, True),
        ({"status.phase": "^run"}, False),
        ({"status.phase": "Running", "status.conditions[Ready].status": "True"}, False),
        ({"status.reason": ""}, True),
        ({"status.phase": ""}, False),
        ({"status.reason": "."}, False),
    ],
    ids=["found", "another spelling", "only one of two", "nothing wanted", "something unwanted", "nothing there"],
)
def test_all_paths_of_a_look_must_hold(where: dict[str, str], seen: bool) -> None:
    assert holds(Look("Pod", where), POD) is seen


def test_another_kind_is_no_match() -> None:
    assert not holds(Look("Node", {"status.phase": "Running"}), POD)


def test_a_look_says_what_it_looks_for() -> None:
    assert str(Look("Pod", {"status.phase": "Failed", "spec.x": ""})) == "Pod with status.phase ~ Failed, no spec.x"


def test_a_fault_is_seen_in_its_own_objects_alone() -> None:
    stranger = {**POD, "metadata": {"name": "shop-1", "labels": {LABEL: "out_of_memory"}}}
    assert FAULT.sees([stranger]) == list(FAULT.shows)
    assert FAULT.sees([stranger, POD]) == []


@pytest.mark.parametrize(
    ("about", "own"),
    [
        ("app-crash", True),
        ("app-crash-6bbb567f88-vjpvv", True),
        ("practice-node-app-crash", True),
        ("app-crashes", False),
        ("my-app-crash", False),
        ("", False),
    ],
)
def test_an_event_belongs_to_what_it_is_about(about: str, own: bool) -> None:
    assert owns(FAULT, {"kind": "Event", "metadata": {}, "involvedObject": {"name": about}}) is own


@pytest.mark.parametrize(
    "event", [{"kind": "Event"}, {"kind": "Event", "involvedObject": {}}, {"kind": "Pod"}], ids=str
)
def test_an_odd_object_belongs_to_nobody(event: dict[str, Any]) -> None:
    assert owns(FAULT, event) is False


def test_the_label_goes_down_to_the_pods() -> None:
    job = {"template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": []}}}
    cron = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "x"},
        "spec": {"jobTemplate": {"spec": job}},
    }
    made = marked(cron, "cron_suspended", "there")
    outer = made["spec"]["jobTemplate"]
    inner = outer["spec"]["template"]
    assert made["metadata"] == {"name": "x", "namespace": "there", "labels": {LABEL: "cron_suspended"}}
    assert outer["metadata"]["labels"] == {LABEL: "cron_suspended"}
    assert inner["metadata"]["labels"] == {"app": "x", LABEL: "cron_suspended"}
    assert [key for part in (outer, inner) for key in ("kind",) if key in part or "namespace" in part["metadata"]] == []


def test_marking_changes_nothing_but_a_copy() -> None:
    meta = {"name": "x", "labels": {"a": "b"}}
    marked({"kind": "Node", "metadata": meta, "spec": {}}, "node_not_ready", "there")
    assert meta == {"name": "x", "labels": {"a": "b"}}


def test_what_has_no_namespace_gets_none() -> None:
    assert "namespace" not in marked({"kind": "Node", "metadata": {"name": "x"}}, "node_not_ready", "there")["metadata"]


def test_each_kind_is_fetched_once() -> None:
    assert kinds([Look("Pod", {}), Look("Event", {}), Look("Pod", {"a": "b"})]) == ("Pod", "Event")


@pytest.mark.parametrize(
    ("fault", "where", "target", "seen_at"),
    [
        (FAULT, "practice-faults", "deploy/app-crash", "deploy/app-crash"),
        (
            Fault("quota_cpu", "", (), (), alone=True),
            "practice-faults-quota-cpu",
            "deploy/quota-cpu",
            "deploy/quota-cpu",
        ),
        (
            Fault("job_failed", "", (), (), about="job/job-failed"),
            "practice-faults",
            "job/job-failed",
            "job/job-failed",
        ),
        (Fault("node_not_ready", "", (), (), about="node/x"), "practice-faults", "deploy/node-not-ready", "node/x"),
    ],
    ids=["plain", "alone", "job", "node"],
)
def test_where_to_look(fault: Fault, where: str, target: str, seen_at: str) -> None:
    assert (fault.namespace, fault.target, fault.seen_at) == (where, target, seen_at)


@pytest.mark.parametrize(
    ("where", "short"),
    [
        ({"status.phase": "^Failed$", "status.reason": "^Evicted$"}, "Pod Evicted"),
        ({"status.phase": "Pending"}, "Pod Pending"),
        ({"status.conditions[Ready].status": "True"}, "Pod Ready"),
        ({"status.conditions[Ready].status": "False"}, "Pod not Ready"),
        ({"spec.replicas": "^0$", "status.replicas": ""}, "Pod replicas 0"),
        ({"endpoints": ""}, "Pod without endpoints"),
    ],
    ids=["reason first", "phase", "condition", "condition that is not", "number", "nothing"],
)
def test_a_look_in_a_few_words(where: dict[str, str], short: str) -> None:
    assert Look("Pod", where).short == short


def test_signs_are_told_once() -> None:
    twice = Fault("app_crash", "", (), (Look("Pod", {"status.phase": "x"}), Look("Pod", {"status.phase": "^x$"})))
    assert twice.signs == "Pod x"
