"""The pause that needs no more than kubectl: a ConfigMap in opsbot's own namespace, as config names it."""

from __future__ import annotations

import pytest

from opsbot import config as settings
from opsbot.app.rights import rights
from opsbot.core.incident import State
from opsbot.practice.plane.rbac import rules_of
from opsbot.testing.cluster import faults
from tests.cli.conftest import Terminal

PAUSED = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "opsbot-paused", "namespace": "ops"}}


@pytest.fixture
def home(terminal: Terminal) -> Terminal:
    """A terminal whose opsbot lives in the namespace `ops`."""
    file = terminal.folder / settings.NAME
    file.write_text(file.read_text().replace("cluster: bench\n", "cluster: bench\n  home: ops\n"))
    return terminal


def approved(terminal: Terminal) -> None:
    terminal.run("playbook", "run", "scale_up_agents", "deploy/agents", "-n", "agents", "--set", "add=3")
    terminal.work()
    prefix = terminal.ask("show", "1")[1]["incident"]["plan"]["prefix"]
    assert terminal.run("approve", "1", prefix)[0] == 0


def replicas(terminal: Terminal) -> int:
    found = terminal.cluster.get("Deployment", "agents", "agents")
    assert found
    return int(found["spec"]["replicas"])


def test_while_the_map_is_there_nothing_is_changed(home: Terminal) -> None:
    approved(home)
    home.cluster.add(PAUSED)
    home.work()
    assert (home.stored().state, replicas(home)) == (State.PARKED, 4)
    assert "changes are paused: there is a ConfigMap opsbot-paused in ops" in home.run("show", "1")[1]


@pytest.mark.parametrize("namespace", ["agents", "default"])
def test_the_map_pauses_from_home_alone(home: Terminal, namespace: str) -> None:
    approved(home)
    home.cluster.add({**PAUSED, "metadata": {"name": "opsbot-paused", "namespace": namespace}})
    home.work()
    assert replicas(home) == 7


def test_while_the_map_cannot_be_read_nothing_is_changed(home: Terminal) -> None:
    approved(home)
    home.cluster.fail_next(faults.error(403), times=100, path="configmaps")
    home.work()
    assert (home.stored().state, replicas(home)) == (State.PARKED, 4)


def test_doctor_says_where_the_map_cannot_be_read(home: Terminal) -> None:
    home.cluster.account("reader", rules_of(rights()["reader"]))
    probes = {probe["name"]: probe for probe in home.ask("doctor")[1]["probes"]}
    assert probes["read"]["state"] == "bad"
    assert probes["read"]["says"].endswith("but may not get ConfigMap in ops")
