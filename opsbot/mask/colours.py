"""Terminal colours out of the way: a text walks in, views of it walk out, in each of which secrets are looked for.

Colours may stand around a name, its sign, a quote or inside a value, and a finder should not have to know about them.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

Span = tuple[int, int]
Find = Callable[[str], Iterable[Span]]

# "Select graphic rendition" of ECMA-48, as the terminal gets it and as JSON and programs spell it.
_COLOUR = re.compile(r"(?:[\x1b\x9b]|\\{1,8}(?:u001[bB]|x1[bB]|033|e(?=\[)))\[?[0-9;:]{0,40}m")


@dataclass(frozen=True, slots=True)
class View:
    """A text to look at, and how its places are those of the whole text."""

    text: str
    cuts: tuple[int, ...] = ()  # where in the text something was left out, rising
    gone: tuple[int, ...] = (0,)  # how many characters were left out before, at and after each cut

    def place(self, start: int, end: int) -> Span:
        """The same place in the whole text; what was left out right before or after it stays outside."""
        return start + self.gone[bisect_right(self.cuts, start)], end + self.gone[bisect_left(self.cuts, end)]


def seen(text: str, find: Find) -> Iterator[Span]:
    """All that is found in a text, whether colours stand in between or not."""
    for view in _views(text):
        yield from (view.place(start, end) for start, end in find(view.text))


def plain(text: str) -> str:
    """The text without colours."""
    return _COLOUR.sub("", text)


def _views(text: str) -> Iterator[View]:
    """The text itself; where it is coloured: with blanks for the colours (they end a word), and without them at all."""
    colours = [found.span() for found in _COLOUR.finditer(text)]
    yield View(_COLOUR.sub(lambda found: " " * len(found[0]), text) if colours else text)
    if colours:
        cuts, gone = [], [0]
        for start, end in colours:
            cuts.append(start - gone[-1])
            gone.append(gone[-1] + end - start)
        yield View(plain(text), tuple(cuts), tuple(gone))
