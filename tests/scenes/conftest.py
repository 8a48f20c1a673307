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

from opsbot.app.rights import rights
from opsbot.config import cache_folder, os_user
from opsbot.practice.ground import Ground, raise_ground
from opsbot.practice.plane import Accounts
from opsbot.practice.plane.rbac import rules_of
from opsbot.practice.plane.real import RealPlane, on_real, real
from opsbot.practice.plane.simulated import SimulatedPlane
from opsbot.practice.processes import keeping
from opsbot.practice.recipes import PLANE, PROMETHEUS, built
from opsbot.testing.cluster import FakeCluster, Rule, Write

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

    @property
    def real(self) -> RealPlane:
        assert isinstance(self.ground.plane, RealPlane)
        return self.ground.plane

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


def _silent(_text: str) -> None:
    """Nobody wants to know."""


@pytest.fixture(scope="session")
def plane_cache() -> Path:
    """The cache in which the programs of a real plane are. Where they are not built, its tests are skipped, loudly."""
    if built(PLANE, cache_folder()) is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build plane` makes it")
    return cache_folder()


@pytest.fixture(scope="session")
def third_prometheus() -> Path:
    """The folder of a Prometheus 3 that was built here."""
    there = built(PROMETHEUS, cache_folder())
    if there is None:
        pytest.skip("NO REAL COMPONENT: `opsbot practice build prometheus` makes it")
    return there


@pytest.fixture(scope="session")
def stated() -> Accounts:
    return {name: rules_of(granted) for name, granted in rights().items()}


@pytest.fixture
def real_stage(prometheus_program: Path, plane_cache: Path, stated: Accounts) -> Iterator[Stage]:
    """The same stage on a real control plane, with accounts that may do what the parts state."""
    assert prometheus_program.is_file()
    with raise_ground(plane_cache, os_user(), plane=on_real(plane_cache, stated, _silent)) as ground:
        found = Stage(ground)
        ground.raise_load()
        yield found
        found.end()


@pytest.fixture(scope="module")
def host(plane_cache: Path) -> Iterator[RealPlane]:
    """A plane that stands for a user's own cluster; `guest` there may look at pods, and no more."""
    weak = {"guest": (Rule(("get", "list"), ("pods",), ("",)),)}
    with keeping() as keeper, real(plane_cache, weak, keeper, _silent) as up:
        yield up
