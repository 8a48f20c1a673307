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

FULL = "no space left on device"  # strerror(3) of ENOSPC, as Go prints it


class Keeper:
    """A folder and the programs that run in it; both are gone once this process is, however it ends."""

    def __init__(self, child: subprocess.Popen[str], folder: Path) -> None:
        self._child = child
        self._stays = False
        self.folder = folder

    @property
    def pid(self) -> int:
        """The keeper's own process id."""
        return self._child.pid

    def start(self, name: str, command: Sequence[str]) -> None:
        """Run a program; what it prints goes to NAME.log in the folder.

        `{port}` in the command stands for a free port (see `port`); should somebody else take it before the program
        does, the program is started again on another one.
        """
        self._order([name, list(command)])

    def port(self, name: str) -> int | None:
        """The port that a program was started on; None before that. It may change until the program is ready."""
        try:
            return int((self.folder / f"{name}.port").read_text())
        except FileNotFoundError:
            return None

    def note(self, file: Path) -> None:
        """Have this file of JSON taken away when all has ended, however that comes about."""
        self._order({"note": str(file), "stay": False})

    def stay(self, note: Path) -> None:
        """Let all go on after this process has ended, until the keeper gets a signal.

        Should a program end by itself after that, the note stays and gets a key `ended`, which says which and why.
        """
        self._order({"note": str(note), "stay": True})
        self._stays = True

    def _order(self, order: object) -> None:
        assert self._child.stdin
        try:
            self._child.stdin.write(json.dumps(order) + "\n")
            self._child.stdin.flush()
        except OSError:
            self.check()
            raise

    def check(self) -> None:
        """PermanentError with its last words when one of the programs has ended by itself."""
        if self._child.poll() is not None:
            assert self._child.stdout
            said = self._child.stdout.read().strip() or "its keeper was killed"
            raise PermanentError(f"the practice ground has broken down: {said}{room(said, self.folder)}")

    def last_words(self, name: str) -> str:
        """The end of a program's log."""
        return keeper.last_words(self.folder / f"{name}.log")

    def end(self) -> None:
        """End all programs and remove the folder; comes back when that is done. A keeper that stays is let go."""
        assert self._child.stdin
        assert self._child.stdout
        with suppress(OSError):  # a broken pipe: the keeper has ended already
            self._child.stdin.close()
        if self._stays:
            self._child.stdout.close()
            self._child.returncode = 0  # it is nobody's child from now on
            return
        self._child.wait()
        self._child.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)  # gone already, but for a keeper that was killed


def room(said: str, folder: Path) -> str:
    """How to go on where a program in the folder says that the disk is full; else nothing."""
    if FULL not in said.lower():
        return ""
    return f". The disk is full at {folder.parent}. To go on: make room (300 MB), or set TMPDIR to another place."


@contextmanager
def keeping(held: Sequence[int] = ()) -> Iterator[Keeper]:
    """A keeper in a session of its own, so that Ctrl-C in the terminal reaches only its parent.

    It keeps the descriptors `held` open as long as it lives: a lock that they hold ends with it.
    """
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", keeper.__file__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/", pass_fds=held,
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
