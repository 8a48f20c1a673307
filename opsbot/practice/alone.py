"""A place that several processes may want to make: one at a time makes it, the others wait and say so.

The lock ends with the process that holds it, however that ends; what a killed one left behind is swept away.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

GLANCE = 0.2
Tell = Callable[[str], None]
"""Takes a short line on how far a long piece of work is; each one replaces the last."""


def unheard(_text: str) -> None:
    """For callers that do not want to know."""


@contextmanager
def alone(into: Path, tell: Tell, said: Tell = unheard) -> Iterator[None]:
    """Be the only one that makes this place. `said` hears once whom it waits for, `tell` again and again.

    OSError as the file system gives it.
    """
    into.parent.mkdir(parents=True, exist_ok=True)
    with (into.parent / f".{into.name}.lock").open("a+") as lock:
        _take(lock, into.name, tell, said)
        for left in into.parent.glob(f"{_parts(into)}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


@contextmanager
def part(into: Path) -> Iterator[Path]:
    """A folder beside a place, to make its content in; gone afterwards, or when the next one is alone there."""
    work = Path(tempfile.mkdtemp(prefix=_parts(into), dir=into.parent))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _parts(into: Path) -> str:
    return f".{into.name}.part-"


def _take(lock: IO[str], name: str, tell: Tell, said: Tell) -> None:
    begun, others = time.monotonic(), ""
    while not _free(lock):
        lock.seek(0)
        waits = f"process {lock.read(20).strip()} makes {name} now: waiting for it"
        if not others:
            said(waits)
        others = waits
        tell(f"{waits}, {time.monotonic() - begun:.0f} s")
        time.sleep(GLANCE)
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()


def _free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def of_system(error: OSError, place: Path, room: str) -> str:
    """One sentence for what the file system said about a place, and one on how to go on."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full at {place}. To go on: make room ({room})."
    return (
        f"{error.filename or place} cannot be written: {error.strerror or error}."
        " To go on: set XDG_CACHE_HOME to a folder that you may write to."
    )
