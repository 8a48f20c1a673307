"""ReplicaSets: as many pods as are wanted, made and ended at once; the status as of the pods now."""

from __future__ import annotations

from datetime import timedelta

from opsbot.testing.cluster.controllers.loop import Loop, condition, is_active, is_ready
from opsbot.testing.cluster.objects import read_stamp
from opsbot.testing.cluster.wire import Failure, Json


def sync(loop: Loop, owner: Json) -> None:
    """One step of one ReplicaSet."""
    active = [pod for pod in loop.claimed(owner, "Pod") if is_active(pod)]
    wanted = owner["spec"].get("replicas", 1)
    why = _grow(loop, owner, active, wanted - len(active))
    for pod in sorted(active, key=_worth)[: max(len(active) - wanted, 0)]:
        loop.end_pod(pod)
        message = f"Deleted pod: {pod['metadata']['name']}"
        loop.event(owner, "Normal", "SuccessfulDelete", message, "replicaset-controller")
        active.remove(pod)
    loop.objects.update(owner, status={**_status(loop, owner, active), **_failure(loop, owner, why)})


def _grow(loop: Loop, owner: Json, active: list[Json], count: int) -> str:
    """Make so many pods more; what kept one from being made, if anything did."""
    for _ in range(count):
        name = loop.pod_name(owner)
        try:
            active.append(loop.new_pod(owner, owner["spec"]["template"], name))
        except Failure as refused:
            loop.event(owner, "Warning", "FailedCreate", f"Error creating: {refused}", "replicaset-controller")
            return str(refused)
        loop.event(owner, "Normal", "SuccessfulCreate", f"Created pod: {name}", "replicaset-controller")
    return ""


def _failure(loop: Loop, owner: Json, why: str) -> Json:
    """The condition that says why there are too few; the first reason stays for as long as it fails."""
    if not why:
        return {}
    old = owner.get("status") or {}
    made = condition("ReplicaFailure", True, "FailedCreate", why, loop.now, old)
    standing = [item for item in old.get("conditions") or [] if item["type"] == "ReplicaFailure"]
    del made["lastUpdateTime"]
    return {"conditions": standing or [made]}


def _worth(pod: Json) -> tuple[bool, bool, float]:
    """What goes first: pods without a node, then those not ready, then the youngest."""
    born = read_stamp(pod["metadata"]["creationTimestamp"])
    return bool(pod["spec"].get("nodeName")), is_ready(pod), -born.timestamp()


def available(loop: Loop, pod: Json, seconds: int) -> bool:
    """Whether a pod has been ready for long enough."""
    if not is_ready(pod) or not seconds:
        return is_ready(pod)
    found = next(item for item in pod["status"]["conditions"] if item["type"] == "Ready")
    since = found.get("lastTransitionTime")
    return since is not None and loop.now - read_stamp(since) >= timedelta(seconds=seconds)


def _status(loop: Loop, owner: Json, active: list[Json]) -> Json:
    ready = sum(is_ready(pod) for pod in active)
    usable = sum(available(loop, pod, owner["spec"].get("minReadySeconds", 0)) for pod in active)
    leaving = [pod for pod in loop.objects.dependents(owner, "Pod") if pod["metadata"].get("deletionTimestamp")]
    status = {"replicas": len(active), "fullyLabeledReplicas": len(active), "terminatingReplicas": len(leaving),
              "observedGeneration": owner["metadata"].get("generation", 1)}  # fmt: skip
    return status | {key: n for key, n in (("readyReplicas", ready), ("availableReplicas", usable)) if n}
