"""Sets of label names that may be all names but some: what a result can have where nothing names its labels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels that a result has at most: only `names`, or, with `others`, any but these."""

    names: frozenset[str] = frozenset()
    others: bool = False

    @classmethod
    def of(cls, names: Iterable[str]) -> Self:
        """These and no others."""
        return cls(frozenset(names))

    def __contains__(self, name: str) -> bool:
        return (name in self.names) is not self.others

    def __invert__(self) -> Labels:
        return Labels(self.names, not self.others)

    def __and__(self, other: Labels) -> Labels:
        if self.others and other.others:
            return Labels(self.names | other.names, True)
        if self.others:
            return Labels(other.names - self.names)
        return Labels(self.names - other.names if other.others else self.names & other.names)

    def __or__(self, other: Labels) -> Labels:
        return ~(~self & ~other)

    def __sub__(self, other: Labels) -> Labels:
        return self & ~other


NONE = Labels()
ANY = ~NONE
