"""The garbage collector: what lost its owners or its namespace goes, and what is to go waits for those below it."""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.testing.cluster.controllers.loop import Loop
from opsbot.testing.cluster.deletes import FOREGROUND, ORPHAN, orphan
from opsbot.testing.cluster.kinds import BY_NAME
from opsbot.testing.cluster.objects import leaving
from opsbot.testing.cluster.wire import Json


def collect(loop: Loop) -> None:
    """One round."""
    for obj in list(loop.objects.everything()):
        finalizers = obj["metadata"].get("finalizers") or []
        if obj["metadata"].get("deletionTimestamp") and ORPHAN in finalizers:
            orphan(loop.objects, obj)
            _lift(loop, obj, ORPHAN)
        elif obj["metadata"].get("deletionTimestamp") and FOREGROUND in finalizers:
            _from_below(loop, obj)
    spaces = {obj["metadata"]["name"] for obj in loop.objects.each("Namespace")}
    living = {obj["metadata"]["uid"] for kind in BY_NAME for obj in loop.objects.sound(kind)}
    for obj in list(_sound(loop)):
        owners = [ref.get("uid") for ref in obj["metadata"].get("ownerReferences") or []]
        if obj["metadata"].get("namespace") not in spaces:
            loop.objects.drop(obj)
        elif owners and not living.intersection(owners):
            _end(loop, obj)


def _sound(loop: Loop) -> Iterator[Json]:
    return (obj for kind in BY_NAME.values() if kind.namespaced for obj in loop.objects.sound(kind.name))


def _end(loop: Loop, obj: Json) -> None:
    """Delete a dependent: pods end as pods do, others go at once."""
    if obj["kind"] == "Pod":
        loop.end_pod(obj)
    else:
        loop.objects.drop(obj)


def _from_below(loop: Loop, owner: Json) -> None:
    """Take away what holds the owner's end up; when nothing is left, the owner may go."""
    uid = owner["metadata"]["uid"]
    below = [
        obj for obj in _sound(loop)
        if any(ref.get("uid") == uid and ref.get("blockOwnerDeletion")
               for ref in obj["metadata"].get("ownerReferences") or [])
    ]  # fmt: skip
    for obj in below:
        if obj["kind"] == "Pod":
            loop.end_pod(obj)
        elif not obj["metadata"].get("deletionTimestamp"):
            finalizers = [*(obj["metadata"].get("finalizers") or []), FOREGROUND]
            loop.objects.update(obj, metadata={**leaving(obj, loop.now, 0), "finalizers": finalizers})
    if not below:
        _lift(loop, owner, FOREGROUND)


def _lift(loop: Loop, obj: Json, finalizer: str) -> None:
    found = loop.objects.find(obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]) or obj
    left = [item for item in found["metadata"].get("finalizers") or [] if item != finalizer]
    if left:
        loop.objects.update(found, metadata={"finalizers": left})
    else:
        loop.objects.drop(found)
