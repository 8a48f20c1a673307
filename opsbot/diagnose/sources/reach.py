"""A target in, the objects that belong to it out: its own object, its ReplicaSets or Jobs, its pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opsbot.core.errors import Blind
from opsbot.core.ports import ClusterReader, Object
from opsbot.core.target import Target
from opsbot.diagnose import shape

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod")
VERBS = (
    ("get", "pods"), ("list", "pods"), ("get", "deployments.apps"), ("get", "statefulsets.apps"),
    ("get", "daemonsets.apps"), ("get", "replicasets.apps"), ("list", "replicasets.apps"), ("get", "jobs.batch"),
    ("list", "jobs.batch"), ("get", "cronjobs.batch"),
)  # fmt: skip
CALL = 5.0
_BETWEEN = {"Deployment": "ReplicaSet", "CronJob": "Job"}


@dataclass(frozen=True, slots=True)
class Reach:
    """What belongs to a target. `between` are the ReplicaSets of a Deployment or the Jobs of a CronJob."""

    owner: Object
    between: tuple[Object, ...] = ()
    pods: tuple[Object, ...] = ()
    truncated: bool = False


def reach(cluster: ClusterReader, target: Target) -> Reach:
    """Everything of a target; Blind when it is of a kind that has no pods, is not there, or cannot be read."""
    if target.kind not in WORKLOADS:
        raise Blind(f"a {target.kind} has no pods of its own: name the workload")
    owner = cluster.get(target.kind, target.namespace, target.name, CALL)
    if owner is None:
        raise Blind(f"{target} is not there")
    if target.kind == "Pod":
        return Reach(owner, (), (owner,))
    between, more = _between(cluster, target, owner)
    pods = _owned(cluster, "Pod", target.namespace, _labels(owner), [owner, *between])
    return Reach(owner, between, pods[0], more or pods[1])


def _between(cluster: ClusterReader, target: Target, owner: Object) -> tuple[tuple[Object, ...], bool]:
    kind = _BETWEEN.get(target.kind)
    if kind is None:
        return (), False
    labels = _labels(owner) if kind == "ReplicaSet" else ""
    return _owned(cluster, kind, target.namespace, labels, [owner])


def _owned(
    cluster: ClusterReader, kind: str, namespace: str, labels: str, owners: Iterable[Object]
) -> tuple[tuple[Object, ...], bool]:
    """Objects of a kind whose controller is one of the owners: a selector alone may catch another's pods."""
    uids = {uid for owner in owners if (uid := metadata(owner).get("uid"))}
    listing = cluster.list(kind, namespace, labels, limit=500, timeout=CALL)
    mine = tuple({"kind": kind, **item} for item in listing.items if controller(item).get("uid") in uids)
    return mine, listing.truncated


def metadata(item: Object) -> Mapping[str, Any]:
    """The metadata of an object, empty where it has none."""
    return shape.mapping(item, "metadata")


def controller(item: Object) -> Mapping[str, Any]:
    """The owner reference of the controller, empty where there is none."""
    return next((owner for owner in shape.items(item, "metadata", "ownerReferences") if owner.get("controller")), {})


def _labels(owner: Object) -> str:
    """The selector of a workload as a label selector text; empty where it has none (a CronJob)."""
    selector = shape.mapping(owner, "spec", "selector")
    exact = [f"{key}={value}" for key, value in shape.mapping(selector, "matchLabels").items()]
    return ",".join([*exact, *map(_expression, shape.items(selector, "matchExpressions"))])


def _expression(item: Mapping[str, Any]) -> str:
    key, values = item.get("key", ""), ",".join(item.get("values") or ())
    forms = {"In": f"{key} in ({values})", "NotIn": f"{key} notin ({values})", "Exists": key, "DoesNotExist": f"!{key}"}
    return str(forms.get(str(item.get("operator")), key))
