"""A recipe in, a folder with its programs out, built by Go once and kept in the cache.

A program appears in the folder only when it is finished, one after the other: a build that was stopped goes on with the
first one that is missing. Nothing that Go starts outlives this process.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice import golang, guarded
from opsbot.practice.alone import Tell, alone, of_system, part, unheard
from opsbot.practice.golang import Go
from opsbot.practice.recipes import (
    PLANE,
    PROMETHEUS,
    WHOLE,
    Program,
    Recipe,
    built,
    finished,
    missing,
    others,
)  # fmt: skip
from opsbot.practice.room import announced, gigabytes, room

__all__ = ["PLANE", "PROMETHEUS", "Program", "Recipe", "build", "built", "others"]

SILENCE = 900.0
"""Seconds without a word from Go after which it is given up. It names every package that it compiles."""


def build(recipe: Recipe, cache: Path, tell: Tell, said: Tell = unheard) -> Path:
    """The folder of its programs, built now where some are missing; at once when it is whole.

    `tell` hears how far it is; `said` hears what is worth a line of its own: before the start what it will take, then
    each program when it is finished. PermanentError says what stands in the way and how to go on.
    """
    home = recipe.home(cache)
    try:
        if missing(recipe, cache):
            with alone(home, tell, said):
                _build(recipe, cache, tell, said)
    except OSError as error:
        raise PermanentError(of_system(error, cache, f"about {gigabytes(recipe.megabytes)}")) from error
    return home / "bin"


def _build(recipe: Recipe, cache: Path, tell: Tell, said: Tell) -> None:
    """Build what another process has not built while this one waited."""
    lacking = missing(recipe, cache)
    if not lacking:
        return
    go = golang.find(recipe.needs, cache, tell, said)
    for line in announced(recipe, len(lacking), go, room(recipe, go, cache)):
        said(line)
    home = recipe.home(cache)
    (home / "bin").mkdir(parents=True, exist_ok=True)
    for program in lacking:
        place, begun = recipe.programs.index(program) + 1, time.monotonic()
        far = f"{place} of {len(recipe.programs)}"
        with part(home) as work:
            watch = _Watch(f"building {program.name}, {far}", tell)
            _finish(_compile(recipe, program, go, work, watch), home)
        size = finished(home)[program.name] / 1e6
        said(f"  {program.name:<24}{far}  {time.monotonic() - begun:6.1f} s  {size:5.0f} MB")


# one program --------------------------------------------------------------------------------------------------------


class _Watch:
    """Tells how far Go is, from what it has printed; gives up when it prints nothing more."""

    def __init__(self, what: str, tell: Tell) -> None:
        self._what, self._tell = what, tell
        self._begun = self._news_at = time.monotonic()
        self._lines = 0

    def __call__(self, printed: str) -> None:
        now, lines = time.monotonic(), printed.splitlines()
        if len(lines) > self._lines:
            self._lines, self._news_at = len(lines), now
        if now - self._news_at > SILENCE:
            raise PermanentError(
                f"{self._what} was given up: Go said nothing for {SILENCE / 60:.0f} minutes. To go on: check the"
                " network (Go asks GOPROXY), then try again; what is finished stays."
            )
        self._tell(f"{self._what}: {far(lines)}{now - self._begun:.0f} s")


def far(lines: list[str]) -> str:
    """What Go is at, by what it has printed: modules that it downloads, then packages that it compiles."""
    modules = sum(line.startswith("go: downloading ") for line in lines)
    packages = sum(" " not in line for line in lines)
    if packages:
        return f"{packages} packages compiled, "
    return f"{modules} modules downloaded, " if modules else ""


def _compile(recipe: Recipe, program: Program, go: Go, work: Path, watch: _Watch) -> Path:
    """The finished file, still in the work folder."""
    made = work / program.name
    source = str(go.root / "src" / program.package) if program.package.endswith(".go") else program.package
    command = go.command(
        "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly", *recipe.flags, "-o", str(made), source,
        settings=[f"GOTMPDIR={work}"],
    )  # fmt: skip
    ended = guarded.run(command, recipe.folder, watch)
    if ended.code or not made.is_file():
        log = work.parent / f"{recipe.name}-build.log"
        log.write_text(ended.said)
        raise PermanentError(f"{explain(ended.said, ended.code, program.name)} (What Go said: {log})")
    return made


def _finish(made: Path, home: Path) -> None:
    """Put a program where it belongs, and note that it is whole; a crash of the machine leaves the one or the other."""
    with made.open("rb") as file:
        os.fsync(file.fileno())
    sizes = finished(home) | {made.name: made.stat().st_size}
    made.replace(home / "bin" / made.name)
    note = made.with_name(WHOLE)
    with note.open("w") as file:
        file.write(json.dumps(sizes, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    note.replace(home / WHOLE)


# what to say when it cannot be done ---------------------------------------------------------------------------------

SAYINGS = (
    (r"no space left on device|disk quota exceeded", "the disk is full",
     "make room (`go clean -cache` frees what Go has compiled), or set XDG_CACHE_HOME, GOCACHE, GOMODCACHE"),
    (r"SECURITY ERROR|checksum mismatch", "a module is not the one that go.sum pins", "find out who changed it"),
    (r"x509: certificate|failed to verify certificate", "the module proxy cannot be trusted",
     "install ca-certificates, or set SSL_CERT_FILE to the certificates of your network"),
    (r"GOPROXY=off|GOPROXY list is empty", "GOPROXY forbids downloads", "set GOPROXY to a proxy that you can reach"),
    (r"dial tcp|lookup \S+|proxyconnect|timeout|connection re(set|fused)|unexpected EOF|unreachable|50[234] |429 Too",
     "the module proxy cannot be reached",
     "check the network, HTTPS_PROXY, or GOPROXY where you have a mirror"),
    (r"(403|404|410) \w+|invalid version|unknown revision", "the module proxy does not have a module",
     "set GOPROXY to one that has it, such as the default one of Go"),
    (r"signal: killed|cannot allocate memory|out of memory", "the machine ran out of memory",
     "give it 3 GB, or end other programs"),
    (r"missing go\.sum entry|updates to go\.(mod|sum) needed|inconsistent vendoring", "go.mod and go.sum do not agree",
     "restore both as they came with opsbot"),
    (r"GOCACHE is not defined|module cache not found", "Go does not know where to keep things",
     "set HOME, or GOCACHE and GOMODCACHE"),
    (r"permission denied|read-only file system|operation not permitted", "Go may not write to its caches",
     "set GOCACHE and GOMODCACHE to folders that you may write to"),
)  # fmt: skip


def explain(printed: str, code: int, name: str) -> str:
    """One sentence for what Go said, and one on how to go on."""
    complaints = [line.strip() for line in printed.splitlines() if " " in line and "downloading" not in line]
    text = "\n".join(complaints) + ("\nsignal: killed" if code == 128 + 9 else "")
    for pattern, cause, hint in SAYINGS:
        if re.search(pattern, text):
            return f"{name} cannot be built: {cause}. To go on: {hint}, then try again; what is finished stays."
    last = " | ".join(complaints[-2:]) or f"Go ended with code {code} and said nothing"
    return f"{name} cannot be built: {last}"
