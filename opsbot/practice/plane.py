"""The control plane of a practice ground: objects in, an API server on loopback with two accounts out.

`Plane` is the door: the simulated one stands behind it, and a real one can.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from opsbot.testing.cluster import FakeCluster, Rule, Write

AGO = timedelta(minutes=50)
"""How long the workloads have been running when the ground is ready, so that nothing looks like a fresh change."""

HIDDEN = "secrets"


class Plane(Protocol):
    """An API server on loopback that knows the accounts `reader` and `writer`."""

    url: str
    simulated: str
    """What is not real about it, in a sentence; empty for a real one."""

    def token(self, account: str) -> str:
        """The bearer token of `reader` or `writer`."""

    def replicas(self, namespace: str, deployment: str) -> tuple[int, int]:
        """How many replicas are wanted, and how many are ready."""

    def writes(self) -> Sequence[Write]:
        """Every write that the server saw, whoever sent it: a judge that does not depend on what opsbot says."""

    def logs_from(self, folder: Path) -> None:
        """Serve pod logs from `POD.log` files in this folder (CRI form: time, stream, flag, text)."""


class SimulatedPlane:
    """FakeCluster over HTTP."""

    simulated = "The cluster is simulated: an API server in memory, with no nodes and no containers behind it."

    def __init__(self, cluster: FakeCluster, url: str) -> None:
        self.cluster = cluster
        self.url = url

    def token(self, account: str) -> str:
        """The bearer token of an account."""
        return self.cluster.token(account)

    def replicas(self, namespace: str, deployment: str) -> tuple[int, int]:
        """Wanted and ready; none of either where there is no such Deployment."""
        found = self.cluster.get("Deployment", namespace, deployment) or {}
        return (found.get("spec") or {}).get("replicas", 0), (found.get("status") or {}).get("readyReplicas", 0)

    def writes(self) -> Sequence[Write]:
        """All so far, dry runs and refused ones too."""
        return tuple(self.cluster.writes)

    def logs_from(self, folder: Path) -> None:
        """Serve the logs of all pods from this folder."""
        for namespace in {pod["metadata"]["namespace"] for pod in self.cluster.list("Pod")}:
            self.cluster.set_logs(namespace, "*", lambda pod, _now: read_cri(folder / f"{pod}.log"))


def read_cri(file: Path) -> list[tuple[datetime, str]]:
    """The lines of a log file with their times; none where there is no file yet, and no line that is half written."""
    try:
        text = file.read_text("utf-8", "replace")
    except FileNotFoundError:
        return []
    rows = (line.split(" ", 3) for line in text.split("\n")[:-1])
    return [(datetime.fromisoformat(row[0]), row[3]) for row in rows if len(row) == 4]


class _Times:
    """A clock that can be some way behind: what is set up under it has been running for that long."""

    def __init__(self, behind: timedelta) -> None:
        self.behind = behind

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.behind


@contextmanager
def simulated(objects: Sequence[Mapping[str, Any]]) -> Iterator[SimulatedPlane]:
    """A simulated plane in which these objects have been running for a while; gone when the context ends."""
    times = _Times(AGO)
    cluster = FakeCluster(times)
    for account, rules in accounts(cluster).items():
        cluster.account(account, rules, token=secrets.token_urlsafe(24))
    for obj in objects:
        cluster.add(obj)
    while times.behind > AGO - timedelta(minutes=2):
        cluster.settle()
        times.behind -= timedelta(seconds=5)
    times.behind = timedelta()
    with cluster.serve(tick_every=0.2) as url:
        yield SimulatedPlane(cluster, url)


def accounts(cluster: FakeCluster) -> dict[str, tuple[Rule, ...]]:
    """The reader sees all but Secrets and changes nothing; the writer changes workloads; nobody else gets in."""
    seen = tuple(name.partition(".")[0] for name in cluster.knows() if not name.startswith(HIDDEN))
    workloads = ("deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets")
    return {
        "reader": (Rule(("get", "list", "watch"), seen),),
        "writer": (Rule(("get", "list"), seen), Rule(("patch",), workloads, ("apps",))),
        "admin": (),
    }
