"""Nodes that are not well, each with a workload that needs it. Taints and Unknown come from the node controller."""

from __future__ import annotations

from opsbot.practice.faults.fault import Act, Fault, Look, node_name
from opsbot.practice.faults.parts import READY, at_home, deployment, event, node, told, unschedulable

# pkg/kubelet/kubelet.go and the CRI: what a kubelet says when the runtime has no network yet.
_NO_NETWORK = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin "
    "returns error: cni plugin not initialized"
)
_SILENT = {"metadata": {"annotations": told(silent="true")}}
_WELL = Look("Node", {"status.conditions[Ready].status": "True"})


def _short_of(name: str, condition: str, taint: str, says: str, summary: str) -> Fault:
    """A node under a pressure. A pod that asks for nothing does not tolerate it, and waits."""
    return Fault(
        name, summary, (node(name),),
        (Look("Node", {f"status.conditions[{condition}].status": "True", "spec.taints.key": taint}),
         *unschedulable("untolerated taint"), event(says, f"status is now: {says}")),
        then=(Act("patch", "Node", node_name(name), {"metadata": {"annotations": told(pressure=condition)}}, _WELL),
              Act("create", "Deployment", name, deployment(name, None, {"resources": {}}, **at_home(name)),
                  Look("Node", {"spec.taints.key": taint})),),
        about=f"node/{node_name(name)}",
    )  # fmt: skip


FAULTS: tuple[Fault, ...] = (
    Fault(
        "node_not_ready", "the network of its node has broken down",
        (node("node_not_ready"), deployment("node_not_ready", **at_home("node_not_ready"))),
        (Look("Node", {"status.conditions[Ready].status": "False",
                       "status.conditions[Ready].reason": "^KubeletNotReady$",
                       "spec.taints.key": r"node\.kubernetes\.io/not-ready"}),
         event("NodeNotReady", "status is now: NodeNotReady")),
        then=(Act("patch", "Node", node_name("node_not_ready"),
                  {"metadata": {"annotations": told(not_ready=_NO_NETWORK)}}, READY),),
        about=f"node/{node_name('node_not_ready')}",
    ),
    _short_of("node_memory_pressure", "MemoryPressure", r"node\.kubernetes\.io/memory-pressure",
              "NodeHasInsufficientMemory", "its node has too little memory left"),
    _short_of("node_disk_pressure", "DiskPressure", r"node\.kubernetes\.io/disk-pressure",
              "NodeHasDiskPressure", "its node has too little room left on its disk"),
    _short_of("node_pid_pressure", "PIDPressure", r"node\.kubernetes\.io/pid-pressure",
              "NodeHasInsufficientPID", "its node has too few process ids left"),
    _short_of("node_network_unavailable", "NetworkUnavailable", r"node\.kubernetes\.io/network-unavailable",
              "NodeNetworkUnavailable", "no route leads to the pods of its node"),
    Fault(
        "kubelet_down", "the kubelet of its node is gone, and nothing is heard of the node any more",
        (node("kubelet_down"), deployment("kubelet_down", **at_home("kubelet_down"))),
        (Look("Node", {"status.conditions[Ready].status": "Unknown",
                       "status.conditions[Ready].reason": "^NodeStatusUnknown$",
                       "spec.taints.key": r"node\.kubernetes\.io/unreachable"}),
         event("NodeNotReady", "status is now: NodeNotReady"),
         Look("Pod", {"status.conditions[Ready].status": "False"})),
        then=(Act("patch", "Node", node_name("kubelet_down"), _SILENT, READY), Act("patch", "Pod", "*", _SILENT)),
        about=f"node/{node_name('kubelet_down')}", patience=120.0,
    ),
)  # fmt: skip
