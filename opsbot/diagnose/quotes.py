"""Words that a model says it has read: do they stand in the evidence? Compared as shown, blanks aside; nothing else.

Text of outside is shown to a model with every hidden character written out, line by line behind a number.
"""

from __future__ import annotations

import base64
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from string import ascii_uppercase

from opsbot.core.escape import bare, visible

LEAST = 8
"""Fewer characters may be found anywhere; such a quote counts where it is a whole line."""
_NUMBER = re.compile(r"\A\s*e\d{1,6}:\d{1,7}\| ?")
_NOT_SPOKEN = re.compile(r"[\W_]+")
# ASCII written out: %72, &#114;, &#x72;, \\x72, \\u0072.
_CODED = re.compile(r"(?:%|\\x|\\u00|&#x0{0,6})([0-9a-f]{2});?|&#0{0,6}(\d{2,3});?", re.IGNORECASE)
_TAGS = {base + code: code for base in (0xE0000, 0xE00F0) for code in range(0x20, 0x7F)}
"""ASCII that shows nothing: tag characters, and bytes as variation selectors."""
_TWINS = str.maketrans({
    **dict(zip("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u043a\u0455\u0458", "aeopcyxiksj", strict=True)),
    **dict(zip("\u0501\u04bb\u051b\u051d\u043c\u0442\u0433\u043f\u0432\u043d\u04cf", "dhqwmtrnbhl", strict=True)),
    **dict(zip("\u03b1\u03bf\u03c1\u03bd\u03c5\u03b9\u03ba\u03c4\u03b7\u03c7\u03b3", "aopvuiktnxy", strict=True)),
    **dict(zip("\u0261\u0131\u0578\u057d\u0585\u0575\u0581\u0570", "ginuojgh", strict=True)),
})  # fmt: skip
"""Small letters of other scripts that pass for Latin ones, each with the one that it passes for (Unicode TS 39)."""
_STYLES = (
    "LATIN LETTER SMALL CAPITAL", "NEGATIVE SQUARED LATIN CAPITAL LETTER", "NEGATIVE CIRCLED LATIN CAPITAL LETTER",
    "REGIONAL INDICATOR SYMBOL LETTER",
)  # fmt: skip
"""Names of Latin letters in Unicode that it does not decompose into plain ones; there is no small capital X."""


@dataclass(frozen=True)
class Words:
    """A text of outside, to be quoted from; what is worked out of it is worked out once."""

    text: str

    @cached_property
    def _flat(self) -> str:
        """Line by line: words that were found in it stand in one line, for they hold no line break themselves."""
        return "\n".join(" ".join(line.split()) for line in visible(self.text).split("\n"))

    @cached_property
    def _spoken(self) -> tuple[str, ...]:
        """As it is seen, and with what is written out in codes or in signs that are not seen."""
        texts = [self.text]
        if any(sign in self.text for sign in ("%", "&#", "\\")):
            texts.append(_CODED.sub(_decoded, self.text))
        if not self.text.isascii():
            texts.append(self.text.translate(_TAGS))
        return tuple(_spoken(text) for text in texts)

    def hold(self, quote: str) -> bool:
        """Whether these words stand in one of its lines, word for word; blanks, and where the quote wraps, aside."""
        words = flat(_NUMBER.sub("", quote))
        if len(words) >= LEAST:
            return words in self._flat
        return bool(words) and words in self._flat.split("\n")

    def name(self, playbook: str) -> bool:
        """Whether it names this playbook, however: spaced, dashed, backwards, in look-alikes, unseen, or encoded."""
        spoken = _spoken(playbook)
        return any(form in text for text in self._spoken for form in (spoken, spoken[::-1])) or any(
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
    plain = unicodedata.normalize("NFKD", bare(text)).casefold()  # NFKD: accents go too, as no letters
    return _NOT_SPOKEN.sub("", plain.translate(_twins()))


@cache
def _twins() -> dict[int, str | int]:
    found: dict[int, str | int] = dict(_TWINS)
    for style in _STYLES:
        for letter in ascii_uppercase:
            with suppress(KeyError):
                found[ord(unicodedata.lookup(f"{style} {letter}"))] = letter.lower()
    return found


def _decoded(found: re.Match[str]) -> str:
    code = int(found[1], 16) if found[1] else int(found[2])
    return chr(code) if code < 0x7F else found[0]


def _encoded(name: str) -> list[str]:
    """What any base64 text with this name in it holds: one form for each place that it may begin at."""
    raw = name.encode()
    forms = [base64.b64encode(b"\0" * skip + raw).decode().rstrip("=") for skip in range(3)]
    return [form[(8 * skip + 5) // 6 : (8 * (skip + len(raw))) // 6] for skip, form in enumerate(forms)]
