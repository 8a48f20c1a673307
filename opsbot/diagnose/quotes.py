"""Words that a model says it has read: do they stand in the evidence? Compared as shown, blanks aside; nothing else.

Text of outside is shown to a model with every hidden character written out, line by line behind a number.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

from opsbot.core.escape import visible

LEAST = 8
"""Fewer characters may be found anywhere; such a quote counts where it is a whole line."""
_NUMBER = re.compile(r"^[ \t]*e\d{1,6}:\d{1,7}\| ?", re.MULTILINE)
_NOT_SPOKEN = re.compile(r"[\W_]+")
_TAGS = {0xE0000 + code: code for code in range(0x20, 0x7F)}  # invisible twins of ASCII


@dataclass(frozen=True)
class Words:
    """A text of outside, to be quoted from; what is worked out of it is worked out once."""

    text: str

    @cached_property
    def _flat(self) -> str:
        return flat(self.text)

    @cached_property
    def _spoken(self) -> str:
        return _spoken(self.text)

    def hold(self, quote: str) -> bool:
        """Whether these words stand in it, word for word."""
        words = flat(_NUMBER.sub("", quote))
        if len(words) >= LEAST:
            return words in self._flat
        return bool(words) and any(words == flat(line) for line in self.text.split("\n"))

    def name(self, playbook: str) -> bool:
        """Whether it names this playbook, however: spaced, dashed, backwards, in look-alikes or tags, as base64."""
        spoken = _spoken(playbook)
        return any(form in self._spoken for form in (spoken, spoken[::-1])) or any(
            form in self.text for form in _encoded(playbook)
        )


def shown(line: str) -> str:
    """One line of outside as a model sees it."""
    return visible(line).replace("\n", "\\n")


def flat(text: str) -> str:
    """The text as shown, with every run of blanks as one."""
    return " ".join(visible(text).split())


def _spoken(text: str) -> str:
    plain = text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.translate(_TAGS)).casefold()
    return _NOT_SPOKEN.sub("", plain)


def _encoded(name: str) -> list[str]:
    """What any base64 text with this name in it holds: one form for each place that it may begin at."""
    raw = name.encode()
    forms = [base64.b64encode(b"\0" * skip + raw).decode().rstrip("=") for skip in range(3)]
    return [form[(8 * skip + 5) // 6 : (8 * (skip + len(raw))) // 6] for skip, form in enumerate(forms)]
