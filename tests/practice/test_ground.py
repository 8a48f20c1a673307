"""The whole ground with a real Prometheus: it answers scaling, and leaves nothing behind however it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml

from opsbot.core.errors import PermanentError
from opsbot.practice import scene
from opsbot.practice.ground import Ground, raise_ground
from opsbot.practice.plane.simulated import SimulatedPlane

pytestmark = pytest.mark.real("prometheus")

CONDITION = "avg(response_time) > 5000"


def eventually(true: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def ask(url: str, token: str = "") -> bytes:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return bytes(answer.read())


def query(ground: Ground, expression: str) -> list[float]:
    said = json.loads(ask(f"{ground.prometheus}/api/v1/query?query={quote(expression)}"))
    return [float(element["value"][1]) for element in said["data"]["result"]]


def scale(ground: Ground, replicas: int) -> None:
    """As the account `writer` would, over HTTP."""
    url = f"{ground.plane.url}/apis/apps/v1/namespaces/agents/deployments/agents"
    headers = {
        "Authorization": f"Bearer {ground.plane.token('writer')}",
        "Content-Type": "application/merge-patch+json",
    }
    body = json.dumps({"spec": {"replicas": replicas}}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method="PATCH"), timeout=5).close()


@pytest.fixture(scope="module")
def ground(prometheus_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with raise_ground(_cache_with(prometheus_program, tmp_path_factory.mktemp("cache")), "ana") as up:
        yield up


def _cache_with(program: Path, folder: Path) -> Path:
    """A cache that holds this Prometheus, as a download would leave it."""
    place = folder / "debian" / "prometheus" / "usr" / "bin"
    place.mkdir(parents=True)
    (place / "prometheus").symlink_to(program)
    return folder


def test_it_comes_up_at_ease(ground: Ground) -> None:
    assert ground.replicas() == (scene.REPLICAS, scene.REPLICAS)
    assert len(query(ground, "response_time")) == scene.REPLICAS
    assert query(ground, CONDITION) == []
    assert ground.prometheus_version
    assert "simulated" in ground.simulated
    ground.check()


def test_the_folder_holds_what_opsbot_needs(ground: Ground) -> None:
    assert ground.config == ground.folder / "agent_config.yaml"
    config = yaml.safe_load(ground.config.read_text())
    assert config["prometheus"]["url"] == ground.prometheus
    assert config["access"]["people"] == [{"name": "ana", "os_user": "ana", "slack": scene.SLACK_USER}]
    rule = yaml.safe_load((ground.folder / "alerts.yaml").read_text())["alerts"][0]
    assert (rule["name"], rule["condition"], rule["severity"]) == ("High Task Latency", CONDITION, "critical")
    assert rule["actions"] == ["scale_up_agents"]
    assert (rule["for"], rule["every"]) == ("10s", "2s")
    contexts = yaml.safe_load(ground.kubeconfig.read_text())["contexts"]
    assert [one["name"] for one in contexts] == ["reader", "writer"]


@pytest.mark.parametrize("name", ["kubeconfig.yaml", "app.token"])
def test_tokens_are_for_their_owner_alone(ground: Ground, name: str) -> None:
    assert stat.S_IMODE((ground.folder / name).stat().st_mode) == 0o600


def test_nothing_listens_beyond_loopback(ground: Ground) -> None:
    for url in (ground.prometheus, ground.app, ground.plane.url):
        assert url.startswith("http://127.0.0.1:")
    ports = {int(url.rpartition(":")[2]) for url in (ground.prometheus, ground.app, ground.plane.url)}
    listening = [
        line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"
    ]
    found = {int(place.split(":")[1], 16): place.split(":")[0] for place in listening}
    assert {found[port] for port in ports} == {"0100007F"}


def test_scaling_up_really_helps(ground: Ground) -> None:
    ground.raise_load()
    eventually(lambda: query(ground, CONDITION) != [])
    assert query(ground, "avg(response_time)") == [pytest.approx(7200, rel=0.01)]
    assert query(ground, "tasks_queued")[0] > 20
    pod = min((ground.folder / "logs").glob("*.log")).stem
    log = f"{ground.plane.url}/api/v1/namespaces/agents/pods/{pod}/log"
    eventually(lambda: b"timed out after 5000 ms" in ask(log, ground.plane.token("reader")))
    scale(ground, 6)
    eventually(lambda: query(ground, CONDITION) == [] and ground.replicas() == (6, 6))
    assert query(ground, "avg(response_time)")[0] < 2500
    written = [(write.account, write.verb, write.name) for write in ground.plane.writes()]
    assert written == [("writer", "patch", "agents")]
    ground.lower_load()
    scale(ground, scene.REPLICAS)
    eventually(lambda: ground.replicas() == (scene.REPLICAS, scene.REPLICAS))


def test_a_load_that_cannot_be_is_refused(ground: Ground) -> None:
    with pytest.raises(PermanentError, match="does not take a load of -1"):
        ground.raise_load(-1)


# however it ends -----------------------------------------------------------------------------------------------------

STORY = """
import os, sys, time
from pathlib import Path
from opsbot.practice.ground import raise_ground

def tell(text):
    if {when!r} == "rising" and text.startswith("waiting"):
        print("rising", flush=True)

with raise_ground(Path({cache!r}), "ana", tell=tell) as ground:
    print("up", flush=True)
    if {end!r} == "exception":
        raise ValueError("in the middle")
    if {end!r} != "exit":
        time.sleep(600)
"""
SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}


@pytest.mark.parametrize(("end", "when"), [
    pytest.param("exit", "up", id="exit"),
    pytest.param("exception", "up", id="exception"),
    pytest.param("SIGKILL", "up", id="SIGKILL"),
    pytest.param("SIGINT", "rising", id="SIGINT while it rises"),
    pytest.param("SIGTERM", "rising", id="SIGTERM while it rises"),
    pytest.param("SIGKILL", "rising", id="SIGKILL while it rises"),
])  # fmt: skip
def test_nothing_is_left_behind(prometheus_program: Path, tmp_path: Path, end: str, when: str) -> None:
    text = STORY.format(cache=str(_cache_with(prometheus_program, tmp_path / "cache")), end=end, when=when)
    place = tmp_path / "tmp"
    place.mkdir()
    command: Sequence[str] = ["env", f"TMPDIR={place}", sys.executable, "-c", text]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as story:
        assert story.stdout
        assert story.stderr
        assert story.stdout.readline().decode().strip() == when, story.stderr.read().decode()
        (folder,) = place.iterdir()
        if end in SIGNALS:
            assert len(_processes(str(folder))) == 2, "the app and Prometheus"
            story.send_signal(SIGNALS[end])
        story.communicate(timeout=30)
    eventually(lambda: not _processes(str(folder)) and not any(place.iterdir()))


def _processes(folder: str) -> list[int]:
    """Processes whose command line names this folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if folder.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_prometheus_that_dies_is_told(prometheus_program: Path, tmp_path: Path) -> None:
    with raise_ground(_cache_with(prometheus_program, tmp_path / "cache"), "ana") as ground:
        victim = next(pid for pid in _processes(str(ground.folder)) if _is_prometheus(pid))
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(PermanentError, match="prometheus was killed by signal"):
            _check_for_ever(ground)
    assert not ground.folder.exists()


def _check_for_ever(ground: Ground) -> None:
    for _ in range(200):
        ground.check()
        time.sleep(0.05)


def _is_prometheus(pid: int) -> bool:
    return b"storage.tsdb.path" in Path(f"/proc/{pid}/cmdline").read_bytes()


# the plane alone ----------------------------------------------------------------------------------------------------


WORKLOAD = "/apis/apps/v1/namespaces/agents/deployments/agents"
CORE = "/api/v1/namespaces/agents"


@pytest.mark.parametrize(("account", "method", "path", "status"), [
    pytest.param("reader", "GET", WORKLOAD, 200, id="reader reads"),
    pytest.param("reader", "GET", f"{CORE}/events", 200, id="reader reads Events"),
    pytest.param("reader", "PATCH", WORKLOAD, 403, id="reader cannot write"),
    pytest.param("reader", "GET", f"{CORE}/secrets", 403, id="reader sees no Secrets"),
    pytest.param("writer", "DELETE", WORKLOAD, 403, id="writer cannot delete"),
    pytest.param("writer", "PATCH", f"{CORE}/services/agents", 403, id="writer changes workloads only"),
    pytest.param("admin", "GET", f"{CORE}/pods", 403, id="nobody is admin"),
    pytest.param("", "GET", f"{CORE}/pods", 401, id="the usual token of a fake opens nothing"),
])  # fmt: skip
def test_accounts(ground: Ground, account: str, method: str, path: str, status: int) -> None:
    token = ground.plane.token(account) if account else "reader-token"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/merge-patch+json"}
    body = b"{}" if method == "PATCH" else None
    request = urllib.request.Request(ground.plane.url + path, body, headers, method=method)
    assert _status(request) == status


def _status(request: urllib.request.Request) -> int:
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_workloads_look_as_if_they_had_run_for_a_while(ground: Ground) -> None:
    assert isinstance(ground.plane, SimulatedPlane)
    (workload,) = ground.plane.cluster.list("Deployment", "agents")
    pods = ground.plane.cluster.list("Pod", "agents")
    now = ground.plane.cluster.clock()
    for thing in (workload, *pods[: scene.REPLICAS]):
        assert thing["metadata"]["creationTimestamp"] < now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert len(ground.plane.cluster.list("ReplicaSet", "agents")) == 1
    assert ground.plane.cluster.list("Event", "agents")
