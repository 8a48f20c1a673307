"""Clusters under contract: FakeCluster behind its two faces, and a real control plane."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opsbot.kube.session import Connection, connect
from opsbot.testing import FakeCluster
from tests.contracts.cluster.ground import DEPLOYMENTS, Ground, at_rest, paused
from tests.contracts.cluster.plane_ground import ACCOUNTS, on_plane, plane

__all__ = ["plane"]


def _around(cluster: FakeCluster, apis: dict[str, object]) -> Ground:
    def log(namespace: str, pod: str, current: str, previous: str) -> None:
        cluster.set_logs(namespace, pod, current)
        if previous:
            cluster.set_logs(namespace, pod, previous, previous=True)

    return Ground(apis, lambda: cluster.run(1), log, cluster.forget_history)


@contextmanager
def _transport(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Ground]:
    cluster = FakeCluster()
    yield _around(cluster, {account: cluster.connect(account) for account in ACCOUNTS})


@contextmanager
def _http(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Ground]:
    cluster = FakeCluster()
    with cluster.serve() as url:
        apis = {}
        for account in ACCOUNTS:
            file = folder / account
            file.write_text(cluster.token(account) + "\n")
            apis[account] = connect(Connection(server=url, token_file=str(file)))
        yield _around(cluster, apis)
        for api in apis.values():
            api.close()


CLIENT = pytest.mark.real("kubernetes client")
GROUNDS = [
    pytest.param(_transport, marks=CLIENT, id="transport"),
    pytest.param(_http, marks=CLIENT, id="http"),
    pytest.param(on_plane, marks=[CLIENT, pytest.mark.real("kubernetes"), pytest.mark.plane], id="real"),
]


@pytest.fixture(params=GROUNDS)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with request.param(request, tmp_path) as made:
        made.good("POST", "/api/v1/namespaces", {"metadata": {"name": made.namespace}})
        # Until its account is there, no pod may be made in a namespace.
        made.until("/api/v1/namespaces/{ns}/serviceaccounts", lambda found: bool(found["items"]))
        yield made
        made.ask("DELETE", "/api/v1/namespaces/{ns}")


@pytest.fixture
def web(ground: Ground) -> dict[str, Any]:
    """A Deployment that no controller moves any more."""
    ground.good("POST", DEPLOYMENTS, paused())
    return ground.until(f"{DEPLOYMENTS}/web", at_rest)
