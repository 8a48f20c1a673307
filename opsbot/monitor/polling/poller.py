"""Poller: alert rules and a time in, alerts in the store out.

It asks Prometheus for what rules state, walks their alerts on and saves them. What is not a complete and fresh answer
changes no alert; it is counted, so that humans can be told once it has lasted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opsbot.core.alert import POLLED, Alert, AlertRule, AlertState, Answer, Sample
from opsbot.core.duration import spell
from opsbot.core.errors import Blind, Conflict, OpsbotError, PermanentError
from opsbot.core.ports import Clock, Metrics, Store
from opsbot.monitor.gotemplate import NOWHERE, Server, TemplateError
from opsbot.monitor.polling.asking import Asking, Round, is_slow
from opsbot.monitor.polling.blindness import Blindness, Eyesight
from opsbot.monitor.polling.row import Outcome
from opsbot.monitor.state import OUTAGE, RETENTION, carried, walk, words

PATIENCE = 10.0
"""Seconds that all questions of a poll may take; less where rules are asked more often, so that polls never pile up."""

LONG_AGO = datetime.min.replace(tzinfo=UTC)

LOG = logging.getLogger("opsbot.monitor")


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
        self._sight = Eyesight()
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
            self._slow = {rule: seconds for rule, seconds in self._slow.items() if rule in self._rules}
            self._sight.keep(self._rules)
            self._asking.forget(self._rules)
            self._tidy = False

    def blindness(self) -> dict[str, Blindness]:
        """What cannot be seen now, by rule id."""
        return self._sight.blind()

    def slow(self) -> dict[str, float]:
        """The rules that take too long, by id, with the seconds that each took when it was last asked alone."""
        with self._lock:
            return dict(self._slow)

    def figures(self) -> Mapping[str, float]:
        """The last poll: `seconds`, `questions`, rules asked `alone`; and `rules` in all, `slow`, `blind`."""
        with self._lock:
            counts = {"rules": len(self._rules), "slow": len(self._slow), "blind": len(self._sight.blind())}
            return {**self._last, **counts}

    def sees_all(self) -> bool:
        """Whether the last answer for every rule was whole."""
        with self._lock:
            return self._sight.sees(self._rules)

    # one poll -------------------------------------------------------------------------------------------------------

    def _poll(self, rules: Sequence[AlertRule], now: datetime) -> None:
        """Rules that are asked for the same time: ask, walk their alerts on, save all at once."""
        least = min(rule.every for rule in rules)
        begun, patience = self._timer(), min(PATIENCE, 2 * least.total_seconds())
        at, until = now - rules[0].query_offset, begun + patience
        asked = self._asking.ask(rules, at, patience)
        before = self._before(rules, now)
        walked: dict[str, list[Alert]] = {}
        missed: list[tuple[AlertRule, OpsbotError]] = []
        for rule in rules:
            try:
                answer = self._whole_answer(rule, asked.outcomes[rule.id], at, now)
                walked[rule.id] = self._walked(rule, answer, before(rule), now, until)
            except (Blind, PermanentError) as error:
                missed.append((rule, error))
        saved = self._store.save_answers(walked, now) if walked else frozenset()
        late = Blind("the answer is older than one that is known already")
        missed += [(rule, late) for rule in rules if rule.id in walked and rule.id not in saved]
        self._note([rule for rule in rules if rule.id in saved], missed, now)
        self._time(rules, asked, begun)

    def _before(self, rules: Sequence[AlertRule], now: datetime) -> Callable[[AlertRule], list[Alert]]:
        """What the store says of the alerts of a rule, read once for all rules."""
        kept: dict[str, list[Alert]] = {}
        for alert in self._store.alerts():
            kept.setdefault(alert.rule, []).append(alert)
        answers: Mapping[str, datetime] = {}
        seen = self._sight.seen()
        if any(now - seen.get(rule.id, LONG_AGO) > OUTAGE for rule in rules):
            answers = self._store.answers()  # else this process itself knows that there was no outage
        answered = {**seen, **answers}
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

    def _note(self, seen: Sequence[AlertRule], missed: Sequence[tuple[AlertRule, OpsbotError]], now: datetime) -> None:
        """Keep what was seen and what was not, of rules that are still watched."""
        with self._lock:
            self._sight.saw([rule for rule in seen if rule.id in self._rules], now)
            there = [(rule, error) for rule, error in missed if rule.id in self._rules]
            self._sight.missed(there, now, len(self._rules))

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


def _ended(alert: Alert, now: datetime) -> list[Alert]:
    """What is left of an alert whose rule is gone."""
    if alert.state is AlertState.FIRING:
        return [replace(alert, state=AlertState.RESOLVED, holds=False, holds_since=now, resolved_at=now)]
    fresh = alert.resolved_at is not None and now - alert.resolved_at <= RETENTION
    return [alert] if alert.state is AlertState.RESOLVED and fresh else []
