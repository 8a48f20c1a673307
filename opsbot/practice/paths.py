"""Where an API server keeps each kind that the practice ground makes, or meets. Nothing is asked here."""

from __future__ import annotations

from urllib.parse import quote

from opsbot.testing.cluster.kinds import BY_NAME

_RBAC, _KWOK = "rbac.authorization.k8s.io/v1", "kwok.x-k8s.io/v1alpha1"

# API version, plural, whether it lives in a namespace.
_OTHERS = {
    "ClusterLogs": (_KWOK, "clusterlogs", False),
    "ClusterRole": (_RBAC, "clusterroles", False),
    "ClusterRoleBinding": (_RBAC, "clusterrolebindings", False),
    "CustomResourceDefinition": ("apiextensions.k8s.io/v1", "customresourcedefinitions", False),
    "Logs": (_KWOK, "logs", True),
    "PriorityClass": ("scheduling.k8s.io/v1", "priorityclasses", False),
    "Role": (_RBAC, "roles", True),
    "RoleBinding": (_RBAC, "rolebindings", True),
    "ValidatingWebhookConfiguration": ("admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", False),
}

KINDS: dict[str, tuple[str, str, bool]] = {
    **{kind.name: (kind.api_version, kind.plural, kind.namespaced) for kind in BY_NAME.values()},
    **_OTHERS,
}
"""API version, plural, and whether it lives in a namespace, by kind."""


def of(kind: str, namespace: str, name: str = "") -> str:
    """The path of a kind's list, or of one object; without a namespace, of the list in all. KeyError for others."""
    version, plural, namespaced = KINDS[kind]
    inside = f"/namespaces/{quote(namespace, safe='')}" if namespaced and namespace else ""
    root = "apis" if "/" in version else "api"
    return f"/{root}/{version}{inside}/{plural}" + (f"/{quote(name, safe='')}" if name else "")
