"""What every API server promises of autoscalers as objects; what moves them needs metrics, and is another matter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import MERGE, Ground

AUTOSCALERS = "/apis/autoscaling/v2/namespaces/{ns}/horizontalpodautoscalers"
WEB = f"{AUTOSCALERS}/web"
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def autoscaler(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": TARGET, "maxReplicas": 5, **spec},
    }  # fmt: skip


def test_it_is_made_found_and_changed(ground: Ground) -> None:
    made = ground.good("POST", AUTOSCALERS, autoscaler())
    assert made["spec"]["scaleTargetRef"] == TARGET
    assert (made["spec"]["minReplicas"], made["spec"]["maxReplicas"]) == (1, 5)
    (found,) = ground.good("GET", AUTOSCALERS)["items"]
    assert found["metadata"]["uid"] == made["metadata"]["uid"]
    body = {"metadata": {"annotations": {"action": "a-1"}}, "spec": {"maxReplicas": 9}}
    patched = ground.good("PATCH", WEB, body, content_type=MERGE, fieldValidation="Strict")
    assert (patched["spec"]["maxReplicas"], patched["metadata"]["annotations"]) == (9, {"action": "a-1"})
    assert "generation" not in patched["metadata"]


def test_what_it_goes_by_is_kept(ground: Ground) -> None:
    metric = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization",
                                                                         "averageUtilization": 70}}}  # fmt: skip
    assert ground.good("POST", AUTOSCALERS, autoscaler(metrics=[metric]))["spec"]["metrics"] == [metric]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"minReplicas": 6}, "spec.maxReplicas: Invalid value: 5: must be greater than or equal to `minReplicas`"),
        ({"minReplicas": -1}, "spec.minReplicas: Invalid value: -1: must be greater than or equal to 1"),
        ({"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment"}},
         "spec.scaleTargetRef.name: Required value"),
    ],
    ids=["least above most", "none at least", "of nobody"],
)  # fmt: skip
def test_one_that_cannot_be_is_refused(ground: Ground, spec: dict[str, Any], said: str) -> None:
    found = ground.refused("POST", AUTOSCALERS, autoscaler(**spec))
    want = f'HorizontalPodAutoscaler.autoscaling "web" is invalid: {said}'
    assert (found["code"], found["message"]) == (422, want)


def test_without_a_most_it_is_refused(ground: Ground) -> None:
    found = ground.refused("POST", AUTOSCALERS, autoscaler(maxReplicas=0))
    assert (found["code"], found["details"]["causes"][0]["reason"]) == (422, "FieldValueRequired")
    assert "spec.maxReplicas: Required value: must be set and greater than 0" in found["message"]


def test_its_status_is_a_place_of_its_own(ground: Ground) -> None:
    ground.good("POST", AUTOSCALERS, autoscaler())
    body = {"spec": {"maxReplicas": 9}, "status": {"currentReplicas": 2, "desiredReplicas": 3}}
    found = ground.good("PATCH", f"{WEB}/status", body, content_type=MERGE)
    assert (found["spec"]["maxReplicas"], found["status"]["desiredReplicas"]) == (5, 3)
