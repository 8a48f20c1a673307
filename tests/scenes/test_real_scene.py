"""The scene on a real control plane, judged by the API server's own audit log; broken off, and with answers lost."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from opsbot.practice.recipes import PLANE, PROMETHEUS
from opsbot.testing.cluster import Write
from tests.scenes.conftest import Stage, eventually
from tests.scenes.judge import announced, faults
from tests.scenes.lossy import Lossy, lossy
from tests.scenes.playing import Play, in_order, playing

pytestmark = [
    pytest.mark.plane, pytest.mark.real("kubernetes"), pytest.mark.real("kubernetes client"),
    pytest.mark.real("prometheus"),
]  # fmt: skip


def test_the_demo_writes_what_it_announced_and_nothing_else(
    prometheus_program: Path, plane_cache: Path, tmp_path: Path
) -> None:
    with playing(tmp_path / "demo", "--cluster", "real", "--yes") as play:
        judge(play)


@pytest.mark.real("prometheus 3")
def test_so_it_does_when_approved_in_the_chat(third_prometheus: Path, plane_cache: Path, tmp_path: Path) -> None:
    with playing(tmp_path / "demo", "--cluster", "real", "--slack", "--yes", first=third_prometheus) as play:
        judge(play)
    assert "clicks Approve in the chat" in play.said
    assert f"{PROMETHEUS.version.removeprefix('Prometheus ')}, the real one" in play.said


def judge(play: Play) -> None:
    """The story was told, the server saw what was announced and nothing else, and nothing is left."""
    play.keep_audit()
    assert play.wait() == 0, play.said
    assert in_order(play.said), play.said
    for part in (PLANE.version, "no container runs", "waiting for a free worker", "the chain holds"):
        assert part in play.said
    changes, writes = announced(play.said), play.writes()
    assert [dict(change.fields) for change in changes] == [{"spec.replicas": 6}]
    assert faults(changes, writes) == []
    assert [write.verb for write in writes if write.account == "writer" and not write.dry_run] == ["patch"]
    assert not [write for write in writes if write.account == "reader"]
    eventually(play.is_gone)


def test_a_demo_killed_after_the_approval_leaves_nothing_and_no_write_unannounced(
    prometheus_program: Path, plane_cache: Path, tmp_path: Path
) -> None:
    with playing(tmp_path / "demo", "--cluster", "real", "--yes") as play:
        play.keep_audit()
        play.until("approved")
        play.signal(signal.SIGKILL)
        play.wait()
        eventually(play.is_gone)
        told = faults(announced(play.said), play.writes())
        assert [fault for fault in told if not fault.startswith("done 0 times")] == []


@pytest.mark.parametrize(("when", "number"), [
    pytest.param("setting up", signal.SIGINT, id="Ctrl-C while it rises"),
    pytest.param("firing", signal.SIGINT, id="Ctrl-C in the scene"),
    pytest.param("load", signal.SIGTERM, id="SIGTERM in the scene"),
    pytest.param("load", signal.SIGHUP, id="the terminal is closed"),
])  # fmt: skip
def test_a_demo_that_is_stopped_leaves_nothing(
    prometheus_program: Path, plane_cache: Path, tmp_path: Path, when: str, number: signal.Signals
) -> None:
    with playing(tmp_path / "demo", "--cluster", "real", "--yes") as play:
        play.until(when)
        eventually(play.processes)
        play.signal(number)
        assert play.wait() == 130, play.said
        eventually(play.is_gone)


# opsbot as processes, on a plane that stays ---------------------------------------------------------------------------


def through(proxy: Lossy, stage: Stage) -> None:
    """Let the write account go through the proxy."""
    found = json.loads(stage.ground.kubeconfig.read_text())
    (cluster,) = found["clusters"]
    found["clusters"].append({"name": "lossy", "cluster": {**cluster["cluster"], "server": proxy.url}})
    for context in found["contexts"]:
        if context["name"] == "writer":
            context["context"]["cluster"] = "lossy"
    stage.ground.kubeconfig.write_text(json.dumps(found))


def by_writer(stage: Stage) -> list[Write]:
    return [write for write in stage.effects() if write.account == "writer"]


def judged(stage: Stage) -> list[str]:
    """By the plan that was shown for approval, and by the audit log."""
    steps = stage.incident()["plan"]["steps"]
    shown = [(f"{n}. {step['says']}", *step["diff"], f"$ {step['kubectl']}") for n, step in enumerate(steps, 1)]
    return faults(announced("\n".join(line for lines in shown for line in lines)), stage.real.writes())


@pytest.mark.parametrize("how", ["lost", "held"])
def test_a_write_whose_answer_never_came_is_done_once(real_stage: Stage, how: str) -> None:
    """Lost: opsbot learns that nobody confirmed it. Held: it is killed with -9 while it waits, and started again."""
    with lossy(real_stage.real) as proxy:
        through(proxy, real_stage)
        proxy.swallow = how
        first = real_stage.serve()
        real_stage.approve()
        assert proxy.swallowed.wait(30)
        if how == "held":
            os.kill(first.pid, signal.SIGKILL)
            first.wait()
            assert real_stage.incident()["run"]["steps"][0]["state"] == "intended"
            proxy.over.set()
            real_stage.serve()
        ended = real_stage.until("resolved", "escalated")
        assert (ended["state"], ended["reason"]) == ("resolved", "verified")
    assert [write.body["spec"] for write in by_writer(real_stage)] == [{"replicas": 6}]
    assert judged(real_stage) == []
    assert real_stage.ask("audit", "verify")["problems"] == []


@pytest.mark.parametrize("state", ["awaiting_approval", "verifying"])
def test_killed_at_any_time_it_goes_on_where_it_was(real_stage: Stage, state: str) -> None:
    first = real_stage.serve()
    if state == "verifying":
        real_stage.approve()
    real_stage.until(state, "resolved")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    real_stage.serve()
    if state == "awaiting_approval":
        real_stage.approve()
    assert real_stage.until("resolved", "escalated")["state"] == "resolved"
    assert judged(real_stage) == []
    assert real_stage.ask("audit", "verify")["problems"] == []
