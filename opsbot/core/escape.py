"""Text of outside made harmless to look at: what a screen would obey, or what hides other text, is written out."""

from __future__ import annotations

import re

_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f-\u1160\u17b4-\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What shows nothing: Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties.txt (14.0 on)."""
# C0 but newline and tab, DEL, C1, line and paragraph separators, half characters, marks of annotations.
_OBEYED = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u2029\ud800-\udfff\ufff9-\ufffb"
_HIDDEN = re.compile(f"[{_OBEYED}{_IGNORABLE}]")
_BLANK = re.compile(f"[{_IGNORABLE}]+")


def visible(text: str) -> str:
    """The text with every character that a screen would obey, or that hides others, written out as its escape."""
    return _HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def bare(text: str) -> str:
    """The text without the characters that show nothing, to be compared as an eye would."""
    return _BLANK.sub("", text)
