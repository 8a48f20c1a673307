"""Pods that the API server does not let come into being. Every refusal is the API server's own."""

from __future__ import annotations

from typing import Any

from opsbot.practice.faults.fault import NAMESPACE, Fault, Look, slug
from opsbot.practice.faults.parts import deployment, ended, event, made, told

# How a client prints a refusal by RBAC: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go.
FORBIDDEN = (
    f'jobs.batch is forbidden: User "system:serviceaccount:{NAMESPACE}:rbac-denied" cannot list resource "jobs" in API '
    f'group "batch" in the namespace "{NAMESPACE}"'
)


def _quota(name: str, **hard: str) -> Any:
    return made("v1", "ResourceQuota", name, {"hard": {key.replace("_", "."): size for key, size in hard.items()}})


def _limits(name: str, **bounds: dict[str, str]) -> Any:
    return made("v1", "LimitRange", name, {"limits": [{"type": "Container", **bounds}]})


def _size(cpu: str, memory: str) -> dict[str, Any]:
    return {"resources": {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": cpu, "memory": memory}}}


def _refused(message: str) -> tuple[Look, ...]:
    return (event("FailedCreate", message), Look("Deployment", {"status.conditions[ReplicaFailure].status": "True"}))


def _bound(name: str, summary: str, message: str, with_: dict[str, Any], **bounds: dict[str, str]) -> Fault:
    return Fault(name, summary, (_limits(name, **bounds), deployment(name, None, with_)), _refused(message), alone=True)


_WEBHOOK = {
    "name": "policy.practice.example", "admissionReviewVersions": ["v1"], "sideEffects": "None", "timeoutSeconds": 1,
    "failurePolicy": "Fail", "clientConfig": {"url": "https://127.0.0.1:9/validate"},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": f"{NAMESPACE}-{slug('webhook_unavailable')}"}},
}  # fmt: skip

FAULTS: tuple[Fault, ...] = (
    Fault(
        "quota_cpu", "the namespace's quota leaves no CPU for its pods",
        (_quota("quota_cpu", requests_cpu="100m"), deployment("quota_cpu", None, _size("250m", "64Mi"))),
        _refused("exceeded quota: quota-cpu, requested: requests.cpu=250m"), alone=True,
    ),
    Fault(
        "quota_memory", "the namespace's quota leaves no memory for its pods",
        (_quota("quota_memory", requests_memory="64Mi"), deployment("quota_memory", None, _size("50m", "256Mi"))),
        _refused("exceeded quota: quota-memory, requested: requests.memory=256Mi"), alone=True,
    ),
    Fault(
        "quota_objects", "the namespace's quota allows one pod, and two are wanted",
        (_quota("quota_objects", pods="1"), deployment("quota_objects", replicas=2)),
        _refused("exceeded quota: quota-objects, requested: pods=1"), alone=True,
    ),
    Fault(
        "quota_requires_limits", "the namespace's quota wants limits stated, and its pods state none",
        (_quota("quota_requires_limits", limits_cpu="4"), deployment("quota_requires_limits")),
        _refused("failed quota: quota-requires-limits: must specify limits.cpu"), alone=True,
    ),
    _bound("limit_range_min_cpu", "its pods ask for less CPU than the LimitRange allows",
           "minimum cpu usage per Container", _size("10m", "64Mi"), min={"cpu": "100m"}),
    _bound("limit_range_max_cpu", "its pods ask for more CPU than the LimitRange allows",
           "maximum cpu usage per Container", _size("2", "64Mi"), max={"cpu": "1"}),
    _bound("limit_range_min_memory", "its pods ask for less memory than the LimitRange allows",
           "minimum memory usage per Container", _size("50m", "16Mi"), min={"memory": "64Mi"}),
    _bound("limit_range_max_memory", "its pods ask for more memory than the LimitRange allows",
           "maximum memory usage per Container", _size("50m", "2Gi"), max={"memory": "1Gi"}),
    Fault(
        "pod_security_refused", "the namespace enforces the baseline, and its pods want to be privileged",
        (deployment("pod_security_refused", None, {"securityContext": {"privileged": True}}),),
        _refused('violates PodSecurity "baseline:latest": privileged'), alone=True,
        room={"pod-security.kubernetes.io/enforce": "baseline"},
    ),
    Fault(
        "webhook_unavailable", "an admission webhook that must be asked does not answer",
        ({**made("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "webhook_unavailable"),
          "webhooks": [_WEBHOOK]}, deployment("webhook_unavailable")),
        _refused('failed calling webhook "policy.practice.example"'), alone=True,
    ),
    Fault(
        "service_account_missing", "its pods run under an account that does not exist",
        (deployment("service_account_missing", serviceAccountName="payments-runner"),),
        _refused('serviceaccount "payments-runner" not found'),
    ),
    Fault(
        "rbac_denied", "it lists Jobs under an account that may not, and ends",
        (made("v1", "ServiceAccount", "rbac_denied"),
         deployment("rbac_denied", told(exit_code="1", runs_for="800ms"), serviceAccountName="rbac-denied")),
        (ended("Error", 1), event("BackOff", "Back-off restarting failed container rbac-denied")),
        logs=("level=info msg=\"starting janitor\"",),
        previous=("level=info msg=\"starting janitor\"", f'level=error msg="cannot list jobs" error={FORBIDDEN!r}'),
    ),
)  # fmt: skip
