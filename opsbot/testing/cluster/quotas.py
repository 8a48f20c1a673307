"""ResourceQuotas: what an object uses, and whether there is still room for it; refused in the API server's words.

After k8s.io/apiserver, pkg/admission/plugin/resourcequota/controller.go, and kubernetes, pkg/quota/v1/evaluator/core.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from opsbot.testing.cluster.kinds import BY_NAME, Kind
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.quantities import ONE, Quantity, parse
from opsbot.testing.cluster.wire import Failure, Json

Usage = dict[str, Quantity]

_COMPUTE = ("cpu", "memory", "ephemeral-storage")
_POD = {"pods", "count/pods", *_COMPUTE, *(f"{sort}.{name}" for sort in ("requests", "limits") for name in _COMPUTE)}
_MUST = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
_PLAIN = ("services", "configmaps", "secrets", "persistentvolumeclaims", "resourcequotas")


def usage(kind: Kind, obj: Json) -> Usage:
    """What this object counts for, by the names that quotas use."""
    found = {f"count/{kind.resource}": ONE}
    if kind.name == "Pod":
        ended = (obj.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        return found if ended else {**found, "pods": ONE, **_compute(obj.get("spec") or {})}
    if kind.resource in _PLAIN:
        found[kind.resource] = ONE
    if kind.name == "PersistentVolumeClaim":
        asked = (((obj.get("spec") or {}).get("resources") or {}).get("requests") or {}).get("storage")
        found |= {"requests.storage": parse(asked)} if asked else {}
    return found


def _compute(spec: Json) -> Usage:
    """Of a pod: the sum over its containers, or one init container where that wants more."""
    main, first = (_of(spec.get(key) or []) for key in ("containers", "initContainers"))
    found = {name: sum((one[name] for one in main if name in one), Quantity()) for one in main for name in one}
    for one in first:
        for name, wanted in one.items():
            found[name] = max(found.get(name, wanted), wanted, key=lambda quantity: quantity.value)
    return found


def _of(containers: Iterable[Json]) -> list[Usage]:
    return [_of_one(item) for item in containers]


def _of_one(container: Json) -> Usage:
    stated = container.get("resources") or {}
    requests, limits = stated.get("requests") or {}, stated.get("limits") or {}
    found = {}
    for name in _COMPUTE:
        if name in requests:
            found[name] = found[f"requests.{name}"] = parse(requests[name])
        if name in limits:
            found[f"limits.{name}"] = parse(limits[name])
    return found


def total(objects: Objects, namespace: str, names: Iterable[str]) -> Json:
    """What all objects of a namespace use of these, as a quota's status holds it."""
    wanted = list(names)
    sums = dict.fromkeys(wanted, Quantity())
    for kind in BY_NAME.values():
        if kind.namespaced:
            for obj in objects.sound(kind.name, namespace):
                for name, used in usage(kind, obj).items():
                    if name in sums:
                        sums[name] += used
    return {name: str(sums[name]) for name in wanted}


def admit(objects: Objects, kind: Kind, obj: Json, *, dry: bool = False) -> None:
    """Count an object that is about to be made; 403 where a quota of its namespace leaves no room for it."""
    spec = obj.get("spec") or {}
    if kind.name == "ResourceQuota" and (spec.get("scopes") or spec.get("scopeSelector")):
        raise Failure(501, "the fake API server does not know quotas for some pods only (scopes)")
    wanted = usage(kind, obj)
    quotas = list(objects.sound("ResourceQuota", obj["metadata"]["namespace"])) if kind.namespaced else []
    spent = [(quota, _spent(kind, obj, quota, wanted)) for quota in quotas]
    for quota, used in spent:
        if used and not dry:
            objects.update(quota, status={**quota["status"], "used": {**quota["status"]["used"], **used}})


def _spent(kind: Kind, obj: Json, quota: Json, wanted: Usage) -> dict[str, str]:
    """What of the quota will be used then."""
    status = quota.get("status") or {}
    hard: Mapping[str, str] = status.get("hard") or {}
    names = [name for name in hard if name in (_POD if kind.name == "Pod" else wanted)]
    if kind.name == "Pod":
        _stated(kind, obj, quota, names)
    used = status.get("used") or {}
    if any(name not in used for name in names):
        raise _refused(kind, obj, f"status unknown for quota: {_name(quota)}, resources: {','.join(sorted(names))}")
    asked = {name: wanted[name] for name in names if name in wanted and wanted[name].value}
    after = {name: parse(used[name]) + asked[name] for name in asked}
    over = sorted(name for name in asked if after[name].value > parse(hard[name]).value)
    if over:
        told = [",".join(f"{name}={parse(of[name]) if isinstance(of[name], str) else of[name]}" for name in over)
                for of in (asked, used, hard)]  # fmt: skip
        said = f"exceeded quota: {_name(quota)}, requested: {told[0]}, used: {told[1]}, limited: {told[2]}"
        raise _refused(kind, obj, said)
    return {name: str(value) for name, value in after.items()}


def _stated(kind: Kind, pod: Json, quota: Json, names: Iterable[str]) -> None:
    """A quota on cpu or memory wants each container to state it."""
    spec = pod.get("spec") or {}
    every = [*(spec.get("containers") or []), *(spec.get("initContainers") or [])]
    missing = {
        name: sorted({item["name"] for item in every if name not in _of_one(item)})
        for name in sorted(names) if name in _MUST
    }  # fmt: skip
    said = "; ".join(f"{name} for: {','.join(who)}" for name, who in missing.items() if who)
    if said:
        raise _refused(kind, pod, f"failed quota: {_name(quota)}: must specify {said}")


def _name(quota: Json) -> str:
    return str(quota["metadata"]["name"])


def _refused(kind: Kind, obj: Json, why: str) -> Failure:
    name = obj["metadata"].get("name", "")
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    given = {key: value for key, value in details.items() if value}
    return Failure(403, f'{kind.resource} "{name}" is forbidden: {why}', details=given)
