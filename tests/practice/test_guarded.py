"""What a guarded command starts is gone when it ends, when its watcher gives up, and when its asker is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from opsbot.practice import guarded

FAMILY = "sleep 300 & echo $! > child; echo $$ > parent.part; mv parent.part parent; wait"
"""A program with a child of its own, both of which would stay for minutes."""


def gone(*pids: int) -> bool:
    """Whether these processes have ended, given a moment."""
    until = time.monotonic() + 10
    while any(_alive(pid) for pid in pids):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def family(folder: Path) -> tuple[int, int]:
    """The two processes of FAMILY, once they are there."""
    until = time.monotonic() + 20
    while not (folder / "parent").exists():
        assert time.monotonic() < until, "it never started"
        time.sleep(0.02)
    return int((folder / "parent").read_text()), int((folder / "child").read_text())


@pytest.mark.parametrize(("script", "code", "said"), [
    pytest.param("echo out; echo err >&2", 0, "out\nerr\n", id="both streams"),
    pytest.param("exit 3", 3, "", id="its exit code"),
    pytest.param("kill -9 $$", 137, "", id="killed"),
    pytest.param("printf '\\377x'", 0, "\ufffdx", id="bytes that are no text"),
    pytest.param("read x; echo \"[$x]\"", 0, "[]\n", id="nothing to read"),
    pytest.param("pwd", 0, "{folder}\n", id="in the folder"),
])  # fmt: skip
def test_how_it_ended(tmp_path: Path, script: str, code: int, said: str) -> None:
    assert guarded.run(["sh", "-c", script], tmp_path) == guarded.Ended(code, said.format(folder=tmp_path))


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    ended = guarded.run(["/nowhere/program"], tmp_path)
    assert ended.code == 127
    assert "/nowhere/program cannot be started: No such file" in ended.said


def test_the_watcher_hears_what_was_printed_so_far(tmp_path: Path) -> None:
    heard = list[str]()
    guarded.run(["sh", "-c", "echo first; sleep 0.7; echo second"], tmp_path, heard.append)
    assert heard[0] == "first\n"


def test_what_it_leaves_running_is_ended(tmp_path: Path) -> None:
    ended = guarded.run(["sh", "-c", "sleep 300 >/dev/null 2>&1 & echo $!"], tmp_path)
    assert gone(int(ended.said))


@pytest.mark.parametrize("error", [RuntimeError("enough"), KeyboardInterrupt()], ids=["gives up", "Ctrl-C"])
def test_a_watcher_that_raises_ends_it_all(tmp_path: Path, error: BaseException) -> None:
    def watch(_said: str) -> None:
        family(tmp_path)
        raise error

    with pytest.raises(type(error)):
        guarded.run(["sh", "-c", FAMILY], tmp_path, watch)
    assert gone(*family(tmp_path))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_does_not_outlive_its_asker(tmp_path: Path, number: signal.Signals) -> None:
    script = (
        f"from opsbot.practice import guarded; from pathlib import Path; guarded.run(['sh', '-c', {FAMILY!r}], Path())"
    )
    root = str(Path(guarded.__file__).parents[2])
    asker = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": root}
    )
    pids = family(tmp_path)
    asker.send_signal(number)
    asker.wait(20)
    assert gone(*pids)
