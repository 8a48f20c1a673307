"""delete over the store: preconditions, grace for pods on a node, finalizers, and dependents cut loose."""

from __future__ import annotations

from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.objects import Objects, leaving
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.reads import find, is_dry, read_object
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer, invalid

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
_HOLDS = {"Background": "", "Orphan": ORPHAN, "Foreground": FOREGROUND}
_ORPHANING = ("Job", "CronJob")  # of batch/v1, whose dependents live on where nothing else was asked


def delete(objects: Objects, route: Route, request: Request) -> Response:
    """Delete, with preconditions; pods on a node end gracefully, objects with finalizers stay until these are off."""
    options = read_object(request) if request.body else {}
    old = find(objects, route)
    preconditions(route.kind, old, options.get("preconditions") or {})
    dry = is_dry(request) or options.get("dryRun") == ["All"]
    held = _held(route.kind, options, request)
    if stays := _ending(objects, old, held, options, request):
        return answer(stays if dry else objects.update(stays))
    if not dry:
        objects.drop(old)
    details = {"name": route.name, "group": route.kind.group, "kind": route.kind.plural, "uid": old["metadata"]["uid"]}
    given = {key: value for key, value in details.items() if value}
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": given})


def _held(kind: Kind, options: Json, request: Request) -> str:
    """The finalizer that makes the garbage collector look after the dependents first; none, and they go later."""
    default = "Orphan" if kind.name in _ORPHANING else "Background"
    policy = options.get("propagationPolicy") or request.query.get("propagationPolicy") or default
    if policy not in _HOLDS:
        allowed = '"Background", "Foreground", "Orphan"'
        what = f'Unsupported value: "{policy}": supported values: {allowed}'
        raise invalid("DeleteOptions.meta.k8s.io", "", [("propagationPolicy", what)])
    return _HOLDS[policy]


def preconditions(kind: Kind, old: Json, wanted: Json) -> None:
    """409 where the object is not the one that was meant."""
    for key, what, then in (("uid", "UID", "deleted and then recreated"),
                            ("resourceVersion", "ResourceVersion", "modified")):  # fmt: skip
        want, have = wanted.get(key), old["metadata"].get(key, "")
        if want and want != have:
            name = old["metadata"]["name"]
            raise Failure(
                409,
                f'Operation cannot be fulfilled on {kind.qualified} "{name}": the {what} in the precondition ({want}) '
                f"does not match the {what} in record ({have}). The object might have been {then}",
                details={"name": name, "group": kind.group, "kind": kind.name},
            )


def orphan(objects: Objects, owner: Json) -> None:
    """Cut the dependents loose."""
    uid = owner["metadata"]["uid"]
    for kind in ("ReplicaSet", "Pod", "Job", "ControllerRevision"):
        for obj in objects.dependents(owner, kind):
            meta = dict(obj["metadata"])
            left = [ref for ref in meta.pop("ownerReferences") if ref.get("uid") != uid]
            objects.put({**obj, "metadata": {**meta, **({"ownerReferences": left} if left else {})}})


def _ending(objects: Objects, old: Json, held: str, options: Json, request: Request) -> Json | None:
    """The object on its way out, or None where it goes at once."""
    meta, spec = old["metadata"], old.get("spec") or {}
    asked = options.get("gracePeriodSeconds", request.query.get("gracePeriodSeconds"))
    grace = 0
    if old["kind"] == "Pod" and spec.get("nodeName"):
        grace = int(asked if asked is not None else spec.get("terminationGracePeriodSeconds", 30))
    finalizers = list(meta.get("finalizers") or [])
    if held and held not in finalizers:
        finalizers.append(held)
    if not grace and not finalizers:
        return None
    made = {**meta, **leaving(old, objects.clock(), grace)}
    return {**old, "metadata": {**made, **({"finalizers": finalizers} if finalizers else {})}}
