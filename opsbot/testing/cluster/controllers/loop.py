"""What every controller needs: the store, the time, Events, ownership and generated names."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from opsbot.testing.cluster import quotas, selectors
from opsbot.testing.cluster.defaults import filled
from opsbot.testing.cluster.kinds import BY_NAME
from opsbot.testing.cluster.objects import Objects, leaving, owner_uid, stamp
from opsbot.testing.cluster.wire import Json

if TYPE_CHECKING:
    from opsbot.testing.cluster.controllers.pods import Behaviour

HASH_LABEL = "pod-template-hash"
_SAFE = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Loop:
    """One round at one time."""

    objects: Objects
    now: datetime
    behaviours: Mapping[str, Behaviour]
    ready_after: timedelta

    def event(self, about: Json, kind: str, reason: str, message: str, component: str) -> None:
        """Record an Event, or count one up that says the same."""
        meta, at = about["metadata"], stamp(self.now)
        namespace = meta.get("namespace", "default")
        known = (meta["uid"], reason, message)
        old = self.objects.find("Event", namespace, self.objects.told.get(known, ""))
        if old is not None:
            self.objects.put({**old, "count": old.get("count", 1) + 1, "lastTimestamp": at})
            return
        name = f"{meta['name']}.{self.objects.word(16)}"
        self.objects.told[known] = name
        self.objects.put(self.objects.born(BY_NAME["Event"], {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {"kind": about["kind"], "namespace": meta.get("namespace", ""), "name": meta["name"],
                               "uid": meta["uid"], "apiVersion": about["apiVersion"]},
            "type": kind, "reason": reason, "message": message, "count": 1, "source": {"component": component},
            "firstTimestamp": at, "lastTimestamp": at, "reportingComponent": component,
        }))  # fmt: skip

    def claimed(self, owner: Json, kind: str) -> list[Json]:
        """Objects of a kind that the owner controls; what its selector fits and nobody controls is adopted first."""
        chosen = (owner.get("spec") or {}).get("selector")
        for obj in list(self.objects.sound(kind, owner["metadata"].get("namespace", ""))):
            if chosen and not owner_uid(obj) and selectors.matches(chosen, obj["metadata"].get("labels") or {}):
                self.objects.update(obj, metadata={"ownerReferences": [reference(owner)]})
        return self.objects.dependents(owner, kind)

    def new_pod(self, owner: Json, template: Json, name: str, labels: Mapping[str, str] | None = None) -> Json:
        """A pod of a template, stored, controlled by its owner; Failure where it is not admitted."""
        given = copy.deepcopy(template.get("metadata") or {})
        meta = {
            "name": name, "namespace": owner["metadata"]["namespace"],
            "labels": {**(given.get("labels") or {}), **(labels or {})}, "ownerReferences": [reference(owner)],
        }  # fmt: skip
        if given.get("annotations"):
            meta["annotations"] = given["annotations"]
        pod = filled({"kind": "Pod", "metadata": meta, "spec": template["spec"], "status": {"phase": "Pending"}})
        quotas.admit(self.objects, BY_NAME["Pod"], pod)
        self.objects.chosen.pop(owner["metadata"]["uid"], None)
        return self.objects.put(self.objects.born(BY_NAME["Pod"], pod))

    def pod_name(self, owner: Json) -> str:
        """A name for a new pod of an owner; the last one again where that pod was refused."""
        meta = owner["metadata"]
        return self.objects.chosen.setdefault(meta["uid"], f"{meta['name']}-{self.objects.word()}")

    def end_pod(self, pod: Json) -> None:
        """Delete a pod: it goes at once where it has no node yet, else its node lets it go."""
        if not pod["spec"].get("nodeName"):
            self.objects.drop(pod)
            return
        self.objects.update(pod, metadata=leaving(pod, self.now, pod["spec"].get("terminationGracePeriodSeconds", 30)))


def reference(owner: Json) -> Json:
    """An ownerReference to a controller."""
    meta = owner["metadata"]
    return {"apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": meta["name"], "uid": meta["uid"],
            "controller": True, "blockOwnerDeletion": True}  # fmt: skip


def fingerprint(value: Any) -> str:
    """A short name of a template, in letters that may stand in a pod's name."""
    number = int.from_bytes(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()[:8], "big")
    return "".join(_SAFE[number // len(_SAFE) ** place % len(_SAFE)] for place in range(10))


def is_ready(pod: Json) -> bool:
    """Whether the pod's Ready condition is true, and it is not on its way out."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    good = any(item.get("type") == "Ready" and item.get("status") == "True" for item in conditions)
    return good and not pod["metadata"].get("deletionTimestamp")


def is_active(pod: Json) -> bool:
    """Whether the pod counts as one of its workload's: not ended, and not on its way out."""
    ended = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
    return not ended and not pod["metadata"].get("deletionTimestamp")


def condition(kind: str, holds: bool | None, reason: str, message: str, now: datetime, old: Json) -> Json:
    """A condition of a status (None: unknown); its transition time stays where nothing has changed."""
    said = {True: "True", False: "False", None: "Unknown"}[holds]
    before: Json = next((item for item in old.get("conditions") or [] if item.get("type") == kind), {})
    since = before.get("lastTransitionTime") if before.get("status") == said else None
    updated = before.get("lastUpdateTime") if since and before.get("reason") == reason else None
    return {"type": kind, "status": said, "reason": reason, "message": message,
            "lastTransitionTime": since or stamp(now), "lastUpdateTime": updated or stamp(now)}  # fmt: skip


def share(value: int | str | None, of: int, *, up: bool) -> int:
    """A number or a percentage of something, rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        percent = int(value[:-1])
        return (of * percent + 99) // 100 if up else of * percent // 100
    return int(value or 0)
