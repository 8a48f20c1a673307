"""What a fresh API server is told before it is of use: accounts, nodes, kinds of kwok's; and objects of users.

`until(what, true)` comes from outside: it waits, and gives up in its own way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from opsbot.practice import paths
from opsbot.practice.plane.client import Client, Said
from opsbot.practice.plane.programs import LOGS_OF_PODS

NODES = ("node-1", "node-2", "node-3")
"""Fewer than three could not show that a pod which is evicted finds another place."""

Until = Callable[[str, Callable[[], bool]], None]
Object = Mapping[str, Any]

_KWOK = "kwok.x-k8s.io"


def prepare(client: Client, roles: Iterable[Object], until: Until) -> None:
    """Accounts, and nodes that take pods; the namespace `default` can be used."""
    for role in roles:
        create(client, role)
    for number, name in enumerate(NODES, 1):
        create(client, _node(name, f"zone-{number}"))
    until("kwok", lambda: all(map(_takes_pods, client.get("/api/v1/nodes")["items"])))
    until("kube-controller-manager", lambda: _usable(client, "default"))


def _node(name: str, zone: str) -> Object:
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "topology.kubernetes.io/zone": zone}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def _takes_pods(node: Object) -> bool:
    """Ready, and no longer tainted as the node that it was before."""
    conditions = (node.get("status") or {}).get("conditions") or ()
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
    return ready and not (node.get("spec") or {}).get("taints")


def _usable(client: Client, namespace: str) -> bool:
    """Whether pods can be made there: they all need the namespace's own service account."""
    return client.find(f"/api/v1/namespaces/{namespace}/serviceaccounts/default") is not None


def define_logs(client: Client) -> None:
    """The kinds by which kwok is told where the log of a pod is; kwok itself checks what they hold."""
    for kind in LOGS_OF_PODS:
        create(client, _definition(kind, namespaced=kind == "Logs"))


def _definition(kind: str, *, namespaced: bool) -> Object:
    plural = kind.lower()
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{_KWOK}"},
        "spec": {
            "group": _KWOK, "scope": "Namespaced" if namespaced else "Cluster",
            "names": {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": plural},
            "versions": [{"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
        },
    }  # fmt: skip


def place(obj: Object) -> str:
    """The path of the list that an object belongs to; KeyError for a kind that is not known here."""
    return paths.of(obj["kind"], obj["metadata"].get("namespace", "default"))


def create(client: Client, obj: Object) -> None:
    """Make an object; nothing happens where there is one of its name."""
    try:
        client.create(place(obj), obj)
    except Said as error:
        if error.status != 409:
            raise


def apply(client: Client, objects: Sequence[Object], until: Until) -> None:
    """Make objects in this order; a new namespace is waited for, and so are all Deployments at the end."""
    for obj in objects:
        create(client, obj)
        if obj["kind"] == "Namespace":
            name = obj["metadata"]["name"]
            until("kube-controller-manager", lambda name=name: _usable(client, name))  # type: ignore[misc]
    for obj in objects:
        if obj["kind"] == "Deployment":
            until("kwok", lambda meta=obj["metadata"]: _all_ready(client, meta))  # type: ignore[misc]


def _all_ready(client: Client, meta: Mapping[str, str]) -> bool:
    wanted, ready = replicas(client, meta["namespace"], meta["name"])
    return wanted == ready


def replicas(client: Client, namespace: str, deployment: str) -> tuple[int, int]:
    """Wanted and ready; none of either where there is no such Deployment."""
    found = client.find(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}") or {}
    return (found.get("spec") or {}).get("replicas", 0), (found.get("status") or {}).get("readyReplicas", 0)
