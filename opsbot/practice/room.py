"""A recipe and the disks in, what a build of it will take out; a build for which there is no room is not begun."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice.golang import Go
from opsbot.practice.recipes import Recipe


def announced(recipe: Recipe, lacking: int, go: Go, cold: Mapping[Path, float]) -> list[str]:
    """What a human should know before it starts. `cold` says how many megabytes each place has for what is to come."""
    whole = len(recipe.programs)
    count = f"{lacking} of {whole} programs" if lacking < whole else f"all {whole} programs"
    lines = [f"{recipe.version}: {count} to build, with Go {go.release} ({go.program})"]
    if cold:
        free = ", ".join(f"{gigabytes(megabytes)} free at {place}" for place, megabytes in cold.items())
        lines.append(
            f"  nothing of it is in Go's caches: about {recipe.minutes} minutes on two cores, the download aside;"
        )
        lines.append(f"  about {gigabytes(recipe.megabytes)} of disk, most of it in those caches ({free})")
    return lines


PROGRAMS, RESULTS, MODULES = 0.15, 0.6, 0.25
"""Shares of all that a first build fills: programs, finished and in the works; what Go has compiled; sources."""


def room(recipe: Recipe, go: Go, cache: Path) -> dict[Path, float]:
    """Free megabytes at each place that a first build fills; nothing when Go has the sources already.

    PermanentError where there is too little.
    """
    cold = not (go.modules / recipe.module).is_dir()
    needs = {cache: PROGRAMS}
    if cold:
        needs |= {go.results: RESULTS, go.modules: MODULES}
    places = _by_disk({place: share * recipe.megabytes for place, share in needs.items()})
    free = {place: shutil.disk_usage(place).free / 1e6 for place in places}
    for place, megabytes in places.items():
        if free[place] < megabytes:
            raise PermanentError(
                f"the disk is too full to build {recipe.name}: about {gigabytes(megabytes)} are needed at {place},"
                f" and {gigabytes(free[place])} are free. To go on: make room, or set XDG_CACHE_HOME, GOCACHE and"
                " GOMODCACHE to folders on a larger disk."
            )
    return free if cold else {}


def _by_disk(needs: Mapping[Path, float]) -> dict[Path, float]:
    """Needs added up by disk; each named by the first place on it that there is."""
    found: dict[int, tuple[Path, float]] = {}
    for place, megabytes in needs.items():
        there = next(folder for folder in (place, *place.parents) if folder.is_dir())
        first, sum_so_far = found.get(there.stat().st_dev, (there, 0.0))
        found[there.stat().st_dev] = (first, sum_so_far + megabytes)
    return dict(found.values())


def gigabytes(megabytes: float) -> str:
    """Megabytes as people write that many."""
    return f"{megabytes / 1000:.1f} GB"
