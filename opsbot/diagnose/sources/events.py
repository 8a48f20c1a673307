"""Kubernetes Events on a target, its ReplicaSets or Jobs and its pods (those gone too), oldest first, a line each.

Object and line go together: the n-th object of the evidence stands in its n-th line.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opsbot.core.evidence import Evidence, Gap
from opsbot.core.ports import ClusterReader, Object
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.sources.objects import one_line, pick
from opsbot.diagnose.sources.reach import CALL, Reach, metadata, reach
from opsbot.diagnose.sources.reach import VERBS as REACH
from opsbot.mask import mask, mask_tree

NAME = "events"
DEADLINE = 15.0
BYTE_CAP = 200_000
VERBS = (*REACH, ("list", "events"))
MOST = 400

_EVENT: dict[str, Any] = {
    "kind": True, "involvedObject": {"kind": True, "name": True, "namespace": True, "uid": True, "fieldPath": True},
    "type": True, "reason": True, "message": True, "count": True, "firstTimestamp": True, "lastTimestamp": True,
    "eventTime": True, "series": {"count": True, "lastObservedTime": True},
}  # fmt: skip


def collect(cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
    """One piece of evidence on all Events that concern the target; none where there are none."""
    found = reach(cluster, target)
    listing = cluster.list("Event", target.namespace, limit=2000, timeout=CALL)
    concern = _Concern(target, found)
    mine = sorted((event for event in listing.items if concern.holds(event)), key=last_seen)
    if not mine:
        if listing.truncated:
            yield Gap(NAME, mask("the namespace has more Events than one reading takes; none of those read is on it"))
        return
    yield evidence(target, now, mine, listing.truncated)


class _Concern:
    """Whether an Event is about the target: by name and kind, or by the name of a pod that is gone."""

    def __init__(self, target: Target, found: Reach) -> None:
        known = [(target.kind, target.name)]
        known += [(item["kind"], metadata(item).get("name", "")) for item in found.between]
        self._known = {*known, *(("Pod", metadata(pod).get("name", "")) for pod in found.pods)}
        makers = [name for kind, name in known if kind in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")]
        self._heads = tuple(f"{name}-" for name in makers)

    def holds(self, event: Object) -> bool:
        kind, name = shape.word(event, "involvedObject", "kind"), shape.word(event, "involvedObject", "name")
        if (kind, name) in self._known:
            return True
        head = next((head for head in self._heads if name.startswith(head)), None)
        return kind == "Pod" and head is not None and "-" not in name[len(head) :]


def last_seen(event: Object) -> str:
    """When it was last seen, as the server wrote it; the newest of all the places where an Event may say so."""
    places = (("lastTimestamp",), ("series", "lastObservedTime"), ("eventTime",), ("firstTimestamp",))
    return max(shape.word(event, *place) for place in places)


def times(event: Object) -> int:
    """How often it was seen."""
    return max(shape.number(event, "count"), shape.number(event, "series", "count"), 1)


def line(event: Object) -> str:
    """An Event as one line, its time first."""
    head = f"{last_seen(event)} {shape.word(event, 'type')} {shape.word(event, 'reason')}".strip()
    about = shape.mapping(event, "involvedObject")
    often = f" (x{times(event)})" if times(event) > 1 else ""
    message = shape.word(event, "message")
    return one_line(f"{head} {shape.word(about, 'kind')}/{shape.word(about, 'name')}{often}: {message}")


def evidence(target: Target, now: datetime, events: list[Object], truncated: bool) -> Evidence:
    """The newest that fit; each keeps its line."""
    kept: list[Object] = []
    left = BYTE_CAP
    for event in reversed(events[-MOST:]):
        pruned = mask_tree(pick({"kind": "Event", **event}, _EVENT))
        left -= len(line(pruned).encode()) + 1
        if left < 0:
            break
        kept.insert(0, pruned)
    text = mask("".join(f"{line(event)}\n" for event in kept))
    origin = mask(f"kubectl get events -n {target.namespace}, those on {target.kind}/{target.name}")
    cut = truncated or len(kept) < len(events)
    return Evidence("", NAME, target, now, text, origin, tuple(kept), truncated=cut)
