"""Debian's Alertmanager: a cache folder in, programs that run on loopback without being installed out.

Debian's program reads its templates from a folder of the system. The copy that runs here differs from it in that one
path, which is replaced by one of the same length: the working folder, where the package's own templates are put.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from opsbot.core.errors import PermanentError
from opsbot.practice.debian import fetch

PACKAGE = "prometheus-alertmanager"
_SHARE = b"/usr/share/prometheus/alertmanager"
_HERE = b"./" * (len(_SHARE) // 2)
PATIENCE = 30.0


def find(cache: Path) -> Path:
    """The folder of the unpacked package; PermanentError says what is missing."""
    return fetch([PACKAGE], cache / "debian" / PACKAGE, lambda _text: None)


def amtool(cache: Path) -> Path:
    """Its command line."""
    return find(cache) / "usr/bin/amtool"


def version(cache: Path) -> str:
    """The version that the program says; `?` where it is not there or does not run."""
    try:
        order = [str(find(cache) / "usr/bin" / PACKAGE), "--version"]
        said = subprocess.run(order, capture_output=True, timeout=20, check=False)
    except (OSError, PermanentError, subprocess.TimeoutExpired):
        return "?"
    found = re.search(rb"alertmanager, version (\S+)", said.stdout + said.stderr)
    return found[1].decode() if found else "?"


def runnable(cache: Path, folder: Path) -> Path:
    """A copy of the program in the folder, which must be its working folder, with its templates beside it."""
    found = find(cache)
    for template in (found / _SHARE.decode().lstrip("/")).glob("*.tmpl"):
        shutil.copy(template, folder)
    code = (found / "usr/bin" / PACKAGE).read_bytes()
    assert _SHARE in code
    program = folder / "alertmanager"
    program.write_bytes(code.replace(_SHARE, _HERE))
    program.chmod(0o755)
    return program


@dataclass(frozen=True)
class Alertmanager:
    """One that runs; what it is asked goes through its API v2."""

    url: str

    def post_alerts(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """As Prometheus sends them."""
        self._good(requests.post(f"{self.url}/api/v2/alerts", json=list(alerts), timeout=10))

    def post_silence(self, matchers: Sequence[Mapping[str, Any]], begins: str, ends: str) -> str:
        """Its id."""
        silence = {
            "matchers": list(matchers), "startsAt": begins, "endsAt": ends, "createdBy": "test", "comment": "test",
        }  # fmt: skip
        said = self._good(requests.post(f"{self.url}/api/v2/silences", json=silence, timeout=10)).json()
        return str(said["silenceID"])

    def drop_silence(self, silence: str) -> None:
        """Expire it."""
        self._good(requests.delete(f"{self.url}/api/v2/silence/{silence}", timeout=10))

    def alerts(self) -> list[dict[str, Any]]:
        """All that it knows, with their status."""
        found: list[dict[str, Any]] = self._good(requests.get(f"{self.url}/api/v2/alerts", timeout=10)).json()
        return found

    def filtered(self, matcher: str) -> list[dict[str, Any]] | None:
        """The alerts that a matcher lets through; None where it is refused."""
        answer = requests.get(f"{self.url}/api/v2/alerts", params={"filter": matcher}, timeout=10)
        found: list[dict[str, Any]] | None = None if answer.status_code == 400 else self._good(answer).json()
        return found

    @staticmethod
    def _good(answer: requests.Response) -> requests.Response:
        assert answer.ok, answer.text[:500]
        return answer


@contextmanager
def running(program: Path, config: str, data: Path) -> Iterator[Alertmanager]:
    """One on a free port of loopback, alone, with all its data in a folder."""
    data.mkdir(parents=True, exist_ok=True)
    (data / "config.yml").write_text(config)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    order = [
        str(program), f"--config.file={data}/config.yml", f"--storage.path={data}/storage", "--log.level=warn",
        f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=",
    ]  # fmt: skip
    with (data / "log").open("wb") as log:
        child = subprocess.Popen(order, stdout=log, stderr=log, cwd=program.parent)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, child, data / "log")
            yield Alertmanager(url)
        finally:
            child.terminate()
            child.wait(20)


def _wait(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and child.poll() is None:
        try:
            if requests.get(f"{url}/-/ready", timeout=2).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"alertmanager did not come up: {log.read_text()[-2000:]}")
