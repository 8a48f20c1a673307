"""Ticks of polls: rules that are due together, and when. Alert rules in, polls at regular times out.

Rules that are asked equally often, for the same time, are one tick. The first comes at once; those after it keep to
times that differ from interval to interval and from machine to machine, so that not all polls begin at one moment.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from opsbot.core.alert import AlertRule
from opsbot.core.duration import spell
from opsbot.core.ports import Clock
from opsbot.tasks.schedule import Schedule, latest

LOG = logging.getLogger("opsbot.app")

LATE = timedelta(seconds=1)
"""How late a poll may begin and still count as one at its regular time; at most a quarter of its interval."""

Poll = Callable[[Sequence[AlertRule], datetime], object]
_Due = tuple[timedelta, timedelta]


class Ticks:
    """The schedule of one process; it polls on it, and others may put ticks of their own on `schedule`."""

    def __init__(self, poll: Poll, clock: Clock, who: str, threads: int = 1) -> None:
        self.schedule = Schedule(clock, threads, self._heard)
        self._poll, self._clock, self._who = poll, clock, who
        self._due: dict[_Due, tuple[AlertRule, ...]] = {}
        self._missed = 0
        self._lock = threading.Lock()

    def take_up(self, rules: Iterable[AlertRule]) -> None:
        """Poll these rules from now on, and no others."""
        due: dict[_Due, tuple[AlertRule, ...]] = {}
        for rule in rules:
            key = (rule.every, rule.query_offset)
            due[key] = (*due.get(key, ()), rule)
        before, self._due = self._due, due
        for key in before.keys() - due.keys():
            self.schedule.drop(_name(key))
        for key in due.keys() - before.keys():
            self.schedule.every(key[0], partial(self._tick, key), _name(key), self._phase(key))

    def figures(self) -> Mapping[str, float]:
        """How many polls were `missed`: skipped because the one before still ran, or broken off by an error."""
        return {"missed": self._missed}

    def _tick(self, key: _Due) -> None:
        rules = self._due.get(key)
        if rules:  # else the last tick of rules that are gone
            self._poll(rules, regular(self._clock(), key[0], self._phase(key)))

    def _phase(self, key: _Due) -> timedelta:
        """How far after the full interval it ticks: always the same for one machine and one interval."""
        said = hashlib.sha256(f"{self._who} {_name(key)}".encode()).digest()
        return key[0] * int.from_bytes(said[:4], "big") / 2**32

    def _heard(self, name: str, what: str) -> None:
        LOG.warning("tick %s: %s", name, what)
        if name.startswith(_POLL):
            with self._lock:
                self._missed += 1


def regular(now: datetime, every: timedelta, phase: timedelta) -> datetime:
    """The time that a poll which begins now is for: its regular one, unless that is too long ago already."""
    at = latest(now, every, phase)
    return at if now - at <= min(LATE, every / 4) else now


_POLL = "poll every "


def _name(key: _Due) -> str:
    every, offset = key
    return f"{_POLL}{spell(every)}" + (f" for {spell(offset)} before" if offset else "")
