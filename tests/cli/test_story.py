"""What the demo says at its end."""

from __future__ import annotations

import sys

import pytest

from opsbot.cli import story


@pytest.mark.parametrize(
    ("argv", "found", "says"),
    [
        ("/usr/bin/opsbot", "/usr/bin/opsbot", "opsbot"),
        ("/somewhere/opsbot/__main__.py", "/usr/bin/opsbot", "opsbot"),
        ("/somewhere/opsbot/__main__.py", None, "python -m opsbot"),
        (".venv/bin/opsbot", None, ".venv/bin/opsbot"),
    ],
    ids=["on the path", "a module, and on the path", "a module", "a program that is on no path"],
)
def test_where_to_look_next_can_be_typed(
    monkeypatch: pytest.MonkeyPatch, argv: str, found: str | None, says: str
) -> None:
    monkeypatch.setattr(sys, "argv", [argv])
    monkeypatch.setattr("shutil.which", lambda _name: found)
    lines = [line.plain for line in story._where_next()]
    assert lines[1].startswith(f"  {says} check ")
    assert lines[2].endswith(f": {says} serve")
