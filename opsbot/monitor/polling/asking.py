"""Rules that are due together in, what Prometheus says of each of them out: an answer, or why there is none.

They are asked in few questions; where one of these fails its rules are asked one by one, so that a rule that is wrong,
slow or only half answered never hides another. Where many fail alike it is the server, not the rules: not all are asked
then, and they stay together. It saves nothing and judges no alert.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsbot.core.alert import AlertRule, Answer
from opsbot.core.errors import Blind, PermanentError
from opsbot.core.ports import Metrics
from opsbot.monitor.polling import batches
from opsbot.monitor.polling.row import Failure, Outcome, Row

PARCELS = 2
"""Questions that rules are dealt out to: a server evaluates one question on one core."""

FEW = 4
"""Rules that are not worth a question together with others."""

MOST_TOGETHER = 125
"""Rules in one question, at most."""

MOST_AT_ONCE = 6
"""Questions under way at once: fewer than the connection has places, because others ask too."""

APART = 600.0
"""Seconds for which a rule is asked alone that failed, or was slow."""

SLOW, SHARE = 5.0, 0.25
"""A question is slow that takes so many seconds, or such a share of the time between two polls."""

USED_UP = 0.9
"""A question that took such a share of the time that it was given has no failure but that."""

PROBE = "vector(1)"
"""What any Prometheus can answer."""

Pool = ThreadPoolExecutor | None


@dataclass(frozen=True, slots=True)
class Round:
    """What became of the rules of one poll, by id, what it took, and how long those took that were asked alone."""

    outcomes: Mapping[str, Outcome]
    questions: int
    seconds: float
    alone: Mapping[str, float]


@dataclass(slots=True)
class _Poll:
    """One poll under way: `until` is by the timer, `least` the shortest time between two polls of its rules."""

    rules: Mapping[str, AlertRule]
    at: datetime
    until: float
    least: timedelta
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    alone: dict[str, float] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)


class Asking:
    """Asks for rules together, and remembers which are better asked alone. Threads may share it."""

    def __init__(self, metrics: Metrics, timer: Callable[[], float] = time.monotonic) -> None:
        self._metrics = metrics
        self._timer = timer
        self._apart: dict[str, float] = {}
        self._alike: set[str] = set()
        self._once: set[str] = set()
        self._turn = 0
        self._most, self._most_until = MOST_TOGETHER, 0.0
        self._timed_until = 0.0

    def ask(self, rules: Sequence[AlertRule], at: datetime, patience: float) -> Round:
        """What there is to say of each rule at that time, within `patience` seconds."""
        begun = self._timer()
        poll = _Poll({rule.id: rule for rule in rules}, at, begun + patience, min(rule.every for rule in rules))
        parcels, alone = self._dealt(poll)
        if len(rules) == 1:
            self._ask_all(poll, parcels, alone, None)
        else:  # its threads begin when there is something for them to do
            with ThreadPoolExecutor(MOST_AT_ONCE, "poll") as pool:
                self._ask_all(poll, parcels, alone, pool)
        return Round(poll.outcomes, len(poll.asked), self._timer() - begun, poll.alone)

    def forget(self, kept: Iterable[str]) -> None:
        """Remember nothing of rules but these."""
        there = set(kept)
        self._apart = {rule: until for rule, until in self._apart.items() if rule in there}
        self._alike &= there
        self._once &= there

    # what is asked together -----------------------------------------------------------------------------------------

    def _dealt(self, poll: _Poll) -> tuple[list[dict[str, str]], list[str]]:
        """Which conditions make which question, and which rules are asked alone."""
        now = self._timer()
        once, most = self._once & poll.rules.keys(), self._most if now < self._most_until else MOST_TOGETHER
        self._once -= once
        together = {
            name: rule.condition for name, rule in poll.rules.items()
            if name not in once and self._apart.get(name, 0.0) <= now and batches.fits(rule.condition)
        }  # fmt: skip
        # Those that failed alike stay together, but do not spoil the question of those that did not.
        alike = {name: condition for name, condition in together.items() if name in self._alike}
        well = {name: condition for name, condition in together.items() if name not in alike}
        parcels = batches.packed(well, PARCELS if len(well) > FEW else 1, most) + batches.packed(alike, 1, most)
        lonely = [name for parcel in parcels if len(parcel) == 1 for name in parcel]
        alone = [name for name in poll.rules if name not in together]
        return [parcel for parcel in parcels if len(parcel) > 1], lonely + alone

    def _ask_all(self, poll: _Poll, parcels: list[dict[str, str]], alone: list[str], pool: Pool) -> None:
        texts = [batches.joined(parcel) for parcel in parcels]
        # The first question needs no thread: this one waits for all of them.
        later = [_begun(pool, self._ask_parcel, poll, *one) for one in zip(parcels[1:], texts[1:], strict=True)]
        row = Row(self._turned(alone), FEW + 1)
        single = [_begun(pool, self._ask_alone, poll, row, name) for name in row.names]
        first = [_begun(None, self._ask_parcel, poll, *one) for one in zip(parcels[:1], texts[:1], strict=True)]
        asked = zip(parcels, first + later, strict=True)
        failed = [(parcel, error) for parcel, done in asked if (error := done.result()) is not None]
        if failed:
            self._ask_again(poll, failed, pool)
        for done in single:
            done.result()
        self._learn(row)

    def _ask_again(self, poll: _Poll, failed: Sequence[tuple[dict[str, str], Failure]], pool: Pool) -> None:
        """One by one, the rules of questions that failed."""
        said = self._nobody_there(poll, failed[0][1])
        rows = [Row(self._turned(parcel), min(len(parcel), FEW + 1), said) for parcel, _ in failed]
        for done in [_begun(pool, self._ask_alone, poll, row, name) for row in rows for name in row.names]:
            done.result()
        for row in rows if said is None else ():
            self._learn(row)
            if row.all_answered():  # one by one, so together they were too much: ask for fewer
                self._most, self._most_until = max(len(row.names) // 2, 1), self._timer() + APART

    def _turned(self, parcel: Iterable[str]) -> list[str]:
        """Others come first each time, so that no rule is left out again and again because of those before it."""
        names = sorted(parcel)
        start = self._turn % max(len(names), 1)
        return names[start:] + names[:start]

    def _ask_parcel(self, poll: _Poll, parcel: dict[str, str], text: str) -> Failure | None:
        """Ask for many; the failure where there is no answer that can be taken apart."""
        begun = self._timer()
        # Half of the time is for asking one by one, should that be needed.
        left = (poll.until - begun) / 2
        got = self._answer(poll, text, left)
        if not isinstance(got, Answer):
            return got
        try:
            parts = batches.parted(got.samples, parcel)
        except Blind as error:
            return error
        for name, samples in parts.items():
            poll.outcomes[name] = Answer(tuple(samples), got.asked_at)
        self._alike.difference_update(parcel)
        if is_slow(self._timer() - begun, poll.least):
            self._time_each(parcel)
        return None

    def _ask_alone(self, poll: _Poll, row: Row, name: str) -> None:
        begun, said = self._timer(), row.said()
        if said is not None or begun >= poll.until:
            poll.outcomes[name] = said or Blind("there was no time left to ask")
            return
        given, every = poll.until - begun, poll.rules[name].every
        got = poll.outcomes[name] = self._answer(poll, poll.rules[name].condition, given)
        took = poll.alone[name] = self._timer() - begun
        # A failure is that of a slow rule if it used up the time; one that the server told of slowly may be anything.
        row.note(name, got, is_slow(took, every) if isinstance(got, Answer) else took >= USED_UP * given)

    def _answer(self, poll: _Poll, expression: str, timeout: float) -> Outcome:
        poll.asked.append(expression)
        try:
            return self._metrics.query(expression, poll.at, timeout)
        except (Blind, PermanentError) as error:
            return error

    # what is remembered ---------------------------------------------------------------------------------------------

    def _nobody_there(self, poll: _Poll, error: Failure) -> Blind | None:
        """Why nothing can be asked at all now; None where the server answers, so that the question was at fault."""
        if isinstance(error, PermanentError):
            return None
        got = self._answer(poll, PROBE, min(max(poll.until - self._timer(), 0.01), 2.0))
        return None if isinstance(got, Answer) else error

    def _learn(self, row: Row) -> None:
        """Ask alone for a while what was slow, or failed in a way of its own; together what failed as others did."""
        together = row.together()
        self._alike.difference_update(set(row.names) - row.left_out())
        self._alike.update(together)
        for name in together:
            self._apart.pop(name, None)
        self._apart.update(dict.fromkeys(row.apart(), self._timer() + APART))
        self._turn += len(row.names) - len(row.left_out()) if row.left_out() else 0

    def _time_each(self, parcel: Iterable[str]) -> None:
        """A slow question hides which rule is slow: ask for each alone at the next poll, though not at every poll."""
        now = self._timer()
        if now >= self._timed_until:
            self._timed_until = now + APART
            self._once.update(parcel)


def is_slow(seconds: float, every: timedelta) -> bool:
    """Whether a question that is asked so often takes too long."""
    return seconds > min(SLOW, SHARE * every.total_seconds())


def _begun(pool: Pool, ask: Callable[..., Failure | None], *given: object) -> Future[Failure | None]:
    """A call in a thread of the pool; without one it is made here and now."""
    if pool is not None:
        return pool.submit(ask, *given)
    done: Future[Failure | None] = Future()
    done.set_result(ask(*given))
    return done
