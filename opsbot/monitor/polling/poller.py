"""Poller: alert rules and a time in, alerts in the store out.

It asks Prometheus for what rules state, walks their alerts on and saves them. What is not a complete and fresh answer
changes no alert; it is counted, so that humans can be told once it has lasted.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from opsbot import promql
from opsbot.core.alert import POLLED, Alert, AlertRule, AlertState, Answer, Sample
from opsbot.core.duration import spell
from opsbot.core.errors import Blind, Conflict, PermanentError
from opsbot.core.evidence import MaskedText
from opsbot.core.ports import Clock, Metrics, Store
from opsbot.mask import mask
from opsbot.monitor.gotemplate import NOWHERE, Server, TemplateError
from opsbot.monitor.polling.asking import Asking, Outcome, Round, is_slow
from opsbot.monitor.state import OUTAGE, RETENTION, carried, walk, words

PATIENCE = 10.0
"""Seconds that all questions of a poll may take; less where rules are asked more often, so that polls never pile up."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

LOG = logging.getLogger("opsbot.monitor")


@dataclass(frozen=True, slots=True)
class Blindness:
    """Since when a rule has had no whole answer, how many times in a row, and why the last time."""

    since: datetime
    times: int
    why: MaskedText


class Poller:
    """Polls rules. Threads may share it; `clock`, where given, tells how old an answer is once it is in hand."""

    def __init__(
        self, *, rules: Sequence[AlertRule], metrics: Metrics, store: Store, cluster: str, clock: Clock | None = None,
        server: Server = NOWHERE, timer: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._rules = {rule.id: rule for rule in rules}
        self._metrics = metrics
        self._asking = Asking(metrics, timer)
        self._timer = timer
        self._store = store
        self._cluster = cluster
        self._clock = clock
        self._server = server
        self._blind: dict[str, Blindness] = {}
        self._whole: set[str] = set()
        self._answered: dict[str, datetime] = {}
        self._tidy = False
        self._slow: dict[str, float] = {}
        self._last = {"seconds": 0.0, "questions": 0.0, "alone": 0.0}
        self._lock = threading.Lock()

    @property
    def rules(self) -> dict[str, AlertRule]:
        """The rules that are watched, by id."""
        return self._rules

    def poll(self, rules: Sequence[AlertRule], now: datetime) -> None:
        """Ask for the conditions of rules that are due together at the time `now`, and save what they make of it."""
        self._retire(now)
        due: dict[timedelta, list[AlertRule]] = {}
        for rule in rules:
            if rule.id in self._rules:  # else the last tick of a rule that is gone
                due.setdefault(rule.query_offset, []).append(self._rules[rule.id])
        for together in due.values():
            self._poll(together, now)

    def watch(self, rules: Sequence[AlertRule]) -> None:
        """Watch these rules from now on; alerts of those that are gone end at the next poll."""
        with self._lock:
            self._rules = {rule.id: rule for rule in rules}
            self._blind = {rule: blind for rule, blind in self._blind.items() if rule in self._rules}
            self._slow = {rule: seconds for rule, seconds in self._slow.items() if rule in self._rules}
            self._answered = {rule: when for rule, when in self._answered.items() if rule in self._rules}
            self._whole &= self._rules.keys()
            self._asking.forget(self._rules)
            self._tidy = False

    def blindness(self) -> dict[str, Blindness]:
        """What cannot be seen now, by rule id."""
        with self._lock:
            return dict(self._blind)

    def slow(self) -> dict[str, float]:
        """The rules that take too long, by id, with the seconds that each took when it was last asked alone."""
        with self._lock:
            return dict(self._slow)

    def figures(self) -> Mapping[str, float]:
        """The last poll: `seconds`, `questions`, rules asked `alone`; and `rules` in all, `slow`, `blind`."""
        with self._lock:
            counts = {"rules": len(self._rules), "slow": len(self._slow), "blind": len(self._blind)}
            return {**self._last, **counts}

    def sees_all(self) -> bool:
        """Whether the last answer for every rule was whole."""
        with self._lock:
            return self._whole >= self._rules.keys()

    # one poll -------------------------------------------------------------------------------------------------------

    def _poll(self, rules: Sequence[AlertRule], now: datetime) -> None:
        """Rules that are asked for the same time: ask, walk their alerts on, save all at once."""
        least = min(rule.every for rule in rules)
        begun, patience = self._timer(), min(PATIENCE, 2 * least.total_seconds())
        at, until = now - rules[0].query_offset, begun + patience
        asked = self._asking.ask(rules, at, patience)
        before = self._before(rules, now)
        walked: dict[str, list[Alert]] = {}
        for rule in rules:
            try:
                answer = self._whole_answer(rule, asked.outcomes[rule.id], at, now)
                walked[rule.id] = self._walked(rule, answer, before(rule), now, until)
            except (Blind, PermanentError) as error:
                self._saw_nothing(rule, error, now)
        saved = self._store.save_answers(walked, now) if walked else frozenset()
        for rule in rules:
            if rule.id in saved:
                self._saw(rule, now)
            elif rule.id in walked:
                self._saw_nothing(rule, Blind("the answer is older than one that is known already"), now)
        self._time(rules, asked, begun)

    def _before(self, rules: Sequence[AlertRule], now: datetime) -> Callable[[AlertRule], list[Alert]]:
        """What the store says of the alerts of a rule, read once for all rules."""
        kept: dict[str, list[Alert]] = {}
        for alert in self._store.alerts():
            kept.setdefault(alert.rule, []).append(alert)
        answers: Mapping[str, datetime] = {}
        if any(now - self._answered.get(rule.id, LONG_AGO) > OUTAGE for rule in rules):
            answers = self._store.answers()  # else this process itself knows that there was no outage
        answered = {**self._answered, **answers}
        return lambda rule: carried(kept.get(rule.id, []), answered.get(rule.id), now)

    def _walked(
        self, rule: AlertRule, answer: Answer, before: Sequence[Alert], now: datetime, until: float
    ) -> list[Alert]:
        """The alerts afterwards. One that was pushed, and that is not in the answer, is left to who has pushed it."""
        if not answer.samples and not before:
            return []
        server = replace(self._server, query=self._asker(now, until))
        said = words(rule, answer.samples, server)
        mine = [alert for alert in before if alert.source == POLLED or alert.fingerprint in said]
        return walk(rule, said, mine, now, self._cluster)

    def _whole_answer(self, rule: AlertRule, answer: Outcome, at: datetime, now: datetime) -> Answer:
        """A complete answer for the time `at` that is not older than two polls when it is in hand; else its error."""
        if not isinstance(answer, Answer):
            raise answer
        if answer.asked_at != at:
            raise Blind(f"the answer is for {answer.asked_at.isoformat()}, not for the time asked")
        age = self._clock() - now if self._clock else timedelta()
        if age > 2 * rule.every:
            raise Blind(f"the answer was {age.total_seconds():.1f}s old when it came")
        return answer

    def _asker(self, now: datetime, until: float) -> Callable[[str], Sequence[Sample]]:
        """What answers `query` in templates while there is time: the same server, for the time of the poll.

        Prometheus asks for that time, too, whatever the offset of the rule (rules/alerting.go, Eval).
        """

        def query(text: str) -> Sequence[Sample]:
            left = until - self._timer()
            if left <= 0:
                raise TemplateError("query: there was no time left to ask")
            try:
                return self._metrics.query(text, now, left).samples
            except (Blind, PermanentError) as error:
                raise TemplateError(f"query: {error}") from error

        return query

    def _retire(self, now: datetime) -> None:
        """Once: alerts of rules that are no longer watched can never be seen to clear, so they end here.

        The time of the last answer stays as it was: that nobody looks any more proves nothing to a verification.
        """
        if self._tidy:
            return
        kept: dict[str, list[Alert]] = {}
        for alert in self._store.alerts():
            if alert.rule not in self._rules and alert.source == POLLED:
                kept.setdefault(alert.rule, []).extend(_ended(alert, now))
        for rule, alerts in kept.items():
            with suppress(Conflict):
                self._store.save_alerts(rule, alerts, self._store.answered(rule) or now)
        self._tidy = True

    def _saw(self, rule: AlertRule, now: datetime) -> None:
        with self._lock:
            self._whole.add(rule.id)
            self._answered[rule.id] = now
            before = self._blind.pop(rule.id, None)
        if before:
            LOG.info("rule %r can be read again, after %d failures", rule.name, before.times)

    def _saw_nothing(self, rule: AlertRule, error: Exception, now: datetime) -> None:
        why = mask(str(error)).cut(200)
        with self._lock:
            if rule.id not in self._rules:
                return
            before = self._blind.get(rule.id)
            self._whole.discard(rule.id)
            self._blind[rule.id] = Blindness(before.since, before.times + 1, why) if before else Blindness(now, 1, why)
        if not before:
            excerpt = _excerpt(rule, str(error))
            extra = {"fields": {"at": excerpt}} if excerpt else None
            LOG.warning("rule %r cannot be read: %s", rule.name, why, extra=extra)

    def _time(self, rules: Sequence[AlertRule], asked: Round, begun: float) -> None:
        """Keep what the poll took, and tell of rules that have become slow, and of those that are so no more."""
        with self._lock:
            self._last = {
                "seconds": self._timer() - begun, "questions": asked.questions, "alone": len(asked.alone)
            }  # fmt: skip
            news = [rule for rule in rules if rule.id in asked.alone and rule.id in self._rules]
            for rule in news:
                self._time_one(rule, asked.alone[rule.id])

    def _time_one(self, rule: AlertRule, seconds: float) -> None:
        before = self._slow.pop(rule.id, None)
        if is_slow(seconds, rule.every):
            self._slow[rule.id] = seconds
            if before is None:
                every = spell(rule.every)
                LOG.warning("rule %r takes too long: %.1fs each %s; it is asked alone", rule.name, seconds, every)
        elif before is not None:
            LOG.info("rule %r does not take too long any more", rule.name)


def _excerpt(rule: AlertRule, why: str) -> str:
    """The place in a condition that Prometheus complains of, where it names one."""
    found = re.search(r"(\d+):(\d+): parse error", why)
    return promql.excerpt(rule.condition, promql.offset(rule.condition, int(found[1]), int(found[2]))) if found else ""


def _ended(alert: Alert, now: datetime) -> list[Alert]:
    """What is left of an alert whose rule is gone."""
    if alert.state is AlertState.FIRING:
        return [replace(alert, state=AlertState.RESOLVED, holds=False, holds_since=now, resolved_at=now)]
    fresh = alert.resolved_at is not None and now - alert.resolved_at <= RETENTION
    return [alert] if alert.state is AlertState.RESOLVED and fresh else []
