"""The workload and its revisions: when which image and config came, and how far the rollout got."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from opsbot.core.evidence import Evidence, Gap
from opsbot.core.ports import ClusterReader, Object
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.sources import objects
from opsbot.diagnose.sources.pods import TEMPLATE
from opsbot.diagnose.sources.reach import VERBS as REACH
from opsbot.diagnose.sources.reach import metadata, reach
from opsbot.mask import mask_tree

NAME = "rollouts"
DEADLINE = 15.0
VERBS = REACH
BYTE_CAP = 200_000
MOST = 5
REVISION = "deployment.kubernetes.io/revision"

_SPEC: dict[str, Any] = {
    "replicas": True, "paused": True, "strategy": True, "updateStrategy": True, "progressDeadlineSeconds": True,
    "minReadySeconds": True, "suspend": True, "schedule": True, "backoffLimit": True, "completions": True,
    "parallelism": True, "activeDeadlineSeconds": True, "podManagementPolicy": True,
    "selector": {"matchLabels": True, "matchExpressions": True},
    "template": {"metadata": {"labels": True, "annotations": True}, "spec": TEMPLATE},
}  # fmt: skip
_WORKLOAD: dict[str, Any] = {
    "kind": True,
    "metadata": {
        "name": True, "namespace": True, "uid": True, "creationTimestamp": True, "deletionTimestamp": True,
        "generation": True, "annotations": {REVISION: True},
        "ownerReferences": {"kind": True, "name": True, "uid": True, "controller": True},
    },
    "spec": _SPEC, "status": True,
}  # fmt: skip
_SEEN = {"name": True, "image": True}
_REVISION: dict[str, Any] = {
    **_WORKLOAD,
    "spec": {"replicas": True, "template": {"spec": {"containers": _SEEN, "initContainers": _SEEN}}},
}
_PASSING = ("pod-template-hash", "kubectl.kubernetes.io/restartedAt")


def collect(cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
    """The workload, its newest revisions, and what changed from each to the next; nothing for a bare pod."""
    found = reach(cluster, target)
    if target.kind == "Pod":
        return
    revisions = sorted(found.between, key=_age, reverse=True)
    newest = [objects.pick(item, _WORKLOAD) for item in revisions[:MOST]]
    owner = objects.pick({"kind": target.kind, **found.owner}, _WORKLOAD)
    changes = list(_changes(owner, newest)) if target.kind == "Deployment" else []
    brief = [objects.pick(item, _REVISION) for item in newest]  # what differs in their templates stands in the changes
    origin = f"kubectl get {target.kind.lower()} {target.name} -n {target.namespace} -o yaml, and its revisions"
    cut = found.truncated or len(revisions) > MOST
    yield objects.evidence(NAME, target, now, origin, [*changes, owner, *brief], BYTE_CAP, cut)


def _age(item: Object) -> tuple[int, str]:
    about = metadata(item)
    number = shape.word(about, "annotations", REVISION)
    return int(number) if number.isdigit() else 0, str(about.get("creationTimestamp", ""))


def _changes(owner: Object, newest: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What changed from one revision's pod template to the next, newest first, each as a small object of its own.

    Compared as they are, shown masked: that a secret value has changed is told, its text is not.
    """
    masked = mask_tree(newest)
    for place in range(len(newest) - 1):
        before, after = _template(newest[place + 1]), _template(newest[place])
        differing = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        old, new = _template(masked[place + 1]), _template(masked[place])
        number, when = _age(newest[place])
        yield {
            "kind": "Change", "metadata": {"name": f"{metadata(owner).get('name', '')}@{number}"},
            "at": when, "revision": number, "from": _age(newest[place + 1])[0],
            "template": {path: f"{old.get(path, '(none)')} -> {new.get(path, '(none)')}" for path in differing},
        }  # fmt: skip


def _template(item: Object) -> dict[str, str]:
    flat = dict(objects.flatten(shape.mapping(item, "spec", "template")))
    return {path: text for path, text in flat.items() if not any(word in path for word in _PASSING)}
