"""The scene in a namespace of somebody's cluster (a real control plane stands for it): judged, refused, broken off."""

from __future__ import annotations

import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from opsbot.practice.guest.cluster import LABEL
from opsbot.practice.plane.client import Said
from opsbot.practice.plane.real import RealPlane, find
from tests.scenes.conftest import eventually
from tests.scenes.judge import Cast, announced, faults
from tests.scenes.playing import DEMO, in_order, playing

pytestmark = [
    pytest.mark.plane, pytest.mark.real("kubernetes"), pytest.mark.real("kubernetes client"),
    pytest.mark.real("prometheus"),
]  # fmt: skip


def options(host: RealPlane, name: str, context: str = "admin") -> tuple[str, ...]:
    return "--kubeconfig", str(host.kubeconfig), "--context", context, "--namespace", name, "--yes"


def is_there(host: RealPlane, name: str) -> bool:
    return host.client().find(f"/api/v1/namespaces/{name}") is not None


def ended(*words: str) -> tuple[int, str]:
    """Code and complaint of a demo that ends soon."""
    done = subprocess.run([*DEMO, *words], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stderr


def test_the_scene_in_a_namespace_of_its_own(host: RealPlane, prometheus_program: Path, tmp_path: Path) -> None:
    before = len(host.writes())
    with playing(tmp_path / "demo", *options(host, "demo-whole")) as play:
        play.until("proposed")
        kept = {name: host.client().get(path) for name, path in {
            "roles": "/apis/rbac.authorization.k8s.io/v1/namespaces/demo-whole/roles",
            "cluster": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        }.items()}  # fmt: skip
        assert play.wait() == 0, play.said
        assert in_order(play.said), play.said
        for part in (
            "in the namespace demo-whole",
            "log nothing",
            "overload",
            "TaskTimedOut",
            "removing the namespace",
        ):
            assert part in play.said
        eventually(play.is_gone)
    assert not is_there(host, "demo-whole")
    accounts = {name: f"system:serviceaccount:demo-whole:opsbot-{name}" for name in ("reader", "writer", "app")}
    writes = host.writes()[before:]
    cast = Cast(accounts["reader"], accounts["writer"], (*Cast().others, accounts["app"]))
    assert faults(announced(play.said), writes, cast) == []
    told = {(write.verb, write.kind, write.namespace) for write in writes if write.account == accounts["app"]}
    assert told == {("create", "Event", "demo-whole")}
    by_hand = [write for write in writes if write.account == "admin" and write.subresource != "token"]
    assert {write.namespace or write.name for write in by_hand if "review" not in write.kind} == {"demo-whole"}
    assert {role["metadata"]["name"] for role in kept["roles"]["items"]} == {
        "opsbot-reader", "opsbot-writer", "opsbot-app",
    }  # fmt: skip
    assert not [role for role in kept["cluster"]["items"] if "opsbot" in role["metadata"]["name"]]


@pytest.mark.parametrize(("name", "context", "says"), [
    pytest.param("default", "admin", "system namespace", id="default"),
    pytest.param("kube-system", "admin", "system namespace", id="system"),
    pytest.param("mine", "admin", "the namespace mine exists already, and no demo made it", id="exists"),
    pytest.param("demo-new", "guest", "you may not create namespaces, get namespaces, delete namespaces,", id="rights"),
    pytest.param("demo-new", "nobody", "(contexts in it: admin, guest)", id="context"),
])  # fmt: skip
def test_refused_before_anything_is_made(host: RealPlane, name: str, context: str, says: str) -> None:
    if name == "mine" and not is_there(host, "mine"):
        host.client().create("/api/v1/namespaces", {"metadata": {"name": "mine"}})
    before = [write for write in host.writes() if "review" not in write.kind]
    code, said = ended(*options(host, name, context))
    assert (code, says in said, "Traceback" in said) == (2, True, False), said
    assert [write for write in host.writes() if "review" not in write.kind] == before
    assert is_there(host, "mine") or name != "mine"


@pytest.mark.parametrize(("when", "number"), [
    pytest.param("setting up  waiting for the pods", signal.SIGINT, id="Ctrl-C while it is made"),
    pytest.param("setting up  starting Prometheus", signal.SIGTERM, id="SIGTERM while the ground rises"),
    pytest.param("load", signal.SIGINT, id="Ctrl-C in the scene"),
    pytest.param("load", signal.SIGHUP, id="the terminal is closed"),
])  # fmt: skip
def test_a_demo_that_is_stopped_takes_its_namespace_along(
    host: RealPlane, prometheus_program: Path, tmp_path: Path, when: str, number: signal.Signals
) -> None:
    with playing(tmp_path / "demo", *options(host, "demo-stopped")) as play:
        play.until(when)
        play.signal(number)
        play.until("taking down")
        play.signal(number)  # who presses it twice does not break the tidying off
        assert play.wait() == 130, play.said
        eventually(play.is_gone)
    assert not is_there(host, "demo-stopped")


@pytest.mark.real("kubectl")
def test_after_a_kill_the_next_demo_says_how_to_remove_what_is_left(
    host: RealPlane, plane_cache: Path, prometheus_program: Path, tmp_path: Path
) -> None:
    with playing(tmp_path / "demo", *options(host, "demo-killed")) as play:
        play.until("load")
        play.signal(signal.SIGKILL)
        play.wait()
        eventually(play.is_gone)
    left = host.client().get("/api/v1/namespaces/demo-killed")
    assert LABEL in left["metadata"]["labels"]
    code, said = ended(*options(host, "demo-killed"))
    assert code == 2
    assert "was made by a demo at" in said
    command = shlex.split(said.partition("To remove it: ")[2])
    assert command[0] == "kubectl"
    subprocess.run([find(plane_cache) / "kubectl", *command[1:]], check=True, timeout=120, capture_output=True)
    assert not is_there(host, "demo-killed")


def test_a_namespace_that_was_made_anew_meanwhile_is_not_ours(
    host: RealPlane, prometheus_program: Path, tmp_path: Path
) -> None:
    """Its uid is part of the question, so that even the same mark on another namespace would not do."""
    client = host.client()
    with playing(tmp_path / "demo", *options(host, "demo-again")) as play:
        play.until("load")
        client.delete("/api/v1/namespaces/demo-again")
        eventually(lambda: not is_there(host, "demo-again"))
        client.create("/api/v1/namespaces", {"metadata": {"name": "demo-again"}})
        play.signal(signal.SIGINT)
        play.wait()
        eventually(play.is_gone)
    assert is_there(host, "demo-again")
    with pytest.raises(Said, match="409"):
        client.ask("DELETE", "/api/v1/namespaces/demo-again", {"preconditions": {"uid": "another"}})
    client.delete("/api/v1/namespaces/demo-again")
