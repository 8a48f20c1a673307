"""The demo with a Slack of its own, as a process; what its page shows to a browser is what is looked at."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml

from opsbot.practice.scene import SLACK_USER
from opsbot.testing.model import FakeModelServer, Said
from tests.chat.chat_world import texts

pytestmark = [pytest.mark.real("prometheus"), pytest.mark.real("kubernetes client")]

T = TypeVar("T")
DEMO = [sys.executable, "-m", "opsbot", "demo", "--slack"]
PATIENCE = 120.0
WALK = (
    "Being diagnosed", "Diagnosed", "Waits for approval", "Approved, about to run", "Running",
    "Done, checking that it helped", "Resolved",
)  # fmt: skip
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def asked(url: str, body: Any = None, token: str = "") -> Any:
    """What an address answers, as JSON."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    with _OPENER.open(urllib.request.Request(url, data, headers), timeout=10) as answer:
        return json.loads(answer.read())


@dataclass
class Watched:
    """A demo that runs: what it says, what its chat has shown so far, and how often its Deployment was changed."""

    process: subprocess.Popen[bytes]
    said: str = ""
    roots: dict[str, list[str]] = field(default_factory=dict)
    thread: list[str] = field(default_factory=list)
    private: list[str] = field(default_factory=list)
    channel: list[Any] = field(default_factory=list)
    generation: int = 0

    def read(self, descriptor: int) -> None:
        """All that it says, until it says no more."""
        while True:
            try:
                more = os.read(descriptor, 4096)
            except OSError:  # the terminal is gone
                return
            if not more:
                return
            self.said += more.decode()

    def look(self) -> None:
        """At the page and at the cluster, again and again until the demo has ended."""
        while self.process.poll() is None:
            for glance in (self._page, self._cluster):
                try:
                    glance()
                except (OSError, ValueError):  # not there yet, or not any more
                    time.sleep(0.05)
            time.sleep(0.02)

    @property
    def url(self) -> str:
        return self._named(r"of its own: (http://\S+)")

    @property
    def config(self) -> Path:
        return Path(self._named(r"--config\s+(\S+)"))

    def _named(self, pattern: str) -> str:
        found = re.search(pattern, self.said)
        if not found:
            raise ValueError("it has not said so yet")
        return found[1]

    def _page(self) -> None:
        messages = asked(f"{self.url}/state?person={SLACK_USER}")["messages"]
        self.channel = [one for one in messages if not one["root"] and not one["private"]]
        for one in self.channel:
            shown = self.roots.setdefault(one["ts"], [])
            text = f"{one['text']}\n{texts(one['blocks'])}"
            if text not in shown[-1:]:
                shown.append(text)
        self.thread = [texts(one["blocks"]) for one in messages if one["root"] and not one["private"]]
        self.private = [texts(one["blocks"]) for one in messages if one["private"]]

    def _cluster(self) -> None:
        known = yaml.safe_load((self.config.parent / "kubeconfig.yaml").read_text())
        where = known["clusters"][0]["cluster"]["server"]
        token = known["users"][0]["user"]["token"]
        found = asked(f"{where}/apis/apps/v1/namespaces/agents/deployments/agents", token=token)
        self.generation = found["metadata"]["generation"]

    @property
    def card(self) -> list[str]:
        """All that the one card has shown, oldest first."""
        assert len(self.roots) == 1
        return next(iter(self.roots.values()))

    def until(self, look: Callable[[], T]) -> T:
        end = time.monotonic() + PATIENCE
        while not (seen := look()):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.05)
        return seen


@contextmanager
def demo(*words: str, terminal: bool = False) -> Iterator[Watched]:
    """The demo at work, on a terminal where that is asked for; it is ended in any case."""
    ours, theirs = pty.openpty() if terminal else os.pipe()
    process = subprocess.Popen(
        [*DEMO, *words], stdin=theirs if terminal else subprocess.DEVNULL, stdout=theirs, stderr=theirs,
        start_new_session=True, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "500"},
    )  # fmt: skip
    os.close(theirs)
    watched = Watched(process)
    threads = [threading.Thread(target=watched.read, args=(ours,)), threading.Thread(target=watched.look)]
    for thread in threads:
        thread.start()
    try:
        yield watched
    finally:
        process.kill()
        process.wait()
        for thread in threads:
            thread.join()
        os.close(ours)


def walked(shown: list[str]) -> list[str]:
    """The states that a card has told, in turn."""
    told = [next(word for word in WALK if f": {word}: " in text.split("\n")[0]) for text in shown]
    return [word for place, word in enumerate(told) if word not in told[:place]]


def assert_the_whole_walk(watched: Watched) -> None:
    told = walked(watched.card)
    assert told == [word for word in WALK if word in told]
    assert "Waits for approval" in told  # of the others, a newer edit may have taken the place
    assert told[-1] == "Resolved"
    assert len(told) >= 3
    report = watched.thread[-1]
    assert "*Report*" in report
    assert re.search(r"approved it at .* \(slack\)", report)
    assert "Step 1: scale 4 -> 6: done" in report
    assert "Your yes is counted." in watched.private[-1]
    assert re.search(r"approved +by \S+ \(slack\)", watched.said)
    assert watched.generation == 2, "the spec was changed once"
    assert watched.said.count("scale 4 -> 6: done") == 1


def test_it_plays_the_human_in_the_chat_and_ends_by_itself(prometheus_program: Path) -> None:
    with demo("--yes") as watched:
        assert watched.process.wait(PATIENCE) == 0
    assert "clicks Approve in the chat" in watched.said
    assert "Traceback" not in watched.said
    assert_the_whole_walk(watched)


def test_a_human_clicks_on_the_page(prometheus_program: Path) -> None:
    with demo(terminal=True) as watched:
        watched.until(lambda: watched.roots and "*Approve?*" in watched.card[-1])
        watched.until(lambda: "decide in the chat" in watched.said)
        card = watched.channel[0]
        button = next(
            found for block in card["blocks"] if block["type"] == "actions" for found in block["elements"]
            if found["action_id"] == "approve"
        )  # fmt: skip
        act = {"do": "click", "person": SLACK_USER, "ts": card["ts"], "action": "approve", "value": button["value"]}
        assert asked(f"{watched.url}/act", act) == {"ok": True}
        watched.until(lambda: "the page stays until Ctrl-C" in watched.said)
        watched.until(lambda: watched.thread and "*Report*" in watched.thread[-1])
        watched.until(lambda: walked(watched.card)[-1] == "Resolved")
        watched.process.send_signal(signal.SIGINT)
        assert watched.process.wait(30) == 0
    assert_the_whole_walk(watched)


def test_a_model_has_an_opinion_on_the_card(prometheus_program: Path) -> None:
    server = FakeModelServer(Said(_opinion))
    with server.serve() as url, demo("--yes", "--model", f"{url}/v1") as watched:
        assert watched.process.wait(PATIENCE) == 0
    assert len(server.asked) == 1
    assert_the_whole_walk(watched)
    assert re.search(r"model +thinks of slow_dependency \(40 %\): the database may be slow", watched.said)
    assert any("A model's hypothesis, not a finding: slow_dependency" in text for text in watched.card)
    assert any("A model's hypothesis, not a finding: slow_dependency" in text for text in watched.thread)
    assert "proposed    scale_up_agents" in watched.said


def _opinion(text: str) -> str:
    """A hypothesis about the first object listed, with a line of evidence to back it."""
    quoted = re.search(r"^(e\d+):\d+\| (.*WARN.*)$", text, re.MULTILINE)
    objects = re.search(r"^\| objects: (\S+)", text, re.MULTILINE)
    assert quoted
    assert objects
    thought = {
        "fault": "slow_dependency", "object": objects[1], "confidence": 0.4, "says": "the database may be slow",
        "evidence": [{"id": quoted[1], "quote": quoted[2]}], "playbook": "restart_workload",
    }  # fmt: skip
    return json.dumps({"hypotheses": [thought]})
