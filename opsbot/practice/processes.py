"""The parent's end of the keeper: start programs, learn when one has died, and end them all with their folder."""

from __future__ import annotations

import json
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice import keeper
from opsbot.practice.keeper import AFTER_START, ASKED, FULL, PATIENCE, SILENT

NOTICED = 1.0
"""Seconds within which a keeper has found out that a program of its own ended."""


class Keeper:
    """A folder and the programs that run in it; both are gone once this process is, however it ends."""

    def __init__(self, child: subprocess.Popen[str], folder: Path) -> None:
        self._child = child
        self._stays = False
        self._mends: dict[str, str] = {}
        self._said: str | None = None
        self.folder = folder

    @property
    def pid(self) -> int:
        """The keeper's own process id."""
        return self._child.pid

    def start(self, name: str, command: Sequence[str], mend: str = "") -> None:
        """Run a program; what it prints goes to NAME.log in the folder. `mend` says what to do if it is damaged.

        `{port}` in the command stands for a free port (see `port`); should somebody else take it before the program
        does, the program is started again on another one.
        """
        self._mends[name] = mend
        self._order([name, list(command)])

    def stop(self, name: str) -> None:
        """End one program at once, without giving it time for anything; what it wrote stays in the folder."""
        self._order({"stop": name})

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
        if self._child.poll() is None:
            return
        if self._said is None:
            assert self._child.stdout
            self._said = self._child.stdout.read().strip() or "its keeper was killed"
        said = self._said
        mend = self._mends.get(said.split(" ", 1)[0]) if damaged(said) else ""
        hint = f". To go on: {mend}" if mend else room(said, self.folder)
        raise PermanentError(f"the practice ground has broken down: {said}{hint}")

    def look_behind(self) -> None:
        """For whoever has met with an error: check(), with a moment for what may have caused it to be noticed."""
        assert self._child.stdout
        if self._stays:
            return
        if self._said is None and select.select([self._child.stdout], [], [], NOTICED if self._mends else 0)[0]:
            with suppress(subprocess.TimeoutExpired):  # it has said why, and takes the rest down
                self._child.wait(2 * PATIENCE)
        self.check()

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


def damaged(said: str) -> bool:
    """Whether a keeper's words are of a program that may be damaged: it could not be run, or ended without a word.

    Signals 9 and 15 are sent from outside. What `env`, or the shell that it turns to, cannot run ends with 126 or 127.
    """
    if said == ASKED or re.search(r"was killed by signal (9|15)\b", said):
        return False
    not_run = re.search(r"ended with code 12[67]\b| cannot be started: ", said)
    return said.endswith(f"{AFTER_START}: {SILENT}") or bool(not_run)


def room(said: str, folder: Path) -> str:
    """How to go on where a program in the folder says that the disk is full; else nothing."""
    if FULL not in said.lower():
        return ""
    return f". The disk is full at {folder.parent}. To go on: make room (300 MB), or set TMPDIR to another place."


@contextmanager
def keeping(held: Sequence[int] = ()) -> Iterator[Keeper]:
    """A keeper in a session of its own, so that Ctrl-C in the terminal reaches only its parent.

    It keeps the descriptors `held` open as long as it lives: a lock that they hold ends with it. An error in the
    context that comes of a program's end (no answer, no folder) is told as that: PermanentError with its last words.
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
    except (OSError, PermanentError):
        kept.look_behind()
        raise
    finally:
        kept.end()
