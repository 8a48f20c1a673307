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
_TWINS = str.maketrans({
    **dict(zip("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u043a\u0455\u0458", "aeopcyxiksj", strict=True)),
    **dict(zip("\u0501\u04bb\u051b\u051d\u043c\u0442\u0433\u043f\u0432\u043d\u04cf", "dhqwmtrnbhl", strict=True)),
    **dict(zip("\u03b1\u03bf\u03c1\u03bd\u03c5\u03b9\u03ba\u03c4\u03b7\u03c7\u03b3", "aopvuiktnxy", strict=True)),
    **dict(zip("\u0261\u0131\u0578\u057d\u0585\u0575\u0581\u0570", "ginuojgh", strict=True)),
})  # fmt: skip
"""Small letters of other scripts that pass for Latin ones, each with the one that it passes for (Unicode TS 39)."""


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
    if text.isascii():
        return _NOT_SPOKEN.sub("", text.lower())
    plain = unicodedata.normalize("NFKD", text.translate(_TAGS)).casefold()  # NFKD: accents go too, as no letters
    return _NOT_SPOKEN.sub("", plain.translate(_TWINS))


def _encoded(name: str) -> list[str]:
    """What any base64 text with this name in it holds: one form for each place that it may begin at."""
    raw = name.encode()
    forms = [base64.b64encode(b"\0" * skip + raw).decode().rstrip("=") for skip in range(3)]
    return [form[(8 * skip + 5) // 6 : (8 * (skip + len(raw))) // 6] for skip, form in enumerate(forms)]
