"""Alerts with odd labels, as opsbot knows them and as Alertmanager is sent them; and matchers by chance."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from opsbot.core.alert import Alert, AlertState, fingerprint
from opsbot.core.silence import Match, Matcher

VALUES = (
    "", "x", "y", "xy", "web-1", "web-12", "it's", 'a "quoted" one', "a,b", "a=b", "back\\slash", "two\nlines", "{x}",
    "\u00e4\u00f6 \U0001f525", " x ", "X", "1", "=~", "a.c", "abc", "\u017f", "K", "\u212a",
)  # fmt: skip
NAMES = ("a", "b", "severity", "_x")
PATTERNS = (
    "", "x", "x|y", "x.*", ".*", ".+", "web-[0-9]", "web-\\d+", "(?i)x", "(?s)two.lines", "two.lines", "a.c", "a\\.c",
    "^x$", "[^x]*", "(x)(y)?", "(?:x|xy)", "\\pL+", "k", "(?i)k", "(?i)s", "x{0,2}y?", "\\Qa.c\\E", "[[:alpha:]]+",
    "\\x78", "\\bx\\b.*",
)  # fmt: skip
MATCHES = tuple(Match)


def alert(labels: Mapping[str, str], *, firing: bool = True) -> Alert:
    """An alert of opsbot."""
    state = AlertState.FIRING if firing else AlertState.RESOLVED
    kept = {name: value for name, value in labels.items() if value}
    begun = datetime(2026, 5, 4, tzinfo=UTC)
    return Alert("r", "A", fingerprint("r", kept), labels.get("severity", ""), kept, state, begun, fired_at=begun)


def posted(labels: Mapping[str, str], now: datetime, *, firing: bool = True) -> dict[str, Any]:
    """The same as Prometheus would send it."""
    ends = now + (timedelta(hours=1) if firing else -timedelta(seconds=1))
    return {"labels": dict(labels), "startsAt": stamp(now - timedelta(hours=1)), "endsAt": stamp(ends)}


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def matchers(chance: random.Random, most: int = 3) -> tuple[Matcher, ...]:
    """One to three matchers, each of them good."""
    return tuple(_matcher(chance) for _ in range(chance.randint(1, most)))


def _matcher(chance: random.Random) -> Matcher:
    match = chance.choice(MATCHES)
    plain = match in (Match.IS, Match.IS_NOT)
    return Matcher(chance.choice(NAMES), match, chance.choice(VALUES if plain else PATTERNS))


def some_labels(chance: random.Random, values: Sequence[str] = VALUES) -> dict[str, str]:
    """Labels of which some are empty, which means that they are not there."""
    return {name: chance.choice(values) for name in NAMES if chance.random() < 0.7}
