"""docs/practice.md says what can be typed: each command line of it is one, and its config is one that opsbot takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from opsbot import config as settings
from opsbot.cli import parser

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "practice.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
LINES = [line.partition("  #")[0].strip() for kind, block in BLOCKS if not kind for line in block.splitlines()]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def lines_of(program: str) -> list[str]:
    return sorted({line for line in LINES if line.split()[:1] == [program]})


def test_there_is_something_to_look_at() -> None:
    assert len(lines_of("opsbot")) > 10
    assert len(lines_of("kubectl")) > 4


@pytest.mark.parametrize("line", lines_of("opsbot"))
def test_each_line_for_opsbot_can_be_typed(line: str) -> None:
    row, rest = parser.asked(shlex.split(line)[1:])
    assert row is not None
    parser.of(row).parse_args(rest)


@pytest.mark.parametrize("line", lines_of("make"))
def test_each_target_is_there(line: str) -> None:
    target = line.split()[1]
    assert re.search(rf"^{re.escape(target)}:", MAKEFILE, re.MULTILINE)
    assert f"make {target}" in MAKEFILE.partition(".DEFAULT_GOAL")[0]


def test_the_config_is_one_that_opsbot_takes(tmp_path: Path) -> None:
    (text,) = (block for kind, block in BLOCKS if kind == "yaml")
    (tmp_path / settings.NAME).write_text(text)
    config = settings.load(str(tmp_path / settings.NAME))
    assert config.kubernetes.read.context == "reader"
    assert config.kubernetes.write is not None
    assert config.kubernetes.write.context == "writer"


def test_the_readme_names_the_two_commands_in_one_line() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert [line for line in lines if "`make demo-real`" in line and "`make test-real`" in line]
