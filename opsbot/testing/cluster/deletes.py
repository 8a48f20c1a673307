"""delete over the store: preconditions, grace for pods on a node, finalizers, and dependents cut loose."""

from __future__ import annotations

from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.objects import Objects, stamp
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.reads import find, is_dry, read_object
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer


def delete(objects: Objects, route: Route, request: Request) -> Response:
    """Delete, with preconditions; pods on a node end gracefully, objects with finalizers stay until these are off."""
    options = read_object(request) if request.body else {}
    old = find(objects, route)
    preconditions(route.kind, old, options.get("preconditions") or {})
    dry = is_dry(request) or options.get("dryRun") == ["All"]
    policy = options.get("propagationPolicy") or request.query.get("propagationPolicy") or "Background"
    if policy not in ("Background", "Orphan"):
        raise Failure(501, f"the fake API server does not know propagationPolicy {policy}")
    if not dry and policy == "Orphan":
        orphan(objects, old)
    if stays := _ending(objects, old, options, request):
        return answer(stays if dry else objects.update(stays))
    if not dry:
        objects.drop(old)
    details = {"name": route.name, "group": route.kind.group, "kind": route.kind.plural, "uid": old["metadata"]["uid"]}
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})


def preconditions(kind: Kind, old: Json, wanted: Json) -> None:
    """409 where the object is not the one that was meant."""
    for key, what in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        want, have = wanted.get(key), old["metadata"].get(key, "")
        if want and want != have:
            name = old["metadata"]["name"]
            raise Failure(
                409,
                f'Operation cannot be fulfilled on {kind.resource} "{name}": Precondition failed: {what} in '
                f"precondition: {want}, {what} in object meta: {have}",
                details={"name": name, "group": kind.group, "kind": kind.plural},
            )


def orphan(objects: Objects, owner: Json) -> None:
    """Cut the dependents loose."""
    uid = owner["metadata"]["uid"]
    for kind in ("ReplicaSet", "Pod", "Job"):
        for obj in objects.dependents(owner, kind):
            left = [ref for ref in obj["metadata"]["ownerReferences"] if ref.get("uid") != uid]
            objects.update(obj, metadata={"ownerReferences": left})


def _ending(objects: Objects, old: Json, options: Json, request: Request) -> Json | None:
    """The object on its way out, or None where it goes at once."""
    meta, spec = old["metadata"], old.get("spec") or {}
    asked = options.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
    grace = 0
    if old["kind"] == "Pod" and spec.get("nodeName"):
        grace = int(asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30))
    if not grace and not meta.get("finalizers"):
        return None
    marks = {"deletionTimestamp": stamp(objects.clock()), "deletionGracePeriodSeconds": grace}
    return {**old, "metadata": {**meta, **({} if meta.get("deletionTimestamp") else marks)}}
