"""The faulty app: what it shows for a load and for the replicas that it reads from a cluster over HTTP."""

from __future__ import annotations

import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot.practice import scene
from opsbot.practice.app import App, look, metrics, ready_pods, tasks_in, write_logs
from opsbot.practice.load import BUSY, QUIET
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.simulated import SimulatedPlane, read_cri, simulated

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def plane() -> Iterator[SimulatedPlane]:
    with simulated(scene.objects()) as made:
        yield made


def client(plane: SimulatedPlane, token: str) -> Client:
    return Client(Access(plane.url, token))


def times(text: str) -> dict[str, float]:
    found = re.findall(r'^response_time\{.*pod="([^"]+)"\} (\S+)$', text, re.MULTILINE)
    return {pod: float(value) for pod, value in found}


def pod(name: str, ready: str | None) -> dict[str, object]:
    conditions = (
        [] if ready is None else [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]
    )
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


@pytest.mark.parametrize(("items", "names"), [
    pytest.param([pod("b", "True"), pod("a", "True")], ("a", "b"), id="ready ones in order"),
    pytest.param([pod("a", "False"), pod("b", None), pod("c", "Unknown")], (), id="others do not count"),
    pytest.param([{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}, "status": None}], (), id="no status"),
    pytest.param([], (), id="none"),
])  # fmt: skip
def test_ready_pods(items: list[dict[str, object]], names: tuple[str, ...]) -> None:
    assert ready_pods({"items": items}) == names


@pytest.mark.parametrize(
    ("ready", "tasks", "low", "high"),
    [
        pytest.param(4, QUIET, 600, 700, id="quiet"),
        pytest.param(4, BUSY, 7000, 7400, id="busy"),
        pytest.param(6, BUSY, 1100, 1300, id="scaled up"),
    ],
)
def test_one_series_for_each_replica(ready: int, tasks: float, low: float, high: float) -> None:
    app = App(tasks)
    app.ready = tuple(f"agents-{number}" for number in range(ready))
    found = times(metrics(app))
    assert set(found) == set(app.ready)
    assert low < sum(found.values()) / len(found) < high
    assert f"tasks_per_second {tasks:g}\n" in metrics(app)
    assert re.search(r"^tasks_queued \d+$", metrics(app), re.MULTILINE)


def test_with_no_replica_ready_it_is_slow_not_silent() -> None:
    app = App(BUSY)
    app.ready = ()
    assert times(metrics(app)) == {"none": pytest.approx(30_000, rel=0.05)}


@pytest.mark.parametrize(("text", "tasks"), [(b"60", 60.0), (b" 12.5\n", 12.5), (b"0", 0.0)])
def test_tasks_in(text: bytes, tasks: float) -> None:
    assert tasks_in(text) == tasks


@pytest.mark.parametrize("text", [b"", b"many", b"nan", b"inf", b"-1", b"1e9", b"\xff\xfe", b"0x10"])
def test_a_load_that_cannot_be(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"could not convert|cannot be|ascii"):
        tasks_in(text)


def test_it_reads_the_ready_replicas_with_the_read_token(plane: SimulatedPlane) -> None:
    app = App(QUIET)
    look(app, client(plane, plane.token("reader")))
    assert app.ready is not None
    assert len(app.ready) == scene.REPLICAS


@pytest.mark.parametrize("token", ["wrong", ""])
def test_without_the_right_token_it_sees_nothing(
    plane: SimulatedPlane, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App(QUIET)
    look(app, client(plane, plane.token("reader")))
    look(app, client(plane, token))
    assert app.ready is None
    assert "the cluster cannot be read" in capsys.readouterr().err


def test_logs_are_in_the_form_that_a_kubelet_serves(tmp_path: Path) -> None:
    app = App(BUSY)
    app.ready = ("agents-1", "agents-2", "agents-3", "agents-4")
    write_logs(app, tmp_path, NOW)
    write_logs(app, tmp_path, NOW)
    lines = read_cri(tmp_path / "agents-1.log")
    assert lines[0] == (NOW, "INFO worker started, up to 16 tasks a second")
    assert sum("worker started" in text for _, text in lines) == 1
    assert sum("timed out after 5000 ms" in text for _, text in lines) == 2


@pytest.mark.parametrize(("content", "lines"), [
    pytest.param(None, 0, id="no file yet"),
    pytest.param("", 0, id="empty"),
    pytest.param("2026-01-02T03:04:05.000006000Z stdout F one\n2026-01-02T03:04:06.000", 1, id="a half-written line"),
    pytest.param("2026-01-02T03:04:05.000006000Z stdout F one two  three\n", 1, id="blanks stay"),
    pytest.param("short\n", 0, id="no log line"),
])  # fmt: skip
def test_read_cri(tmp_path: Path, content: str | None, lines: int) -> None:
    file = tmp_path / "a.log"
    if content is not None:
        file.write_text(content)
    found = read_cri(file)
    assert len(found) == lines
    assert all(when.tzinfo is not None for when, _ in found)


# the process --------------------------------------------------------------------------------------------------------


def ask(url: str, body: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def eventually(true: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def start(plane: SimulatedPlane, folder: Path, *more: str, token: str = "") -> tuple[subprocess.Popen[bytes], str]:
    folder.mkdir(exist_ok=True)
    (folder / "token").write_text(token or plane.token("reader"))
    command = [sys.executable, "-m", "opsbot.practice.app", "--cluster", plane.url, "--folder", str(folder)]
    child = subprocess.Popen([*command, "--token-file", str(folder / "token"), *more], stderr=subprocess.DEVNULL)
    eventually((folder / "app.port").exists)
    return child, f"http://127.0.0.1:{(folder / 'app.port').read_text()}"


def test_the_app_over_http(plane: SimulatedPlane, tmp_path: Path) -> None:
    child, url = start(plane, tmp_path)
    try:
        assert ask(f"{url}/load") == (200, "20\n")
        assert len(times(ask(f"{url}/metrics")[1])) == scene.REPLICAS
        assert ask(f"{url}/load", b"60") == (200, "60\n")
        assert min(times(ask(f"{url}/metrics")[1]).values()) > 5000
        assert ask(f"{url}/load", b"plenty")[0] == 400
        assert ask(f"{url}/load", b"9" * 5000)[0] == 400
        assert ask(f"{url}/load") == (200, "60\n"), "a wrong load changes nothing"
        assert ask(f"{url}/elsewhere")[0] == 404
        eventually(lambda: len(list((tmp_path / "logs").glob("*.log"))) == scene.REPLICAS)
    finally:
        child.kill()
        child.wait()


def test_the_load_rises_by_itself_after_the_set_time(plane: SimulatedPlane, tmp_path: Path) -> None:
    child, url = start(plane, tmp_path, "--rises-to", "60", "--rises-after", "0.5")
    try:
        eventually(lambda: ask(f"{url}/load") == (200, "60\n"))
    finally:
        child.kill()
        child.wait()


def test_an_app_that_cannot_see_the_cluster_shows_no_metric(plane: SimulatedPlane, tmp_path: Path) -> None:
    child, url = start(plane, tmp_path, token="wrong")
    try:
        assert ask(f"{url}/metrics") == (503, "the cluster cannot be read\n")
    finally:
        child.kill()
        child.wait()
