"""The one door to `regex`: patterns of rules are compiled and vetted here, and searched line by line with a budget.

Text is untrusted and so is its shape: a search that takes too long raises TimeoutError, which becomes a gap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import accumulate
from typing import Any

import regex

from opsbot.core.evidence import Evidence, MaskedText

LONGEST = 500
LONGEST_LINE = 8_192
_SECONDS = 0.25
_RUN, _REPEATED = 3_000, 300
# The time that the kubelet puts before each line of a log, and that we put before each Event: RFC 3339, then a blank.
_STAMP = regex.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ?")


@lru_cache(maxsize=2_000)
def compiled(pattern: str) -> Any:
    """A compiled pattern; ValueError says what is wrong with it and where."""
    if len(pattern) > LONGEST:
        raise ValueError(f"is longer than {LONGEST} characters")
    try:
        return regex.compile(pattern, regex.MULTILINE)
    except regex.error as error:
        raise ValueError(f"does not compile: {error.msg} at character {(error.pos or 0) + 1}") from error
    except (RecursionError, OverflowError, ValueError) as error:
        raise ValueError(f"does not compile: {type(error).__name__}") from error


def groups(pattern: str) -> tuple[str, ...]:
    """The named groups of a pattern."""
    return tuple(compiled(pattern).groupindex)


@lru_cache(maxsize=2_000)
def vet(pattern: str) -> str:
    """What is wrong with a pattern, in a few words; empty when nothing is.

    No proof: texts made to provoke needless backtracking are tried, each under a time limit of CPU seconds.
    """
    try:
        found = compiled(pattern)
        if found.search("", timeout=_SECONDS):
            return "is found in an empty line, so in every line"
        for probe in _probes(pattern):
            found.search(probe, timeout=_SECONDS)
    except ValueError as error:
        return str(error)
    except TimeoutError:
        return f"takes too long on a text such as {_shown(probe)}"
    return ""


def _probes(pattern: str) -> Iterator[str]:
    """Runs of single characters and of the pattern's own words, also with such a word before an end that fits nothing.

    The word at the end matters: an engine that misses a literal which the pattern needs gives up at once.
    """
    words = list(dict.fromkeys(regex.findall(r"[A-Za-z]{2,}|\d{2,}", pattern)))[:12]
    plain = "".join(dict.fromkeys(char for char in pattern if char.isalnum()))[:12]
    signs = [char for char in dict.fromkeys(pattern) if char in ":;,=/-_'\"!@#%&<>"]
    for char in dict.fromkeys(f'aA0 \t._-/:"={plain}'):
        yield char * _RUN + "\x00"
        yield char * 60 + "\x00"
    for word in words:
        yield word * (_REPEATED // len(word) or 1) + "\x00"
        yield f"{word} " * (_REPEATED // (len(word) + 1) or 1) + "\x00"
    for body in ("a" * 40, "a " * 20, "0" * 40, " " * 40, "ab" * 20):
        yield from (f"{body}{end}\x00" for end in (*words, *signs))


def _shown(probe: str) -> str:
    return repr(probe[:10])[:-1] + "…'"


@dataclass(frozen=True, slots=True)
class Hit:
    """A line in which a pattern was found: its number from 1, the whole line, its time, and the named groups."""

    line: int
    text: MaskedText
    at: datetime | None
    groups: dict[str, str]


class Lines:
    """The lines of one piece of evidence, without the time before each, ready to be searched by many patterns."""

    def __init__(self, evidence: Evidence) -> None:
        self._whole = evidence.text.lines()
        stamps = [_STAMP.match(line) for line in self._whole]
        self._stamps = [found[1] if found else "" for found in stamps]
        bare = [
            line[found.end() if found else 0 :][:LONGEST_LINE] for line, found in zip(self._whole, stamps, strict=True)
        ]
        self._body = "\n".join(bare)
        self._starts = [0, *accumulate(len(line) + 1 for line in bare)][:-1]
        self._ends = [start + len(line) for start, line in zip(self._starts, bare, strict=True)]

    def search(self, pattern: str, left: Callable[[], float]) -> Iterator[Hit]:
        """Every line that the pattern is found in; TimeoutError when a search takes more than the seconds `left`.

        The whole text is searched for the next place, then that line alone: a match never spans two lines.
        """
        found, place = compiled(pattern), 0
        while self._starts and place <= len(self._body):
            near = found.search(self._body, place, timeout=left())
            if near is None:
                return
            row = max(bisect_right(self._starts, near.start()) - 1, 0)
            inside = found.search(self._body[self._starts[row] : self._ends[row]], timeout=left())
            if inside:
                kept = {name: text for name, text in inside.groupdict().items() if text is not None}
                yield Hit(row + 1, self._whole[row], _moment(self._stamps[row]), kept)
            place = self._ends[row] + 1


def _moment(stamp: str) -> datetime | None:
    """The time of a stamp, finer parts than a microsecond dropped; None where it is no time after all."""
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


def stamps(text: str) -> list[datetime]:
    """The times that stand before the lines of a text."""
    found = (_STAMP.match(line) for line in text.split("\n"))
    times = (_moment(match[1]) for match in found if match)
    return [time for time in times if time]
