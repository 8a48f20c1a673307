"""PodDisruptionBudgets: how many pods may be missed right now."""

from __future__ import annotations

from opsbot.testing.cluster import selectors
from opsbot.testing.cluster.controllers.loop import Loop, is_active, is_ready, share
from opsbot.testing.cluster.objects import owner_uid
from opsbot.testing.cluster.wire import Json


def sync(loop: Loop, budget: Json) -> None:
    """Work the budget's status out anew."""
    spec, namespace = budget.get("spec") or {}, budget["metadata"]["namespace"]
    pods = [
        pod for pod in loop.objects.sound("Pod", namespace)
        if selectors.matches(spec.get("selector"), pod["metadata"].get("labels") or {}) and is_active(pod)
    ]  # fmt: skip
    expected = _expected(loop, namespace, pods)
    if spec.get("maxUnavailable") is not None:
        least = max(expected - share(spec["maxUnavailable"], expected, up=True), 0)
    else:
        least = share(spec.get("minAvailable", 1), expected, up=True)
    healthy = sum(is_ready(pod) for pod in pods)
    status = {
        "observedGeneration": budget["metadata"].get("generation", 1), "expectedPods": expected,
        "desiredHealthy": least, "currentHealthy": healthy, "disruptionsAllowed": max(healthy - least, 0),
    }  # fmt: skip
    loop.objects.update(budget, status=status)


def _expected(loop: Loop, namespace: str, pods: list[Json]) -> int:
    """What the pods' controllers want, and one for each pod that has none."""
    owners = {owner_uid(pod) for pod in pods} - {""}
    sized = [
        int((obj.get("spec") or {}).get("replicas", 1))
        for kind in ("ReplicaSet", "StatefulSet") for obj in loop.objects.sound(kind, namespace)
        if obj["metadata"]["uid"] in owners
    ]  # fmt: skip
    return sum(sized) + sum(not owner_uid(pod) for pod in pods)
