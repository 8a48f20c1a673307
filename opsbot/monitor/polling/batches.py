"""Conditions of many rules in, one question out; its one answer in, the samples of each rule out again. Pure.

Each condition stands under a label that names its rule, `label_replace(CONDITION, "opsbot_rule", "ID $1", …)`, and all
are joined with `or`, which then never meets two elements that are alike. The value that a series had in that label
before stands behind the name, so nothing is lost where a series has it already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from opsbot import promql
from opsbot.core.alert import Sample
from opsbot.core.errors import Blind

LABEL = "opsbot_rule"
MOST_TEXT = 64_000
"""Characters of one question: proxies take bodies of this size, and a server can still print it."""


@lru_cache(maxsize=5_000)
def fits(condition: str) -> bool:
    """Whether a condition may stand among others: it can be read here, so no bracket or quote of it reaches further."""
    try:
        promql.condition(condition)
    except promql.PromqlError:
        return False
    return True


def joined(conditions: Mapping[str, str]) -> str:
    """One expression for conditions that fit, by the id of their rule (word characters alone); one at least.

    The tree of `or` is balanced: a chain would copy all that is on its left at each link, and nest as deep as it is
    long.
    """
    return _tree([_named(rule, condition) for rule, condition in conditions.items()])


def parted(samples: Iterable[Sample], rules: Iterable[str]) -> dict[str, list[Sample]]:
    """The samples of each of these rules, as its condition alone would give them; Blind where one names no rule."""
    found: dict[str, list[Sample]] = {rule: [] for rule in rules}
    for sample in samples:
        rule, said, before = sample.labels.get(LABEL, "").partition(" ")
        if rule not in found or not said:
            raise Blind("Prometheus gave a series that belongs to none of the rules asked for")
        labels = {name: value for name, value in sample.labels.items() if name != LABEL}
        if before:
            labels[LABEL] = before
        found[rule].append(Sample(labels, sample.value, sample.at))
    return found


def packed(conditions: Mapping[str, str], parcels: int, most: int) -> list[dict[str, str]]:
    """Conditions dealt out to so many questions, or to more: none has more than `most`, or more than MOST_TEXT.

    They are dealt from the longest to the shortest: what a condition costs shows in its length, if at all, and a poll
    waits for the dearest question.
    """
    items = sorted(conditions.items(), key=lambda item: len(item[1]), reverse=True)
    longest = sum(len(condition) + _FRAME for condition in conditions.values()) // MOST_TEXT + 1
    count = max(parcels, longest, -(-len(items) // most))
    dealt = [dict(items[start::count]) for start in range(min(count, len(items)))]
    return [parcel for given in dealt for parcel in _halved(given)]


# the expression -----------------------------------------------------------------------------------------------------

_SRC = f'"{LABEL}", "(?s)(.*)"'
"""(?s): without it Prometheus 2 would not see a value that has a line break in it."""

_FRAME = 96
"""Characters that are put around a condition, at most."""


@lru_cache(maxsize=5_000)
def _named(rule: str, condition: str) -> str:
    """A condition under the label of its rule. The line break ends a comment that the condition may end with."""
    body = f"vector({condition}\n)" if promql.is_number(condition) else f"{condition}\n"
    return f'label_replace({body}, "{LABEL}", "{rule} $1", {_SRC})'


def _tree(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return f"({_tree(parts[:middle])} or {_tree(parts[middle:])})"


def _halved(parcel: dict[str, str]) -> list[dict[str, str]]:
    """A parcel that is not too long, or its halves: an even share of conditions need not be one of text."""
    if len(parcel) < 2 or sum(len(condition) + _FRAME for condition in parcel.values()) <= MOST_TEXT:
        return [parcel]
    items, middle = list(parcel.items()), len(parcel) // 2
    return [*_halved(dict(items[:middle])), *_halved(dict(items[middle:]))]
