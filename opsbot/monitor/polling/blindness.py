"""What each poll saw of its rules in, what cannot be seen now out; the log is told what has changed, in few lines."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsbot import promql
from opsbot.core.alert import AlertRule
from opsbot.core.errors import OpsbotError
from opsbot.core.evidence import MaskedText
from opsbot.mask import mask

SINGLY = 3
"""So many rules with the same news are told one by one, more of them in one line that names as many."""

LOG = logging.getLogger("opsbot.monitor")


@dataclass(frozen=True, slots=True)
class Blindness:
    """Since when a rule has had no whole answer, how many times in a row, and why the last time."""

    since: datetime
    times: int
    why: MaskedText


class Eyesight:
    """Keeps of each rule whether it can be seen. Threads may share it."""

    def __init__(self) -> None:
        self._blind: dict[str, Blindness] = {}
        self._seen: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def keep(self, rules: Iterable[str]) -> None:
        """Forget all rules but these, by id."""
        there = set(rules)
        with self._lock:
            self._blind = {rule: blind for rule, blind in self._blind.items() if rule in there}
            self._seen = {rule: when for rule, when in self._seen.items() if rule in there}

    def blind(self) -> dict[str, Blindness]:
        """What cannot be seen now, by rule id."""
        with self._lock:
            return dict(self._blind)

    def seen(self) -> dict[str, datetime]:
        """When each rule had its last whole answer, by id; without those that never had one."""
        with self._lock:
            return dict(self._seen)

    def sees(self, rules: Iterable[str]) -> bool:
        """Whether the last answer for each of these was whole."""
        with self._lock:
            return self._seen.keys() - self._blind.keys() >= set(rules)

    def saw(self, rules: Sequence[AlertRule], now: datetime) -> None:
        """Whole answers for these rules."""
        again: list[tuple[AlertRule, Blindness]] = []
        with self._lock:
            for rule in rules:
                self._seen[rule.id] = now
                if before := self._blind.pop(rule.id, None):
                    again.append((rule, before))
        _tell_of_sight(again)

    def missed(self, rules: Sequence[tuple[AlertRule, OpsbotError]], now: datetime, count: int) -> None:
        """No whole answer for these rules, each with the reason; `count` rules are watched in all."""
        fresh: dict[str, list[tuple[AlertRule, OpsbotError]]] = {}
        with self._lock:
            for rule, error in rules:
                before, why = self._blind.get(rule.id), mask(str(error)).cut(200)
                times, since = (before.times + 1, before.since) if before else (1, now)
                self._blind[rule.id] = Blindness(since, times, why)
                if not before:
                    fresh.setdefault(kind(error), []).append((rule, error))
        for alike in fresh.values():
            _tell_of_blindness(alike, count)


def kind(error: OpsbotError) -> str:
    """What errors have in common that differ only in numbers: in places, seconds or addresses."""
    return f"{type(error).__name__}: {re.sub(r'[0-9]+', '0', str(error))}"


def _tell_of_sight(again: Sequence[tuple[AlertRule, Blindness]]) -> None:
    if len(again) > SINGLY:
        most = max(before.times for _, before in again)
        some = _some([rule for rule, _ in again])
        LOG.info("%d rules can be read again, after up to %d failures: %s", len(again), most, some)
        return
    for rule, before in again:
        LOG.info("rule %r can be read again, after %d failures", rule.name, before.times)


def _tell_of_blindness(alike: Sequence[tuple[AlertRule, OpsbotError]], count: int) -> None:
    if len(alike) > SINGLY:
        some, why = _some([rule for rule, _ in alike]), mask(str(alike[0][1])).cut(200)
        LOG.warning("%d of %d rules cannot be read: %s: %s", len(alike), count, some, why)
        return
    for rule, error in alike:
        LOG.warning("rule %r cannot be read: %s", rule.name, mask(str(error)).cut(200), extra=_place(rule, str(error)))


def _some(rules: Sequence[AlertRule]) -> str:
    names = list(dict.fromkeys(rule.name for rule in rules))
    return ", ".join(map(repr, names[:SINGLY])) + (" and others" if len(names) > SINGLY else "")


def _place(rule: AlertRule, why: str) -> Mapping[str, object] | None:
    """What a log line holds besides: the place in a condition that Prometheus complains of, where it names one."""
    found = re.search(r"(\d+):(\d+): parse error", why)
    if not found:
        return None
    at = promql.excerpt(rule.condition, promql.offset(rule.condition, int(found[1]), int(found[2])))
    return {"fields": {"at": at}} if at else None
