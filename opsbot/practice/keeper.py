"""Programs to run come in as lines on stdin; when stdin ends, however it ends, all of them and their folder are gone.

Run as a process of its own by whoever raises a practice ground. It makes the folder, prints its path, and outlives its
parent by a moment: a parent that was killed with -9 closes the pipe like one that ended in peace, so there is one way
to clean up, not five. When one of its programs ends by itself, it prints which and why, and ends everything.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType

PATIENCE = 3.0
"""Seconds that programs get to end by themselves."""

_PR_SET_PDEATHSIG = 1  # prctl(2)
Programs = dict[str, subprocess.Popen[bytes]]


def main() -> int:
    """Keep until stdin ends (0) or a program does (1)."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        folder = Path(tempfile.mkdtemp(prefix="opsbot-practice-"))
    except OSError as error:
        _say(f"no folder can be made: {error.strerror or error}")
        return 1
    programs: Programs = {}
    try:
        _say(str(folder))
        ended = _keep(folder, programs)
        _say(ended)
        return 1 if ended else 0
    finally:
        _stop(programs)
        _remove(folder)


def _end(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(0)


def _say(line: str) -> None:
    try:
        print(line, flush=True)  # noqa: T201 - its stdout is a pipe to the parent
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nobody listens any more: clean up all the same


def _keep(folder: Path, programs: Programs) -> str:
    """Start what is asked for; which program ended, and why, or nothing when stdin did."""
    waiting = b""
    while True:
        if select.select([0], [], [], 0.2)[0]:
            came = os.read(0, 65536)
            if not came:
                return ""
            *lines, waiting = (waiting + came).split(b"\n")
            for line in lines:
                name, command = json.loads(line)
                try:
                    programs[name] = _start(command, folder / f"{name}.log")
                except OSError as error:
                    return f"{name} cannot be started: {error.strerror}"
        for name, program in programs.items():
            if program.poll() is not None:
                return f"{name} ended by itself: {last_words(folder / f'{name}.log')}"


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=log.parent,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - this process has one thread
        )  # fmt: skip


def _die_with_parent() -> None:
    """For the case that the keeper itself is killed with -9 (Linux only; elsewhere nothing happens)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def last_words(log: Path) -> str:
    """The end of a log, on one line."""
    try:
        lines = log.read_text("utf-8", "replace").split("\n")
    except OSError:
        return "it left no log"
    return " | ".join(line.strip() for line in lines[-6:] if line.strip()) or "it said nothing"


def _stop(programs: Programs) -> None:
    for program in programs.values():
        program.terminate()
    until = time.monotonic() + PATIENCE
    for program in programs.values():
        try:
            program.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _remove(folder: Path) -> None:
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
