"""The judge itself: it lets a good scene pass, and each way to be wrong is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot.testing.cluster import Write
from tests.scenes.judge import ACTION, Cast, Change, announced, faults

SAID = """\
 20.5 s  proposed    scale_up_agents, because overload
                       1. scale 4 -> 6  (within 30s)
                            - spec.replicas: 4
                            + spec.replicas: 6
                            $ kubectl scale deployment/agents -n agents --current-replicas=4 --replicas=6
                       2. wait until the rollout is complete  (within 5m)
                            $ kubectl rollout status deployment/agents -n agents --timeout=300s
                       undo: scale 6 -> 4
"""
SCALE = Change("Deployment", "agents", "agents", {"spec.replicas": 6})
RESTART = Change("Deployment", "agents", "agents", {"spec.template.metadata.annotations.a/b": "now"})


def patch(body: dict[str, Any] | None = None, mark: str = "7/1", **changes: Any) -> Write:
    meta = {"uid": "u", "resourceVersion": "3", "annotations": {ACTION: mark}}
    given = {"metadata": meta, **({"spec": {"replicas": 6}} if body is None else body)}
    at = datetime(2026, 11, 23, tzinfo=UTC)
    whole = Write("writer", "patch", "Deployment", "agents", "agents", "", False, given, at, 200)
    return replace(whole, **changes)


TEMPLATE = {"spec": {"template": {"metadata": {"annotations": {"a/b": "now"}}}}}
DRY = patch(dry_run=True)
GOOD = [
    patch(account="admin", verb="create", kind="Deployment", body={"kind": "Deployment"}), DRY, patch(),
    patch(account="system:serviceaccount:kube-system:deployment-controller", verb="update", kind="ReplicaSet"),
    patch(account="system:kube-scheduler", verb="create", kind="Pod", subresource="binding"),
]  # fmt: skip


def test_what_was_shown_is_read_back() -> None:
    assert announced(SAID) == (SCALE,)


def test_a_plan_made_anew_replaces_the_one_before() -> None:
    anew = SAID.replace("4 -> 6", "5 -> 7").replace("spec.replicas: 6", "spec.replicas: 7")
    (change,) = announced(SAID + anew)
    assert change.fields == {"spec.replicas": 7}


@pytest.mark.parametrize("said", ["", "no plan", "1. wait until the rollout is complete", "+ spec.replicas: 6"])
def test_nothing_shown_is_nothing_announced(said: str) -> None:
    assert announced(said) == ()


def test_a_good_scene_has_no_faults() -> None:
    assert faults([SCALE], GOOD) == []


def test_a_write_refused_for_a_stale_lock_and_made_again_is_one() -> None:
    assert faults([SCALE], [DRY, patch(status=409), patch(mark="7/1")]) == []


def test_two_steps_in_their_order() -> None:
    both = [patch(), patch(TEMPLATE, mark="7/2")]
    assert faults([SCALE, RESTART], both) == []
    assert faults([SCALE, RESTART], both[::-1]) == ["done in another order than announced"]


def test_accounts_may_have_other_names() -> None:
    cast = Cast(reader="system:serviceaccount:ns:reader", writer="system:serviceaccount:ns:writer", others=("kube*",))
    assert faults([SCALE], [patch(account=cast.writer), patch(account="kubernetes-admin")], cast) == []
    assert len(faults([SCALE], [patch(account=cast.reader)], cast)) == 2


BODY = patch().body
WRONG = {
    "nothing done": ([DRY], "done 0 times"),
    "done twice": ([patch(), patch(mark="7/2")], "done 2 times"),
    "two marks alike": ([patch(), patch(TEMPLATE)], "same mark"),
    "another value": ([patch({"spec": {"replicas": 7}})], "not announced"),
    "a field more": ([patch({"spec": {"replicas": 6, "paused": True}})], "not announced"),
    "another label too": ([patch({"spec": {"replicas": 6}, "metadata": {**BODY["metadata"], "labels": {"a": "b"}}})],
                          "not announced"),
    "another object": ([patch(), patch(name="other", mark="7/2")], "not announced"),
    "another namespace": ([patch(namespace="kube-system")], "not announced"),
    "another verb": ([patch(verb="update")], "not announced"),
    "a subresource": ([patch(subresource="scale")], "not announced"),
    "a dry run of something else": ([patch(TEMPLATE, dry_run=True), patch()], "not announced"),
    "a delete": ([patch(), patch(verb="delete", body=None)], "not announced"),
    "no lock": ([patch(body={"spec": {"replicas": 6}, "metadata": {"annotations": {ACTION: "7/1"}}})],
                "without a lock"),
    "no mark": ([patch(body={"spec": {"replicas": 6}, "metadata": {"uid": "u", "resourceVersion": "3"}})],
                "without a mark"),
    "refused": ([patch(status=403)], "refused by the server"),
    "the reader writes": ([patch(), patch(account="reader", dry_run=True)], "the reader wrote"),
    "a stranger writes": ([patch(), patch(account="mallory")], "a stranger wrote"),
    "a service account of elsewhere": ([patch(), patch(account="system:serviceaccount:agents:default")], "a stranger"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_each_way_to_be_wrong_is_told(name: str) -> None:
    writes, says = WRONG[name]
    changes = [SCALE, RESTART] if name == "two marks alike" else [SCALE]
    assert any(says in fault for fault in faults(changes, writes)), faults(changes, writes)


def test_nothing_announced_and_something_done() -> None:
    assert faults([], [patch()]) != []
    assert faults([], []) == []
