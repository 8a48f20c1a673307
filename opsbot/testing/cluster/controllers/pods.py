"""Pods: scheduled, started, ready after a while, crashing or pulling in vain where their image behaves so, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from opsbot.testing.cluster.controllers.loop import Loop, condition
from opsbot.testing.cluster.objects import key_of, read_stamp, stamp
from opsbot.testing.cluster.wire import Json

_LONGEST_BACKOFF = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How containers of an image behave.

    `ready_after` is counted from the start (None: as the cluster says); with `ready` false they never become ready.
    `pull_error` is the registry's complaint: they never start. `exits_after` a start they end with `exit_code` for
    `reason` (Error, OOMKilled, Completed), and are restarted as the pod's policy says.
    """

    ready_after: timedelta | None = None
    ready: bool = True
    pull_error: str = ""
    exits_after: timedelta | None = None
    exit_code: int = 1
    reason: str = "Error"


def sync(loop: Loop, pod: Json) -> None:
    """One step of one pod. A pod whose status was prepared is left as it is, but for its end."""
    if pod["metadata"].get("deletionTimestamp"):
        if not pod["metadata"].get("finalizers"):
            loop.objects.drop(pod)
    elif key_of(pod) in loop.objects.still or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return
    elif not pod["spec"].get("nodeName"):
        _schedule(loop, pod)
    else:
        _live(loop, pod)


def _schedule(loop: Loop, pod: Json) -> None:
    """A node in turn; where the cluster has no Node objects at all, pods run on one called node-1.

    A pod that asks for another scheduler waits for that one.
    """
    if pod["spec"].get("schedulerName", "default-scheduler") != "default-scheduler":
        return
    nodes = list(loop.objects.sound("Node"))
    usable = [node for node in nodes if not (node.get("spec") or {}).get("unschedulable")]
    status = pod.get("status") or {}
    if nodes and not usable:
        message = f"0/{len(nodes)} nodes are available: {len(nodes)} node(s) were unschedulable."
        said = condition("PodScheduled", False, "Unschedulable", message, loop.now, status)
        if status.get("conditions") != [said]:
            loop.objects.update(pod, status={**status, "phase": "Pending", "conditions": [said]})
            loop.event(pod, "Warning", "FailedScheduling", message, "default-scheduler")
        return
    names = [node["metadata"]["name"] for node in usable] or ["node-1"]
    load = {name: sum(p["spec"].get("nodeName") == name for p in loop.objects.sound("Pod")) for name in names}
    node = min(names, key=lambda name: (load[name], name))
    loop.objects.update(pod, spec={**pod["spec"], "nodeName": node})
    where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    loop.event(pod, "Normal", "Scheduled", f"Successfully assigned {where} to {node}", "default-scheduler")


def _live(loop: Loop, pod: Json) -> None:
    old = pod.get("status") or {}
    before = {item["name"]: item for item in old.get("containerStatuses") or []}
    states = [_container(loop, pod, item, before.get(item["name"])) for item in pod["spec"]["containers"]]
    ready = all(item["ready"] for item in states)
    names = [item["name"] for item in states if not item["ready"]]
    why = ("", "") if ready else ("ContainersNotReady", f"containers with unready status: [{' '.join(names)}]")
    status = {
        **old, "phase": _phase(states), "qosClass": old.get("qosClass", "Burstable"),
        "startTime": old.get("startTime") or stamp(loop.now), "podIP": old.get("podIP") or _address(pod),
        "hostIP": "10.0.0.1", "containerStatuses": states,
        "conditions": [
            condition("PodScheduled", True, "", "", loop.now, old),
            condition("Initialized", True, "", "", loop.now, old),
            condition("ContainersReady", ready, *why, loop.now, old),
            condition("Ready", ready, *why, loop.now, old),
        ],
    }  # fmt: skip
    loop.objects.update(pod, status=status)


def _address(pod: Json) -> str:
    number = int(pod["metadata"]["uid"][:4], 16)
    return f"10.244.{number // 256}.{number % 254 + 1}"


def _phase(states: list[Json]) -> str:
    ended = [item["state"]["terminated"] for item in states if "terminated" in item["state"]]
    if len(ended) == len(states):
        return "Failed" if any(item["exitCode"] for item in ended) else "Succeeded"
    new = any("waiting" in item["state"] and not item.get("lastState") for item in states)
    return "Pending" if new else "Running"


# one container ------------------------------------------------------------------------------------------------------


def _behaviour(loop: Loop, pod: Json, image: str) -> Behaviour:
    """As was told of its image; a container that is not to be restarted ends well after a while."""
    if image in loop.behaviours:
        return loop.behaviours[image]
    if pod["spec"].get("restartPolicy", "Always") == "Always":
        return Behaviour()
    return Behaviour(exits_after=loop.ready_after, exit_code=0, reason="Completed")


def _container(loop: Loop, pod: Json, item: Json, old: Json | None) -> Json:
    image = item.get("image", "")
    if old is None:
        return {"name": item["name"], "image": image, "imageID": "", "ready": False, "started": False,
                "restartCount": 0, "lastState": {}, "state": {"waiting": {"reason": "ContainerCreating"}}}  # fmt: skip
    how = _behaviour(loop, pod, image)
    if "waiting" in old["state"]:
        return _wait(loop, pod, old, how)
    if "running" in old["state"]:
        return _run(loop, pod, old, how)
    return old


def _wait(loop: Loop, pod: Json, old: Json, how: Behaviour) -> Json:
    reason = old["state"]["waiting"]["reason"]
    if reason == "CrashLoopBackOff":
        ended = read_stamp(old["lastState"]["terminated"]["finishedAt"])
        if loop.now < ended + _backoff(old["restartCount"]):
            return old
        return _started(loop, pod, {**old, "restartCount": old["restartCount"] + 1})
    if not how.pull_error:
        return _started(loop, pod, old)
    if reason == "ContainerCreating":
        message = f'Failed to pull image "{old["image"]}": {how.pull_error}'
        loop.event(pod, "Warning", "Failed", message, "kubelet")
        loop.event(pod, "Warning", "Failed", "Error: ErrImagePull", "kubelet")
        return {**old, "state": {"waiting": {"reason": "ErrImagePull", "message": message}}}
    if reason == "ErrImagePull":
        loop.event(pod, "Normal", "BackOff", f'Back-off pulling image "{old["image"]}"', "kubelet")
    return {**old, "state": {"waiting": {
        "reason": "ImagePullBackOff", "message": f'Back-off pulling image "{old["image"]}"'}}}  # fmt: skip


def _backoff(restarts: int) -> timedelta:
    return min(timedelta(seconds=10 * 2 ** min(restarts, 10)), _LONGEST_BACKOFF)


def _started(loop: Loop, pod: Json, old: Json) -> Json:
    loop.event(pod, "Normal", "Pulled", f'Container image "{old["image"]}" already present on machine', "kubelet")
    loop.event(pod, "Normal", "Started", f"Started container {old['name']}", "kubelet")
    return {**old, "started": True, "ready": False, "imageID": f"{old['image']}@sha256:0", "containerID": "fake://1",
            "state": {"running": {"startedAt": stamp(loop.now)}}}  # fmt: skip


def _run(loop: Loop, pod: Json, old: Json, how: Behaviour) -> Json:
    started = read_stamp(old["state"]["running"]["startedAt"])
    if how.exits_after is not None and loop.now >= started + how.exits_after:
        return _ended(loop, pod, old, how)
    wait = loop.ready_after if how.ready_after is None else how.ready_after
    return {**old, "ready": how.ready and loop.now >= started + wait}


def _ended(loop: Loop, pod: Json, old: Json, how: Behaviour) -> Json:
    end = {"exitCode": how.exit_code, "reason": how.reason, "startedAt": old["state"]["running"]["startedAt"],
           "finishedAt": stamp(loop.now), "containerID": "fake://1"}  # fmt: skip
    policy = pod["spec"].get("restartPolicy", "Always")
    if policy == "Never" or (policy == "OnFailure" and how.exit_code == 0):
        return {**old, "ready": False, "started": False, "state": {"terminated": end}}
    made = {**old, "ready": False, "started": False, "lastState": {"terminated": end}}
    if old["restartCount"] == 0:
        return _started(loop, pod, {**made, "restartCount": 1})
    name = f"{pod['metadata']['name']}_{pod['metadata']['namespace']}({pod['metadata']['uid']})"
    loop.event(pod, "Warning", "BackOff", f"Back-off restarting failed container {old['name']} in pod {name}",
               "kubelet")  # fmt: skip
    seconds = int(_backoff(old["restartCount"]).total_seconds())
    message = f"back-off {seconds}s restarting failed container={old['name']} pod={name}"
    return {**made, "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}}}
