"""A user's own cluster as a practice ground: one namespace that we make, all objects in it, gone again at the end.

What walks in is the cluster under the user's rights; what walks out is a plane with accounts of its own. Nothing
outside that namespace is changed, and a namespace that we did not make is never touched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from opsbot.core.errors import OpsbotError
from opsbot.practice.guest import belongings, leaving, permits
from opsbot.practice.guest.cluster import Cluster
from opsbot.practice.plane import Accounts, Making
from opsbot.practice.processes import Keeper
from opsbot.testing.cluster import Rule, Write

Tell = Callable[[str], None]

IMAGE = "registry.k8s.io/pause:3.10"
"""On every node there is one of its kind already: it is what holds a pod's sandbox."""

SIMULATED = """\
The cluster is yours, by {named}; all happens in the namespace {namespace}.
Its pods run `pause`: they do nothing and log nothing. Load and response times are played on this machine, by the
number of ready pods, and what workers would log is told as Events of the pods."""

APP = (Rule(("list",), ("pods",), ("",)), Rule(("create",), ("events",), ("",)))
"""The account of the program that plays the app."""


class GuestPlane:
    """The plane of a namespace in somebody's cluster."""

    def __init__(self, cluster: Cluster, namespace: str, ca_file: str) -> None:
        self._cluster, self._namespace = cluster, namespace
        self._seen = (0.0, (0, 0))
        self.url, self.ca_file = cluster.server, ca_file
        self.simulated = SIMULATED.format(named=cluster.named, namespace=namespace)
        self.tokens: dict[str, str] = {}

    def token(self, account: str) -> str:
        """The bearer token of `reader`, `writer` or `app`."""
        return self.tokens[account]

    def replicas(self, namespace: str, deployment: str) -> tuple[int, int]:
        """Wanted and ready, asked once a second at most; as last seen while the server does not answer."""
        at, seen = self._seen
        if time.monotonic() - at > 1:
            try:
                seen = belongings.replicas(self._cluster, namespace, deployment)
            except OpsbotError:
                return seen
            self._seen = time.monotonic(), seen
        return seen

    def writes(self) -> Sequence[Write]:
        """None: the audit log of somebody's cluster is not ours to read."""
        return ()

    def logs_from(self, folder: Path) -> None:
        """Nothing: logs come from the kubelets."""


def guest(cluster: Cluster, namespace: str, accounts: Accounts, tell: Tell, farewell: Tell) -> Making:
    """For `raise_ground`: makes the namespace with these accounts, and deletes it at the end, whatever the end is.

    `tell` hears how far the making is, `farewell` of the end. PermanentError, before anything is made, for a namespace
    that is not free and for rights that are missing.
    """

    @contextmanager
    def make(keeper: Keeper, objects: Sequence[Mapping[str, Any]]) -> Iterator[GuestPlane]:
        tell(f"looking at {cluster.named}")
        permits.fits(namespace)
        permits.allowed(cluster, namespace)
        permits.free(cluster, namespace)
        mark = secrets.token_hex(8)
        try:
            tell(f"making the namespace {namespace}")
            belongings.make_namespace(cluster, namespace, mark)
            plane = GuestPlane(cluster, namespace, _ca_file(cluster, keeper.folder))
            for name, rules in {**accounts, "app": APP}.items():
                plane.tokens[name] = belongings.account(cluster, namespace, name, rules)
            for obj in objects:
                belongings.create(cluster, namespace, obj)
            for name in (obj["metadata"]["name"] for obj in objects if obj["kind"] == "Deployment"):
                belongings.wait_ready(cluster, namespace, name, tell)
            yield plane
        finally:
            farewell(f"removing the namespace {namespace}")
            leaving.remove(cluster, namespace, mark)

    return make


def _ca_file(cluster: Cluster, folder: Path) -> str:
    file = folder / "ca.crt"
    file.write_text(cluster.ca)
    return str(file) if cluster.ca else ""
