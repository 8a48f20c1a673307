"""Deployments: a ReplicaSet per template with revision and hash, rolled over within surge and unavailable."""

from __future__ import annotations

import copy
from datetime import timedelta

from opsbot.testing.cluster.controllers.loop import HASH_LABEL, Loop, condition, fingerprint, reference, share
from opsbot.testing.cluster.kinds import BY_NAME
from opsbot.testing.cluster.objects import read_stamp
from opsbot.testing.cluster.wire import Json

REVISION = "deployment.kubernetes.io/revision"
_COMPONENT = "deployment-controller"


def sync(loop: Loop, deployment: Json) -> None:
    """One step of one Deployment."""
    sets = loop.claimed(deployment, "ReplicaSet")
    new = _current(deployment, sets)
    if deployment["spec"].get("paused"):
        _resize_paused(loop, deployment, new, sets)
    else:
        new = _revised(loop, deployment, sets, new)
        if (deployment["spec"].get("strategy") or {}).get("type") == "Recreate":
            _recreate(loop, deployment, new, sets)
        else:
            _roll(loop, deployment, new, sets)
        _forget_old(loop, deployment, new)
    _report(loop, deployment)


# which ReplicaSet is the current one --------------------------------------------------------------------------------


def _bare(template: Json) -> Json:
    made = copy.deepcopy(template)
    labels = (made.get("metadata") or {}).get("labels") or {}
    labels.pop(HASH_LABEL, None)
    return made


def _current(deployment: Json, sets: list[Json]) -> Json | None:
    wanted = _bare(deployment["spec"]["template"])
    return next((rs for rs in sets if _bare(rs["spec"]["template"]) == wanted), None)


def _revision(obj: Json) -> int:
    said = str((obj["metadata"].get("annotations") or {}).get(REVISION, "0"))
    return int(said) if said.isdecimal() else 0


def _revised(loop: Loop, deployment: Json, sets: list[Json], new: Json | None) -> Json:
    """The current ReplicaSet, made or brought back under the newest revision."""
    newest = max((_revision(rs) for rs in sets if rs is not new), default=0)
    if new is None:
        new = _made(loop, deployment, newest + 1)
        sets.append(new)
    elif _revision(new) <= newest:
        annotations = {**(new["metadata"].get("annotations") or {}), REVISION: str(newest + 1)}
        sets.remove(new)
        new = loop.objects.update(new, metadata={"annotations": annotations})
        sets.append(new)
    annotations = {**(deployment["metadata"].get("annotations") or {}), REVISION: str(_revision(new))}
    loop.objects.update(deployment, metadata={"annotations": annotations})
    return new


def _made(loop: Loop, deployment: Json, revision: int) -> Json:
    meta, spec = deployment["metadata"], deployment["spec"]
    mark = fingerprint(_bare(spec["template"]))
    template = copy.deepcopy(spec["template"])
    template["metadata"] = {**template.get("metadata", {})}
    template["metadata"]["labels"] = {**(template["metadata"].get("labels") or {}), HASH_LABEL: mark}
    chosen = {**spec["selector"], "matchLabels": {**(spec["selector"].get("matchLabels") or {}), HASH_LABEL: mark}}
    obj = {
        "metadata": {
            "name": f"{meta['name']}-{mark}", "namespace": meta["namespace"], "labels": template["metadata"]["labels"],
            "annotations": {REVISION: str(revision)}, "ownerReferences": [reference(deployment)],
        },
        "spec": {"replicas": 0, "selector": chosen, "template": template,
                 **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {})},
        "status": {"replicas": 0},
    }  # fmt: skip
    return loop.objects.put(loop.objects.born(BY_NAME["ReplicaSet"], obj))


# moving replicas ----------------------------------------------------------------------------------------------------


def _size(rs: Json) -> int:
    return int(rs["spec"].get("replicas", 0))


def _available(rs: Json) -> int:
    return int((rs.get("status") or {}).get("availableReplicas", 0))


def _resize(loop: Loop, deployment: Json, rs: Json, to: int) -> Json:
    before = _size(rs)
    if before == to:
        return rs
    way = "up" if to > before else "down"
    message = f"Scaled {way} replica set {rs['metadata']['name']} from {before} to {to}"
    loop.event(deployment, "Normal", "ScalingReplicaSet", message, _COMPONENT)
    return loop.objects.set_spec(rs, {**rs["spec"], "replicas": to})


def _resize_paused(loop: Loop, deployment: Json, new: Json | None, sets: list[Json]) -> None:
    """A paused Deployment rolls nothing, but is still scaled where one ReplicaSet holds all its pods."""
    running = [rs for rs in sets if _size(rs)] or ([new] if new else [])
    if len(running) == 1:
        _resize(loop, deployment, running[0], deployment["spec"].get("replicas", 1))


def _recreate(loop: Loop, deployment: Json, new: Json, sets: list[Json]) -> None:
    old = [rs for rs in sets if rs["metadata"]["uid"] != new["metadata"]["uid"]]
    for rs in old:
        _resize(loop, deployment, rs, 0)
    if not any((rs.get("status") or {}).get("replicas") for rs in old):
        _resize(loop, deployment, new, deployment["spec"].get("replicas", 1))


def _roll(loop: Loop, deployment: Json, new: Json, sets: list[Json]) -> None:
    wanted = deployment["spec"].get("replicas", 1)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    missing = share(rolling.get("maxUnavailable", "25%"), wanted, up=False) or (0 if surge else 1)
    old = [rs for rs in sets if rs["metadata"]["uid"] != new["metadata"]["uid"]]
    room = wanted + surge - sum(_size(rs) for rs in sets)
    grown = min(wanted, _size(new) + max(room, 0))
    new = _resize(loop, deployment, new, grown if _size(new) < wanted else wanted)
    _shrink(loop, deployment, new, old, wanted - missing)


def _shrink(loop: Loop, deployment: Json, new: Json, old: list[Json], least: int) -> None:
    """Take old replicas away: the ones that are not available first, then as many as may be missed."""
    total = _size(new) + sum(_size(rs) for rs in old)
    spare = max(total - least - (_size(new) - min(_available(new), _size(new))), 0)
    spoilt = []
    for rs in sorted(old, key=lambda rs: str(rs["metadata"]["creationTimestamp"])):
        gone = min(max(_size(rs) - _available(rs), 0), spare)
        spare -= gone
        spoilt.append(_resize(loop, deployment, rs, _size(rs) - gone))
    spare = max(_available(new) + sum(min(_available(rs), _size(rs)) for rs in spoilt) - least, 0)
    for rs in spoilt:
        gone = min(_size(rs), spare)
        spare -= gone
        _resize(loop, deployment, rs, _size(rs) - gone)


def _forget_old(loop: Loop, deployment: Json, new: Json) -> None:
    sets = loop.objects.dependents(deployment, "ReplicaSet")
    idle = [rs for rs in sets if rs["metadata"]["uid"] != new["metadata"]["uid"]
            and not _size(rs) and not (rs.get("status") or {}).get("replicas")]  # fmt: skip
    kept = deployment["spec"].get("revisionHistoryLimit", 10)
    for rs in sorted(idle, key=_revision)[: max(len(idle) - kept, 0)]:
        loop.objects.drop(rs)


# status -------------------------------------------------------------------------------------------------------------


def _report(loop: Loop, deployment: Json) -> None:
    meta = deployment["metadata"]
    deployment = loop.objects.find("Deployment", meta["namespace"], meta["name"]) or deployment
    sets = loop.objects.dependents(deployment, "ReplicaSet")
    new = _current(deployment, sets)
    count = {
        "replicas": sum((rs.get("status") or {}).get("replicas", 0) for rs in sets),
        "updatedReplicas": ((new or {}).get("status") or {}).get("replicas", 0),
        "readyReplicas": sum((rs.get("status") or {}).get("readyReplicas", 0) for rs in sets),
        "availableReplicas": sum(_available(rs) for rs in sets),
    }
    wanted = deployment["spec"].get("replicas", 1)
    count["unavailableReplicas"] = max(max(wanted, count["replicas"]) - count["availableReplicas"], 0)
    old = deployment.get("status") or {}
    status: Json = {key: number for key, number in count.items() if number}
    status["observedGeneration"] = meta.get("generation", 1)
    status["terminatingReplicas"] = sum((rs.get("status") or {}).get("terminatingReplicas", 0) for rs in sets)
    status["conditions"] = [
        _enough(loop, deployment, count, old), *_failures(new, sets), _progress(loop, deployment, count, old, new)
    ]  # fmt: skip
    loop.objects.update(deployment, status=status)


def _failures(new: Json | None, sets: list[Json]) -> list[Json]:
    """Why pods could not be made: what the newest ReplicaSet says of it, else another one."""
    for rs in [new, *sets] if new else sets:
        for item in (rs.get("status") or {}).get("conditions") or []:
            if item["type"] == "ReplicaFailure":
                return [{**item, "lastUpdateTime": item["lastTransitionTime"]}]
    return []


def _enough(loop: Loop, deployment: Json, count: dict[str, int], old: Json) -> Json:
    wanted = deployment["spec"].get("replicas", 1)
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    missing = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    if count["availableReplicas"] >= wanted - missing:
        return condition("Available", True, "MinimumReplicasAvailable", "Deployment has minimum availability.",
                         loop.now, old)  # fmt: skip
    return condition("Available", False, "MinimumReplicasUnavailable",
                     "Deployment does not have minimum availability.", loop.now, old)  # fmt: skip


def _progress(loop: Loop, deployment: Json, count: dict[str, int], old: Json, new: Json | None) -> Json:
    """Progressing: done, on its way, or past its deadline since the last step forward."""
    before: Json = next((item for item in old.get("conditions") or [] if item["type"] == "Progressing"), {})
    if deployment["spec"].get("paused"):
        timed_out = before.get("reason") == "ProgressDeadlineExceeded"
        paused = condition("Progressing", None, "DeploymentPaused", "Deployment is paused", loop.now, old)
        return before if timed_out else paused
    wanted, name = deployment["spec"].get("replicas", 1), new["metadata"]["name"] if new else ""
    done = count["updatedReplicas"] == count["replicas"] == count["availableReplicas"] == wanted
    if done:
        return condition("Progressing", True, "NewReplicaSetAvailable",
                         f'ReplicaSet "{name}" has successfully progressed.', loop.now, old)  # fmt: skip
    steps = ("updatedReplicas", "readyReplicas", "availableReplicas")
    moved = any(count[key] > old.get(key, 0) for key in steps)
    limit = timedelta(seconds=deployment["spec"].get("progressDeadlineSeconds", 600))
    fresh = old.get("observedGeneration") != deployment["metadata"].get("generation", 1)
    waiting = before.get("reason") not in ("NewReplicaSetAvailable", "DeploymentPaused")
    if before and not moved and not fresh and waiting:
        if loop.now - read_stamp(before["lastUpdateTime"]) > limit or before["status"] == "False":
            return condition("Progressing", False, "ProgressDeadlineExceeded",
                             f'ReplicaSet "{name}" has timed out progressing.', loop.now, old)  # fmt: skip
        return before
    made = condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.', loop.now, {})
    return {**made, "lastTransitionTime": before.get("lastTransitionTime", made["lastTransitionTime"])}
