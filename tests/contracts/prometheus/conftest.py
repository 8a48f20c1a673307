"""The same questions to two servers: the fake, told what the real one would say, and the real one."""

from __future__ import annotations

import math
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from opsbot.practice.prometheus import command
from opsbot.prometheus import PrometheusClient
from opsbot.testing.prometheus import FakePrometheus, Said, refusal, scalar, vector

TOLD: dict[str, Said] = {
    "1": scalar(1),
    "vector(1)": vector(({}, 1.0)),
    "vector(1) > 2": vector(),
    "vector(0) / 0": vector(({}, math.nan)),
    "vector(-1) / 0": vector(({}, -math.inf)),
    "no_such_series": vector(),
    "absent(up{job='a'})": vector(({"job": "a"}, 1.0)),
    'label_replace(vector(2.5), "pod", "a/ü\\"", "", "")': vector(({"pod": 'a/ü"'}, 2.5)),
    "time()": scalar(0),
    '"text"': Said({"resultType": "string", "result": ["$time", "text"]}),
    "up{": refusal(400, "bad_data", 'invalid parameter "query": 1:4: parse error: unexpected end of input'),
    "foo(1)": refusal(400, "bad_data", 'invalid parameter "query": 1:1: parse error: unknown function with name "foo"'),
    'label_replace(vector(1), "a b", "x", "", "")': refusal(422, "execution", "invalid destination label name"),
}  # fmt: skip
"""What a real server says to these, whatever data it has."""


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
    """A Prometheus of our own with nothing to scrape, on a free port of loopback."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text("global: {}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(command(prometheus_program, folder, port), stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}", running, folder / "log")
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


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.real("prometheus"))])
def client(request: pytest.FixtureRequest) -> Iterator[PrometheusClient]:
    made = PrometheusClient(Settings(request.getfixturevalue(f"{request.param}_url")))
    yield made
    made.close()
