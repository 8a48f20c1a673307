"""Where the API server keeps each kind that a fault is made of, or leaves behind."""

from __future__ import annotations

from urllib.parse import quote

_CORE, _APPS, _BATCH = "/api/v1", "/apis/apps/v1", "/apis/batch/v1"

# Kind: API, plural, whether it lives in a namespace.
KINDS: dict[str, tuple[str, str, bool]] = {
    "ValidatingWebhookConfiguration": (
        "/apis/admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", False),
    "HorizontalPodAutoscaler": ("/apis/autoscaling/v2", "horizontalpodautoscalers", True),
    "CronJob": (_BATCH, "cronjobs", True),
    "Job": (_BATCH, "jobs", True),
    "Deployment": (_APPS, "deployments", True),
    "ReplicaSet": (_APPS, "replicasets", True),
    "Pod": (_CORE, "pods", True),
    "PodDisruptionBudget": ("/apis/policy/v1", "poddisruptionbudgets", True),
    "Ingress": ("/apis/networking.k8s.io/v1", "ingresses", True),
    "Service": (_CORE, "services", True),
    "EndpointSlice": ("/apis/discovery.k8s.io/v1", "endpointslices", True),
    "PersistentVolumeClaim": (_CORE, "persistentvolumeclaims", True),
    "PersistentVolume": (_CORE, "persistentvolumes", False),
    "ConfigMap": (_CORE, "configmaps", True),
    "ServiceAccount": (_CORE, "serviceaccounts", True),
    "ResourceQuota": (_CORE, "resourcequotas", True),
    "LimitRange": (_CORE, "limitranges", True),
    "PriorityClass": ("/apis/scheduling.k8s.io/v1", "priorityclasses", False),
    "Node": (_CORE, "nodes", False),
    "ClusterLogs": ("/apis/kwok.x-k8s.io/v1alpha1", "clusterlogs", False),
    "Namespace": (_CORE, "namespaces", False),
    "Event": (_CORE, "events", True),
}  # fmt: skip

OWNED = tuple(kind for kind in KINDS if kind != "Event")
"""What bears the label of a fault, in the order in which it is best taken away."""


def of(kind: str, namespace: str, name: str = "") -> str:
    """The path of a kind's list, or of one object; with no namespace, of the list in all of them."""
    api, plural, namespaced = KINDS[kind]
    inside = f"/namespaces/{quote(namespace, safe='')}" if namespaced and namespace else ""
    return f"{api}{inside}/{plural}" + (f"/{quote(name, safe='')}" if name else "")
