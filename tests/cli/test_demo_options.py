"""Options of the demo that do not go together, and clusters that it cannot use: refused before anything is started."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from opsbot.testing.cluster import FakeCluster, Rule
from tests.cli.conftest import Terminal

TITLE = "opsbot demo: an app gets slow."
YOURS = ("--kubeconfig", "k", "--namespace", "n")


def kubeconfig(file: Path, server: str, token: str = "t", **cluster: Any) -> str:
    file.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "me",
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": {"token": token}}],
        "contexts": [{"name": "me", "context": {"cluster": "c", "user": "me"}}],
    }))  # fmt: skip
    return str(file)


@pytest.mark.parametrize(("words", "says"), [
    pytest.param(("--cluster", "real", *YOURS), "give one of them", id="two clusters"),
    pytest.param(("--cluster", "simulated", *YOURS), "give one of them", id="a simulated one"),
    pytest.param(("--kubeconfig", "k"), "give --namespace too", id="no namespace"),
    pytest.param(("--namespace", "n"), "belong to --kubeconfig", id="a namespace alone"),
    pytest.param(("--cluster", "real", "--namespace", "n"), "belong to --kubeconfig", id="a namespace at home"),
    pytest.param(("--context", "c"), "belong to --kubeconfig", id="a context alone"),
    pytest.param(("--cluster", "other"), "invalid choice: 'other'", id="no such cluster"),
])  # fmt: skip
def test_options_that_do_not_go_together(terminal: Terminal, words: tuple[str, ...], says: str) -> None:
    code, out, err = terminal.run("demo", "--yes", *words)
    assert (code, out) == (2, "")
    assert says in err


@pytest.mark.parametrize("name", ["kube-system", "default", "No_Name", "a/b"])
def test_a_namespace_that_cannot_be_is_refused(terminal: Terminal, tmp_path: Path, name: str) -> None:
    file = kubeconfig(tmp_path / "k", "https://127.0.0.1:1")
    code, _, err = terminal.run("demo", "--yes", "--kubeconfig", file, "--namespace", name)
    assert code == 2
    assert f"--namespace {name}: that is a system namespace" in err or "no namespace can be called that" in err


@pytest.mark.parametrize(("cluster", "says"), [
    pytest.param({"insecure-skip-tls-verify": True}, "insecure-skip-tls-verify (tokens would go", id="unverified"),
    pytest.param({"tls-server-name": "other"}, "a tls-server-name", id="another name"),
    pytest.param({"proxy-url": "http://127.0.0.1:3128"}, "a proxy before it", id="proxy"),
])  # fmt: skip
def test_a_cluster_that_cannot_be_shared_is_refused(
    terminal: Terminal, tmp_path: Path, cluster: dict[str, Any], says: str
) -> None:
    file = kubeconfig(tmp_path / "k", "https://127.0.0.1:1", **cluster)
    code, _, err = terminal.run("demo", "--yes", "--kubeconfig", file, "--namespace", "n")
    assert code == 2
    assert f"kubeconfig {file}: the demo cannot use a cluster with {says}" in err


@pytest.mark.parametrize(("spared", "says"), [("", "a proxy before it"), ("127.0.0.1", "cannot be reached")])
def test_the_environment_s_proxy_counts_unless_it_spares_the_server(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spared: str, says: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", spared)
    file = kubeconfig(tmp_path / "k", "https://127.0.0.1:1")
    code, _, err = terminal.run("demo", "--yes", "--kubeconfig", file, "--namespace", "n")
    assert (code, says in err) == (2, True), err


def test_a_kubeconfig_that_is_not_there(terminal: Terminal, tmp_path: Path) -> None:
    missing = str(tmp_path / "none")
    code, _, err = terminal.run("demo", "--yes", "--kubeconfig", missing, "--namespace", "n")
    assert code == 2
    assert f"kubeconfig {missing}: there is no such file" in err


def test_a_server_that_cannot_be_reached(terminal: Terminal, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        file = kubeconfig(tmp_path / "k", f"http://127.0.0.1:{taken.getsockname()[1]}")
        code, out, err = terminal.run("demo", "--yes", "--kubeconfig", file, "--namespace", "n")
    assert (code, TITLE in out) == (2, True)
    assert f"kubeconfig {file}: the API server at http://127.0.0.1:" in err
    assert "cannot be reached: no connection" in err


@pytest.mark.parametrize(("rules", "name", "says"), [
    pytest.param((Rule(("*",)),), "shop", "the namespace shop exists already", id="exists"),
    pytest.param((Rule(("get", "list")),), "demo", "you may not create namespaces, delete namespaces,", id="rights"),
    pytest.param(None, "demo", "refused to ask what you may do: 401", id="no account"),
])  # fmt: skip
def test_refused_with_nothing_made(
    terminal: Terminal, tmp_path: Path, rules: tuple[Rule, ...] | None, name: str, says: str
) -> None:
    cluster = FakeCluster()
    cluster.add({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    if rules:
        cluster.account("me", rules, token="mine")
    with cluster.serve() as url:
        file = kubeconfig(tmp_path / "k", url, "mine")
        code, _, err = terminal.run("demo", "--yes", "--kubeconfig", file, "--namespace", name)
    assert code == 2
    assert says in err
    assert [write for write in cluster.writes if write.applied and "Review" not in write.kind] == []


def test_a_real_plane_that_is_not_built_says_how_to_build_it(
    terminal: Terminal, tmp_path: Path, prometheus_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{prometheus_program.parent}:/usr/bin:/bin")
    code, _, err = terminal.run("demo", "--yes", "--cluster", "real")
    assert code == 2
    assert "run `opsbot practice build plane`" in err
