"""Names of Debian packages in, a folder with their unpacked files out; nothing is installed and root is not needed.

apt-get works with package lists and a download folder of its own, so the system's own state is never touched. Only the
standard library is used: the set-up of a checkout calls this before there is anything else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice.alone import Tell, alone, of_system, part

__all__ = ["Tell", "explain", "fetch"]

SETTINGS = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
"""
"""For every call: hooks of the system are for the system's lists, and only root may change to another user."""

PRIVATE = 'Dir::State "{0}/state";\nDir::State::status "/var/lib/dpkg/status";\nDir::Cache "{0}/cache";\n'


@dataclass(frozen=True, slots=True)
class Package:
    """A file that apt would download; `size` in bytes."""

    file: str
    size: int


class AptError(Exception):
    """What apt-get or dpkg-deb said; becomes a PermanentError with a hint at the door of this module."""


def fetch(packages: Sequence[str], into: Path, tell: Tell) -> Path:
    """Unpack these packages into a folder that appears whole or not at all; at once when it is there already.

    PermanentError says what is missing (apt-get, the network, the package, room on the disk) and how to go on.
    """
    if into.is_dir():
        return into
    for program in ("apt-get", "dpkg-deb"):
        if not shutil.which(program):
            names = " ".join(packages)
            raise PermanentError(
                f"Debian's {names} cannot be downloaded: {program} is not here. To go on: install {names} yourself."
            )
    try:
        with alone(into, tell):
            if not into.is_dir():
                _fetch(packages, into, tell)
    except AptError as error:
        raise PermanentError(explain(str(error), packages)) from error
    except OSError as error:
        raise PermanentError(of_system(error, into.parent, "about 300 MB")) from error
    return into


def _fetch(packages: Sequence[str], into: Path, tell: Tell) -> None:
    with part(into) as work:
        for place in ("state/lists/partial", "cache/archives/partial", "debs", "root"):
            (work / place).mkdir(parents=True)
        found = _choose(packages, work, tell)
        _download(packages, found, work, tell)
        for package in found:
            tell(f"unpacking {package.file}")
            _run(["dpkg-deb", "-x", str(work / "debs" / package.file), str(work / "root")], work)
        (work / "root").rename(into)


def _choose(packages: Sequence[str], work: Path, tell: Tell) -> list[Package]:
    """Which files to download: by the system's lists where they know the packages, else by lists of our own."""
    conf = work / "apt.conf"
    conf.write_text(SETTINGS)
    try:
        return _files(_apt(work, "download", "--print-uris", *packages))
    except AptError:
        return _choose_anew(packages, work, tell)


def _choose_anew(packages: Sequence[str], work: Path, tell: Tell) -> list[Package]:
    (work / "apt.conf").write_text(SETTINGS + PRIVATE.format(work))
    said = ""
    try:
        _apt(work, "update", tick=lambda seconds: tell(f"reading the package lists, {seconds:.0f} s"))
    except AptError as error:  # one list of many may have failed: what counts is whether ours is among the others
        said = str(error)
    try:
        return _files(_apt(work, "download", "--print-uris", *packages))
    except AptError as error:
        raise AptError(f"{said}\n{error}") from error


def _download(packages: Sequence[str], found: list[Package], work: Path, tell: Tell) -> None:
    whole = sum(package.size for package in found)

    def tick(_seconds: float) -> None:
        there = sum(file.stat().st_size for file in (work / "debs").iterdir())
        tell(f"downloading {', '.join(packages)}: {there / 1e6:.0f} of {whole / 1e6:.0f} MB")

    try:
        _apt(work, "download", *packages, tick=tick)
    except AptError:  # the system's lists are older than what the server holds now
        found[:] = _choose_anew(packages, work, tell)
        _apt(work, "download", *packages, tick=tick)


def _files(printed: str) -> list[Package]:
    """Read `'URI' FILE SIZE HASH` lines, as --print-uris gives them."""
    rows = re.findall(r"^'\S+' (\S+) (\d+)", printed, re.MULTILINE)
    if not rows:
        raise AptError("E: apt-get names no file to download")
    return [Package(Path(name).name, int(size)) for name, size in rows]


def _apt(work: Path, *words: str, tick: Callable[[float], None] | None = None) -> str:
    return _run(["env", "LC_ALL=C", "apt-get", "-q", "-c", str(work / "apt.conf"), *words], work / "debs", tick)


def _run(command: list[str], folder: Path, tick: Callable[[float], None] | None = None) -> str:
    """What a command printed; AptError with what it complained of. `tick` hears the seconds so far."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begun = time.monotonic()
        child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            while _still_runs(child):
                if tick:
                    tick(time.monotonic() - begun)
        finally:
            child.kill()
            child.wait()
        out.seek(0)
        err.seek(0)
        if child.returncode:
            raise AptError(err.read() or f"E: {command[0]} ended with code {child.returncode}")
        return out.read()


def _still_runs(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(1)
    except subprocess.TimeoutExpired:
        return True
    return False


# what to say when it cannot be done ---------------------------------------------------------------------------------

SAYINGS = (
    (r"No space left on device|don't have enough free space", "the disk is full", "make room (about 300 MB)"),
    (r"resolving|[Cc]ould not connect|[Cc]onnection (timed out|refused|failed)|Network is unreachable|Failed to fetch",
     "Debian's package server cannot be reached", "check the network (and the proxy in /etc/apt/apt.conf.d)"),
    (r"[Nn]ot signed|NO_PUBKEY|signature", "the package lists cannot be trusted", "install debian-archive-keyring"),
    (r"[Uu]nable to locate package|no installation candidate|E: Can't select", "no package source has it",
     "add a Debian source to /etc/apt/sources.list"),
)  # fmt: skip


def explain(said: str, packages: Sequence[str]) -> str:
    """One sentence for what apt said, and one on how to go on."""
    names = " ".join(packages)
    for pattern, cause, hint in SAYINGS:
        if re.search(pattern, said):
            return f"Debian's {names} cannot be downloaded: {cause}. To go on: {hint}, or install {names} yourself."
    last = next((line for line in reversed(said.splitlines()) if line.startswith("E:")), said.strip()[-200:])
    return f"Debian's {names} cannot be downloaded: {last.removeprefix('E:').strip()}"
