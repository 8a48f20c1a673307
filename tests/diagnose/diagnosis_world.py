"""Builders for tests of diagnosis: pods and workloads as an API server shows them, and pictures made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Evidence, Picture
from opsbot.core.target import Target
from opsbot.diagnose import checks
from opsbot.diagnose.sources import events as events_source
from opsbot.diagnose.sources import objects
from opsbot.mask import mask

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
AGENTS = Target("agents", "Deployment", "agents")
Json = dict[str, Any]


def ago(**length: float) -> str:
    """A time before NOW, as the API server writes it."""
    return (NOW - timedelta(**length)).isoformat().replace("+00:00", "Z")


def owner(kind: str, name: str) -> Json:
    return {"kind": kind, "name": name, "uid": f"uid-{name}", "controller": True}


def status(name: str = "app", **given: Any) -> Json:
    """A container's status; running and ready unless told otherwise."""
    return {"name": name, "ready": True, "restartCount": 0, "state": {"running": {"startedAt": ago(hours=2)}}, **given}


def waiting(reason: str, message: str = "", restarts: int = 0, last: Json | None = None) -> Json:
    ended: Json = {"lastState": {"terminated": last}} if last else {}
    return status(
        ready=False, restartCount=restarts, state={"waiting": {"reason": reason, "message": message}}, **ended
    )


def ended(code: int, reason: str = "Error", **given: Any) -> Json:
    return {"exitCode": code, "reason": reason, "startedAt": ago(minutes=3), "finishedAt": ago(minutes=2), **given}


def pod(
    name: str = "agents-5f6d-aaaaa", statuses: Sequence[Json] = (), *, spec: Mapping[str, Any] | None = None,
    container: Mapping[str, Any] | None = None, **about: Any,
) -> Json:  # fmt: skip
    """A pod of Deployment agents; its status is made of the statuses of its containers."""
    given = list(statuses) or [status()]
    ready = all(item["ready"] for item in given)
    condition = {"type": "Ready", "status": "True" if ready else "False"}
    containers = [{"name": item["name"], "image": "agents:7", **(container or {})} for item in given]
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "agents", "uid": f"uid-{name}",
            "labels": {"app": "agents", "pod-template-hash": "5f6d"},
            "ownerReferences": [owner("ReplicaSet", "agents-5f6d")],
        },
        "spec": {"nodeName": "node-1", "containers": containers, **(spec or {})},
        "status": {"phase": "Running", "conditions": [condition], "containerStatuses": given, **about},
    }  # fmt: skip


def pending(message: str, **spec: Any) -> Json:
    """A pod that the scheduler could not place."""
    made = pod(spec={"nodeName": None, **spec})
    made["status"] = {
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}],
    }
    return made


def event(reason: str, message: str, kind: str = "Pod", name: str = "agents-5f6d-aaaaa", **given: Any) -> Json:
    about = {"kind": kind, "name": name, "namespace": "agents"}
    return {
        "kind": "Event", "metadata": {"name": f"{name}.{reason}"}, "involvedObject": about, "type": "Warning",
        "reason": reason, "message": message, "lastTimestamp": ago(minutes=1), **given,
    }  # fmt: skip


def deployment(spec: Mapping[str, Any] | None = None, status: Mapping[str, Any] | None = None) -> Json:
    return {
        "kind": "Deployment", "metadata": {"name": "agents", "namespace": "agents", "uid": "uid-agents"},
        "spec": {"replicas": 1, **(spec or {})}, "status": {"readyReplicas": 1, **(status or {})},
    }  # fmt: skip


def log(text: str, name: str = "agents-5f6d-aaaaa", container: str = "app", previous: bool = False) -> Evidence:
    """The log of a pod's container."""
    about = Target("agents", "Pod", name)
    more = " --previous" if previous else ""
    origin = f"kubectl logs {name} -n agents -c {container}{more}"
    return Evidence("", "pod_logs", about, NOW, mask(text), mask(origin))


def picture(
    pods: Sequence[Json] = (), *, events: Sequence[Json] = (), workload: Sequence[Json] = (),
    logs: Sequence[Evidence] = (), target: Target | None = AGENTS,
) -> Picture:  # fmt: skip
    """A picture as sources would bring it."""
    about = target or Target("", "", "")
    pieces = []
    if pods:
        pieces.append(objects.evidence("pods", about, NOW, "pods", [dict(item) for item in pods], 400_000))
    if workload:
        pieces.append(objects.evidence("rollouts", about, NOW, "rollouts", list(workload), 400_000))
    if events:
        pieces.append(events_source.evidence(about, NOW, list(events), truncated=False))
    return Picture(target, NOW, numbered([*pieces, *logs]))


def numbered(pieces: Sequence[Evidence]) -> tuple[Evidence, ...]:
    return tuple(replace(item, id=f"e{place}") for place, item in enumerate(pieces, 1))


def found(given: Picture) -> dict[str, Finding]:
    """What the checks find, by fault."""
    return {finding.fault: finding for finding in checks.run(given)}


def crash_loop(code: int = 1) -> Json:
    """A pod whose one container ends again and again."""
    return pod(statuses=[waiting("CrashLoopBackOff", "back-off 5m0s", 4, ended(code))])
