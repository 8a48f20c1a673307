"""Clusters under contract. A further one, a real API server say, is one more row of GROUNDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from opsbot.kube.session import Connection, connect
from opsbot.testing import FakeCluster
from tests.contracts.cluster.ground import Ground

ACCOUNTS = ("admin", "reader", "writer")


def _around(cluster: FakeCluster, apis: dict[str, object]) -> Ground:
    def log(namespace: str, pod: str, current: str, previous: str) -> None:
        cluster.set_logs(namespace, pod, current)
        if previous:
            cluster.set_logs(namespace, pod, previous, previous=True)

    return Ground(apis, lambda: cluster.run(1), log)


@contextmanager
def _transport(_folder: Path) -> Iterator[Ground]:
    cluster = FakeCluster()
    yield _around(cluster, {account: cluster.connect(account) for account in ACCOUNTS})


@contextmanager
def _http(folder: Path) -> Iterator[Ground]:
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


GROUNDS: dict[str, Callable[[Path], AbstractContextManager[Ground]]] = {"transport": _transport, "http": _http}


@pytest.fixture(params=[pytest.param(make, marks=pytest.mark.real("kubernetes client")) for make in GROUNDS.values()],
                ids=list(GROUNDS))  # fmt: skip
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    with request.param(tmp_path) as made:
        made.good("POST", "/api/v1/namespaces", {"metadata": {"name": made.namespace}})
        yield made
