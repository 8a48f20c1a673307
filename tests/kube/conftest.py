"""A cluster to read and write, and a client of a server that follows a script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from opsbot.kube.session import Connection, connect
from opsbot.testing import FakeCluster
from tests.kube.rawserver import RawServer, Script


@pytest.fixture
def raw(token_file: Path) -> Iterator[Callable[[Script], tuple[Any, RawServer]]]:
    """A client of a server that follows a script, and the server."""
    with _closing() as later:

        def make(script: Script) -> tuple[Any, RawServer]:
            server = RawServer(script)
            api = connect(Connection(server=server.url, token_file=str(token_file)))
            later.extend([api, server])
            return api, server

        yield make


@contextmanager
def _closing() -> Iterator[list[Any]]:
    later: list[Any] = []
    try:
        yield later
    finally:
        for item in later:
            item.close()


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text("s3cr3t-t0ken\n")
    return file


@pytest.fixture
def cluster() -> FakeCluster:
    """One Deployment with two ready pods."""
    made = FakeCluster()
    pod = {"containers": [{"name": "main", "image": "w:1"}]}
    made.add({
        "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod},
        },
    })  # fmt: skip
    made.run(6)
    return made
