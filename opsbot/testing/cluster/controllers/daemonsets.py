"""DaemonSets: one pod on each node; a new template replaces them one by one."""

from __future__ import annotations

from opsbot.testing.cluster.controllers import revisions
from opsbot.testing.cluster.controllers.loop import Loop, is_active, is_ready
from opsbot.testing.cluster.wire import Failure, Json

_LABEL = "controller-revision-hash"


def sync(loop: Loop, owner: Json) -> None:
    """One step of one DaemonSet."""
    nodes = [node["metadata"]["name"] for node in loop.objects.sound("Node")]
    pods = [pod for pod in loop.claimed(owner, "Pod") if is_active(pod)]
    mark = revisions.current(loop, owner)
    placed = {pod["spec"].get("nodeName"): pod for pod in pods}
    for node in nodes:
        if node not in placed:
            template = {**owner["spec"]["template"]}
            template["spec"] = {**template["spec"], "nodeName": node}
            try:
                pods.append(loop.new_pod(owner, template, loop.pod_name(owner), {_LABEL: mark}))
            except Failure as refused:
                loop.event(owner, "Warning", "FailedCreate", f"Error creating: {refused}", "daemonset-controller")
    for pod in pods:
        if pod["spec"].get("nodeName") not in nodes:
            loop.end_pod(pod)
    _roll(loop, owner, pods, mark)
    _report(loop, owner, len(nodes), mark)


def _roll(loop: Loop, owner: Json, pods: list[Json], mark: str) -> None:
    stale = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_LABEL) != mark]
    if (owner["spec"].get("updateStrategy") or {}).get("type") == "OnDelete" or not stale:
        return
    if all(is_ready(pod) for pod in pods):
        loop.end_pod(stale[0])


def _report(loop: Loop, owner: Json, wanted: int, mark: str) -> None:
    pods = [pod for pod in loop.objects.dependents(owner, "Pod") if is_active(pod)]
    ready = sum(is_ready(pod) for pod in pods)
    status = {
        "observedGeneration": owner["metadata"].get("generation", 1), "desiredNumberScheduled": wanted,
        "currentNumberScheduled": len(pods), "numberReady": ready, "numberAvailable": ready, "numberMisscheduled": 0,
        "updatedNumberScheduled": sum((pod["metadata"].get("labels") or {}).get(_LABEL) == mark for pod in pods),
        "numberUnavailable": max(wanted - ready, 0),
    }  # fmt: skip
    loop.objects.update(owner, status=status)
