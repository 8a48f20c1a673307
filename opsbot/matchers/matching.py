"""Many lists of matchers, asked at once which of them match the labels of an alert.

Each label's value is judged once for all lists, and remembered: alerts are many, values are few. A list without
matchers matches everything, one with a pattern that cannot be read nothing; a label that is not there is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import re2

from opsbot.core.silence import Match, Matcher

REMEMBERED = 32_768
"""Values of one label that are remembered at most."""

Matchers = tuple[Matcher, ...]

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False


class Table:
    """Lists of matchers, numbered from 0. Threads may share it."""

    def __init__(self, lists: Sequence[Matchers]) -> None:
        good = [(1 << number, matchers) for number, matchers in enumerate(lists) if all(map(_sound, matchers))]
        self._all = sum(bit for bit, _ in good)
        columns: dict[str, list[tuple[int, Matcher]]] = {}
        for bit, matchers in good:
            for matcher in matchers:
                columns.setdefault(matcher.name, []).append((bit, matcher))
        self._columns = [(name, _Column(self._all, found)) for name, found in columns.items()]

    def matching(self, labels: Mapping[str, str]) -> int:
        """Which lists match these labels: bit N for list N."""
        bits = self._all
        for name, column in self._columns:
            bits &= column[labels.get(name, "")]
            if not bits:
                break
        return bits


class _Column(dict[str, int]):
    """The matchers of one label: a value in, the lists of which none fails out."""

    def __init__(self, every: int, matchers: Sequence[tuple[int, Matcher]]) -> None:
        super().__init__()
        self._every = every
        self._plain = [(bit, one.value, one.match is Match.IS) for bit, one in matchers if one.match in _PLAIN]
        regular = [(bit, one) for bit, one in matchers if one.match not in _PLAIN]
        self._regular = [(bit, one.match is Match.LIKE) for bit, one in regular]
        self._hits = _patterns(tuple(one.value for _, one in regular))

    def __missing__(self, value: str) -> int:
        failed = 0
        for bit, text, wanted in self._plain:
            if (value == text) is not wanted:
                failed |= bit
        if self._regular:
            hits = self._hits(value)
            for place, (bit, wanted) in enumerate(self._regular):
                if (place in hits) is not wanted:
                    failed |= bit
        if len(self) >= REMEMBERED:
            self.clear()
        self[value] = found = self._every & ~failed
        return found


_PLAIN = (Match.IS, Match.IS_NOT)


@lru_cache(maxsize=4)
def table(lists: tuple[Matchers, ...]) -> Table:
    """The table of these lists, with what it remembers from the last time."""
    return Table(lists)


def everything(matchers: Matchers) -> bool:
    """Whether they match labels of which there is none: such a list would match nearly every alert."""
    return Table([matchers]).matching({}) == 1


@lru_cache(maxsize=1024)
def why_not(pattern: str) -> str:
    """What is wrong with a regular expression; empty where nothing is."""
    try:
        re2.compile(pattern, _OPTIONS)
    except (re2.error, UnicodeError) as error:
        said = error.args[0] if error.args else ""
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "" if _set([pattern]) else "the pattern is too large"


def _sound(matcher: Matcher) -> bool:
    return matcher.match in _PLAIN or not why_not(matcher.value)


def _patterns(patterns: tuple[str, ...]) -> Callable[[str], set[int]]:
    """A value in, the numbers of the patterns that match all of it out: in one go where they fit into one automaton."""
    whole = _set(patterns)
    if whole is not None:
        return lambda value: set(whole.Match(value.encode("utf-8", "replace")) or ())
    middle = len(patterns) // 2
    first, second = _patterns(patterns[:middle]), _patterns(patterns[middle:])
    return lambda value: first(value) | {middle + number for number in second(value)}


def _set(patterns: Sequence[str]) -> re2.Set | None:
    """One automaton for these patterns, each for a whole value; None where it would be too large."""
    found = re2.Set.FullMatchSet(_OPTIONS)
    try:
        for pattern in patterns:
            found.Add(pattern)
        found.Compile()
    except re2.error:
        return None
    return found
