"""What a demo puts into its namespace: the namespace itself, accounts with exactly their rights, objects."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opsbot.core.errors import PermanentError
from opsbot.practice import paths
from opsbot.practice.guest.cluster import LABEL, RBAC, Cluster, refused
from opsbot.testing.cluster import Rule

LASTING = 4 * 3600
"""Seconds that the tokens are good for, unless the namespace goes first."""

READY_WITHIN = 180.0
PATIENT_FOR = 10.0
"""Seconds after which the cluster is asked why it takes so long."""
GLANCE = 0.5


def make_namespace(cluster: Cluster, namespace: str, mark: str) -> None:
    """The namespace, marked as this demo's own."""
    labels = {LABEL: mark, "app.kubernetes.io/managed-by": "opsbot-demo"}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    status, said = cluster.ask("POST", "/api/v1/namespaces", body)
    if status != 201:
        raise refused(cluster, f"make the namespace {namespace}", status, said)


def create(cluster: Cluster, namespace: str, obj: Mapping[str, Any]) -> None:
    """Make one object in the namespace; PermanentError in the server's words."""
    if obj["kind"] == "Namespace":
        return
    status, said = cluster.ask("POST", paths.of(obj["kind"], namespace), obj)
    if status != 201:
        raise refused(cluster, f"make {obj['kind']}/{obj['metadata']['name']} in {namespace}", status, said)


def account(cluster: Cluster, namespace: str, name: str, rules: Sequence[Rule]) -> str:
    """Make a ServiceAccount with a Role of exactly these rules; its token."""
    full, meta = f"opsbot-{name}", {"name": f"opsbot-{name}", "namespace": namespace}
    granted = [
        {"verbs": list(rule.verbs), "apiGroups": list(rule.groups), "resources": list(rule.resources)} for rule in rules
    ]
    for body in (
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": False},
        {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": meta, "rules": granted},
        {"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": meta,
         "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": full},
         "subjects": [{"kind": "ServiceAccount", "name": full, "namespace": namespace}]},
    ):  # fmt: skip
        create(cluster, namespace, body)
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": LASTING}}
    status, said = cluster.ask("POST", f"{paths.of('ServiceAccount', namespace, full)}/token", request)
    token = (said.get("status") or {}).get("token")
    if status != 201 or not isinstance(token, str) or not token:
        raise refused(cluster, f"give a token to {full}", status, said)
    return token


def wait_ready(cluster: Cluster, namespace: str, name: str, tell: Callable[[str], None]) -> None:
    """Until all pods of a Deployment are ready; PermanentError with the cluster's reason where that takes too long."""
    begun = time.monotonic()
    while True:
        (wanted, ready), waited = replicas(cluster, namespace, name), time.monotonic() - begun
        if wanted and ready >= wanted:
            return
        why = f": {_trouble(cluster, namespace)}" if waited > PATIENT_FOR else ""
        if waited > READY_WITHIN:
            raise PermanentError(f"{ready} of {wanted} pods were ready after {READY_WITHIN:.0f} s{why}")
        tell(f"waiting for the pods, {ready} of {wanted} are ready{why}")
        time.sleep(GLANCE)


def replicas(cluster: Cluster, namespace: str, name: str) -> tuple[int, int]:
    """How many replicas are wanted, and how many are ready."""
    status, found = cluster.ask("GET", paths.of("Deployment", namespace, name))
    if status != 200:
        raise refused(cluster, f"get Deployment/{name} in {namespace}", status, found)
    return (found.get("spec") or {}).get("replicas", 0), (found.get("status") or {}).get("readyReplicas", 0)


def _trouble(cluster: Cluster, namespace: str) -> str:
    """Why pods do not come up, as the cluster says it: of a pod, else of the workload."""
    _, pods = cluster.ask("GET", f"/api/v1/namespaces/{namespace}/pods")
    _, workloads = cluster.ask("GET", paths.of("Deployment", namespace))
    for item in [*(pods.get("items") or ()), *(workloads.get("items") or ())]:
        status = item.get("status") or {}
        states = [((box.get("state") or {}).get("waiting") or {}) for box in status.get("containerStatuses") or ()]
        for thing in (*states, *(one for one in status.get("conditions") or () if one.get("status") == "False")):
            if thing.get("message"):
                return f"{thing.get('reason')}: {thing['message']}"
    return "the cluster does not say why"
