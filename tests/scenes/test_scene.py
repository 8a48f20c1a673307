"""One incident, end to end, against a real Prometheus: as a demo, and as processes that may be killed."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from opsbot.testing.cluster import faults
from tests.scenes.conftest import Stage, eventually

pytestmark = [pytest.mark.real("prometheus"), pytest.mark.real("kubernetes client")]

DEMO = [sys.executable, "-m", "opsbot", "demo"]
STORY = (
    "cluster", "prometheus", "load", "pending", "firing", "incident", "diagnosed", "proposed", "approve", "approved",
    "step", "verifying", "resolved", "audit", "Where to look next",
)  # fmt: skip


def test_the_demo_tells_the_whole_story(prometheus_program: Path) -> None:
    done = subprocess.run(
        [*DEMO, "--yes"], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = [re.sub(r"^ *[\d.]+ s +", "", line) for line in done.stdout.splitlines()]
    places = [next(n for n, line in enumerate(lines) if line.startswith(word)) for word in STORY]
    assert places == sorted(places)
    for words in (
        "The cluster is simulated", "the demo plays the human itself", "waiting for a free worker", "scale 4 -> 6",
        "- spec.replicas: 4", "+ spec.replicas: 6", "$ kubectl scale deployment/agents", "the chain holds",
    ):  # fmt: skip
        assert words in done.stdout


@pytest.mark.parametrize(
    ("answer", "word", "code"), [(b"y\n", "resolved", 0), (b"\n", "escalated", 0)], ids=["yes", "just enter means no"]
)
def test_at_a_terminal_the_human_is_asked(prometheus_program: Path, answer: bytes, word: str, code: int) -> None:
    ours, theirs = pty.openpty()
    demo = subprocess.Popen(DEMO, stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "NO_COLOR": "1"})
    os.close(theirs)
    said = _read_until(ours, b"Approve? [y/N]")
    os.write(ours, answer)
    said += _read_until(ours, b"docs/safety.md")
    assert demo.wait(30) == code
    os.close(ours)
    text = said.decode()
    assert f" s  {word} " in text
    assert ("step " in text) is (word == "resolved")


def _read_until(descriptor: int, words: bytes) -> bytes:
    said = b""
    while words not in said:
        said += os.read(descriptor, 4096)
    return said


def test_two_terminals_bring_it_to_its_end(stage: Stage) -> None:
    serving = stage.serve()
    stage.approve()
    ended = stage.until("resolved", "escalated")
    assert (ended["state"], ended["reason"]) == ("resolved", "verified")
    assert [(write.account, write.body["spec"]) for write in stage.effects()] == [("writer", {"replicas": 6})]
    assert {write.account for write in stage.ground.plane.writes()} == {"writer"}
    assert stage.ask("audit", "verify")["problems"] == []
    serving.send_signal(signal.SIGTERM)
    assert serving.wait(30) == 0
    assert serving.stdout
    assert "propose" in serving.stdout.read()


def test_killed_in_the_middle_of_a_write_it_is_done_once(stage: Stage) -> None:
    stage.cluster.fail_next(faults.hang(applies=True), methods=("PATCH",), query={"dryRun": ""})
    first = stage.serve()
    stage.approve()
    eventually(stage.effects)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert stage.incident()["run"]["steps"][0]["state"] == "intended"
    stage.serve()
    assert stage.until("resolved", "escalated")["state"] == "resolved"
    assert [write.body["spec"] for write in stage.effects()] == [{"replicas": 6}]
    assert stage.ask("audit", "verify")["problems"] == []


def test_killed_before_anything_is_asked_it_asks_once(stage: Stage) -> None:
    first = stage.serve()
    waiting = stage.until("awaiting_approval")
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert stage.ask("approve", "1", waiting["plan"]["prefix"])["incident"]["state"] == "approved"
    stage.serve()
    ended = stage.until("resolved", "escalated")
    assert ended["plan"]["digest"] == waiting["plan"]["digest"]
    assert [entry["act"] for entry in ended["audit"]].count("opened") == 1
    assert len(stage.effects()) == 1
