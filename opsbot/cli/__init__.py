"""The terminal's door: words in, text or JSON and an exit code out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from opsbot.cli import parser
from opsbot.commands import Verb

GOOD, FOUND, BAD = 0, 1, 2


def main(words: Sequence[str] | None = None) -> int:
    """Run one command line. Exit codes: 0 good, 1 found something, 2 bad usage or config."""
    words = list(sys.argv[1:] if words is None else words)
    row, rest = parser.asked(words)
    if row is None:
        return _no_verb(words)
    args = parser.of(row).parse_args(rest)
    from opsbot.cli.errands import run

    return run(row, args)


def _no_verb(words: list[str]) -> int:
    help_on_group = parser.group(words)
    if help_on_group:
        sys.stdout.write(help_on_group)
        return GOOD
    if not words or words[0].startswith("-"):
        parser.overview().parse_args(words or ["--help"])
    sys.stderr.write(f"opsbot: {parser.unknown(words)}\n")
    return BAD


def load(row: Verb) -> Any:
    """The function of a verb, imported now that it is wanted."""
    import importlib

    return getattr(importlib.import_module(row.module), row.function)
