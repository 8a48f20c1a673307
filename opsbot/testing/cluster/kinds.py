"""The table of what the fake API server knows: kinds, their paths, verbs and subresources."""

from __future__ import annotations

from dataclasses import dataclass

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object. `counts` says whether spec changes raise `metadata.generation`."""

    name: str
    group: str
    version: str
    plural: str
    namespaced: bool = True
    counts: bool = False
    subresources: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """As `apiVersion` in an object."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """As messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def qualified(self) -> str:
        """As messages of 422 name it: `Deployment.apps`."""
        return f"{self.name}.{self.group}" if self.group else self.name


_WORKLOAD = ("scale", "status")
_POD_FIELDS = ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
               "spec.hostNetwork", "status.phase", "status.podIP", "status.nominatedNodeName")  # fmt: skip
_EVENT_FIELDS = (
    "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
    "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
    "reportingComponent", "source", "type",
)  # fmt: skip

# Field selectors are those that each kind's strategy of the API server offers (metadata.name and .namespace always).
KINDS = (
    Kind("Pod", "", "v1", "pods", counts=True, subresources=("log", "eviction", "status"), short=("po",),
         fields=_POD_FIELDS),
    Kind("Event", "", "v1", "events", short=("ev",), fields=_EVENT_FIELDS),
    Kind("Node", "", "v1", "nodes", namespaced=False, subresources=("status",), short=("no",),
         fields=("spec.unschedulable",)),
    Kind("Namespace", "", "v1", "namespaces", namespaced=False, subresources=("status",), short=("ns",),
         fields=("status.phase",)),
    Kind("Service", "", "v1", "services", subresources=("status",), short=("svc",),
         fields=("spec.clusterIP", "spec.type")),
    Kind("Endpoints", "", "v1", "endpoints", short=("ep",)),
    Kind("ConfigMap", "", "v1", "configmaps", short=("cm",)),
    Kind("Secret", "", "v1", "secrets", fields=("type",)),
    Kind("ServiceAccount", "", "v1", "serviceaccounts", short=("sa",)),
    Kind("PersistentVolumeClaim", "", "v1", "persistentvolumeclaims", subresources=("status",), short=("pvc",)),
    Kind("PersistentVolume", "", "v1", "persistentvolumes", namespaced=False, subresources=("status",),
         short=("pv",)),
    Kind("ResourceQuota", "", "v1", "resourcequotas", subresources=("status",), short=("quota",)),
    Kind("LimitRange", "", "v1", "limitranges", short=("limits",)),
    Kind("Deployment", "apps", "v1", "deployments", counts=True, subresources=_WORKLOAD, short=("deploy",)),
    Kind("ReplicaSet", "apps", "v1", "replicasets", counts=True, subresources=_WORKLOAD, short=("rs",),
         fields=("status.replicas",)),
    Kind("StatefulSet", "apps", "v1", "statefulsets", counts=True, subresources=_WORKLOAD, short=("sts",)),
    Kind("DaemonSet", "apps", "v1", "daemonsets", counts=True, subresources=("status",), short=("ds",)),
    Kind("ControllerRevision", "apps", "v1", "controllerrevisions"),
    Kind("Job", "batch", "v1", "jobs", counts=True, subresources=("status",), fields=("status.successful",)),
    Kind("CronJob", "batch", "v1", "cronjobs", counts=True, subresources=("status",), short=("cj",)),
    Kind("HorizontalPodAutoscaler", "autoscaling", "v2", "horizontalpodautoscalers", subresources=("status",),
         short=("hpa",)),
    Kind("PodDisruptionBudget", "policy", "v1", "poddisruptionbudgets", counts=True, subresources=("status",),
         short=("pdb",)),
    Kind("Ingress", "networking.k8s.io", "v1", "ingresses", counts=True, subresources=("status",), short=("ing",)),
    Kind("NetworkPolicy", "networking.k8s.io", "v1", "networkpolicies", counts=True, short=("netpol",)),
    Kind("IngressClass", "networking.k8s.io", "v1", "ingressclasses", namespaced=False, counts=True),
    Kind("StorageClass", "storage.k8s.io", "v1", "storageclasses", namespaced=False, short=("sc",)),
    Kind("EndpointSlice", "discovery.k8s.io", "v1", "endpointslices", counts=True),
    Kind("PriorityClass", "scheduling.k8s.io", "v1", "priorityclasses", namespaced=False, counts=True, short=("pc",)),
)  # fmt: skip
BY_NAME = {kind.name: kind for kind in KINDS}
BY_PLURAL = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}
