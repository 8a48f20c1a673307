"""How Go changes the case of letters: text in, text out; one letter stays one letter, except at the head of a word."""

from __future__ import annotations

import unicodedata

_MIDDLE = frozenset("'.:\u00b7\u055f\u05f4\u2018\u2019\u2024\u2027\u0387\ufe13\ufe52\ufe55\uff07\uff0e\uff1a")
"""What may stand inside a word, once between two letters (Unicode's MidLetter and MidNumLet)."""

_INSIDE = ("L", "M", "Nd", "Nl", "Pc", "Cf")


def upper(text: str) -> str:
    """Go's strings.ToUpper."""
    return "".join(map(_upper, text))


def _upper(letter: str) -> str:
    found = letter.upper()
    if len(found) > 1:
        found = letter.title()  # a letter that has a capital of its own beside the two that it is spelled with
    return found if len(found) == 1 else letter


def lower(text: str) -> str:
    """Go's strings.ToLower."""
    return "".join(letter.lower()[0] for letter in text)


def titled(text: str) -> str:
    """The first letter of each word as a capital, the rest as it is (Go's package text/cases, Title with NoLower)."""
    out, inside, middle = [], False, False
    for letter in text:
        inside = inside and not (middle and letter in _MIDDLE)
        middle = letter in _MIDDLE
        if letter.lower() != letter or letter.upper() != letter:
            out.append(letter if inside else letter.title())
            inside = True
        else:
            out.append(letter)
            inside = inside and (middle or unicodedata.category(letter).startswith(_INSIDE))
    return "".join(out)
