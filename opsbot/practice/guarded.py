"""A long command in, its exit code and what it printed out; nothing that it started outlives whoever asked for it.

This same file stands between the two as a process of its own, the guard. It holds a pipe to whoever asked, and ends the
command with all its children when that pipe closes: after Ctrl-C, after an error, and after a kill -9 just the same.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

GLANCE = 0.3
MOST = 4_000_000
"""Bytes of what a command printed that are looked at."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, and what it printed to stdout and stderr."""

    code: int
    said: str


def run(command: Sequence[str], folder: Path, watch: Callable[[str], None] = lambda _said: None) -> Ended:
    """Run a command in a folder. `watch` hears now and then what it has printed so far, and ends it by raising."""
    with tempfile.TemporaryFile() as out:
        guard = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, *command],
            cwd=folder, stdin=subprocess.PIPE, stdout=out, stderr=out, start_new_session=True,
        )  # fmt: skip
        assert guard.stdin
        try:
            while _still_runs(guard):
                watch(_printed(out.fileno()))
        finally:
            guard.stdin.close()
            guard.wait()
        return Ended(guard.returncode, _printed(out.fileno()))


def _still_runs(guard: subprocess.Popen[bytes]) -> bool:
    try:
        guard.wait(GLANCE)
    except subprocess.TimeoutExpired:
        return True
    return False


def _printed(out: int) -> str:
    return os.pread(out, MOST, 0).decode("utf-8", "replace")


# the guard ----------------------------------------------------------------------------------------------------------


def guard(command: Sequence[str]) -> int:
    """Run the command as the head of a session of its own; its exit code, as a shell would give it."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127
    try:
        while child.poll() is None and not select.select([0], [], [], 0.05)[0]:
            pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(guard(sys.argv[1:]))
