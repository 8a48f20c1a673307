"""Jobs: pods until enough of them have succeeded, or too many have failed."""

from __future__ import annotations

from datetime import timedelta

from opsbot.testing.cluster.controllers.loop import Loop, condition, is_active, is_ready
from opsbot.testing.cluster.objects import read_stamp, stamp
from opsbot.testing.cluster.wire import Failure, Json

_COMPONENT = "job-controller"
_FIRST = {"Complete": "SuccessCriteriaMet", "Failed": "FailureTarget"}
"""A Job says first that it is about to end, and ends when none of its pods runs any more."""


def sync(loop: Loop, job: Json) -> None:
    """One step of one Job."""
    status = job.get("status") or {}
    said: list[Json] = list(status.get("conditions") or [])
    if any(item["type"] in _FIRST for item in said):
        return
    pods = loop.objects.dependents(job, "Pod")
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = [pod for pod in pods if is_active(pod)]
    ended = _ending(loop, job, succeeded, failed)
    if ended or job["spec"].get("suspend"):
        failed += len(active) if ended and ended["type"] == "Failed" else 0
        active = _stop(loop, job, active)
    else:
        active += _more(loop, job, len(active), succeeded)
    made: Json = {
        "active": len(active), "succeeded": succeeded, "failed": failed,
        "startTime": status.get("startTime") or ("" if job["spec"].get("suspend") else stamp(loop.now)),
        "conditions": [*_suspended(loop, job, said), *_both(ended)],
    }  # fmt: skip
    if ended and ended["type"] == "Complete":
        made["completionTime"] = stamp(loop.now)
    always: Json = {"ready": sum(is_ready(pod) for pod in active), "terminating": 0, "uncountedTerminatedPods": {}}
    loop.objects.update(job, status={key: value for key, value in made.items() if value} | always)


def _both(ended: Json | None) -> list[Json]:
    return [{**ended, "type": _FIRST[ended["type"]]}, ended] if ended else []


def _suspended(loop: Loop, job: Json, said: list[Json]) -> list[Json]:
    """Whether the Job was told to wait; nothing is said of one that never was."""
    held = bool(job["spec"].get("suspend"))
    if not held and not said:
        return []
    reason, message = ("JobSuspended", "Job suspended") if held else ("JobResumed", "Job resumed")
    if said and said[0]["reason"] == reason:
        return said
    loop.event(job, "Normal", "Suspended" if held else "Resumed", message, _COMPONENT)
    return [_condition("Suspended", held, reason, message, loop)]


def _stop(loop: Loop, job: Json, active: list[Json]) -> list[Json]:
    for pod in active:
        loop.end_pod(pod)
        loop.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}", _COMPONENT)
    return []


def _more(loop: Loop, job: Json, active: int, succeeded: int) -> list[Json]:
    left = min(job["spec"].get("parallelism", 1), job["spec"].get("completions", 1) - succeeded) - active
    name, made = job["metadata"]["name"], []
    labels = {"job-name": name, "batch.kubernetes.io/job-name": name}
    for _ in range(max(left, 0)):
        try:
            pod = loop.new_pod(job, job["spec"]["template"], loop.pod_name(job), labels)
        except Failure as refused:
            loop.event(job, "Warning", "FailedCreate", f"Error creating: {refused}", _COMPONENT)
            break
        loop.event(job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", _COMPONENT)
        made.append(pod)
    return made


def _late(loop: Loop, job: Json) -> bool:
    limit, started = job["spec"].get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
    return bool(limit is not None and started and loop.now - read_stamp(started) >= timedelta(seconds=limit))


def _ending(loop: Loop, job: Json, succeeded: int, failed: int) -> Json | None:
    """How the Job ends, if it does now: its last condition."""
    spec = job["spec"]
    if failed > spec.get("backoffLimit", 6):
        reason, message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    elif _late(loop, job):
        reason, message = "DeadlineExceeded", "Job was active longer than specified deadline"
    elif succeeded >= spec.get("completions", 1):
        loop.event(job, "Normal", "Completed", "Job completed", _COMPONENT)
        return _condition("Complete", True, "CompletionsReached", "Reached expected number of succeeded pods", loop)
    else:
        return None
    loop.event(job, "Warning", reason, message, _COMPONENT)
    return _condition("Failed", True, reason, message, loop)


def _condition(kind: str, holds: bool, reason: str, message: str, loop: Loop) -> Json:
    """As Jobs write it: with a time of the last probe, not of the last update."""
    made = condition(kind, holds, reason, message, loop.now, {})
    return {"lastProbeTime": made.pop("lastUpdateTime"), **made}
