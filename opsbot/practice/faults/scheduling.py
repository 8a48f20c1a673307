"""Pods that no node takes, or that have to leave the one that took them. What is said of it is the scheduler's own."""

from __future__ import annotations

from opsbot.practice.faults.fault import Act, Fault, Look, Obj, node_name
from opsbot.practice.faults.parts import (
    BOUND,
    PREFIX,
    READY,
    at_home,
    claim,
    deployment,
    event,
    made,
    mounting,
    node,
    pod,
    told,
    unschedulable,
    volume,
)

HOST = "kubernetes.io/hostname"

# The kubelet's words: pkg/kubelet/eviction/helpers.go, evictionMessage.
EVICTED = (
    "The node was low on resource: memory. Threshold quantity: 100Mi, available: 71820Ki. Container evicted was using "
    "211404Ki, request is 0, has larger consumption of memory. "
)


def _asks(resource: str, amount: str) -> dict[str, object]:
    return {"resources": {"requests": {resource: amount}, "limits": {resource: amount}}}


def _next_to(name: str, key: str) -> dict[str, object]:
    term = {"labelSelector": {"matchLabels": {"app": name}}, "topologyKey": HOST}
    return {key: {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def _class(name: str, value: int) -> dict[str, object]:
    return {**made("scheduling.k8s.io/v1", "PriorityClass", name), "value": value, "globalDefault": False}


_ZONE = {"matchExpressions": [{"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["eu-north-9z"]}]}
_GONE = {"matchExpressions": [{"key": HOST, "operator": "In", "values": ["node-that-was"]}]}
# The plane's nodes have 8 cores: size alone leads to the one node that has more, and nothing is said of selectors.
_NINE_CORES = {"resources": {"requests": {"cpu": "9"}}}


def _preemptible(name: str) -> Obj:
    """A Job that is not tried again; the finalizer keeps its pod to be looked at after it had to go."""
    template = pod(name, told(runs_for="1h"), _NINE_CORES, restartPolicy="Never",
                   tolerations=at_home(name)["tolerations"])  # fmt: skip
    template["metadata"]["finalizers"] = [f"{PREFIX}kept"]
    return made("batch/v1", "Job", name, {"template": template, "backoffLimit": 0})


FAULTS: tuple[Fault, ...] = (
    Fault(
        "insufficient_cpu", "it asks for more CPU than any node has",
        (deployment("insufficient_cpu", None, _asks("cpu", "500")),), unschedulable("Insufficient cpu"),
    ),
    Fault(
        "insufficient_memory", "it asks for more memory than any node has",
        (deployment("insufficient_memory", None, _asks("memory", "5Ti")),), unschedulable("Insufficient memory"),
    ),
    Fault(
        "insufficient_gpu", "it asks for a GPU, and no node has one",
        (deployment("insufficient_gpu", None, _asks("nvidia.com/gpu", "1")),),
        unschedulable(r"Insufficient nvidia\.com/gpu"),
    ),
    Fault(
        "taint_not_tolerated", "the one node that it may go to has a taint that it does not tolerate",
        (node("taint_not_tolerated"),
         deployment("taint_not_tolerated", nodeSelector=at_home("taint_not_tolerated")["nodeSelector"])),
        unschedulable(r"untolerated taint"),
    ),
    Fault(
        "node_selector_mismatch", "its node selector asks for a label that no node has",
        (deployment("node_selector_mismatch", nodeSelector={"disktype": "nvme"}),),
        unschedulable("didn't match Pod's node affinity/selector"),
    ),
    Fault(
        "node_affinity_mismatch", "its node affinity asks for a zone in which there is no node",
        (deployment("node_affinity_mismatch", affinity={"nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [_ZONE]}}}),),
        unschedulable("didn't match Pod's node affinity/selector"),
    ),
    Fault(
        "pod_affinity_mismatch", "it wants to be near pods that are nowhere",
        (deployment("pod_affinity_mismatch", affinity=_next_to("cache-that-is-nowhere", "podAffinity")),),
        unschedulable("didn't match pod affinity rules"),
    ),
    Fault(
        "pod_anti_affinity", "it wants one replica per node and more replicas than there are nodes",
        (deployment("pod_anti_affinity", replicas=8, affinity=_next_to("pod-anti-affinity", "podAntiAffinity")),),
        unschedulable("didn't match pod anti-affinity rules"),
    ),
    Fault(
        "node_cordoned", "its only node is cordoned",
        (node("node_cordoned", unschedulable=True), deployment("node_cordoned", **at_home("node_cordoned"))),
        unschedulable(r"were unschedulable|node\.kubernetes\.io/unschedulable"),
        about=f"node/{node_name('node_cordoned')}",
    ),
    Fault(
        "too_many_pods", "its only node may run one pod, and there are two",
        (node("too_many_pods", told(pods="1")), deployment("too_many_pods", replicas=2, **at_home("too_many_pods"))),
        unschedulable("Too many pods"),
    ),
    Fault(
        "port_conflict", "two replicas want the same port of the same node",
        (node("port_conflict"),
         deployment("port_conflict", None, {"ports": [{"containerPort": 8080, "hostPort": 8080}]}, replicas=2,
                    **at_home("port_conflict"))),
        unschedulable("didn't have free ports"),
    ),
    Fault(
        "volume_affinity_conflict", "its volume lies on a node that is no more",
        (volume("volume_affinity_conflict", nodeAffinity={"required": {"nodeSelectorTerms": [_GONE]}}),
         claim("volume_affinity_conflict", storageClassName="volume-affinity-conflict")),
        unschedulable("PersistentVolume's node affinity|volume node affinity conflict"),
        # Later: the scheduler's first word about a pod is the one that its Event keeps, and it is of an unbound claim.
        then=(Act("create", "Deployment", "volume-affinity-conflict",
                  deployment("volume_affinity_conflict", **mounting("volume_affinity_conflict")), BOUND),),
    ),
    Fault(
        "scheduling_gated", "a scheduling gate that nobody opens holds it back",
        (deployment("scheduling_gated", schedulingGates=[{"name": "example.com/quota-review"}]),),
        (Look("Pod", {"status.conditions[PodScheduled].reason": "^SchedulingGated$"}),),
    ),
    Fault(
        "evicted", "its node ran short of memory and put it off",
        (node("evicted"), deployment("evicted", None, {"resources": {}}, **at_home("evicted"))),
        (Look("Pod", {"status.phase": "Failed", "status.reason": "^Evicted$", "status.message": "low on resource"}),
         event("Evicted", "low on resource: memory"),
         Look("Node", {"status.conditions[MemoryPressure].status": "True"})),
        then=(Act("patch", "Pod", "*", {"metadata": {"annotations": told(evicted=EVICTED)}}, READY),
              Act("patch", "Node", node_name("evicted"),
                  {"metadata": {"annotations": told(pressure="MemoryPressure")}})),
    ),
    Fault(
        "preempted", "a pod of higher priority took its place",
        (node("preempted", told(cpu="16")), _class("preempted", 1000), _preemptible("preempted")),
        (event("Preempted", "Preempted by"),
         Look("Pod", {"status.conditions[DisruptionTarget].reason": "^PreemptionByScheduler$",
                      "status.phase": "^Failed$"}),
         Look("Job", {"status.conditions[Failed].status": "True"})),
        then=(Act("create", "Deployment", "preempted-urgent",
                  deployment("preempted", None, _NINE_CORES, suffix="-urgent", priorityClassName="preempted",
                             tolerations=at_home("preempted")["tolerations"]), READY),),
        about="job/preempted",
    ),
)  # fmt: skip
