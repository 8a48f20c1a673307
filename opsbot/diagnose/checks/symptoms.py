"""What can be seen without knowing why: never a cause, but what causes must account for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import SURE, Container, Sign, containers, moment
from opsbot.diagnose.snapshot import Seen, Snapshot

NAME = "symptoms"
FAULTS = ("crash_loop", "image_pull_backoff", "pod_pending", "pod_not_ready", "restarts", "replicas_unavailable")
EXPLAINS = ()

_WAITS = {
    "CrashLoopBackOff": "crash_loop",
    "ImagePullBackOff": "image_pull_backoff",
    "ErrImagePull": "image_pull_backoff",
}
_LEADS = {"crash_loop": ("restarts", "pod_not_ready"), "image_pull_backoff": ("pod_pending", "pod_not_ready"),
          "pod_pending": ("pod_not_ready",)}  # fmt: skip
_UNAVAILABLE = ("replicas_unavailable", "rollout_stuck")


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """Symptoms of containers, pods and workloads, each explaining the duller ones."""
    for container in containers(snapshot):
        yield from _container(snapshot, container)
    for pod in snapshot.pods:
        yield from _pod(pod)
    for seen in snapshot.of_kind("Deployment", "StatefulSet"):
        yield from _workload(seen)


def _sign(fault: str, seen: Seen, says: str, *paths: str) -> Sign:
    return Sign(fault, seen.target, says, seen.cite(*paths), SURE, (*_LEADS.get(fault, ()), *_UNAVAILABLE))


def _container(snapshot: Snapshot, container: Container) -> Iterator[Sign]:
    fault = _WAITS.get(container.why)
    path = f"{container.path}.state.waiting"
    if fault:
        says = f"container {container.name} waits: {container.why}"
        yield _sign(fault, container.pod, says, f"{path}.reason", f"{path}.message", f"{container.path}.restartCount")
    for _, end in container.ends:
        ended = moment(end.get("finishedAt"))
        recent = ended is None or snapshot.picture.taken_at - ended < timedelta(hours=1)
        if container.restarts and recent:
            says = f"container {container.name} was restarted {container.restarts} times"
            yield _sign("restarts", container.pod, says, f"{container.path}.restartCount")
            return


def _pod(pod: Seen) -> Iterator[Sign]:
    phase = pod.word("status", "phase")
    if pod.at("metadata", "deletionTimestamp"):
        return
    if phase == "Pending":
        says, paths = "the pod is pending", ("status.phase", "status.conditions[PodScheduled].message")
        yield _sign("pod_pending", pod, says, *paths)
        return
    if phase == "Running" and pod.condition("Ready").get("status") == "False":
        path = "status.conditions[Ready]"
        yield _sign("pod_not_ready", pod, "the pod is not ready", f"{path}.status", f"{path}.message")


def _workload(seen: Seen) -> Iterator[Sign]:
    wanted = seen.at("spec", "replicas")
    wanted, there = 1 if wanted is None else wanted, shape.number(seen.object, "status", "readyReplicas")
    if isinstance(wanted, int) and there < wanted:
        says = f"{there} of {wanted} replicas are ready"
        paths = ("status.readyReplicas", "status.unavailableReplicas", "spec.replicas")
        yield Sign("replicas_unavailable", seen.target, says, seen.cite(*paths), SURE)
