"""Pods of a target as they are now: status, lastState, restarts, conditions, resources; unready ones first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opsbot.core.evidence import Evidence, Gap
from opsbot.core.ports import ClusterReader, Object
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.sources import objects
from opsbot.diagnose.sources.reach import VERBS as REACH
from opsbot.diagnose.sources.reach import reach

NAME = "pods"
DEADLINE = 15.0
VERBS = REACH
BYTE_CAP = 400_000
MOST = 100

_PROBE = {
    "httpGet": {"path": True, "port": True, "scheme": True}, "tcpSocket": True, "grpc": True, "exec": True,
    "initialDelaySeconds": True, "periodSeconds": True, "timeoutSeconds": True, "failureThreshold": True,
}  # fmt: skip
_CONTAINER: dict[str, Any] = {
    "name": True, "image": True, "imagePullPolicy": True, "command": True, "args": True, "workingDir": True,
    "ports": True, "resources": True, "restartPolicy": True, "livenessProbe": _PROBE, "readinessProbe": _PROBE,
    "startupProbe": _PROBE, "env": True, "envFrom": True, "volumeMounts": {"name": True, "mountPath": True},
}  # fmt: skip
_STATE = {"waiting": True, "running": True, "terminated": True}
_STATUS = {
    "name": True, "ready": True, "started": True, "restartCount": True, "image": True, "state": _STATE,
    "lastState": _STATE,
}  # fmt: skip
TEMPLATE: dict[str, Any] = {
    "nodeName": True, "nodeSelector": True, "affinity": True, "tolerations": True, "topologySpreadConstraints": True,
    "schedulerName": True, "schedulingGates": True, "restartPolicy": True, "serviceAccountName": True,
    "priorityClassName": True, "imagePullSecrets": True, "hostNetwork": True, "dnsPolicy": True,
    "terminationGracePeriodSeconds": True, "initContainers": _CONTAINER, "containers": _CONTAINER, "volumes": True,
}  # fmt: skip
_POD: dict[str, Any] = {
    "kind": True,
    "metadata": {
        "name": True, "namespace": True, "uid": True, "creationTimestamp": True, "deletionTimestamp": True,
        "labels": True, "ownerReferences": {"kind": True, "name": True, "uid": True, "controller": True},
    },
    "status": {
        "phase": True, "reason": True, "message": True, "startTime": True, "nominatedNodeName": True, "qosClass": True,
        "conditions": {"type": True, "status": True, "reason": True, "message": True, "lastTransitionTime": True},
        "initContainerStatuses": _STATUS, "containerStatuses": _STATUS,
    },
    "spec": TEMPLATE,
}  # fmt: skip


def collect(cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
    """One piece of evidence on all pods of the target; Blind where they cannot be read."""
    found = reach(cluster, target)
    pods = sorted(found.pods, key=trouble)
    pruned = [objects.pick({"kind": "Pod", **pod}, _POD) for pod in pods[:MOST]]
    origin = f"kubectl get pods -n {target.namespace} -o yaml, those of {target.kind}/{target.name}"
    cut = found.truncated or len(pods) > MOST
    yield objects.evidence(NAME, target, now, origin, pruned, BYTE_CAP, cut)


def trouble(pod: Object) -> tuple[int, int, str]:
    """A sort key: pods that are not ready first, then those that restarted most."""
    return (1 if ready(pod) else 0, -restarts(pod), shape.word(pod, "metadata", "name"))


def ready(pod: Object) -> bool:
    """Whether its Ready condition is true."""
    return any(c.get("type") == "Ready" and c.get("status") == "True" for c in shape.items(pod, "status", "conditions"))


def restarts(pod: Object) -> int:
    """How often its containers were restarted, in all."""
    return sum(shape.number(status, "restartCount") for status in statuses(pod))


def statuses(pod: Object) -> list[Object]:
    """The container statuses, init containers first."""
    return [*shape.items(pod, "status", "initContainerStatuses"), *shape.items(pod, "status", "containerStatuses")]
