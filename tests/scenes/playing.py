"""A demo as a process of its own, as a user starts it, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from opsbot.practice.plane import audit
from opsbot.testing.cluster import Write

DEMO = ("env", "--default-signal=HUP", sys.executable, "-m", "opsbot", "demo")
"""As in a terminal, though the tests may run under nohup."""
STORY = (
    "cluster", "prometheus", "load", "pending", "firing", "incident", "diagnosed", "proposed", "approve", "approved",
    "step", "verifying", "resolved", "audit", "Where to look next",
)  # fmt: skip
PATIENCE = 120.0
T = TypeVar("T")


class Play:
    """A demo that runs; `said` grows line by line. Its folders are made in `place`, and its audit log is kept."""

    def __init__(self, words: Sequence[str], place: Path, first: Path | None = None) -> None:
        self.place, self.kept = place / "tmp", place / "kept"
        self.place.mkdir()
        self.kept.mkdir()
        self.lines: list[str] = []
        path = f"{first}:{os.environ['PATH']}" if first else os.environ["PATH"]
        self.process = subprocess.Popen(
            [*DEMO, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "TMPDIR": str(self.place), "PYTHONUNBUFFERED": "1", "PATH": path},
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def said(self) -> str:
        """All that it has printed."""
        return "".join(self.lines)

    def until(self, word: str) -> None:
        """Wait for a line that tells of this, such as `approved`."""
        self._eventually(lambda: re.search(rf"^ *[\d.]+ s  {re.escape(word)}", self.said, re.MULTILINE))

    def keep_audit(self) -> None:
        """Hold on to the API server's audit log, which is about to go with its folder."""
        log = self._eventually(lambda: next(self.place.glob("*/audit.log"), None))
        (self.kept / "audit.log").hardlink_to(log)

    def writes(self) -> tuple[Write, ...]:
        """What the API server saw."""
        return audit.writes(audit.events(self.kept))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """The exit code, once it has ended by itself."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def is_gone(self) -> bool:
        """Whether nothing of it is left: no folder, and no process that works in one or was told of one."""
        return not any(self.place.iterdir()) and not self.processes()

    def processes(self) -> list[int]:
        """Those that work in its folders, or name them on their command line."""
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if self._belongs(entry)]

    def _belongs(self, entry: Path) -> bool:
        with suppress(OSError):
            place = str(self.place)
            return place in str((entry / "cwd").readlink()) or place in (entry / "cmdline").read_text(
                "utf-8", "replace"
            )
        return False

    def _eventually(self, look: Callable[[], T | None]) -> T:
        until = time.monotonic() + PATIENCE
        while True:
            found = look()
            if found:
                return found
            assert time.monotonic() < until, self.said
            assert self.process.poll() is None or look(), self.said
            time.sleep(0.02)


@contextmanager
def playing(place: Path, *words: str, first: Path | None = None) -> Iterator[Play]:
    """A demo that is killed at the end of the context, should it still run; it looks for programs in `first` first."""
    place.mkdir(exist_ok=True)
    play = Play(words, place, first)
    try:
        yield play
    finally:
        play.process.kill()
        play.process.wait()
        play._reader.join(5)
        assert play.process.stdout
        play.process.stdout.close()


def in_order(said: str, words: Sequence[str] = STORY) -> bool:
    """Whether the lines of the story come in their order."""
    lines = [re.sub(r"^ *[\d.]+ s +", "", line) for line in said.splitlines()]
    places = [next((n for n, line in enumerate(lines) if line.startswith(word)), -1) for word in words]
    return -1 not in places and places == sorted(places)
