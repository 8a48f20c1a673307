"""Eyes for tests of a real plane: what still runs, and patience."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def silent(_text: str) -> None:
    """Nobody wants to know."""


def eventually(true: Callable[[], object], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.05)


def programs_of(folder: Path) -> list[int]:
    """The processes that work in a folder."""
    return [int(place.name) for place in Path("/proc").glob("[0-9]*") if _works_in(place, folder)]


def _works_in(place: Path, folder: Path) -> bool:
    try:
        return (place / "cwd").readlink() == folder
    except OSError:
        return False
