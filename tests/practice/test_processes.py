"""The keeper: whatever way the parent ends, its programs and its folder are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice.processes import Keeper, keeping

SLEEPER = [sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(600)"]
STUBBORN = [sys.executable, "-c", (
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True);"
    " time.sleep(600)"
)]  # fmt: skip


def eventually(true: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """One look, which itself may find it gone: before the file is opened, or between that and the reading."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def pid_in(log: Path) -> int:
    eventually(lambda: log.exists() and log.read_text().strip() != "")
    return int(log.read_text())


@pytest.mark.parametrize("command", [pytest.param(SLEEPER, id="obedient"), pytest.param(STUBBORN, id="stubborn")])
def test_programs_and_folder_end_with_the_context(command: list[str]) -> None:
    with keeping() as keeper:
        keeper.start("one", command)
        keeper.start("two", SLEEPER)
        pids = [pid_in(keeper.folder / "one.log"), pid_in(keeper.folder / "two.log"), keeper.pid]
        assert all(alive(pid) for pid in pids)
        assert keeper.folder.stat().st_mode & 0o077 == 0
    assert not any(alive(pid) for pid in pids)
    assert not keeper.folder.exists()


def _fail_inside(seen: list[Path]) -> None:
    with keeping() as keeper:
        seen.append(keeper.folder)
        keeper.start("one", SLEEPER)
        pid_in(keeper.folder / "one.log")
        raise ValueError("in the middle")


def test_an_exception_is_passed_on_and_nothing_stays() -> None:
    seen = list[Path]()
    with pytest.raises(ValueError, match="in the middle"):
        _fail_inside(seen)
    assert not seen[0].exists()


def _check_for_ever(keeper: Keeper) -> None:
    for _ in range(200):
        keeper.check()
        time.sleep(0.05)


@pytest.mark.parametrize(("command", "words"), [
    pytest.param([sys.executable, "-c", "import sys; sys.exit('no such luck')"], "one ended by itself: no such luck",
                 id="with words"),
    pytest.param(["/bin/false"], "one ended by itself: it said nothing", id="without a word"),
    pytest.param(["/no/such/program"], "one cannot be started: ", id="cannot be started"),
])  # fmt: skip
def test_a_program_that_ends_by_itself_is_told(command: list[str], words: str) -> None:
    with keeping() as keeper:
        keeper.start("one", command)
        with pytest.raises(PermanentError, match=words):
            _check_for_ever(keeper)
        with pytest.raises(PermanentError):
            keeper.start("two", SLEEPER)
    assert not keeper.folder.exists()


PARENT = """
import signal, sys, time
from opsbot.practice.processes import Keeper, keeping
# Whoever runs the tests may ignore these, as nohup and background shells do, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
with keeping() as keeper:
    keeper.start("one", {command!r})
    print(keeper.folder, keeper.pid, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize(("number", "command"), [
    pytest.param(signal.SIGINT, SLEEPER, id="SIGINT"),
    pytest.param(signal.SIGTERM, SLEEPER, id="SIGTERM"),
    pytest.param(signal.SIGHUP, SLEEPER, id="SIGHUP"),
    pytest.param(signal.SIGKILL, SLEEPER, id="SIGKILL"),
    pytest.param(signal.SIGKILL, STUBBORN, id="SIGKILL, stubborn"),
])  # fmt: skip
def test_a_parent_that_is_killed(number: int, command: list[str]) -> None:
    text = PARENT.format(command=command)
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        assert parent.stdout
        said = parent.stdout.readline().split()
        folder, keeper = Path(said[0].decode()), int(said[1])
        program = pid_in(folder / "one.log")
        parent.send_signal(number)
    eventually(lambda: not alive(program) and not alive(keeper) and not folder.exists())


def test_a_keeper_that_is_killed_takes_its_programs_along() -> None:
    with keeping() as keeper:
        keeper.start("one", STUBBORN)
        program = pid_in(keeper.folder / "one.log")
        os.kill(keeper.pid, signal.SIGKILL)
        eventually(lambda: not alive(program))
    assert not keeper.folder.exists(), "then its parent cleans up"
