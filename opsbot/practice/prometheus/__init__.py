"""A cache folder in, the path of a Prometheus that runs here out; and the settings with which it runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice.debian import Tell, fetch
from opsbot.practice.recipes import PROMETHEUS, built


def find(cache: Path, tell: Tell) -> Path:
    """The Prometheus on PATH, else Debian's, downloaded and unpacked into the cache once.

    PermanentError says what is missing and how to go on.
    """
    there = _on_path()
    if there:
        return there
    unpacked = fetch(["prometheus"], cache / "debian" / "prometheus", tell) / "usr" / "bin" / "prometheus"
    if not version(unpacked):
        raise PermanentError(
            f"{unpacked} does not run on this machine. To go on: remove {unpacked.parents[2]} and try again,"
            " or put a prometheus that runs on PATH."
        )
    return unpacked


def newest(cache: Path, tell: Tell) -> Path:
    """The Prometheus on PATH, else the 3 that `opsbot practice build` left in the cache, else as `find`."""
    there, made = _on_path(), built(PROMETHEUS, cache)
    if there or not (made and version(made / "prometheus")):
        return there or find(cache, tell)
    return made / "prometheus"


def _on_path() -> Path | None:
    there = shutil.which("prometheus")
    return Path(there) if there and version(Path(there)) else None


def version(program: Path) -> str:
    """Which version this program says it is; empty where it is no Prometheus or does not run."""
    try:
        said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    found = re.search(r"^prometheus, version (\S+)", said.stdout + said.stderr, re.MULTILINE)
    return found[1] if found and said.returncode == 0 else ""


def config(app: str) -> str:
    """The text of prometheus.yml: scrape the app (HOST:PORT) every second."""
    return f"""\
global: {{scrape_interval: 1s, scrape_timeout: 900ms, evaluation_interval: 1s}}
scrape_configs:
  - job_name: agents
    static_configs: [{{targets: ['{app}']}}]
"""


def command(program: Path, folder: Path, port: int | str) -> list[str]:
    """How to run it on loopback with all its data inside the folder, where prometheus.yml stands."""
    return [
        str(program), f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=1h", "--log.level=warn",
    ]  # fmt: skip
