"""A terminal and what may reach it: control sequences of telemetry are shown as what they are, never obeyed."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# C0 but newline and tab, DEL, C1, bidirectional overrides and isolates, invisible and tag characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


WIDE = 240
"""Columns where nobody looks: in a file or a pipe nothing is folded."""


def visible(text: str) -> str:
    """The text with every character that a terminal would obey, or that hides others, written out as its escape."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


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
