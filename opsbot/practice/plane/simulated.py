"""A simulated plane: objects in, FakeCluster behind HTTP on loopback out, with accounts and nothing else real."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opsbot.practice.plane import Accounts, Making
from opsbot.practice.processes import Keeper
from opsbot.testing.cluster import FakeCluster, Rule, Write

AGO = timedelta(minutes=50)
"""How long the workloads have been running when the ground is ready, so that nothing looks like a fresh change."""

HIDDEN = "secrets"


class SimulatedPlane:
    """FakeCluster over HTTP."""

    ca_file = ""
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
def simulated(objects: Sequence[Mapping[str, Any]], accounts: Accounts | None = None) -> Iterator[SimulatedPlane]:
    """A simulated plane in which these objects have been running for a while; gone when the context ends.

    Without `accounts` the reader sees all but Secrets and the writer changes workloads. Nobody else gets in.
    """
    times = _Times(AGO)
    cluster = FakeCluster(times)
    known: Accounts = {**(accounts or usual(cluster)), "admin": ()}
    for account, rules in known.items():
        cluster.account(account, rules, token=secrets.token_urlsafe(24))
    for obj in objects:
        cluster.add(obj)
    while times.behind > AGO - timedelta(minutes=2):
        cluster.settle()
        times.behind -= timedelta(seconds=5)
    times.behind = timedelta()
    with cluster.serve(tick_every=0.2) as url:
        yield SimulatedPlane(cluster, url)


def usual(cluster: FakeCluster) -> Accounts:
    """The reader sees all but Secrets and changes nothing; the writer changes workloads."""
    seen = tuple(name.partition(".")[0] for name in cluster.knows() if not name.startswith(HIDDEN))
    workloads = ("deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets")
    return {
        "reader": (Rule(("get", "list", "watch"), seen),),
        "writer": (Rule(("get", "list"), seen), Rule(("patch",), workloads, ("apps",))),
    }


def simulation(accounts: Accounts | None = None) -> Making:
    """For `raise_ground`: makes a simulated plane with these accounts, in this process."""

    @contextmanager
    def make(_keeper: Keeper, objects: Sequence[Mapping[str, Any]]) -> Iterator[SimulatedPlane]:
        with simulated(objects, accounts) as plane:
            yield plane

    return make
