"""The parent's end of the keeper: start programs, learn when one has died, and end them all with their folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice import keeper


class Keeper:
    """A folder and the programs that run in it; both are gone once this process is, however it ends."""

    def __init__(self, child: subprocess.Popen[str], folder: Path) -> None:
        self._child = child
        self.folder = folder

    @property
    def pid(self) -> int:
        """The keeper's own process id."""
        return self._child.pid

    def start(self, name: str, command: Sequence[str]) -> None:
        """Run a program; what it prints goes to NAME.log in the folder."""
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps([name, list(command)]) + "\n")
            self._child.stdin.flush()
        except OSError:
            self.check()
            raise

    def check(self) -> None:
        """PermanentError with its last words when one of the programs has ended by itself."""
        if self._child.poll() is not None:
            assert self._child.stdout
            said = self._child.stdout.read().strip() or "its keeper was killed"
            raise PermanentError(f"the practice ground has broken down: {said}")

    def last_words(self, name: str) -> str:
        """The end of a program's log."""
        return keeper.last_words(self.folder / f"{name}.log")

    def end(self) -> None:
        """End all programs and remove the folder; comes back when that is done."""
        assert self._child.stdin
        assert self._child.stdout
        with suppress(OSError):  # a broken pipe: the keeper has ended already
            self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # gone already, but for a keeper that was killed


@contextmanager
def keeping() -> Iterator[Keeper]:
    """A keeper in a session of its own, so that Ctrl-C in the terminal reaches only its parent."""
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
    )  # fmt: skip
    assert child.stdout
    said = child.stdout.readline().strip()
    if not said.startswith("/"):
        raise PermanentError(f"the practice ground cannot be raised: {said}. To go on: set TMPDIR to another place.")
    kept = Keeper(child, Path(said))
    try:
        yield kept
    finally:
        kept.end()
