"""Set a fault on a practice plane, see whether it shows, and take it away again with all that it left.

Works on whatever bears the fault's label, so that healing needs no memory of what setting did. The plane is the
practice ground's own, on loopback; nothing else is ever spoken to.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from opsbot.core.errors import PermanentError, Refused
from opsbot.practice import paths
from opsbot.practice.faults.fault import LABEL, NAMESPACE, Act, Fault, Look, Obj, holds, kinds, marked, node_name, owns
from opsbot.practice.faults.logs import write_logs
from opsbot.practice.plane.client import Client, Said

GLANCE = 0.3
"""Seconds between two looks at the plane."""

HEALING = 60.0
"""Seconds that what a fault made gets to go."""

FAREWELL = 12.0
"""Seconds that the node controller gets to say that a node is gone: it looks at its nodes every 5 s (the default of
--node-monitor-period), and tells of those alone that it has registered before."""

OWNED = (
    "ValidatingWebhookConfiguration", "HorizontalPodAutoscaler", "CronJob", "Job", "Deployment", "ReplicaSet", "Pod",
    "PodDisruptionBudget", "Ingress", "Service", "EndpointSlice", "PersistentVolumeClaim", "PersistentVolume",
    "ConfigMap", "ServiceAccount", "ResourceQuota", "LimitRange", "PriorityClass", "Node", "ClusterLogs", "Namespace",
)  # fmt: skip
"""What may bear the label of a fault, in the order in which it is best taken away."""

Tell = Callable[[str], None]


class Setter:
    """One plane, spoken to as its administrator; `folder` is where its programs find log files."""

    def __init__(self, client: Client, folder: Path, tell: Tell) -> None:
        host = urlsplit(client.access.server).hostname
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise Refused("not_practice", f"faults are for the practice plane on loopback, and {host} is not that")
        self._client, self._folder, self._tell = client, folder, tell

    # setting ------------------------------------------------------------------------------------------------------

    def put(self, fault: Fault) -> None:
        """Set it and wait until it shows; at once when it does already. PermanentError when it does not in time."""
        if not fault.sees(self._seen(fault)):
            return
        self._tell(f"setting {fault.name}")
        self._make_room(fault)
        write_logs(self._client, self._folder, fault)
        for obj in fault.made():
            self._create(obj)
        for act in fault.then:
            self._do(fault, act)
        self._wait(fault, "it does not show, nothing of this is there", lambda: fault.sees(self._seen(fault)))

    def _make_room(self, fault: Fault) -> None:
        """Its namespace, with the account that every pod needs."""
        meta = {"name": fault.namespace, "labels": dict(fault.room)}
        room = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
        account = paths.of("ServiceAccount", fault.namespace, "default")
        gone = paths.of("Namespace", "", fault.namespace)
        self._wait(fault, "its namespace is still going", lambda: self._leaving(gone))
        self._create(marked(room, fault.name, "") if fault.alone else room)
        self._wait(fault, "its namespace is not ready", lambda: ["service account"] * (not self._client.find(account)))

    def _leaving(self, path: str) -> list[str]:
        found = self._client.find(path) or {}
        return ["namespace"] * (found.get("metadata", {}).get("deletionTimestamp") is not None)

    def _create(self, obj: Obj) -> None:
        try:
            self._client.create(paths.of(obj["kind"], obj["metadata"].get("namespace", "")), obj)
        except Said as error:
            if error.status != 409:
                raise

    def _do(self, fault: Fault, act: Act) -> None:
        once = act.once
        if once:
            self._wait(fault, "it does not come up first", lambda: self._missing(fault, once))
        if act.do == "create":
            self._create(marked(act.body, fault.name, fault.namespace))
            return
        for name in [act.name] if act.name != "*" else self._names(fault, act.kind):
            path = paths.of(act.kind, fault.namespace, name)
            try:
                self._client.delete(path) if act.do == "delete" else self._client.patch(path, act.body)
            except Said as error:
                if error.status != 404:
                    raise

    def _names(self, fault: Fault, kind: str) -> list[str]:
        return [obj["metadata"]["name"] for obj in self._listed(kind, fault)]

    def _missing(self, fault: Fault, look: Look) -> list[Look]:
        return [look] * (not any(holds(look, obj) for obj in self._listed(look.kind, fault)))

    # seeing -------------------------------------------------------------------------------------------------------

    def shows(self, fault: Fault) -> bool:
        """Whether all that it is known by can be seen."""
        return not fault.sees(self._seen(fault))

    def _seen(self, fault: Fault) -> list[Obj]:
        return [obj for kind in kinds(fault.shows) for obj in self._listed(kind, fault)]

    def _listed(self, kind: str, fault: Fault) -> list[Obj]:
        """All objects of a kind that belong to the fault."""
        if kind != "Event":
            return self._items(kind, "", f"{LABEL}={fault.name}")
        rooms = (fault.namespace, "default")  # Events about nodes are in `default`
        return [event for room in rooms for event in self._items(kind, room) if owns(fault, event)]

    def _items(self, kind: str, namespace: str, label: str = "") -> list[Obj]:
        query = f"?labelSelector={quote(label)}" if label else ""
        found = self._client.find(paths.of(kind, namespace) + query) or {}
        return [{**item, "kind": kind} for item in found.get("items", ())]

    def _wait(self, fault: Fault, what: str, left: Callable[[], Sequence[Any]]) -> None:
        self._until(fault.name, what, left, fault.patience)

    def _until(self, name: str, what: str, left: Callable[[], Sequence[Any]], patience: float) -> None:
        """Until nothing is left to wait for; PermanentError with what is when time is over."""
        until = time.monotonic() + patience
        while True:
            missing = left()
            if not missing:
                return
            if time.monotonic() > until:
                words = "; ".join(str(item) for item in missing)
                raise PermanentError(f"{name}: {what} after {patience:.0f} s: {words}")
            time.sleep(GLANCE)

    # healing ------------------------------------------------------------------------------------------------------

    def set_ones(self) -> frozenset[str]:
        """The names of the faults of which anything is there."""
        found = (obj for kind in OWNED for obj in self._items(kind, "", LABEL))
        return frozenset(obj["metadata"]["labels"][LABEL] for obj in found)

    def present(self, faults: Sequence[Fault]) -> list[Fault]:
        """Those of these faults that are set, wholly or in part."""
        there = self.set_ones()
        return [fault for fault in faults if fault.name in there]

    def tidy(self) -> None:
        """Take away what healed faults share: what is said of their nodes, and their namespace once none is in it.

        PermanentError when the namespace stays.
        """
        self._forget_nodes()
        path = paths.of("Namespace", "", NAMESPACE)
        if self.set_ones():
            return
        if self._client.find(path):
            self._client.delete(path)
        self._until(NAMESPACE, "it does not go", lambda: ["namespace"] * bool(self._client.find(path)), HEALING)
        self._drop(f"{NAMESPACE}.yaml")

    def _forget_nodes(self) -> None:
        """Remove the Events about nodes that are no more, the last word of the node controller included."""
        ends = time.monotonic() + FAREWELL
        while unsaid(self._farewells()) and time.monotonic() < ends:
            time.sleep(GLANCE)
        for event in self._farewells():
            self._remove(event)

    def _farewells(self) -> list[Obj]:
        there = {node["metadata"]["name"] for node in self._items("Node", "")}
        events = self._items("Event", "default")
        return [event for event in events if _of_fault_node(event) and event["involvedObject"]["name"] not in there]

    def heal(self, fault: Fault) -> None:
        """Take away all that it made; nothing happens where there is nothing. PermanentError when something stays.

        That its node was registered stays told until `tidy`, which waits for the word that the node is gone.
        """
        self._tell(f"healing {fault.name}")
        self._until(fault.name, "it cannot be taken away", lambda: self._sweep(fault), HEALING)
        for event in self._listed("Event", fault):
            if event.get("reason") != "RegisteredNode":
                self._remove(event)
        self._drop(f"faults/{fault.slug}.*log")
        if fault.alone:
            self._drop(f"{fault.namespace}.yaml")

    def _drop(self, pattern: str) -> None:
        """Remove these files of the plane: logs that were served, configs by which opsbot was to look at the fault."""
        for file in self._folder.glob(pattern):
            file.unlink(missing_ok=True)

    def _sweep(self, fault: Fault) -> list[str]:
        """Ask once for all that is there to go; what was there."""
        left = []
        for kind in OWNED:
            for obj in self._items(kind, "", f"{LABEL}={fault.name}"):
                left.append(f"{kind}/{obj['metadata']['name']}")
                self._remove(obj)
        return left

    def _remove(self, obj: Obj) -> None:
        meta = obj["metadata"]
        path = paths.of(obj["kind"], meta.get("namespace", ""), meta["name"])
        try:
            if any(name.startswith("practice.opsbot/") for name in meta.get("finalizers", ())):
                self._client.patch(path, {"metadata": {"finalizers": None}})
            if obj["kind"] == "Pod" or "deletionTimestamp" not in meta:
                grace = "&gracePeriodSeconds=0" if obj["kind"] == "Pod" else ""
                self._client.delete(f"{path}?propagationPolicy=Background{grace}")
        except Said as error:
            if error.status not in (404, 409):
                raise


def _of_fault_node(event: Obj) -> bool:
    about = event.get("involvedObject", {})
    return about.get("kind") == "Node" and str(about.get("name", "")).startswith(node_name(""))


def unsaid(events: Sequence[Obj]) -> frozenset[str]:
    """Nodes of which the controller has said that it registered them, and not yet that it removed them (by uid).

    Reasons: Kubernetes 1.36, pkg/controller/nodelifecycle/node_lifecycle_controller.go (monitorNodeHealth).
    """
    came, went = ({event["involvedObject"].get("uid", "") for event in events if event.get("reason") == reason}
                  for reason in ("RegisteredNode", "RemovingNode"))  # fmt: skip
    return frozenset(came - went)
