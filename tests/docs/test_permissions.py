"""Whoever begins with the example, or with the file of docs/start.md, may do what the docs then tell them to do."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from opsbot.app import access
from opsbot.commands import VERBS
from opsbot.config.file import read

ROOT = Path(__file__).parents[2]
WANTED = {row.permission for row in VERBS if row.permission}


def started() -> str:
    """The agent_config.yaml of docs/start.md."""
    (found,) = re.findall(
        r"```yaml\n( *# agent_config\.yaml\n.*?)```", (ROOT / "docs" / "start.md").read_text(), re.DOTALL
    )
    return dedent(found)


@pytest.mark.parametrize(
    "text", [(ROOT / "agent_config.yaml").read_text(), started()], ids=["the example", "docs/start.md"]
)
def test_the_human_of_the_example_may_use_every_verb(text: str) -> None:
    found = access(read(text, ROOT / "agent_config.yaml"))
    assert {permission for permission in WANTED if not found.may("Ana", permission)} == set()
