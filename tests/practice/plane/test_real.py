"""The real plane: who may do what there, what it writes down, and that nothing of it is left behind."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from opsbot.config import cache_folder
from opsbot.core.errors import PermanentError
from opsbot.practice import scene
from opsbot.practice.app import App, look
from opsbot.practice.keeper import PORT, TAKEN
from opsbot.practice.plane import Accounts, programs, setup
from opsbot.practice.plane.client import Client, NoAnswer, Said
from opsbot.practice.plane.kubeconfig import Access, read
from opsbot.practice.plane.real import ADMIN, GROUND, RealPlane, find, real
from opsbot.practice.plane.versions import SILENT, versions
from opsbot.practice.processes import Keeper, keeping
from tests.practice.plane.plane_world import eventually, programs_of, silent

pytestmark = [pytest.mark.plane, pytest.mark.real("kubernetes")]

SPACE = "/api/v1/namespaces/agents"
WORKLOAD = "/apis/apps/v1/namespaces/agents/deployments/agents"


@pytest.fixture(scope="module")
def scened(plane: RealPlane) -> RealPlane:
    plane.apply(scene.objects())
    return plane


def refused(client: Client, method: str, path: str, body: Mapping[str, Any] | None = None) -> int:
    """The status of a refusal; 0 where there was none."""
    try:
        client.raw(method, path, body, "application/merge-patch+json" if method == "PATCH" else "application/json")
    except Said as error:
        return error.status
    return 0


def test_all_is_ready_when_it_is_said_to_be_up(plane: RealPlane) -> None:
    nodes = plane.client().get("/api/v1/nodes")["items"]
    assert [node["metadata"]["name"] for node in nodes] == list(setup.NODES)
    for node in nodes:
        assert {one["type"]: one["status"] for one in node["status"]["conditions"]}["Ready"] == "True"
        assert not node["spec"].get("taints")
    plane.client().get("/api/v1/namespaces/default/serviceaccounts/default")
    plane.check()
    assert "no container runs" in plane.simulated


def test_every_server_says_its_version(plane: RealPlane, plane_cache: Path) -> None:
    found = versions(plane.folder, find(plane_cache), plane.client())
    assert SILENT not in found.values()
    kubernetes = {found[name] for name in found if name.startswith("kube")}
    assert kubernetes == {"v1.36.3"}


def test_nothing_listens_beyond_loopback(plane: RealPlane) -> None:
    pids = programs_of(plane.folder)
    assert len(pids) == 5
    inodes = {_socket(link) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    places = [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]
    assert len(places) == 4, "the store has no port at all"
    assert {place.split(":")[0] for place in places} == {"0100007F"}


def _socket(link: Path) -> str:
    try:
        return str(link.readlink()).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return ""


def test_the_store_is_for_its_owner_alone(plane: RealPlane) -> None:
    assert plane.folder.stat().st_mode & 0o077 == 0
    for name in ("key.pem", "tokens.csv", "plane.kubeconfig", "kwok.kubeconfig"):
        assert (plane.folder / name).stat().st_mode & 0o077 == 0, name


def test_it_is_known_by_its_certificate_alone(plane: RealPlane) -> None:
    with pytest.raises(NoAnswer, match="CERTIFICATE_VERIFY_FAILED"):
        Client(Access(plane.url, plane.token(ADMIN))).get("/version")
    unverified = ssl.create_default_context()
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{plane.url}/version", context=unverified, timeout=5)


def test_kubeconfig_has_a_context_for_each_account(plane: RealPlane) -> None:
    for account in ("admin", "reader", "writer"):
        access = read(plane.kubeconfig, account)
        assert access == Access(plane.url, plane.token(account), plane.ca_file)
    with pytest.raises(ValueError, match="no account"):
        read(plane.kubeconfig, GROUND)


# accounts -----------------------------------------------------------------------------------------------------------

PATCH = {"metadata": {"annotations": {"a": "b"}}}


@pytest.mark.parametrize(("account", "method", "path", "status"), [
    pytest.param("reader", "GET", WORKLOAD, 0, id="reader reads"),
    pytest.param("reader", "GET", f"{SPACE}/events", 0, id="reader lists Events"),
    pytest.param("reader", "PATCH", WORKLOAD, 403, id="reader cannot write"),
    pytest.param("reader", "GET", f"{SPACE}/secrets", 403, id="reader sees no Secrets"),
    pytest.param("reader", "GET", f"{SPACE}/configmaps", 403, id="reader sees nothing that no part states"),
    pytest.param("writer", "PATCH", f"{WORKLOAD}?dryRun=All", 0, id="writer changes workloads"),
    pytest.param("writer", "PATCH", f"{WORKLOAD}/scale", 403, id="writer has no scale subresource"),
    pytest.param("writer", "DELETE", WORKLOAD, 403, id="writer cannot delete"),
    pytest.param("writer", "GET", f"{SPACE}/pods", 403, id="writer reads what it writes, and no more"),
    pytest.param("writer", "PATCH", f"{SPACE}/services/agents", 403, id="writer changes workloads only"),
    pytest.param("admin", "GET", f"{SPACE}/secrets", 0, id="admin may do everything"),
])  # fmt: skip
def test_accounts(scened: RealPlane, account: str, method: str, path: str, status: int) -> None:
    body = PATCH if method == "PATCH" else None
    assert refused(scened.client(account), method, path, body) == status


def test_a_token_of_nobody_opens_nothing(plane: RealPlane) -> None:
    for token in ("", "reader-token"):
        assert refused(Client(Access(plane.url, token, plane.ca_file)), "GET", "/version") == 401


# workloads ----------------------------------------------------------------------------------------------------------


def test_workloads_run_and_follow(scened: RealPlane) -> None:
    assert scened.replicas("agents", "agents") == (scene.REPLICAS, scene.REPLICAS)
    assert scened.replicas("agents", "nobody") == (0, 0)
    admin = scened.client()
    admin.patch(WORKLOAD, {"spec": {"replicas": 6}})
    eventually(lambda: scened.replicas("agents", "agents") == (6, 6))
    pods = admin.get(f"{SPACE}/pods")["items"]
    assert {pod["spec"]["nodeName"] for pod in pods} == set(setup.NODES)
    admin.patch(WORKLOAD, {"spec": {"replicas": scene.REPLICAS}})
    eventually(lambda: len(admin.get(f"{SPACE}/pods")["items"]) == scene.REPLICAS)


def test_the_app_sees_its_replicas_over_tls(scened: RealPlane) -> None:
    app = App(0)
    look(app, scened.client("reader"))
    assert app.ready is not None
    assert len(app.ready) == scene.REPLICAS
    look(app, Client(Access(scened.url, scened.token("reader"))))
    assert app.ready is None, "a server that is not known by its certificate is not believed"


def test_pods_can_be_made_at_once_in_a_new_namespace(scened: RealPlane) -> None:
    """No Event tells of a service account or a node that was not there yet."""
    found = scened.client().get(f"{SPACE}/events")["items"]
    assert {one["reason"] for one in found} & {"FailedCreate", "FailedScheduling"} == set()


def test_objects_may_be_applied_again(scened: RealPlane) -> None:
    scened.apply(scene.objects())


def test_logs_of_pods_that_come_later(scened: RealPlane, tmp_path: Path) -> None:
    admin, reader = scened.client(), scened.client("reader")
    scened.logs_from(tmp_path)

    def says(pod: str, words: bytes) -> bool:
        (tmp_path / f"{pod}.log").write_text(f"2026-11-22T10:00:00.000000000Z stdout F {words.decode()}\n")
        eventually(lambda: refused(reader, "GET", f"{SPACE}/pods/{pod}/log") == 0)
        return reader.raw("GET", f"{SPACE}/pods/{pod}/log") == words + b"\n"

    first = admin.get(f"{SPACE}/pods")["items"][0]["metadata"]["name"]
    (tmp_path / "of-nobody.log").touch()
    assert says(first, b"hello")
    admin.delete(f"{SPACE}/pods/{first}")
    eventually(lambda: admin.find(f"{SPACE}/pods/{first}") is None)
    eventually(lambda: scened.replicas("agents", "agents")[1] == scene.REPLICAS)
    later = [pod["metadata"]["name"] for pod in admin.get(f"{SPACE}/pods")["items"]]
    assert all(says(pod, pod.encode()) for pod in later)
    with (tmp_path / f"{later[0]}.log").open("a") as log:
        log.write("2026-11-22T10:00:01.000000000Z stdout F more\n")
    assert reader.raw("GET", f"{SPACE}/pods/{later[0]}/log?tailLines=1") == b"more\n"


# what is written down -----------------------------------------------------------------------------------------------


def test_the_audit_log_tells_who_wrote_what(scened: RealPlane) -> None:
    before = len(scened.writes())
    writer, reader = scened.client("writer"), scened.client("reader")
    writer.get(WORKLOAD)
    writer.patch(f"{WORKLOAD}?dryRun=All", PATCH)
    writer.patch(WORKLOAD, PATCH)
    assert refused(reader, "PATCH", WORKLOAD, PATCH) == 403
    eventually(lambda: len(scened.writes()) >= before + 3)
    found = [(one.account, one.verb, one.kind, one.name, one.dry_run, one.status) for one in scened.writes()[before:]]
    assert found == [
        ("writer", "patch", "Deployment", "agents", True, 200), ("writer", "patch", "Deployment", "agents", False, 200),
        ("reader", "patch", "Deployment", "agents", False, 403),
    ]  # fmt: skip
    assert [one.body for one in scened.writes()[before:]] == [PATCH, PATCH, None]


def test_the_planes_own_doings_are_not_told(scened: RealPlane) -> None:
    """Controllers, scheduler and kwok have written a lot by now."""
    assert {one.account for one in scened.writes()} <= {"admin", "reader", "writer"}


def test_asking_for_rights_is_no_write(scened: RealPlane) -> None:
    before = len(scened.writes())
    wish = {"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "agents"}
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
              "spec": {"resourceAttributes": wish}}  # fmt: skip
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    allowed = {name: scened.client(name).create(path, review)["status"]["allowed"] for name in ("reader", "writer")}
    assert allowed == {"reader": False, "writer": True}
    time.sleep(0.5)
    assert len(scened.writes()) == before


# however it ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["etcd", "kube-scheduler", "kwok"])
def test_a_program_that_dies_ends_the_plane_and_is_told(plane_cache: Path, stated: Accounts, name: str) -> None:
    with keeping() as keeper, real(plane_cache, stated, keeper, silent) as up:
        victim = next(pid for pid in programs_of(up.folder) if _program(pid) == name)
        os.kill(victim, signal.SIGKILL)
        with pytest.raises(PermanentError, match=f"{name} was killed by signal 9"):
            _check_for_ever(up)
        eventually(lambda: not programs_of(up.folder))
    assert not up.folder.exists()


@pytest.mark.parametrize("name", ["etcd", "kube-scheduler", "kwok"])
def test_a_program_that_dies_while_the_plane_rises_is_told(plane_cache: Path, stated: Accounts, name: str) -> None:
    with pytest.raises(PermanentError, match=f"broken down: {name} was killed by signal 9"):
        _raise_without(plane_cache, stated, name)


def _raise_without(cache: Path, accounts: Accounts, name: str) -> None:
    """Raise a plane and kill one of its programs as soon as it is there."""

    def tell(text: str) -> None:
        if "controllers" in text:
            threading.Thread(target=_kill, args=(keeper.folder, name)).start()

    with keeping() as keeper, real(cache, accounts, keeper, tell):
        pytest.fail("it came up")


def _kill(folder: Path, name: str) -> None:
    seen = set[int]()

    def there() -> bool:
        with suppress(OSError):
            seen.update(pid for pid in programs_of(folder) if _program(pid) == name)
        return bool(seen)

    eventually(there)
    os.kill(seen.pop(), signal.SIGKILL)


def _program(pid: int) -> str:
    return Path(Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]).name


def _check_for_ever(up: RealPlane | Keeper) -> None:
    for _ in range(400):
        up.check()
        time.sleep(0.05)


@pytest.mark.parametrize("name", ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"])
def test_a_port_that_was_taken_meanwhile_is_told_in_words_that_the_keeper_knows(plane: RealPlane, name: str) -> None:
    """Then it starts the program again on another one; here it cannot, for the port is named."""
    make = {"kube-apiserver": programs.apiserver, "kube-controller-manager": programs.controllers,
            "kube-scheduler": programs.scheduler, "kwok": programs.kwok}[name]  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as taken, keeping() as keeper:
        for file in plane.folder.iterdir():
            if file.is_socket() or file.suffix in (".pem", ".csv", ".yaml", ".kubeconfig"):
                (keeper.folder / file.name).symlink_to(file)
        port = str(taken.getsockname()[1])
        keeper.start(name, [word.replace(PORT, port) for word in make(keeper.folder, find(cache_folder()))])
        with pytest.raises(PermanentError, match=f"{name} ended with code [0-9]+.*: .*{TAKEN}"):
            _check_for_ever(keeper)


STORY = """
import sys, time
from pathlib import Path
from opsbot.practice.plane.real import real
from opsbot.practice.processes import keeping
from opsbot.testing.cluster import READ, WRITE

def tell(text):
    print(text.split()[1], flush=True)

with keeping() as keeper:
    print(keeper.folder, flush=True)
    with real(Path(sys.argv[1]), {"reader": READ, "writer": WRITE}, keeper, tell):
        print("up", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize(("number", "when"), [
    pytest.param(signal.SIGKILL, "etcd", id="KILL as it starts"),
    pytest.param(signal.SIGINT, "controllers,", id="INT while it rises"),
    pytest.param(signal.SIGKILL, "controllers,", id="KILL while it rises"),
    pytest.param(signal.SIGTERM, "up", id="TERM"),
    pytest.param(signal.SIGKILL, "up", id="KILL"),
])  # fmt: skip
def test_nothing_is_left_behind(plane_cache: Path, number: int, when: str) -> None:
    command = [sys.executable, "-c", STORY, str(plane_cache)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as story:
        assert story.stdout
        folder = Path(story.stdout.readline().strip())
        while story.stdout.readline().strip() != when:
            pass
        story.send_signal(number)
        story.communicate(timeout=30)
    eventually(lambda: not programs_of(folder) and not folder.exists())
