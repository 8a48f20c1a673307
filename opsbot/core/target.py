"""What an incident is about and what a playbook may change: one object of one cluster."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

KINDS = ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "CronJob", "Pod", "Node", "Service",
         "Ingress", "PersistentVolumeClaim", "HorizontalPodAutoscaler", "Namespace")  # fmt: skip
UNSPACED = ("Node", "Namespace")
NOTE = "opsbot_target"
"""The annotation by which a rule or an alert names its target."""

LONGEST = 100
_SHORT = {
    "deploy": "Deployment", "sts": "StatefulSet", "ds": "DaemonSet", "rs": "ReplicaSet", "cj": "CronJob",
    "po": "Pod", "no": "Node", "svc": "Service", "ing": "Ingress", "pvc": "PersistentVolumeClaim",
    "hpa": "HorizontalPodAutoscaler", "ns": "Namespace",
}  # fmt: skip
_SPELLINGS = {kind.lower(): kind for kind in KINDS} | {f"{kind.lower()}s": kind for kind in KINDS} | _SHORT
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """A cluster object by name; `uid` is empty until the cluster has been asked which object bears that name."""

    namespace: str
    kind: str
    name: str
    cluster: str = ""
    uid: str = ""

    @property
    def key(self) -> str:
        """The key of the incident about this target: the name, not the uid, so that a re-created object is the same."""
        return "/".join((self.cluster, self.namespace, self.kind, self.name))

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" + (f" -n {self.namespace}" if self.namespace else "")

    @property
    def place(self) -> str:
        """The target with its cluster, where that has a name; a long one, as anybody may have pushed it, is cut."""
        return f"{self} in cluster {cut(self.cluster)}" if self.cluster else str(self)

    def named(self, uid: str) -> Target:
        """The same target, bound to the object that bears the name now."""
        return replace(self, uid=uid)


def cut(cluster: str) -> str:
    """The name of a cluster for people: one line of bearable length."""
    return " ".join(cluster.split())[:LONGEST]


def kind_of(word: str) -> str:
    """The kind that a word as typed means (`deploy`, `deployments`, `Deployment`); ValueError for none."""
    found = _SPELLINGS.get(word.lower())
    if not found:
        raise ValueError(f"{word[:40]!r} is no kind that opsbot knows: {', '.join(KINDS)}")
    return found


def named(kind: str, namespace: str, name: str, cluster: str = "") -> Target:
    """A target from texts of outside; ValueError when one of them cannot be the name of a Kubernetes object."""
    known = kind_of(kind)
    spaced = "" if known in UNSPACED else namespace
    for what, text in (("name", name), ("namespace", spaced)):
        if not _NAME.fullmatch(text) and not (what == "namespace" and known in UNSPACED):
            raise ValueError(f"{text[:60]!r} is no {what} of a Kubernetes object")
    return Target(namespace=spaced, kind=known, name=name, cluster=cluster)


def parse(text: str, namespace: str, cluster: str = "") -> Target:
    """Read `KIND/NAME` or `KIND/NAMESPACE/NAME`; the second form's namespace wins over the one given."""
    parts = text.split("/")
    if len(parts) == 3:
        return named(parts[0], parts[1], parts[2], cluster)
    if len(parts) == 2:
        return named(parts[0], namespace, parts[1], cluster)
    raise ValueError(f"{text[:60]!r} is no target: write KIND/NAME, for example Deployment/agents")
