"""The practice ground with a real Prometheus, and opsbot as processes beside it, as a user would have them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from opsbot.config import cache_folder, os_user
from opsbot.practice.ground import Ground, raise_ground
from opsbot.practice.plane import SimulatedPlane
from opsbot.testing.cluster import FakeCluster, Write

PATIENCE = 60.0


@dataclass
class Stage:
    """A ground, and the processes that were started on it."""

    ground: Ground
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def cluster(self) -> FakeCluster:
        assert isinstance(self.ground.plane, SimulatedPlane)
        return self.ground.plane.cluster

    def serve(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "opsbot", "serve", "--config", str(self.ground.config)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started.append(process)
        return process

    def ask(self, *words: str) -> Any:
        """The JSON answer of one command in another terminal; an error is {error: sentence}."""
        command = [sys.executable, "-m", "opsbot", *words, "--config", str(self.ground.config), "--format", "json"]
        return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout)

    def incident(self) -> Any:
        return self.ask("show", "1").get("incident")

    def until(self, *states: str) -> Any:
        """The incident once it is in one of these states."""
        return eventually(lambda: (found := self.incident()) and found["state"] in states and found)

    def approve(self) -> None:
        waiting = self.until("awaiting_approval")
        assert self.ask("approve", "1", waiting["plan"]["prefix"])["incident"]["state"] == "approved"

    def effects(self) -> list[Write]:
        """The writes that changed something."""
        return [write for write in self.ground.plane.writes() if write.applied]

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()


def eventually(look: Callable[[], Any]) -> Any:
    until = time.monotonic() + PATIENCE
    while True:
        with suppress(KeyError, json.JSONDecodeError):
            found = look()
            if found:
                return found
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.2)


@pytest.fixture
def stage(prometheus_program: Path) -> Iterator[Stage]:
    assert prometheus_program.is_file()
    with raise_ground(cache_folder(), os_user()) as ground:
        found = Stage(ground)
        ground.raise_load()
        yield found
        found.end()
