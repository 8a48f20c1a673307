"""npm's `@copilotkit/aimock`, another party's idea of Chat Completions: installed outside the tree, run on loopback."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from opsbot.core.errors import PermanentError
from tests.contracts import npm

HERE = Path(__file__).parent
NAME = "@copilotkit/aimock"
PATIENCE = 20.0


def version() -> str:
    """The pinned version."""
    return npm.pinned(HERE, NAME)


def install(cache: Path) -> tuple[Path, Path]:
    """Node's program and the folder in which aimock stands; PermanentError where they cannot be had."""
    return npm.install(HERE, NAME, cache)


class Aimock:
    """The server, as tests steer it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def chaos(self, **rates: float) -> None:
        """How often requests go wrong from now on, and in which way; without a rate they all go well again."""
        self._call("POST" if rates else "DELETE", "/chaos", rates)

    def journal(self) -> list[Any]:
        """The bodies of the requests that it has seen since the last look."""
        seen = self._call("GET", "/journal")
        self._call("POST", "/reset/journal", {})
        return [entry["body"] for entry in (seen if isinstance(seen, list) else seen["entries"])]

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        asked = Request(f"{self.url}/__aimock{path}", data, {"Content-Type": "application/json"}, method=method)
        with urlopen(asked, timeout=10) as told:
            return json.loads(told.read() or b"null")


@contextmanager
def running(node: Path, folder: Path, fixtures: Path, log: Path) -> Iterator[Aimock]:
    """aimock on a free port of loopback, with these answers."""
    port = npm.free_port()
    program = folder / "node_modules" / NAME / "dist" / "cli.js"
    told = ("--port", str(port), "--host", "127.0.0.1", "--fixtures", str(fixtures), "--strict")
    with log.open("wb") as said:
        child = subprocess.Popen([node, program, *told], stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        _wait(f"http://127.0.0.1:{port}", child, log)
        yield Aimock(f"http://127.0.0.1:{port}")
    finally:
        child.terminate()
        child.wait(20)


def _wait(url: str, child: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < until:
        try:
            with urlopen(f"{url}/__aimock/journal", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise PermanentError(f"aimock did not start: {log.read_text()[-500:]}")
