"""The one plane that stays up when the command that raised it has ended; any terminal finds it and can end it.

A note in the cache says where it is. Whether it lives is told by a lock that its keeper holds as long as it lives, so
that no process id is trusted: after a crash or a restart of the machine somebody else may have that number.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from opsbot.core.errors import PermanentError, Refused
from opsbot.practice.debian import Tell
from opsbot.practice.plane import Accounts, kubeconfig
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.real import ADMIN, KUBECONFIG, find, real
from opsbot.practice.processes import keeping

NOTE = "plane.json"
PATIENCE = 20.0
"""Seconds that a keeper gets to take everything down."""

GLANCE = 0.05


class State(StrEnum):
    """`broken`: it was up, and one of its programs or its keeper ended without anybody's wish."""

    NONE = "none"
    RISING = "rising"
    UP = "up"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the note says. `url` is empty until it is up; `ended` says which program ended by itself, and why."""

    keeper: int
    folder: Path
    programs: Path
    since: str
    url: str = ""
    ended: str = ""

    @property
    def kubeconfig(self) -> Path:
        """The file with the contexts admin, reader and writer."""
        return self.folder / KUBECONFIG

    def client(self, account: str = ADMIN) -> Client:
        """A door to its API server for an account; PermanentError where it is gone meanwhile."""
        try:
            return Client(kubeconfig.read(self.kubeconfig, account))
        except (OSError, ValueError) as error:
            raise PermanentError(f"the plane cannot be reached: {self.kubeconfig} cannot be read: {error}") from error


def look(cache: Path) -> tuple[State, Standing | None]:
    """How it stands; what the note says, where there is a note that can be read."""
    alive, found = not _is_free(cache), _read(cache)
    if found and (found.ended or not alive):  # one that ended is told of at once, though its keeper still cleans up
        return State.BROKEN, found
    if not alive:
        return State.NONE, None
    return (State.UP if found and found.url else State.RISING), found


def found(cache: Path) -> Standing:
    """The plane that is up; PermanentError says why there is none and how to go on."""
    state, there = look(cache)
    if state is State.UP and there:
        return there
    raise PermanentError({
        State.NONE: "no plane is up. To go on: `opsbot practice up`",
        State.RISING: "the plane is being raised just now. To go on: try again in a moment",
        State.BROKEN: f"the plane broke down: {why(there)}. To go on: `opsbot practice up` raises a new one",
    }[state])  # fmt: skip


def why(broken: Standing | None) -> str:
    """Why a plane is no more."""
    silent = "its keeper was killed, or the machine was restarted"
    return broken.ended if broken and broken.ended else silent


def up(cache: Path, accounts: Accounts, now: datetime, tell: Tell) -> Standing:
    """Raise the plane and leave it running.

    Refused("already_up") where there is one; PermanentError for all else that stands in the way. Nothing is left of a
    plane that did not come up, also where this process is killed meanwhile.
    """
    there = find(cache)
    with _locked(cache) as lock, keeping(held=(lock,)) as keeper:
        sweep(_read(cache))
        made = Standing(keeper.pid, keeper.folder, there, now.isoformat(timespec="seconds"))
        keeper.note(cache / NOTE)
        _write(cache, made)
        with real(cache, accounts, keeper, tell) as plane:
            made = replace(made, url=plane.url)
            _write(cache, made)
            keeper.stay(cache / NOTE)
    return made


def down(cache: Path) -> Standing | None:
    """End it, whatever state it is in, with all that it left; None where there was nothing."""
    free, there = _is_free(cache), _read(cache)
    if not free:
        _end(cache, there)
    sweep(there)
    (cache / NOTE).unlink(missing_ok=True)
    return there


def _end(cache: Path, there: Standing | None) -> None:
    """Signal the keeper and wait; one that does not end in time is killed, and its programs die with it."""
    if there is None or not _is_keeper(there.keeper):
        raise PermanentError("a plane is being raised just now. To go on: Ctrl-C there, or try again in a moment")
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(there.keeper, number)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if _is_free(cache):
                return
            time.sleep(GLANCE)
    raise PermanentError(f"the plane does not end: its keeper is process {there.keeper}")


def sweep(left: Standing | None) -> None:
    """Remove the folder of a plane whose keeper could not do it, if it is one that a keeper makes."""
    if left is None:
        return
    folder = left.folder
    ours = folder.name.startswith("opsbot-practice-") and folder.is_dir() and not folder.is_symlink()
    if ours and folder.stat().st_uid == os.getuid():
        shutil.rmtree(folder, ignore_errors=True)


# the note and the lock ----------------------------------------------------------------------------------------------


def _read(cache: Path) -> Standing | None:
    """What the note says; None where there is none, or none that can be read."""
    try:
        said = json.loads((cache / NOTE).read_text())
        return Standing(
            int(said["keeper"]), Path(said["folder"]), Path(said["programs"]), str(said["since"]), str(said["url"]),
            str(said["ended"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # of another version of opsbot, or cut short by a full disk
    except OSError as error:
        raise PermanentError(f"{cache / NOTE} cannot be read: {error.strerror or error}") from error


def _write(cache: Path, made: Standing) -> None:
    try:
        with tempfile.NamedTemporaryFile("w", dir=cache, prefix=f".{NOTE}.", delete=False) as part:
            part.write(json.dumps(asdict(made), default=str))
        Path(part.name).rename(cache / NOTE)
    except OSError as error:
        raise PermanentError(
            f"{cache} cannot be written: {error.strerror or error}."
            " To go on: set XDG_CACHE_HOME to a folder that you may write to."
        ) from error


@contextmanager
def _locked(cache: Path) -> Iterator[int]:
    """The lock of the one plane; Refused where another one has it."""
    descriptor = _open(cache)
    try:
        if not _take(descriptor):
            raise Refused("already_up", _another(cache))
        yield descriptor
    finally:
        os.close(descriptor)


def _take(descriptor: int) -> bool:
    """Try for a moment: whoever only looks whether the lock is free holds it just then."""
    for _ in range(20):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(GLANCE)
    return False


def _another(cache: Path) -> str:
    there = _read(cache)
    if there is None or not there.url:
        return "another `opsbot practice up` is at work"
    if there.ended:
        return f"the plane of before has broken down ({there.ended}) and is being taken away: try again in a moment"
    return (
        f"a plane is up already, since {there.since}, at {there.url} (KUBECONFIG={there.kubeconfig})."
        " `opsbot practice down` ends it."
    )


def _open(cache: Path) -> int:
    """The cache folder itself carries the lock, so that there is no lock file to be left behind."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return os.open(cache, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise PermanentError(f"the cache {cache} cannot be used: {error.strerror or error}") from error


def _is_free(cache: Path) -> bool:
    """Whether no keeper of a standing plane is alive, nor one that raises it."""
    descriptor = _open(cache)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def _is_keeper(pid: int) -> bool:
    """Whether this process is a keeper at all: a note may be older than the lock that is held now."""
    try:
        return b"keeper.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
