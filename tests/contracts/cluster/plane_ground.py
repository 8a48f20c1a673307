"""A real control plane under the contract: API server, controllers and scheduler are the real ones, kubelets not."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from opsbot.config import cache_folder
from opsbot.kube.session import Connection, connect
from opsbot.practice.plane.client import Said
from opsbot.practice.plane.logs import of_pod
from opsbot.practice.plane.programs import SOCKET
from opsbot.practice.plane.real import RealPlane, real
from opsbot.practice.processes import keeping
from opsbot.testing.cluster import READ, WRITE
from tests.contracts.cluster.ground import Ground

ACCOUNTS = ("admin", "reader", "writer")
NO_KUBELET = "no kubelet runs behind these nodes: kwok moves pods by Stages, and serves prepared files as their logs"
PAUSE = 0.05
"""Seconds that pass between two looks at what moves by itself."""


@pytest.fixture(scope="session")
def plane() -> Iterator[RealPlane]:
    """One plane for all tests of a session, with the accounts that FakeCluster has to begin with."""
    with keeping() as keeper, real(cache_folder(), {"reader": READ, "writer": WRITE}, keeper, print) as up:
        yield up


@contextmanager
def on_plane(request: pytest.FixtureRequest, folder: Path) -> Iterator[Ground]:
    """A namespace of its own on the session's plane, which goes when the test is over."""
    up: RealPlane = request.getfixturevalue("plane")
    apis = {}
    for account in ACCOUNTS:
        file = folder / account
        file.write_text(up.token(account) + "\n")
        apis[account] = connect(Connection(server=up.url, token_file=str(file), ca_file=up.ca_file))

    def log(namespace: str, pod: str, current: str, previous: str) -> None:
        made = of_pod(namespace, pod, _cri(folder / f"{pod}.log", current), _cri(folder / f"{pod}.old", previous))
        up.client().create(f"/apis/kwok.x-k8s.io/v1alpha1/namespaces/{namespace}/logs", made)
        _until_served(up, f"/api/v1/namespaces/{namespace}/pods/{pod}/log?container=main")

    try:
        yield Ground(
            apis, lambda: time.sleep(PAUSE), log, lambda: _forget(up), NO_KUBELET, bookmark_after=4,
            young="/apis/kwok.x-k8s.io/v1alpha1/logs",  # of a kind that was made known when the server was up
        )  # fmt: skip
    finally:
        for api in apis.values():
            api.close()


def _until_served(up: RealPlane, log: str) -> None:
    """kwok learns of a log by a watch of its own, which may take it a moment."""
    until = time.monotonic() + 20
    while not _served(up, log):
        assert time.monotonic() < until, log
        time.sleep(PAUSE)


def _served(up: RealPlane, log: str) -> bool:
    try:
        up.client().raw("GET", log)
    except Said:
        return False
    return True


def _cri(file: Path, text: str) -> Path:
    """A log file as a container runtime writes it (kubelet, pkg/kubelet/kuberuntime/logs)."""
    lines = (f"2026-11-22T10:00:00.000000000Z stdout F {line}\n" for line in text.split("\n")[:-1])
    file.write_text("".join(lines))
    return file


class _Store(http.client.HTTPConnection):
    """The store's own door, which is a socket in the plane's folder."""

    def __init__(self, file: Path) -> None:
        super().__init__("localhost", timeout=10)
        self._file = file

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(10)
        self.sock.connect(str(self._file))


def _forget(up: RealPlane) -> None:
    """Have etcd drop all versions but the newest, as the API server does every five minutes."""
    newest = up.client().get("/api/v1/namespaces")["metadata"]["resourceVersion"]
    store = _Store(up.folder / SOCKET)
    store.request("POST", "/v3/kv/compaction", json.dumps({"revision": newest, "physical": True}))
    answer = store.getresponse()
    assert answer.status == 200, answer.read()
    store.close()
