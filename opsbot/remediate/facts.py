"""Facts of one workload: raw objects in, a flat mapping out, which conditions, steps and guardrails read.

Fields of the spec are *bound*: a plan that read one is void once it has changed. Status is never bound, for it moves
all the time. Nothing here writes, and what cannot be read whole is Blind.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from opsbot.core.canonical import plain
from opsbot.core.errors import Blind
from opsbot.core.ports import ClusterReader, Object
from opsbot.core.target import Target
from opsbot.remediate.steps.kind import Facts, count, part
from opsbot.remediate.steps.restart import restarted_at
from opsbot.remediate.steps.wait import complete

KINDS = ("Deployment", "StatefulSet", "DaemonSet")
ALSO_READ = (("list", "HorizontalPodAutoscaler"),)
"""What is read besides the workload itself, as verb and kind."""

# Each fact with a sample of its type, from which files are checked and cases are filled.
BOUND: Mapping[str, Any] = {
    "kind": "Deployment", "namespace": "default", "name": "app", "labels": {}, "replicas": 1, "paused": False,
    "images": ["app:1"], "restarted_at": "", "selector": {"matchLabels": {"app": "app"}}, "hpa_owns_target": False,
}  # fmt: skip
STATUS: Mapping[str, Any] = {
    "ready_replicas": 1, "updated_replicas": 1, "available_replicas": 1, "generation": 1, "observed_generation": 1,
    "rollout_in_progress": False,
}  # fmt: skip
SAMPLE: Mapping[str, Any] = {**BOUND, **STATUS}


def read(reader: ClusterReader, target: Target) -> tuple[str, Facts] | None:
    """The uid and the facts of a target; None where there is no such object, Blind where that cannot be known."""
    thing = reader.get(target.kind, target.namespace, target.name)
    if thing is None:
        return None
    return uid(thing), whole(reader, target, thing)


def whole(reader: ClusterReader, target: Target, thing: Object) -> Facts:
    """All facts of an object that was just read; Blind where its autoscalers cannot be known."""
    listing = reader.list("HorizontalPodAutoscaler", target.namespace)
    owned = _owned(listing.items, target)
    if listing.truncated and not owned:
        raise Blind(f"there are too many autoscalers in {target.namespace} to know whether one owns the target")
    return {**of(thing), "hpa_owns_target": owned}


def uid(thing: Object) -> str:
    """The object's uid; Blind for an object without one, for nothing can be bound to it."""
    found = part(thing, "metadata").get("uid")
    if not isinstance(found, str) or not found:
        raise Blind("the cluster's answer holds no uid")
    return found


def of(thing: Object) -> Facts:
    """The facts that the object alone tells: all but `hpa_owns_target`."""
    metadata, spec, status = (part(thing, name) for name in ("metadata", "spec", "status"))
    kind = str(thing.get("kind") or "")
    daemon = kind == "DaemonSet"
    return {
        "kind": kind,
        "namespace": str(metadata.get("namespace") or ""),
        "name": str(metadata.get("name") or ""),
        "labels": dict(part(metadata, "labels")),
        "replicas": count(status, "desiredNumberScheduled") if daemon else count(spec, "replicas", 1),
        "paused": spec.get("paused") is True,
        "images": [str(box.get("image") or "") for box in _containers(spec)],
        "restarted_at": restarted_at(thing),
        "selector": dict(part(spec, "selector")),
        "ready_replicas": count(status, "numberReady" if daemon else "readyReplicas"),
        "updated_replicas": count(status, "updatedNumberScheduled" if daemon else "updatedReplicas"),
        "available_replicas": count(status, "numberAvailable" if daemon else "availableReplicas"),
        "generation": count(metadata, "generation"),
        "observed_generation": count(status, "observedGeneration"),
        "rollout_in_progress": _rolling(thing),
    }


def bound(facts: Facts, names: Iterable[str]) -> dict[str, Any]:
    """Those of the named facts that a plan is bound to; a DaemonSet's replicas are status, so they are left out."""
    status = {"replicas"} if facts.get("kind") == "DaemonSet" else set()
    return {name: plain(facts[name]) for name in sorted(set(names) & set(BOUND) - status) if name in facts}


def differences(expected: Facts, facts: Facts) -> tuple[str, ...]:
    """What of the expected facts reads differently now, in words; a fact that is not known now is not compared."""
    return tuple(
        f"{name} was {_say(value)} and is {_say(facts[name])}"
        for name, value in sorted(expected.items())
        if name in facts and plain(facts[name]) != plain(value)
    )


def _rolling(thing: Object) -> bool:
    """A paused rollout does not go on, and a workload whose pods crash after a complete rollout is not rolling."""
    if complete(thing) or part(thing, "spec").get("paused") is True:
        return False
    status, metadata = part(thing, "status"), part(thing, "metadata")
    if count(status, "observedGeneration") < count(metadata, "generation"):
        return True
    if thing.get("kind") == "DaemonSet":
        return count(status, "updatedNumberScheduled") < count(status, "desiredNumberScheduled")
    wanted = count(part(thing, "spec"), "replicas", 1)
    if thing.get("kind") == "StatefulSet":
        return status.get("updateRevision") not in (None, status.get("currentRevision"))
    return not count(status, "updatedReplicas") == count(status, "replicas") == wanted


def _owned(autoscalers: Collection[Object], target: Target) -> bool:
    refs = (part(part(scaler, "spec"), "scaleTargetRef") for scaler in autoscalers)
    return any((ref.get("kind"), ref.get("name")) == (target.kind, target.name) for ref in refs)


def _containers(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    pod = part(part(spec, "template"), "spec")
    lists = [pod.get("initContainers"), pod.get("containers")]
    return [box for boxes in lists if isinstance(boxes, list) for box in boxes if isinstance(box, Mapping)]


def _say(value: Any) -> str:
    text = str(value) if value not in ("", None) else "empty"
    return text if len(text) <= 120 else text[:119] + "…"
