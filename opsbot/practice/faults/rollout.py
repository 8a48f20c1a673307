"""Rollouts and scaling that come to nothing. What is said of them is the controllers' own."""

from __future__ import annotations

from typing import Any

from opsbot.practice.faults.fault import Act, Fault, Look, slug
from opsbot.practice.faults.parts import READY, deployment, ended, event, made, told, waiting

_LOST = "registry.example/shop:2.4.0-rc9"
_AVAILABLE = Look("Deployment", {"status.conditions[Available].status": "True", "status.readyReplicas": "^2$"})


def _release(name: str, notes: dict[str, str], image: str) -> Act:
    """The next version of its Deployment, once the first one is well."""
    containers = [{**deployment(name)["spec"]["template"]["spec"]["containers"][0], "image": image}]
    template = {"metadata": {"annotations": notes}, "spec": {"containers": containers}}
    return Act("patch", "Deployment", slug(name), {"spec": {"template": template}}, _AVAILABLE)


def _scaler(name: str, target: str = "") -> Any:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    return made("autoscaling/v2", "HorizontalPodAutoscaler", name, {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": target or slug(name)},
        "minReplicas": 1, "maxReplicas": 4, "metrics": [{"type": "Resource", "resource": cpu}],
    })  # fmt: skip


_STUCK = deployment("finalizer_stuck")

FAULTS: tuple[Fault, ...] = (
    Fault(
        "rollout_stuck", "the new version cannot start, and the deadline of the rollout is over",
        (deployment("rollout_stuck", replicas=2, spec={"progressDeadlineSeconds": 4}),),
        (Look("Deployment", {"status.conditions[Progressing].reason": "^ProgressDeadlineExceeded$"}),
         waiting("ImagePullBackOff", "2.4.0-rc9"), event("ScalingReplicaSet", "Scaled up")),
        then=(_release("rollout_stuck", told(waits="ErrImagePull", message=(
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{_LOST}": failed to resolve reference '
            f'"{_LOST}": {_LOST}: not found')), _LOST),),
    ),
    Fault(
        "bad_release", "the new version ends with an error where the old one ran",
        (deployment("bad_release", replicas=2),),
        (ended("Error", 3), READY, Look("Deployment", {"status.updatedReplicas": "^1$"})),
        then=(_release("bad_release", told(exit_code="3", runs_for="700ms"), "registry.example/shop:2.4.0"),),
        logs=('level=info msg="shop starts"',),
        previous=('level=info msg="shop starts"', 'level=fatal msg="unknown key in settings" key=retries'),
    ),
    Fault(
        "replicas_zero", "it is scaled to zero",
        (deployment("replicas_zero", replicas=0),),
        (Look("Deployment", {"spec.replicas": "^0$", "status.conditions[Available].status": "True",
                             "status.replicas": ""}),),
    ),
    Fault(
        "hpa_no_metrics", "its autoscaler gets no metrics, for nobody serves them",
        (deployment("hpa_no_metrics"), _scaler("hpa_no_metrics")),
        (Look("HorizontalPodAutoscaler", {"status.conditions[ScalingActive].reason": "^FailedGetResourceMetric$"}),
         event("FailedGetResourceMetric", "unable to get metrics for resource cpu|unable to fetch metrics")),
        about="hpa/hpa-no-metrics",
    ),
    Fault(
        "hpa_target_missing", "its autoscaler is to scale a Deployment that is not there",
        (_scaler("hpa_target_missing", "shop-frontend"), deployment("hpa_target_missing")),
        (Look("HorizontalPodAutoscaler", {"status.conditions[AbleToScale].reason": "^FailedGetScale$"}),
         event("FailedGetScale", 'deployments.apps "shop-frontend" not found')),
        about="hpa/hpa-target-missing",
    ),
    Fault(
        "pdb_blocks_eviction", "its disruption budget lets no pod of it go",
        (made("policy/v1", "PodDisruptionBudget", "pdb_blocks_eviction",
              {"minAvailable": 2, "selector": {"matchLabels": {"app": "pdb-blocks-eviction"}}}),
         deployment("pdb_blocks_eviction", replicas=2)),
        (Look("PodDisruptionBudget", {"status.disruptionsAllowed": "^0$", "status.currentHealthy": "^2$",
                                      "status.conditions[DisruptionAllowed].status": "False"}),),
    ),
    Fault(
        "finalizer_stuck", "it was deleted, and a finalizer that nobody takes away keeps it",
        ({**_STUCK, "metadata": {**_STUCK["metadata"], "finalizers": ["practice.opsbot/never-done"]}},),
        (Look("Deployment", {"metadata.finalizers": "never-done", "metadata.deletionTimestamp": "."}),),
        then=(Act("delete", "Deployment", slug("finalizer_stuck"), once=READY),),
    ),
)  # fmt: skip
