"""ControllerRevisions: what a StatefulSet or DaemonSet looked like, so that somebody can go back to it."""

from __future__ import annotations

from opsbot.testing.cluster.controllers.loop import Loop, fingerprint, reference
from opsbot.testing.cluster.kinds import BY_NAME
from opsbot.testing.cluster.wire import Json


def current(loop: Loop, owner: Json) -> str:
    """The mark of the owner's template, whose revision is now the newest one; old ones that nobody runs may go."""
    mark = fingerprint(owner["spec"]["template"])
    name = f"{owner['metadata']['name']}-{mark}"
    kept = sorted(loop.objects.dependents(owner, "ControllerRevision"), key=_number)
    newest = _number(kept[-1]) if kept else 0
    found = next((item for item in kept if item["metadata"]["name"] == name), None)
    if found is None:
        _make(loop, owner, name, newest + 1)
    elif _number(found) < newest:
        loop.objects.put({**found, "revision": newest + 1})
    _forget(loop, owner, [item for item in kept if item["metadata"]["name"] != name])
    return mark


def _number(revision: Json) -> int:
    return int(revision["revision"])


def _make(loop: Loop, owner: Json, name: str, number: int) -> None:
    meta = owner["metadata"]
    data = {"spec": {"template": {**owner["spec"]["template"], "$patch": "replace"}}}
    obj = {
        "metadata": {"name": name, "namespace": meta["namespace"], "ownerReferences": [reference(owner)],
                     "labels": (owner["spec"]["template"].get("metadata") or {}).get("labels") or {}},
        "data": data, "revision": number,
    }  # fmt: skip
    loop.objects.put(loop.objects.born(BY_NAME["ControllerRevision"], obj))


def _forget(loop: Loop, owner: Json, others: list[Json]) -> None:
    """Drop the oldest of those that no pod is of, beyond what the owner wants to be kept."""
    pods = loop.objects.dependents(owner, "Pod")
    live = {str((pod["metadata"].get("labels") or {}).get("controller-revision-hash", "")) for pod in pods}
    idle = [item for item in others if not any(mark and item["metadata"]["name"].endswith(mark) for mark in live)]
    for item in idle[: max(len(idle) - owner["spec"].get("revisionHistoryLimit", 10), 0)]:
        loop.objects.drop(item)
