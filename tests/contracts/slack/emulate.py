"""npm's `emulate`, another party's idea of Slack's Web API: installed outside the tree, run on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opsbot.core.errors import PermanentError
from tests.contracts import npm

HERE = Path(__file__).parent
NAME = "emulate"


def version() -> str:
    """The pinned version."""
    return npm.pinned(HERE, NAME)


def install(cache: Path) -> tuple[Path, Path]:
    """Node's program and the folder in which `emulate` stands; PermanentError where they cannot be had."""
    return npm.install(HERE, NAME, cache)


@contextmanager
def running(node: Path, folder: Path, log: Path) -> Iterator[str]:
    """The emulator on a free port of loopback; its value is the URL."""
    port = npm.free_port()
    with log.open("wb") as said:
        child = subprocess.Popen(
            [node, HERE / "emulate.mjs", folder, str(port)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=said,
        )  # fmt: skip
    assert child.stdout is not None
    try:
        if not child.stdout.readline():
            raise PermanentError(f"emulate did not start: {log.read_text()[-500:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)
        child.stdout.close()
