"""scale, log and eviction: what stands behind an object's name."""

from __future__ import annotations

import json

from opsbot.testing.cluster import deletes, reads, selectors, writes
from opsbot.testing.cluster.logs import Logs, Wanted
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.wire import Failure, Json, Request, Response, answer, invalid, text


def scale(objects: Objects, route: Route, request: Request) -> Response:
    """Read or write a workload's size. Only replicas and the lock count: annotations are dropped, as in reality."""
    old = reads.find(objects, route)
    if request.method == "GET":
        return answer(_scale_of(old))
    wanted = writes.apply_patch(_scale_of(old), request) if request.method == "PATCH" else reads.read_object(request)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        what = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid("Scale.autoscaling", route.name, [("spec.replicas", what)])
    meta = wanted.get("metadata") or {}
    if meta.get("uid") not in (None, "", old["metadata"]["uid"]):
        sort = f"{route.kind.plural}/scale"
        raise Failure(
            409,
            f'Operation cannot be fulfilled on {sort}.{route.kind.group} "{route.name}": Precondition failed: UID in '
            f"precondition: {meta['uid']}, UID in object meta: {old['metadata']['uid']}",
            details={"name": route.name, "group": route.kind.group, "kind": sort},
        )
    writes.locked(route.kind, old, meta.get("resourceVersion"))
    new = {**old, "spec": {**old["spec"], "replicas": replicas}}
    plain = Route(route.kind, route.namespace, route.name)
    return answer(_scale_of(writes.changed(objects, plain, old, new, reads.is_dry(request))))


def _scale_of(obj: Json) -> Json:
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    chosen = (obj["spec"].get("selector") or {}).get("matchLabels") or {}
    return {
        "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {key: meta[key] for key in kept if key in meta},
        "spec": {"replicas": obj["spec"].get("replicas", 1)},
        "status": {
            "replicas": (obj.get("status") or {}).get("replicas", 0),
            "selector": ",".join(f"{key}={value}" for key, value in sorted(chosen.items())),
        },
    }  # fmt: skip


def log(objects: Objects, logs: Logs, route: Route, request: Request) -> Response:
    """A container's log as plain text."""
    pod = reads.find(objects, route)
    query = request.query
    if query.get("follow", "false") not in ("false", "0", ""):
        raise Failure(501, "the fake API server does not follow logs")
    container = _container(pod, query.get("container", ""))
    previous = query.get("previous", "false") in ("true", "1")
    wanted = Wanted.read(query, route.name, objects.clock())
    if not (pod.get("spec") or {}).get("nodeName") and not pod.get("status", {}).get("containerStatuses"):
        return text(b"")  # no node, no log, and no error either
    _has_log(pod, container, previous, logs)
    return text(logs.read(route.namespace, route.name, container, previous, wanted, objects.clock()))


_PULLING = {"ErrImagePull": "image can't be pulled", "ImagePullBackOff": "trying and failing to pull image"}


def _container(pod: Json, name: str) -> str:
    spec = pod.get("spec") or {}
    names = [item["name"] for item in spec.get("containers") or []]
    every = names + [item["name"] for item in spec.get("initContainers") or []]
    if not name and len(names) > 1:
        said = f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: "
        raise Failure(400, said + f"[{' '.join(names)}]")
    if name and name not in every:
        raise Failure(400, f"container {name} is not valid for pod {pod['metadata']['name']}")
    return name or names[0]


def _has_log(pod: Json, container: str, previous: bool, logs: Logs) -> None:
    """400 where the container has not run yet, or not before."""
    meta, status = pod["metadata"], pod.get("status") or {}
    every = [*(status.get("containerStatuses") or []), *(status.get("initContainerStatuses") or [])]
    state: Json = next((item for item in every if item.get("name") == container), {})
    if previous:
        if not (state.get("lastState") or {}).get("terminated") and not logs.has_previous(meta, container):
            said = f'previous terminated container "{container}" in pod "{meta["name"]}" not found'
            raise Failure(400, said)
        return
    waiting = (state.get("state") or {}).get("waiting")
    if waiting and not (state.get("lastState") or {}).get("terminated"):
        reason = waiting.get("reason", "ContainerCreating")
        what = _PULLING.get(reason, reason)
        raise Failure(400, f'container "{container}" in pod "{meta["name"]}" is waiting to start: {what}')


def evict(objects: Objects, route: Route, request: Request) -> Response:
    """Delete a pod unless a PodDisruptionBudget forbids it (429)."""
    body = reads.read_object(request)
    if body.get("apiVersion") not in (None, "policy/v1") or body.get("kind") not in (None, "Eviction"):
        raise Failure(400, "the body of the request is no Eviction of policy/v1")
    pod = reads.find(objects, route)
    options = body.get("deleteOptions") or {}
    deletes.preconditions(route.kind, pod, options.get("preconditions") or {})
    dry = reads.is_dry(request) or options.get("dryRun") == ["All"]
    labels = pod["metadata"].get("labels") or {}
    budgets = [
        budget for budget in objects.sound("PodDisruptionBudget", route.namespace)
        if selectors.matches((budget.get("spec") or {}).get("selector"), labels)
    ]  # fmt: skip
    if len(budgets) > 1:
        raise Failure(500, "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
                           "support.")  # fmt: skip
    if budgets and (pod.get("status") or {}).get("phase") not in ("Pending", "Succeeded", "Failed"):
        _spend(objects, budgets[0], dry)
    deletes.delete(objects, Route(route.kind, route.namespace, route.name), _as_delete(request, options))
    return answer({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201)


def _as_delete(request: Request, options: Json) -> Request:
    return Request("DELETE", request.path, request.query, json.dumps(options).encode(), "application/json")


def _spend(objects: Objects, budget: Json, dry: bool) -> None:
    meta, status = budget["metadata"], budget.get("status") or {}
    if status.get("observedGeneration", 0) < meta.get("generation", 1):
        said = f"The disruption budget {meta['name']} is still being processed by the server."
        cause = {"reason": "DisruptionBudget", "message": said}
        raise Failure(429, "Cannot evict pod as it would violate the pod's disruption budget.",
                      details={"causes": [cause], "retryAfterSeconds": 10}, retry_after=10)  # fmt: skip
    left = status.get("disruptionsAllowed", 0)
    if left < 1:
        said = (f"The disruption budget {meta['name']} needs {status.get('desiredHealthy', 0)} healthy pods and has "
                f"{status.get('currentHealthy', 0)} currently")  # fmt: skip
        raise Failure(429, "Cannot evict pod as it would violate the pod's disruption budget.",
                      details={"causes": [{"reason": "DisruptionBudget", "message": said}]})  # fmt: skip
    if not dry:
        objects.update(budget, status={**status, "disruptionsAllowed": left - 1})
