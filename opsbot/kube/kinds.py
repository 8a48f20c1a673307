"""Where each kind lives in the API, and the paths made of it."""

from __future__ import annotations

from urllib.parse import quote

from opsbot.core.errors import PermanentError

# kind -> (group, version, plural, namespaced)
VERBS: dict[str, tuple[str, str, str, bool]] = {
    "Pod": ("", "v1", "pods", True),
    "Event": ("", "v1", "events", True),
    "Node": ("", "v1", "nodes", False),
    "Namespace": ("", "v1", "namespaces", False),
    "Service": ("", "v1", "services", True),
    "Endpoints": ("", "v1", "endpoints", True),
    "ConfigMap": ("", "v1", "configmaps", True),
    "Secret": ("", "v1", "secrets", True),
    "ServiceAccount": ("", "v1", "serviceaccounts", True),
    "PersistentVolumeClaim": ("", "v1", "persistentvolumeclaims", True),
    "PersistentVolume": ("", "v1", "persistentvolumes", False),
    "ResourceQuota": ("", "v1", "resourcequotas", True),
    "LimitRange": ("", "v1", "limitranges", True),
    "Deployment": ("apps", "v1", "deployments", True),
    "ReplicaSet": ("apps", "v1", "replicasets", True),
    "StatefulSet": ("apps", "v1", "statefulsets", True),
    "DaemonSet": ("apps", "v1", "daemonsets", True),
    "ControllerRevision": ("apps", "v1", "controllerrevisions", True),
    "Job": ("batch", "v1", "jobs", True),
    "CronJob": ("batch", "v1", "cronjobs", True),
    "HorizontalPodAutoscaler": ("autoscaling", "v2", "horizontalpodautoscalers", True),
    "PodDisruptionBudget": ("policy", "v1", "poddisruptionbudgets", True),
    "Ingress": ("networking.k8s.io", "v1", "ingresses", True),
    "IngressClass": ("networking.k8s.io", "v1", "ingressclasses", False),
    "NetworkPolicy": ("networking.k8s.io", "v1", "networkpolicies", True),
    "StorageClass": ("storage.k8s.io", "v1", "storageclasses", False),
    "EndpointSlice": ("discovery.k8s.io", "v1", "endpointslices", True),
}


def api_version(kind: str) -> str:
    """`apps/v1` for a Deployment."""
    group, version, _plural, _namespaced = place(kind)
    return f"{group}/{version}" if group else version


def place(kind: str) -> tuple[str, str, str, bool]:
    """Group, version, plural and whether namespaced; PermanentError for a kind that opsbot does not know."""
    if kind not in VERBS:
        raise PermanentError(f"{kind[:40]!r} is no kind that opsbot can reach: {', '.join(VERBS)}")
    return VERBS[kind]


def kind_of(resource: str) -> tuple[str, str]:
    """Kind and subresource of what `kubectl auth can-i` calls `pods/log` or `deployments.apps`.

    PermanentError for a resource that opsbot does not know.
    """
    whole, _, part = resource.partition("/")
    plural, _, group = whole.partition(".")
    for kind, (known, _version, called, _namespaced) in VERBS.items():
        if (known, called) == (group, plural):
            return kind, part
    raise PermanentError(f"{resource[:60]!r} is no resource that opsbot can reach")


def path(kind: str, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The URL path of an object, or of a list where there is no name; each part is quoted.

    PermanentError where a name would lead elsewhere (`..`), or an object of a namespaced kind has no namespace.
    """
    group, version, plural, namespaced = place(kind)
    if name in (".", "..") or namespace in (".", ".."):
        raise PermanentError(f"{name or namespace!r} is no name of an object")
    if namespaced and name and not namespace:
        raise PermanentError(f"{kind}/{name[:60]} has no namespace, and its kind needs one")
    base = f"/apis/{group}/{version}" if group else f"/api/{version}"
    parts = [base]
    if namespaced and namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts += [part if part == plural else quote(part, safe="") for part in (plural, name, subresource) if part]
    return "/".join(parts)
