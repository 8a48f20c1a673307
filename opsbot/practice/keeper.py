"""Programs to run come in as lines on stdin; when stdin ends, however it ends, all of them and their folder are gone.

Run as a process of its own by whoever raises a practice ground. It makes the folder, prints its path, and outlives its
parent by a moment: a parent that was killed with -9 closes the pipe like one that ended in peace, so there is one way
to clean up, not five. When one of its programs ends by itself, it says which and why, and ends everything.
Told to stay, it no longer minds its parent and keeps on until it gets a signal. A note of its parent's (JSON), by which
others find it, is gone with it, but for one case: when a program ended by itself while it stayed, that is put there.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

PATIENCE = 3.0
"""Seconds that programs get to end by themselves."""

PORT = "{port}"
"""Stands in a command for a free port, which is written to NAME.port."""

WIDE = 300
"""Characters of a log that are worth passing on."""

SOON = 5.0
"""Seconds within which a program that ended cannot have done much."""

AFTER_START = " soon after its start"
SILENT = "it said nothing"
ASKED = "it was asked to end (opsbot practice down)"

TRIES = 5
TAKEN = "address already in use"  # strerror(3) of EADDRINUSE, as Go's servers print it
FULL = "no space left on device"  # of ENOSPC

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)

_KLOG = re.compile(r"^[IWEF]\d{4} [\d:.]+ +\d+ ")
"""What a program of Kubernetes writes before each line: how grave, day, time, thread."""

_PR_SET_PDEATHSIG = 1  # prctl(2)


class Program(NamedTuple):
    """A program that runs, as it was ordered, `since` a monotonic time; `tries` counts the ports it was started on."""

    command: list[str]
    process: subprocess.Popen[bytes]
    since: float
    tries: int = 1


Programs = dict[str, Program]


def main() -> int:
    """Keep until stdin ends (0) or a program does (1)."""
    for number in ENDING:
        signal.signal(number, _end)
    try:
        folder = Path(tempfile.mkdtemp(prefix="opsbot-practice-"))
    except OSError as error:
        _say(f"no folder can be made: {error.strerror or error}")
        return 1
    kept = _Kept(folder)
    try:
        _say(str(folder))
        ended = kept.until_one_ends()
        kept.say(ended)
        return 1 if ended else 0
    finally:
        _heed_no_more()
        kept.stop()
        _remove(folder)
        kept.forget()


def _end(number: int, _frame: FrameType | None) -> None:
    _heed_no_more()
    if number == signal.SIGTERM:
        with contextlib.suppress(OSError):
            os.write(1, f"{ASKED}\n".encode())  # print() cannot be broken off by itself
    raise SystemExit(0)


def _heed_no_more() -> None:
    """Nothing breaks off the cleaning up."""
    for number in ENDING:
        signal.signal(number, signal.SIG_IGN)


def _say(line: str) -> None:
    try:
        print(line, flush=True)  # noqa: T201 - its stdout is a pipe to the parent
    except OSError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nobody listens any more: clean up all the same


class _Kept:
    """The programs that run in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs: Programs = {}
        self._note: Path | None = None
        self._stays = False
        self._waiting = b""

    def until_one_ends(self) -> str:
        """Start what is asked for; which program ended, and why, or nothing when stdin did."""
        while True:
            heard = [] if self._stays else [0]
            if select.select(heard, [], [], 0.2)[0]:
                came = os.read(0, 65536)
                if not came:
                    return ""
                *lines, self._waiting = (self._waiting + came).split(b"\n")
                failed = next(filter(None, (self._obey(json.loads(line)) for line in lines)), "")
                if failed:
                    return failed
            ended = next(filter(None, map(self._ended, list(self.programs))), "")
            if ended:
                return ended

    def _obey(self, order: Any) -> str:
        """Carry out one order; why that cannot be, or nothing."""
        if isinstance(order, dict) and "stop" in order:
            return self._stop(order["stop"])
        if isinstance(order, dict):
            self._note = Path(order["note"])
            if order["stay"]:
                self._stay()
            return ""
        name, command = order
        return self._start(name, command)

    def _start(self, name: str, command: list[str], tries: int = 1) -> str:
        log = self.folder / f"{name}.log"
        try:
            with log.open("wb") as out:
                process = subprocess.Popen(
                    self._with_port(name, command), stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=self.folder,
                    preexec_fn=partial(_die_with_parent, os.getpid()),  # noqa: PLW1509 - this process has one thread
                )  # fmt: skip
        except OSError as error:
            return f"{name} cannot be started: {error.strerror}"
        self.programs[name] = Program(command, process, time.monotonic(), tries)
        return ""

    def _stop(self, name: str) -> str:
        program = self.programs.pop(name)
        program.process.kill()
        program.process.wait()
        return ""

    def _with_port(self, name: str, command: list[str]) -> list[str]:
        if not any(PORT in word for word in command):
            return command
        port, part = str(free_port()), self.folder / f"{name}.port.part"
        part.write_text(port)
        part.rename(self.folder / f"{name}.port")
        return [word.replace(PORT, port) for word in command]

    def _ended(self, name: str) -> str:
        """Why a program ended, or nothing; one whose port was taken in the meantime is started on another."""
        program = self.programs[name]
        if program.process.poll() is None:
            return ""
        words = last_words(self.folder / f"{name}.log")
        taken = TAKEN in words and any(PORT in word for word in program.command)
        if taken and program.tries < TRIES:
            return self._start(name, program.command, program.tries + 1)
        soon = AFTER_START if time.monotonic() - program.since < SOON else ""
        return f"{name} {manner(program.process.returncode)}{soon}: {words}"

    def _stay(self) -> None:
        """From now on only a signal ends it, and nobody holds the other ends of its pipes."""
        self._stays = True
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)

    def say(self, ended: str) -> None:
        """Tell the parent, or else whoever reads the note, which program ended and why."""
        if not (ended and self._stays and self._note):
            return _say(ended)
        with contextlib.suppress(OSError, ValueError):
            self._note.write_text(json.dumps({**json.loads(self._note.read_text()), "ended": ended}))
            self._note = None
        return None

    def forget(self) -> None:
        """Take the note away, unless it still has something to say."""
        if self._note:
            self._note.unlink(missing_ok=True)

    def stop(self) -> None:
        """End all programs, in order of their start reversed: servers outlive those that ask them."""
        for program in reversed(self.programs.values()):
            program.process.terminate()
        until = time.monotonic() + PATIENCE
        for program in self.programs.values():
            try:
                program.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                program.process.kill()
                program.process.wait()


def free_port() -> int:
    """A port on loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent(parent: int) -> None:
    """For the case that the keeper itself is killed with -9 (Linux only; elsewhere nothing happens)."""
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was killed before this could be asked for
        os._exit(1)


def manner(returncode: int) -> str:
    """How a program ended, by its return code as subprocess gives it."""
    return f"was killed by signal {-returncode}" if returncode < 0 else f"ended with code {returncode}"


def last_words(log: Path) -> str:
    """The end of a log, on one line of WIDE characters at most, and nothing in it twice.

    Where a Go program has panicked, what it said before its stack traces. What tells most stays, wherever it stands.
    """
    try:
        text = log.read_text("utf-8", "replace")
    except OSError:
        return "it left no log"
    told = re.split(r"^goroutine \d+ ", text, maxsplit=1, flags=re.MULTILINE)[0].split("\n")
    return " | ".join(_telling([line for line in map(_brief, told) if line])) or SILENT


def _telling(lines: Sequence[str]) -> list[str]:
    """The lines for which there is room, in their order; of those that differ in numbers alone only the last one."""
    last = {re.sub(r"\d+", "0", line): place for place, line in enumerate(lines)}
    recent, room = sorted(last.values())[-6:], WIDE
    chosen = list[int]()
    for place in sorted(recent, key=lambda place: (not _says_why(lines[place]), -place)):
        room -= len(lines[place]) + len(" | ") * bool(chosen)
        if room < 0:
            break
        chosen.append(place)
    return [lines[place] for place in sorted(chosen)]


def _says_why(line: str) -> bool:
    return FULL in line.lower() or TAKEN in line.lower()


def _brief(line: str) -> str:
    """A line of a log, without what loggers (JSON: etcd, kwok) add to each."""
    try:
        said = json.loads(line)
        words = [said["msg"], *(said[key] for key in ("error", "err") if key in said)]
        return _cut(": ".join(map(str, words)))
    except (ValueError, KeyError, TypeError):
        return _cut(_KLOG.sub("", line.strip()))


def _cut(line: str) -> str:
    """A line without its middle, if it is a long one: causes stand at the end."""
    half = WIDE // 2 - 2
    return line if len(line) <= WIDE else f"{line[:half]} .. {line[-half:]}"


def _remove(folder: Path) -> None:
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
