"""Pods that had to leave their node: evicted for want of a resource, or preempted by a more important pod."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from opsbot.diagnose.checks.frame import LIKELY, OLD, SURE, UNREADY, Sign, moment
from opsbot.diagnose.snapshot import Seen, Snapshot

NAME = "evicted"
FAULTS = ("evicted", "preempted", "node_memory_pressure", "node_disk_pressure", "node_pid_pressure")
EXPLAINS = (*UNREADY, "restarts")

_LOW = re.compile(r"low on resource: (\S+?)[.,]|had condition: \[(\w+)\]")
_PRESSURE = {
    "memory": "node_memory_pressure", "MemoryPressure": "node_memory_pressure",
    "ephemeral-storage": "node_disk_pressure", "inodes": "node_disk_pressure", "DiskPressure": "node_disk_pressure",
    "pids": "node_pid_pressure", "PIDPressure": "node_pid_pressure",
}  # fmt: skip


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """The kubelet leaves an evicted pod behind as Failed, with the resource that ran short in its message."""
    for pod in snapshot.pods:
        if pod.word("status", "reason") == "Evicted":
            yield from _evicted(snapshot, pod)
        moved = pod.condition("DisruptionTarget")
        if moved.get("reason") == "PreemptionByScheduler" and moved.get("status") == "True":
            path = "status.conditions[DisruptionTarget]"
            yield Sign("preempted", pod.target, "a pod of higher priority took its place",
                       pod.cite(f"{path}.reason", f"{path}.message"), LIKELY, EXPLAINS)  # fmt: skip


def _evicted(snapshot: Snapshot, pod: Seen) -> Iterator[Sign]:
    message = pod.word("status", "message")
    cites = pod.cite("status.message", "status.reason", "spec.nodeName")
    confidence = OLD if _over(snapshot, pod) else SURE
    yield Sign("evicted", pod.target, f"evicted: {message}"[:400], cites, confidence, EXPLAINS)
    found = _LOW.search(message)
    fault = _PRESSURE.get((found[1] or found[2]) if found else "")
    if fault:
        node = pod.word("spec", "nodeName") or "its node"
        says = f"{node} ran short of {(found[1] or found[2]) if found else 'a resource'} and evicted pods"
        yield Sign(fault, pod.target, says, cites, min(confidence, LIKELY), (*EXPLAINS, "evicted"), key=str(node))


def _over(snapshot: Snapshot, pod: Seen) -> bool:
    times = [moment(c.get("lastTransitionTime")) for c in pod.items("status", "conditions")]
    last = max((time for time in times if time), default=None)
    return last is not None and snapshot.picture.taken_at - last > timedelta(hours=1)
