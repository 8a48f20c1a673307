"""Where people read on a terminal: a console with colours only where somebody looks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 240
"""Columns where nobody looks: in a file or a pipe nothing is folded."""


def console(*, to_stderr: bool = False) -> Console:
    """Where people read: colours on a terminal only, and never where NO_COLOR asks for none."""
    from rich.console import Console

    from opsbot.config import plain_output

    stream = sys.stderr if to_stderr else sys.stdout
    lively = stream.isatty()
    plain = plain_output() or not lively
    return Console(
        file=stream, no_color=plain, highlight=False, markup=False, emoji=False, soft_wrap=not lively,
        force_terminal=False if plain else None, width=None if lively else WIDE,
    )  # fmt: skip
