"""Pods that no node takes: what the scheduler said, reason by reason."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.core.evidence import Citation
from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import GUESS, SURE, UNSTARTED, Sign
from opsbot.diagnose.snapshot import Seen, Snapshot

NAME = "scheduling"
FAULTS = ("insufficient_cpu", "insufficient_memory", "insufficient_gpu", "too_many_pods", "taint_not_tolerated",
          "node_cordoned", "node_not_ready", "node_disk_pressure", "node_memory_pressure", "node_pid_pressure",
          "node_network_unavailable", "node_selector_mismatch", "node_affinity_mismatch", "pod_affinity_mismatch",
          "pod_anti_affinity", "volume_affinity_conflict", "port_conflict", "pvc_no_matching_volume",
          "scheduling_gated")  # fmt: skip
EXPLAINS = (*UNSTARTED, "node_unschedulable_pods")

# Reasons of the plugins of kube-scheduler, older and newer wordings; `{…}` holds the taint.
_TAINTS = (
    ("node_cordoned", "node.kubernetes.io/unschedulable"), ("node_not_ready", "node.kubernetes.io/not-ready"),
    ("node_not_ready", "node.kubernetes.io/unreachable"), ("node_disk_pressure", "node.kubernetes.io/disk-pressure"),
    ("node_memory_pressure", "node.kubernetes.io/memory-pressure"),
    ("node_pid_pressure", "node.kubernetes.io/pid-pressure"),
    ("node_network_unavailable", "node.kubernetes.io/network-unavailable"),
)  # fmt: skip
_REASONS = (
    ("insufficient_cpu", r"Insufficient cpu$"), ("insufficient_memory", r"Insufficient memory$"),
    ("insufficient_gpu", r"Insufficient (?!ephemeral-storage)\S+/\S+$"), ("too_many_pods", r"Too many pods$"),
    ("node_cordoned", r"were unschedulable$"), ("taint_not_tolerated", r"taint"),
    ("volume_affinity_conflict", r"volume node affinity conflict|no available volume zone"),
    ("pod_anti_affinity", r"anti-?affinity"), ("pod_affinity_mismatch", r"pod affinity"),
    ("node_affinity_mismatch", r"[Nn]ode affinity|node selector"), ("port_conflict", r"free ports"),
    ("pvc_no_matching_volume", r"unbound immediate PersistentVolumeClaims|find available persistent volumes to bind"),
)  # fmt: skip
_PART = re.compile(r"\s*(\d+) (.+)")
# The control plane's own taints stand on its nodes by design: what keeps the pod off the other nodes is the cause.
_BY_DESIGN = re.compile(r"node-role\.kubernetes\.io/(?:control-plane|master)")


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """Every unscheduled pod's message, from its PodScheduled condition or else from its latest Event."""
    for pod in snapshot.pods:
        condition = pod.condition("PodScheduled")
        if pod.at("spec", "nodeName") or condition.get("status") == "True":
            continue
        if condition.get("reason") == "SchedulingGated" or pod.items("spec", "schedulingGates"):
            yield _gated(pod)
            continue
        message, cites = _said(snapshot, pod, shape.word(condition, "message"))
        yield from _signs(pod, message, cites)


def _said(snapshot: Snapshot, pod: Seen, message: str) -> tuple[str, tuple[Citation, ...]]:
    events = snapshot.happened(pod.target, "FailedScheduling")
    if message:
        return message, pod.cite("status.conditions[PodScheduled].message")
    return (events[-1].message, (events[-1].citation,)) if events else ("", ())


def _gated(pod: Seen) -> Sign:
    gates = ", ".join(shape.word(gate, "name") for gate in pod.items("spec", "schedulingGates"))
    cites = pod.cite("status.conditions[PodScheduled].reason", f"spec.schedulingGates[{gates.split(', ')[0]}].name")
    return Sign("scheduling_gated", pod.target, f"scheduling gates hold the pod back: {gates or 'not named'}", cites,
                SURE, EXPLAINS, key=gates)  # fmt: skip


def reasons(message: str) -> list[tuple[int, str]]:
    """The scheduler's reasons with the number of nodes that each is true of; what preemption says is left out."""
    head = re.split(r"preemption:|no new claims to deallocate", message)[0]
    body = head.partition("nodes are available:")[2]
    parts = [part.strip(" .") for part in re.split(r",(?![^{]*\})", body)]
    read = [_PART.fullmatch(part) for part in parts]
    counted = [(int(found[1]), found[2]) for found in read if found]
    return counted or [(0, head.strip(" ."))]


def _signs(pod: Seen, message: str, cites: tuple[Citation, ...]) -> Iterator[Sign]:
    found = [(count, why, fault) for count, why in reasons(message) if (fault := _fault(pod, why))]
    telling = [item for item in found if not _BY_DESIGN.search(item[1])] or found
    most = max((count for count, _, _ in telling), default=0)
    for count, why, fault in telling:
        share = SURE if count == most else GUESS
        nodes = f"{count} of the nodes: " if count else ""
        says = f"no node takes the pod; {nodes}{why}{_wants(pod, fault)}"
        yield Sign(fault, pod.target, says, (*cites, *pod.cite(*_paths(pod, fault))), share, EXPLAINS, key=fault)


def _fault(pod: Seen, why: str) -> str:
    for fault, taint in _TAINTS:
        if taint in why:
            return fault
    fault = next((fault for fault, pattern in _REASONS if re.search(pattern, why)), "")
    return _selector(pod) if fault == "node_affinity_mismatch" else fault


def _selector(pod: Seen) -> str:
    """One message stands for both: a pod without node affinity can only have failed by its selector."""
    return "node_selector_mismatch" if pod.at("spec", "nodeSelector") else "node_affinity_mismatch"


def _wants(pod: Seen, fault: str) -> str:
    if fault == "node_selector_mismatch":
        wanted = ", ".join(f"{key}={value}" for key, value in shape.mapping(pod.object, "spec", "nodeSelector").items())
        return f" (it wants a node with {wanted})"
    resource = {"insufficient_cpu": "cpu", "insufficient_memory": "memory"}.get(fault)
    asked = [shape.mapping(c, "resources", "requests") for c in pod.items("spec", "containers")]
    sizes = [str(size[resource]) for size in asked if resource in size] if resource else []
    return f" (it requests {' + '.join(sizes)})" if sizes else ""


def _paths(pod: Seen, fault: str) -> list[str]:
    if fault == "node_selector_mismatch":
        return [f"spec.nodeSelector.{key}" for key in shape.mapping(pod.object, "spec", "nodeSelector")]
    resource = {"insufficient_cpu": "cpu", "insufficient_memory": "memory"}.get(fault)
    names = [shape.word(c, "name") for c in pod.items("spec", "containers")]
    return [f"spec.containers[{name}].resources.requests.{resource}" for name in names] if resource else []
