"""Secrets and personal data out of text: any text walks in, masked text walks out, lines and words around kept.

The only maker of `MaskedText`. It never changes what is no secret, and never lets one of the known kinds through; a
value that it learns as secret in one place of a text is masked in every other place of it too.
"""

from __future__ import annotations

from typing import Any

from opsbot.core.evidence import MaskedText
from opsbot.mask.colours import plain, seen
from opsbot.mask.learn import Learnt
from opsbot.mask.personal import personal
from opsbot.mask.spans import covered, places
from opsbot.mask.tree import walk
from opsbot.mask.words import MASK, placeholder

__all__ = ["MASK", "kept", "mask", "mask_tree"]

_ROUNDS = 5


def mask(text: str) -> MaskedText:
    """The text without its secrets; masking what is masked already changes nothing."""
    return _masked(text, Learnt())


def mask_tree(value: Any) -> Any:
    """The same shape (mappings, lists, texts) with every text masked and every key kept.

    A number under a secret's name becomes masked text too; what one text gives away is masked in all of them.
    """
    learnt, clean = Learnt(), set[str]()
    walk(value, lambda text, secret: _learn(text, secret, learnt, clean))
    return walk(value, lambda text, secret: _shown(text, secret, learnt, clean))


def kept(text: str) -> MaskedText:
    """Text that was masked before it was stored; for the store's decoding alone."""
    return MaskedText(text)


def _masked(text: str, learnt: Learnt) -> MaskedText:
    """Round after round, until a round finds nothing more (a masked value may bare the form of the one beside it)."""
    for _ in range(_ROUNDS):
        found = list(seen(text, places))
        for start, end in found:
            learnt.add(plain(text[start:end]))
        masked = covered(text, [*found, *seen(text, learnt.places)])
        masked = covered(masked, seen(masked, personal))  # afterwards: the end of `user:secret@host.org` is no address
        if masked == text:
            break
        text = masked
    return MaskedText(text)


def _learn(text: str, secret: bool, learnt: Learnt, clean: set[str]) -> str:
    """Learn what a text gives away; one that gives nothing away is clean, and need not be searched again."""
    found = [(0, len(text))] if secret else list(seen(text, places))
    for start, end in found:
        learnt.add(plain(text[start:end]))
    if not found:
        clean.add(text)
    return text


def _shown(text: str, secret: bool, learnt: Learnt, clean: set[str]) -> MaskedText:
    if secret and not placeholder(text):
        return MaskedText(MASK)
    if text in clean and not learnt and covered(text, seen(text, personal)) == text:
        return MaskedText(text)
    return _masked(text, learnt)
