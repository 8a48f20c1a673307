"""create, update and patch over the store, with the API server's rules; what is asked as a dry run changes nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

from opsbot.testing.cluster import patches, quotas, schema
from opsbot.testing.cluster.defaults import filled
from opsbot.testing.cluster.kinds import Kind
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.reads import find, is_dry, parse, read_object
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer, invalid

_PATCHES = {
    "application/merge-patch+json": patches.merge,
    "application/strategic-merge-patch+json": patches.strategic,
    "application/json-patch+json": patches.json_patch,
}
_FIRST_STATUS = {"Pod": {"status": {"phase": "Pending"}}, "Namespace": {"status": {"phase": "Active"}}}


def create(objects: Objects, route: Route, request: Request) -> Response:
    """A new object: 201, or 409 where the name is taken."""
    obj = _received(route, read_object(request))
    kind, meta = route.kind, obj["metadata"]
    if meta.get("resourceVersion"):
        raise Failure(500, "resourceVersion should not be set on objects to be created")
    if route.namespace and objects.find("Namespace", "", route.namespace) is None:
        raise Failure(404, f'namespaces "{route.namespace}" not found',
                      details={"name": route.namespace, "kind": "namespaces"})  # fmt: skip
    _shape(kind, obj, request, creating=True)
    made = objects.born(kind, filled(schema.pruned(kind, obj)))
    if "status" in kind.subresources:
        made.pop("status", None)
        made |= _FIRST_STATUS.get(kind.name, {})
    if kind.name == "Job":
        made = _own_selector(made)
    _valid(kind, made, None)
    name = made["metadata"]["name"]
    if objects.find(kind.name, route.namespace, name) is not None:
        details = {"name": name, "group": kind.group, "kind": kind.plural}
        raise Failure(409, f'{kind.resource} "{name}" already exists', reason="AlreadyExists", details=details)
    dry = is_dry(request)
    quotas.admit(objects, kind, made, dry=dry)
    return answer(made if dry else objects.put(made), 201)


def _own_selector(job: Json) -> Json:
    """A Job takes its pods by its own uid, unless it says that it chooses them itself."""
    meta, spec = job["metadata"], job["spec"]
    if spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
        return job
    prefix = "batch.kubernetes.io/"
    marks = {f"{prefix}controller-uid": meta["uid"], f"{prefix}job-name": meta["name"],
             "controller-uid": meta["uid"], "job-name": meta["name"]}  # fmt: skip
    template = {**spec["template"], "metadata": {**(spec["template"].get("metadata") or {})}}
    template["metadata"]["labels"] = {**(template["metadata"].get("labels") or {}), **marks}
    labels = meta.get("labels") or template["metadata"]["labels"]
    chosen = {"matchLabels": {f"{prefix}controller-uid": meta["uid"]}}
    return {**job, "metadata": {**meta, "labels": labels}, "spec": {**spec, "template": template, "selector": chosen}}


def _received(route: Route, body: Json) -> Json:
    """The object of a body, checked against the route it came by."""
    if not isinstance(body.get("metadata", {}), dict):
        raise Failure(400, "the metadata of the request's body is no object")
    kind = route.kind
    if (body.get("apiVersion", kind.api_version), body.get("kind", kind.name)) != (kind.api_version, kind.name):
        given, version = body.get("kind", kind.name), str(body.get("apiVersion", kind.api_version))
        raise Failure(400, f'{given} in version "{version.rpartition("/")[2]}" cannot be handled as a {kind.name}: '
                           f'no kind "{given}" is registered for version "{version}" in scheme "fake"')  # fmt: skip
    meta = dict(body.get("metadata", {}))
    if kind.namespaced and meta.setdefault("namespace", route.namespace) != route.namespace:
        raise Failure(400, "the namespace of the provided object does not match the namespace sent on the request")
    return {**body, "apiVersion": kind.api_version, "kind": kind.name, "metadata": meta}


def update(objects: Objects, route: Route, request: Request) -> Response:
    """Replace an object wholly (PUT)."""
    new = _received(route, read_object(request))
    old = find(objects, route)
    _shape(route.kind, new, request, creating=True)
    return answer(changed(objects, route, old, new, is_dry(request)))


def patch(objects: Objects, route: Route, request: Request) -> Response:
    """Patch an object, in one of three forms; 415 for any other."""
    old = find(objects, route)
    patched = apply_patch(old, request)
    _shape(route.kind, patched, request, creating=False)
    return answer(changed(objects, route, old, patched, is_dry(request)))


def apply_patch(old: Json, request: Request) -> Json:
    """What a patch makes of an object."""
    if request.content_type == "application/apply-patch+yaml":
        raise Failure(501, "the fake API server does not know server-side apply")
    if request.content_type not in _PATCHES:
        raise Failure(415, "415: Unsupported Media Type", details={})
    body = parse(request.body)
    if not isinstance(body, dict) and _PATCHES[request.content_type] is not patches.json_patch:
        raise Failure(
            400, "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    patched = copy.deepcopy(_PATCHES[request.content_type](old, body))
    if not isinstance(patched, dict) or not isinstance(patched.get("metadata"), dict):
        raise Failure(422, patches.REJECTED, details={})
    return patched


def changed(objects: Objects, route: Route, old: Json, new: Json, dry: bool) -> Json:
    """Check and store a new state of an object; comes back as it would be read afterwards."""
    kind, meta = route.kind, new["metadata"]
    if (meta.get("name"), meta.get("namespace", "")) != (route.name, route.namespace):
        said = f"the name of the object ({meta.get('name')}) does not match the name on the URL ({route.name})"
        raise Failure(400, said)
    locked(kind, old, meta.get("resourceVersion"))
    made = _kept(route, old, filled(schema.pruned(kind, new)))
    _valid(kind, {**made, "metadata": {**made["metadata"], "uid": meta.get("uid")}}, old)
    if made == old:
        return old
    return made if dry else stored(objects, made)


def stored(objects: Objects, made: Json) -> Json:
    """Store it, or let it go where it was being deleted and its last finalizer is off."""
    if made["metadata"].get("deletionTimestamp") and not made["metadata"].get("finalizers") and made["kind"] != "Pod":
        objects.drop(made)
        return made
    return objects.put(made)


def locked(kind: Kind, old: Json, version: Any) -> None:
    """The optimistic lock: 409 for another resourceVersion; none, or an empty one, is no lock at all."""
    if not version:
        return
    if not str(version).isdecimal():
        raise Failure(500, f'strconv.ParseUint: parsing "{version}": invalid syntax')
    if str(version) != old["metadata"]["resourceVersion"]:
        name = old["metadata"]["name"]
        raise Failure(
            409,
            f'Operation cannot be fulfilled on {kind.resource} "{name}": the object has been modified; please apply '
            "your changes to the latest version and try again",
            details={"name": name, "group": kind.group, "kind": kind.plural},
        )


_OWNED = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink",
          "resourceVersion")  # fmt: skip


def _kept(route: Route, old: Json, new: Json) -> Json:
    """The new state with what a client may not change put back: system fields, and status or all else but status."""
    meta = {key: value for key, value in new["metadata"].items() if key not in _OWNED}
    meta |= {key: old["metadata"][key] for key in _OWNED if key in old["metadata"]}
    made = {**new, "apiVersion": old["apiVersion"], "kind": old["kind"], "metadata": meta}
    if route.subresource == "status":
        made["spec"] = old.get("spec", {})
        if route.kind.name == "Deployment":  # the one kind whose status strategy keeps the labels as they were
            meta["labels"] = old["metadata"].get("labels", {})
    elif "status" in route.kind.subresources:
        made["status"] = old.get("status")
    made = {key: value for key, value in made.items() if value is not None}
    if route.kind.counts and route.subresource != "status" and _counts(old, made):
        meta["generation"] = old["metadata"].get("generation", 0) + 1
    made["metadata"] = {key: value for key, value in meta.items() if value not in (None, {}, [])}
    return made


def _counts(old: Json, new: Json) -> bool:
    """Whether the generation rises: with the spec, and for a Deployment with its annotations too."""
    if old.get("spec") != new.get("spec"):
        return True
    before, after = (obj["metadata"].get("annotations") or {} for obj in (old, new))
    return old["kind"] == "Deployment" and before != after


def _shape(kind: Kind, obj: Json, request: Request, *, creating: bool) -> None:
    asked = request.query.get("fieldValidation", "Warn")
    if asked not in ("Strict", "Warn", "Ignore"):
        what = f'Unsupported value: "{asked}": supported values: "", "Ignore", "Strict", "Warn"'
        options = "CreateOptions" if creating else "PatchOptions"
        raise invalid(f"{options}.meta.k8s.io", "", [("fieldValidation", what)])
    found = schema.shape(kind, obj)
    said = "; ".join(found.wrong)
    if asked == "Strict" and found.unknown and not said:
        said = f"strict decoding error: {', '.join(found.unknown)}"
    if said and creating:
        raise Failure(400, f'{kind.name} in version "{kind.version}" cannot be handled as a {kind.name}: {said}')
    if said:
        # The API server repeats the whole object before it says what is wrong with it.
        whole = json.dumps(json.dumps(obj, separators=(",", ":")))
        raise invalid("", "", [("patch", f"Invalid value: {whole}: {said}")])


def _valid(kind: Kind, obj: Json, old: Json | None) -> None:
    found = schema.faults(kind, obj, old)
    if found:
        raise invalid(kind.qualified, obj["metadata"].get("name", ""), found)
