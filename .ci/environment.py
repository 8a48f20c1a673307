"""A checkout and a bare Python in, `.venv` with the locked dependencies and opsbot itself (editable) out.

Only the standard library is needed. Wheels are downloaded once into the cache folder, each checked against its hash in
requirements.lock, and installed from there without a network. `.venv/ready` is written last and taken away first, so
a set-up that was interrupted is simply made anew.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from opsbot.config import cache_folder  # noqa: E402 - importable from the checkout, standard library only
from opsbot.core.errors import PermanentError  # noqa: E402
from opsbot.practice.debian import fetch  # noqa: E402

VENV, LOCK, READY = ROOT / ".venv", ROOT / "requirements.lock", ROOT / ".venv" / "ready"
PYTHON = VENV / "bin" / "python"
NEEDED = {ROOT: 600, cache_folder(): 300}
"""Megabytes that the set-up needs, by where."""


class Progress:
    """One line on a terminal, overwritten; elsewhere a line every few seconds."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty()
        self.told = 0.0

    def tell(self, text: str, *, always: bool = False) -> None:
        if self.live:
            print(f"\r\033[K  {text[:100]}", end="", file=sys.stderr, flush=True)
        elif always or time.monotonic() - self.told > 5:
            self.told = time.monotonic()
            print(f"  {text}", file=sys.stderr, flush=True)

    def done(self, text: str) -> None:
        print(f"\r\033[K{text}" if self.live else text, file=sys.stderr, flush=True)


progress = Progress()


def main() -> int:
    try:
        if not READY.is_file() or READY.read_text() != stamp():
            build()
        READY.touch()
    except PermanentError as error:
        progress.done(f"opsbot set-up: cannot go on: {error}")
        return 1
    except OSError as error:
        progress.done(f"opsbot set-up: cannot go on: {error.filename or ROOT}: {error.strerror or error}")
        return 1
    except KeyboardInterrupt:
        progress.done("opsbot set-up: interrupted; the next try starts anew")
        return 130
    return 0


def stamp() -> str:
    """What the environment is made from (another lock, Python or set of entry points means another one), and where."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    parts = [LOCK.read_text(), sys.version, repr(project["project"]), repr(project["build-system"])]
    return f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()}\n{ROOT}\n"


def build() -> None:
    begun = time.monotonic()
    room()
    progress.tell("making .venv", always=True)
    READY.unlink(missing_ok=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    pip = environment()
    certificates()
    install(pip)
    pip = [str(PYTHON), "-m", "pip"]  # from here on the locked one
    run([*pip, "install", "--no-user", "--no-index", "--no-deps", "--no-build-isolation", "-e", str(ROOT)], "opsbot")
    run([str(PYTHON), "-m", "compileall", "-q", "-j", "0", str(VENV / "lib")], "compiling", fails=False)
    READY.write_text(stamp())
    progress.done(f"opsbot set-up: .venv is ready ({time.monotonic() - begun:.0f} s)")


def room() -> None:
    for place, megabytes in NEEDED.items():
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PermanentError(
                f"the folder {place} cannot be made: {error.strerror}."
                " To go on: set XDG_CACHE_HOME to a folder that you may write to."
            ) from error
        if not os.access(place, os.W_OK):
            hint = "" if place == ROOT else " To go on: set XDG_CACHE_HOME to a folder that you may write to."
            raise PermanentError(f"the folder {place} cannot be written.{hint}")
        free = shutil.disk_usage(place).free / 1e6
        if free < megabytes:
            raise PermanentError(f"the disk is full: {place} needs {megabytes} MB and has {free:.0f} MB.")


# a virtual environment, and a pip to fill it ------------------------------------------------------------------------


def environment() -> list[str]:
    """Make .venv; the command that is pip."""
    if not has("ensurepip") and os.geteuid() == 0 and sys.executable.startswith("/usr/bin/"):
        install_python3_venv()
    if not has("venv"):
        raise PermanentError("this Python has no venv module. To go on: install python3-venv (as root).")
    if has("ensurepip"):
        run([sys.executable, "-m", "venv", str(VENV)], "making .venv")
        return [str(PYTHON), "-m", "pip"]
    wheel = pip_wheel()
    run([sys.executable, "-m", "venv", "--without-pip", str(VENV)], "making .venv")
    return [str(PYTHON), str(wheel / "pip")]


def has(module: str) -> bool:
    importlib.invalidate_caches()
    return importlib.util.find_spec(module) is not None


def install_python3_venv() -> None:
    """As root: the package that Debian splits off. Where that does not go, pip_wheel() still does."""
    if not shutil.which("apt-get"):
        return
    apt = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    for words in (["update"], ["install", "--no-install-recommends", "python3-venv"]):
        run([*apt, *words], "installing python3-venv", fails=False)


def pip_wheel() -> Path:
    """pip as Debian packs it, unpacked into the cache: a wheel can be run as it is."""
    unpacked = fetch(["python3-pip-whl"], cache_folder() / "debian" / "python3-pip-whl", progress.tell)
    return next((unpacked / "usr" / "share" / "python-wheels").glob("pip-*.whl"))


def certificates() -> None:
    """Where the machine has no trusted certificates (and nobody has named any), use Debian's out of their package."""
    names = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
    usual = Path("/etc/ssl/certs/ca-certificates.crt")
    if usual.exists() or not shutil.which("apt-get") or any(os.environ.get(name) for name in names):
        return
    unpacked = fetch(["ca-certificates"], cache_folder() / "debian" / "ca-certificates", progress.tell)
    bundle = unpacked / "bundle.crt"
    bundle.write_text("".join(file.read_text() for file in sorted(unpacked.glob("usr/share/ca-certificates/*/*.crt"))))
    os.environ["PIP_CERT"] = str(bundle)


# packages -----------------------------------------------------------------------------------------------------------


def install(pip: list[str]) -> None:
    """From the cache alone where it is whole, else after a download."""
    wheels = cache_folder() / "wheels"
    whole = wheels / f"{hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]}.whole"
    locked = ["--no-deps", "--require-hashes", "-r", str(LOCK)]
    command = [*pip, "install", "--no-user", "--no-compile", "--no-index", "--find-links", str(wheels), *locked]
    if whole.exists() and run(command, "installing", fails=False):
        return
    wheels.mkdir(parents=True, exist_ok=True)
    run([*pip, "download", "--retries", "2", "-d", str(wheels), *locked], "downloading")
    whole.touch()
    run(command, "installing")


def far(said: str) -> str:
    """How many packages pip has come to."""
    names = re.findall(r"^Collecting ([^=\s]+)", said, re.MULTILINE)
    whole = len(re.findall(r"^\S+==", LOCK.read_text(), re.MULTILINE))
    return f" {len(names)} of {whole} packages, {names[-1]}" if names else ""


def run(command: list[str], what: str, *, fails: bool = True) -> bool:
    """Run to the end, showing how far it is. Where it ends badly: PermanentError with a way on, or False if it may."""
    clean = {name: value for name, value in os.environ.items() if name not in MISLEADING} | {"LC_ALL": "C.UTF-8"}
    with tempfile.TemporaryFile() as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=clean, cwd=ROOT)
        try:
            watch(child, out.fileno(), what)
        finally:
            child.kill()
            child.wait()
        if child.returncode and fails:
            raise PermanentError(explain(read(out.fileno()), what))
        return child.returncode == 0


def watch(child: subprocess.Popen[bytes], out: int, what: str) -> None:
    begun = time.monotonic()
    while child.poll() is None:
        progress.tell(f"{what}{far(read(out))}, {time.monotonic() - begun:.0f} s")
        try:
            child.wait(0.3)
        except subprocess.TimeoutExpired:
            continue


def read(out: int) -> str:
    return os.pread(out, 10_000_000, 0).decode("utf-8", "replace")


MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_NO_BINARY", "PYTHONPATH", "PYTHONHOME")
"""Variables with which pip would install elsewhere or otherwise than into .venv."""


SAYINGS = (
    ("No space left on device|Disk quota exceeded", "the disk is full", "make room (about 900 MB)"),
    ("CERTIFICATE_VERIFY_FAILED|SSLError", "the package index cannot be trusted",
     "install ca-certificates, or set PIP_CERT to the certificates of your network"),
    ("DO NOT MATCH THE HASHES", "a package is not the one that was locked", "find out who changed it"),
    ("resolution|NewConnectionError|ConnectTimeout|Max retries|ProxyError|Read timed out|from versions: none",
     "the package index cannot be reached", "check the network, HTTPS_PROXY, or PIP_INDEX_URL where you have a mirror"),
)  # fmt: skip


def explain(said: str, what: str) -> str:
    log = cache_folder() / "set-up.log"
    log.write_text(said)
    for pattern, cause, hint in SAYINGS:
        if re.search(pattern, said):
            return f"{what} failed: {cause}. To go on: {hint}, then try again. (What was said: {log})"
    return f"{what} failed: {' | '.join(said.strip().splitlines()[-3:])} (What was said: {log})"


if __name__ == "__main__":
    sys.exit(main())
