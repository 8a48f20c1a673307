"""Jobs: pods until enough of them have succeeded, or too many have failed."""

from __future__ import annotations

from datetime import timedelta

from opsbot.testing.cluster.controllers.loop import Loop, condition, is_active, is_ready
from opsbot.testing.cluster.objects import read_stamp, stamp
from opsbot.testing.cluster.wire import Json


def sync(loop: Loop, job: Json) -> None:
    """One step of one Job."""
    status = job.get("status") or {}
    if any(item["type"] in ("Complete", "Failed") for item in status.get("conditions") or []):
        return
    pods = loop.objects.dependents(job, "Pod")
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = [pod for pod in pods if is_active(pod)]
    ended = _ending(loop, job, succeeded, failed, status)
    if ended or job["spec"].get("suspend"):
        for pod in active:
            loop.end_pod(pod)
        active = []
    else:
        active += _more(loop, job, len(active), succeeded)
    made: Json = {
        "active": len(active), "ready": sum(is_ready(pod) for pod in active), "succeeded": succeeded, "failed": failed,
        "startTime": status.get("startTime") or stamp(loop.now), "conditions": ended,
    }  # fmt: skip
    if ended and ended[0]["type"] == "Complete":
        made["completionTime"] = stamp(loop.now)
    loop.objects.update(job, status={key: value for key, value in made.items() if value})


def _more(loop: Loop, job: Json, active: int, succeeded: int) -> list[Json]:
    left = min(job["spec"].get("parallelism", 1), job["spec"].get("completions", 1) - succeeded) - active
    name, made = job["metadata"]["name"], []
    for _ in range(max(left, 0)):
        labels = {"job-name": name, "batch.kubernetes.io/job-name": name}
        pod = loop.new_pod(job, job["spec"]["template"], f"{name}-{loop.objects.word()}", labels)
        loop.event(job, "Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}", "job-controller")
        made.append(pod)
    return made


def _ending(loop: Loop, job: Json, succeeded: int, failed: int, status: Json) -> list[Json]:
    spec = job["spec"]
    if succeeded >= spec.get("completions", 1):
        loop.event(job, "Normal", "Completed", "Job completed", "job-controller")
        return [condition("Complete", True, "CompletionsReached", "Reached expected number of succeeded pods",
                          loop.now, {})]  # fmt: skip
    reason, message = "", ""
    if failed > spec.get("backoffLimit", 6):
        reason, message = "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    limit, started = spec.get("activeDeadlineSeconds"), status.get("startTime")
    if limit is not None and started and loop.now - read_stamp(started) >= timedelta(seconds=limit):
        reason, message = "DeadlineExceeded", "Job was active longer than specified deadline"
    if not reason:
        return []
    loop.event(job, "Warning", reason, message, "job-controller")
    return [condition("Failed", True, reason, message, loop.now, {})]
