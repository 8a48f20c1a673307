"""The same questions to three servers: the fake, told what the real ones say, and two real ones, a 2 and a 3."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from opsbot.config import cache_folder
from opsbot.practice.prometheus import command
from opsbot.practice.recipes import PROMETHEUS, built
from opsbot.prometheus import PrometheusClient
from opsbot.testing.prometheus import FakePrometheus
from tests.contracts.prometheus.data import CONFIG, SERIES, TOLD
from tests.contracts.prometheus.remote_write import write


@dataclass(frozen=True)
class Settings:
    url: str
    timeout: timedelta = timedelta(seconds=5)
    token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="session")
def real_url(prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The Prometheus of PATH or of Debian."""
    with _running(prometheus_program, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@pytest.fixture(scope="session")
def built_program() -> Path:
    """The Prometheus that `opsbot practice build` has built."""
    there = built(PROMETHEUS, cache_folder())
    if there is None:
        pytest.fail(f"Prometheus {PROMETHEUS.version} is not built: run `opsbot practice build`", pytrace=False)
    return there / "prometheus"


@pytest.fixture(scope="session")
def built_url(built_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same, running."""
    with _running(built_program, tmp_path_factory.mktemp("prometheus")) as url:
        yield url


@contextmanager
def _running(program: Path, folder: Path) -> Iterator[str]:
    """A Prometheus of our own with SERIES in it and nothing to scrape, on a free port of loopback."""
    (folder / "prometheus.yml").write_text(CONFIG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    order = [*command(program, folder, port), "--web.enable-remote-write-receiver"]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(order, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", running, folder / "log")
            write(f"http://127.0.0.1:{port}", SERIES)
            yield f"http://127.0.0.1:{port}"
        finally:
            running.terminate()
            running.wait(20)


def _wait(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until and running.poll() is None:
        try:
            if requests.get(f"{url}/-/ready", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    pytest.fail(f"prometheus did not come up: {log.read_text()[-2000:]}")


@pytest.fixture
def fake_url() -> Iterator[str]:
    fake = FakePrometheus()
    for expression, said in TOLD.items():
        fake.says(expression, said)
    with fake.serve() as url:
        yield url


DEBIAN = pytest.param("real", marks=pytest.mark.real("prometheus"), id="real")
_THREE = [pytest.mark.real("prometheus 3"), pytest.mark.plane]
BUILT = pytest.param("built", marks=_THREE, id="built")
BUILT_WITH_TOOL = pytest.param("built", marks=[*_THREE, pytest.mark.real("promtool")], id="built")


@pytest.fixture(params=[DEBIAN, BUILT])
def a_real_url(request: pytest.FixtureRequest) -> str:
    """Each of the real ones."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found


@pytest.fixture(params=[DEBIAN, BUILT_WITH_TOOL])
def a_program(request: pytest.FixtureRequest) -> Path:
    """Each of the real ones as a program, with its promtool beside it."""
    name = {"real": "prometheus_program", "built": "built_program"}[request.param]
    found: Path = request.getfixturevalue(name)
    return found


@pytest.fixture(params=["fake", DEBIAN, BUILT])
def client(request: pytest.FixtureRequest) -> Iterator[PrometheusClient]:
    made = PrometheusClient(Settings(request.getfixturevalue(f"{request.param}_url")))
    yield made
    made.close()
