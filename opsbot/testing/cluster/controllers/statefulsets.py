"""StatefulSets: pods by ordinal, one after the other, rolled over from the highest one down."""

from __future__ import annotations

from opsbot.testing.cluster.controllers import revisions
from opsbot.testing.cluster.controllers.loop import Loop, is_ready
from opsbot.testing.cluster.controllers.replicasets import available
from opsbot.testing.cluster.wire import Failure, Json

_LABEL = "controller-revision-hash"


def sync(loop: Loop, owner: Json) -> None:
    """One step of one StatefulSet."""
    pods = {pod["metadata"]["name"]: pod for pod in loop.claimed(owner, "Pod")}
    revision = f"{owner['metadata']['name']}-{revisions.current(loop, owner)}"
    if _fill(loop, owner, pods, revision) and _trim(loop, owner, pods):
        _roll(loop, owner, pods, revision)
    _report(loop, owner, revision)


def _name(owner: Json, ordinal: int) -> str:
    return f"{owner['metadata']['name']}-{ordinal}"


def _current(owner: Json, revision: str) -> str:
    return str((owner.get("status") or {}).get("currentRevision") or revision)


def _fill(loop: Loop, owner: Json, pods: dict[str, Json], revision: str) -> bool:
    """Make what is missing, in order; whether all are there and ready."""
    at_once = owner["spec"].get("podManagementPolicy") == "Parallel"
    whole = True
    for ordinal in range(owner["spec"].get("replicas", 1)):
        name = _name(owner, ordinal)
        if name not in pods:
            labels = {_LABEL: revision, "statefulset.kubernetes.io/pod-name": name,
                      "apps.kubernetes.io/pod-index": str(ordinal)}  # fmt: skip
            made = _made(loop, owner, name, labels)
            if made is None:
                return False
            pods[name] = made
        if not is_ready(pods[name]):
            whole = False
            if not at_once:
                break
    return whole


def _made(loop: Loop, owner: Json, name: str, labels: dict[str, str]) -> Json | None:
    said = f"Create Pod {name} in StatefulSet {owner['metadata']['name']}"
    try:
        made = loop.new_pod(owner, owner["spec"]["template"], name, labels)
    except Failure as refused:
        loop.event(owner, "Warning", "FailedCreate", f"{said} failed error: {refused}", "statefulset-controller")
        return None
    loop.event(owner, "Normal", "SuccessfulCreate", f"{said} successful", "statefulset-controller")
    return made


def _trim(loop: Loop, owner: Json, pods: dict[str, Json]) -> bool:
    """End the highest pod that is too many; whether there was none."""
    wanted = {_name(owner, ordinal) for ordinal in range(owner["spec"].get("replicas", 1))}
    extra = sorted(set(pods) - wanted, key=lambda name: int(name.rpartition("-")[2]))
    if extra:
        loop.end_pod(pods[extra[-1]])
    return not extra


def _roll(loop: Loop, owner: Json, pods: dict[str, Json], revision: str) -> None:
    strategy = owner["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return
    first = int((strategy.get("rollingUpdate") or {}).get("partition", 0))
    for ordinal in reversed(range(first, owner["spec"].get("replicas", 1))):
        pod = pods[_name(owner, ordinal)]
        if (pod["metadata"].get("labels") or {}).get(_LABEL) != revision:
            loop.end_pod(pod)
            return


def _report(loop: Loop, owner: Json, revision: str) -> None:
    pods = loop.objects.dependents(owner, "Pod")
    updated = [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(_LABEL) == revision]
    wanted, current = owner["spec"].get("replicas", 1), _current(owner, revision)
    ready = sum(is_ready(pod) for pod in pods)
    usable = sum(available(loop, pod, owner["spec"].get("minReadySeconds", 0)) for pod in pods)
    if len(updated) == len(pods) == wanted == ready:
        current = revision
    status = {
        "observedGeneration": owner["metadata"].get("generation", 1), "replicas": len(pods), "readyReplicas": ready,
        "availableReplicas": usable, "updatedReplicas": len(updated), "currentRevision": current,
        "updateRevision": revision, "collisionCount": 0,
        "currentReplicas": len(pods) if current == revision else len(pods) - len(updated),
    }  # fmt: skip
    loop.objects.update(owner, status=status)
