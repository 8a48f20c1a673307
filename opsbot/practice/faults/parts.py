"""Objects as a user would apply them, made from the few words in which one fault differs from the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.practice.faults.fault import Look, Obj, node_name, slug

PREFIX = "practice.opsbot/"
"""Before the names of the annotations that the stages of kwok read."""

IMAGE = "registry.example/shop:2.3.1"
SMALL = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}}


def told(**words: str) -> dict[str, str]:
    """Annotations for the stages: `exit_code="1"` is practice.opsbot/exit-code."""
    return {PREFIX + key.rstrip("_").replace("_", "-"): value for key, value in words.items()}


def container(name: str, **more: Any) -> dict[str, Any]:
    """A container that asks for little; it is called as its fault, so that its log can be told from others."""
    return {"name": slug(name), "image": IMAGE, "ports": [{"containerPort": 8080}], "resources": SMALL, **more}


def pod(
    name: str, notes: Mapping[str, str] | None = None, with_: Mapping[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A pod template: annotations for the stages, what differs in the container, what differs in the pod."""
    return {
        "metadata": {"labels": {"app": slug(name)}, "annotations": dict(notes or {})},
        "spec": {"containers": [container(name, **(with_ or {}))], **more},
    }


def deployment(
    name: str, notes: Mapping[str, str] | None = None, with_: Mapping[str, Any] | None = None, *, suffix: str = "",
    replicas: int = 1, spec: Mapping[str, Any] | None = None, **more: Any,
) -> Obj:  # fmt: skip
    """A Deployment called as its fault; `more` goes into the pod, `spec` into the Deployment itself."""
    template = pod(name, notes, with_, **more)
    template["metadata"]["labels"] = {"app": slug(name) + suffix}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": slug(name) + suffix},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": {"app": slug(name) + suffix}}, "template": template,
            **(spec or {}),
        },
    }  # fmt: skip


def job(name: str, notes: Mapping[str, str] | None = None, *, containers: Sequence[Obj] = (), **spec: Any) -> Obj:
    """A Job called as its fault whose pods are not restarted."""
    template = pod(name, notes, restartPolicy="Never")
    if containers:
        template["spec"]["containers"] = list(containers)
    return made("batch/v1", "Job", name, {"template": template, **spec})


def made(api: str, kind: str, name: str, spec: Mapping[str, Any] | None = None, **more: Any) -> Obj:
    """Any object called as its fault."""
    body: dict[str, Any] = {"apiVersion": api, "kind": kind, "metadata": {"name": slug(name)}, **more}
    return body if spec is None else {**body, "spec": dict(spec)}


def node(name: str, notes: Mapping[str, str] | None = None, **spec: Any) -> Obj:
    """A node for one fault alone: tainted, so that nothing else comes to it."""
    called = node_name(name)
    labels = {"kubernetes.io/hostname": called, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
    taint = {"key": f"{PREFIX}only", "value": slug(name), "effect": "NoSchedule"}
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": called, "labels": labels, "annotations": dict(notes or {})},
        "spec": {"taints": [taint], **spec},
    }  # fmt: skip


def at_home(name: str) -> dict[str, Any]:
    """What makes a pod go to the node of its fault and nowhere else."""
    return {
        "nodeSelector": {"kubernetes.io/hostname": node_name(name)},
        "tolerations": [{"key": f"{PREFIX}only", "operator": "Exists"}],
    }


def claim(name: str, **spec: Any) -> Obj:
    """A PersistentVolumeClaim called as its fault, of 1 GiB unless `spec` says otherwise."""
    size = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return made("v1", "PersistentVolumeClaim", name, {**size, **spec})


def volume(name: str, size: str = "1Gi", **spec: Any) -> Obj:
    """A PersistentVolume called as its fault, for a claim of the same class."""
    body = {
        "capacity": {"storage": size}, "accessModes": ["ReadWriteOnce"], "storageClassName": slug(name),
        "persistentVolumeReclaimPolicy": "Retain", "hostPath": {"path": f"/data/{slug(name)}"},
    }  # fmt: skip
    return made("v1", "PersistentVolume", name, {**body, **spec})


def mounting(name: str) -> dict[str, Any]:
    """What makes a pod use the claim of its fault."""
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": slug(name)}}]}


def service(name: str, selector: str = "", port: int | str = 8080) -> Obj:
    """A Service before the pods of its fault, or of whoever `selector` names."""
    return made("v1", "Service", name, {
        "selector": {"app": selector or slug(name)}, "ports": [{"name": "http", "port": 80, "targetPort": port}],
    })  # fmt: skip


def event(reason: str, message: str) -> Look:
    """An Event of this reason whose message matches."""
    return Look("Event", {"reason": f"^{reason}$", "message": message})


def unschedulable(message: str) -> tuple[Look, ...]:
    """What is seen of a pod that no node takes."""
    return (
        Look("Pod", {"status.conditions[PodScheduled].reason": "^Unschedulable$", "status.phase": "Pending"}),
        event("FailedScheduling", message),
    )


def waiting(reason: str, message: str, state: str = "containerStatuses") -> Look:
    """A pod whose container waits for this reason."""
    path = f"status.{state}.state.waiting"
    return Look("Pod", {f"{path}.reason": f"^{reason}$", f"{path}.message": message})


def ended(reason: str, code: int, state: str = "containerStatuses") -> Look:
    """A pod whose container ended like this before, and was restarted at least twice."""
    path = f"status.{state}"
    return Look("Pod", {
        f"{path}.lastState.terminated.reason": f"^{reason}$", f"{path}.lastState.terminated.exitCode": f"^{code}$",
        f"{path}.restartCount": "^([2-9]|[1-9][0-9]+)$",
    })  # fmt: skip


READY = Look("Pod", {"status.conditions[Ready].status": "True"})
"""A pod of the fault that is ready."""
BOUND = Look("PersistentVolumeClaim", {"status.phase": "Bound"})
"""A claim of the fault that has its volume."""
