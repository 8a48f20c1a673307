"""Text of outside made harmless to look at: what a screen would obey, or what hides other text, is written out."""

from __future__ import annotations

import re

# C0 but newline and tab, DEL, C1, bidirectional overrides and isolates, invisible and tag characters, half characters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """The text with every character that a screen would obey, or that hides others, written out as its escape."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)
