"""MonitorAgent: a rule and a time in, alerts and incidents in the store out.

Each poll asks Prometheus for the rule's condition at that time, walks the alerts on, and then makes the incidents fit
what the store says, whoever left it so: a crash in between loses nothing. What is not a complete and fresh answer
changes no alert; it is counted, and told to humans once it has lasted.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from opsbot import promql
from opsbot.config import Limits
from opsbot.core.alert import Alert, AlertRule, AlertState, Answer, Sample, rank
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, Conflict, PermanentError, Problem
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State, advance
from opsbot.core.ports import Clock, Metrics, Store
from opsbot.mask import mask
from opsbot.monitor import incidents
from opsbot.monitor.goprint import TemplateError
from opsbot.monitor.gotemplate import NOWHERE, Server
from opsbot.monitor.incidents import BLIND, INVALID, Cause, Move
from opsbot.monitor.state import RETENTION, carried, step

WHO = "monitor"
PATIENCE = 10.0
"""Seconds that a question may take at most; less where a rule is asked more often."""

LOG = logging.getLogger("opsbot.monitor")


@dataclass(frozen=True, slots=True)
class Blindness:
    """Since when a rule has had no whole answer, how many times in a row, and why the last time."""

    since: datetime
    times: int
    why: MaskedText


class MonitorAgent:
    """Polls rules. Threads may share it; `clock`, where given, tells how old an answer is once it is in hand."""

    def __init__(
        self, *, rules: Sequence[AlertRule], metrics: Metrics, store: Store, cluster: str, limits: Limits,
        clock: Clock | None = None, server: Server = NOWHERE,
    ) -> None:  # fmt: skip
        self._rules = {rule.id: rule for rule in rules}
        self._metrics = metrics
        self._store = store
        self._cluster = cluster
        self._limits = limits
        self._clock = clock
        self._server = server
        self._blind: dict[str, Blindness] = {}
        self._whole: set[str] = set()
        self._invalid: datetime | None = None
        self._tidy = False
        self._lock = threading.Lock()

    def poll(self, rule: AlertRule, now: datetime) -> None:
        """Ask for one rule's condition at the time `now` and see to all that follows from the answer."""
        if rule.id not in self._rules:
            return  # the last tick of a rule that is gone
        self._retire(now)
        before = carried(self._store.alerts(rule.id), self._store.answered(rule.id), now)
        try:
            server = replace(self._server, query=self._asker(rule, now))
            alerts = step(rule, self._ask(rule, now).samples, before, now, self._cluster, server)
            self._keep(rule, alerts, now)
        except (Blind, PermanentError) as error:
            self._saw_nothing(rule, mask(str(error)).cut(200), now, _excerpt(rule, str(error)))
            alerts = before
        else:
            self._saw(rule)
        self._see_to_incidents(rule, alerts, now)
        self._see_to_blindness(now)

    def watch(self, rules: Sequence[AlertRule]) -> None:
        """Watch these rules from now on; alerts of those that are gone end at the next poll."""
        with self._lock:
            self._rules = {rule.id: rule for rule in rules}
            self._blind = {rule: blind for rule, blind in self._blind.items() if rule in self._rules}
            self._whole &= self._rules.keys()
            self._tidy = False

    def tell_invalid(self, problems: Sequence[Problem], now: datetime) -> None:
        """Open the incident of files that cannot be read, or end it where there are no problems any more."""
        self._invalid = (self._invalid or now) if problems else None
        with suppress(Conflict):
            if self._invalid:
                where = f"{problems[0].rule}: {problems[0]}" if problems[0].rule else str(problems[0])
                title = mask(f"alert rules cannot be read, older ones stay in force: {where}").cut(incidents.TITLE)
                self._see_to(Cause(INVALID, "warning", title, self._invalid), now)
            else:
                latest = self._latest(INVALID)
                if latest and latest.unresolved and incidents.clearable(latest):
                    self._clear(latest, "files_good_again", now)

    def blindness(self) -> dict[str, Blindness]:
        """What cannot be seen now, by rule id."""
        with self._lock:
            return dict(self._blind)

    # asking ---------------------------------------------------------------------------------------------------------

    def _ask(self, rule: AlertRule, now: datetime) -> Answer:
        """A complete answer for the time `now` that is not older than two polls when it is in hand; else Blind."""
        oldest, at = 2 * rule.every, now - rule.query_offset
        answer = self._metrics.query(rule.condition, at, min(PATIENCE, oldest.total_seconds()))
        if answer.asked_at != at:
            raise Blind(f"the answer is for {answer.asked_at.isoformat()}, not for the time asked")
        age = self._clock() - now if self._clock else timedelta()
        if age > oldest:
            raise Blind(f"the answer was {age.total_seconds():.1f}s old when it came")
        return answer

    def _asker(self, rule: AlertRule, now: datetime) -> Callable[[str], Sequence[Sample]]:
        """What answers `query` in the templates of a rule: the same server, for the same time."""

        def query(text: str) -> Sequence[Sample]:
            try:
                return self._metrics.query(text, now - rule.query_offset, PATIENCE).samples
            except (Blind, PermanentError) as error:
                raise TemplateError(f"query: {error}") from error

        return query

    def _keep(self, rule: AlertRule, alerts: Sequence[Alert], now: datetime) -> None:
        try:
            self._store.save_alerts(rule.id, alerts, now)
        except Conflict as error:
            raise Blind(f"the answer is older than one that is known already: {error}") from error

    def _retire(self, now: datetime) -> None:
        """Once: alerts of rules that are no longer watched can never be seen to clear, so they end here.

        The time of the last answer stays as it was: that nobody looks any more proves nothing to a verification.
        """
        if self._tidy:
            return
        kept: dict[str, list[Alert]] = {}
        for alert in self._store.alerts():
            if alert.rule not in self._rules and alert.source == "prometheus":
                kept.setdefault(alert.rule, []).extend(_ended(alert, now))
        for rule, alerts in kept.items():
            with suppress(Conflict):
                self._store.save_alerts(rule, alerts, self._store.answered(rule) or now)
        self._tidy = True

    # incidents ------------------------------------------------------------------------------------------------------

    def _see_to_incidents(self, rule: AlertRule, alerts: Sequence[Alert], now: datetime) -> None:
        for cause in incidents.causes(rule, alerts):
            with suppress(Conflict):  # somebody was faster: the next poll looks at what they made of it
                self._see_to(cause, now)
        for incident in self._store.due():
            if incident.unresolved and incidents.cleared(incident):
                watched = any(alert.rule in self._rules for alert in incident.alerts)
                with suppress(Conflict):
                    self._clear(incident, "alert_cleared" if watched else "rule_gone", now)

    def _see_to(self, cause: Cause, now: datetime) -> None:
        latest = self._latest(cause.key)
        match incidents.move(cause, latest, now, self._limits.cooldown):
            case Move.OPEN:
                self._open(cause, now)
            case Move.REOPEN if latest is not None:
                self._reopen(cause, latest, now)
            case Move.JOIN if latest is not None:
                self._join(cause, latest, now)

    def _latest(self, key: str) -> Incident | None:
        found = self._store.incidents(key=key, unresolved=True, limit=1) or self._store.incidents(key=key, limit=1)
        return found[0] if found else None

    def _open(self, cause: Cause, now: datetime) -> None:
        new = Incident(
            id=0, key=cause.key, version=0, state=State.OPEN, severity=cause.severity, title=cause.title,
            opened_at=now, since=now, target=cause.target, reason=_reason(cause),
        )  # fmt: skip
        self._store.create(new, _note("opened", cause), now, cause.alerts)

    def _reopen(self, cause: Cause, latest: Incident, now: datetime) -> None:
        again = replace(advance(latest, "refired", now), title=cause.title, severity=cause.severity)
        saved = self._store.save(again, _note("reopened", cause), now)
        self._attach(cause, saved, now)

    def _join(self, cause: Cause, latest: Incident, now: datetime) -> None:
        self._attach(cause, latest, now)
        worse = rank(cause.severity) < rank(latest.severity)
        if worse and latest.state not in (State.RUNNING, State.VERIFYING):
            self._store.save(replace(latest, severity=cause.severity), _note("raised", cause), now)

    def _attach(self, cause: Cause, incident: Incident, now: datetime) -> None:
        there = {alert.fingerprint for alert in incident.alerts}
        new = [name for name in cause.alerts if name not in there]
        if new:
            self._store.attach(incident.id, new, _note("attached", cause), now)

    def _clear(self, incident: Incident, reason: str, now: datetime) -> None:
        self._store.save(advance(incident, "cleared", now, reason), Note(WHO, "cleared", reason), now)

    # blindness ------------------------------------------------------------------------------------------------------

    def _saw(self, rule: AlertRule) -> None:
        with self._lock:
            self._whole.add(rule.id)
            before = self._blind.pop(rule.id, None)
        if before:
            LOG.info("rule %r can be read again, after %d failures", rule.name, before.times)

    def _saw_nothing(self, rule: AlertRule, why: MaskedText, now: datetime, excerpt: str) -> None:
        with self._lock:
            if rule.id not in self._rules:
                return
            before = self._blind.get(rule.id)
            self._whole.discard(rule.id)
            self._blind[rule.id] = Blindness(before.since, before.times + 1, why) if before else Blindness(now, 1, why)
        if not before:
            LOG.warning(
                "rule %r cannot be read: %s", rule.name, why, extra={"fields": {"at": excerpt}} if excerpt else None
            )

    def _see_to_blindness(self, now: datetime) -> None:
        """Open the incident of blindness once it has lasted, and end it once every rule has had a whole answer."""
        with self._lock:
            late = [b for b in self._blind.values() if now - b.since >= self._limits.blind_for]
            whole = self._whole >= self._rules.keys()
        with suppress(Conflict):
            if late:
                self._see_to(_blind_cause(late, len(self._rules)), now)
            elif whole:
                latest = self._latest(BLIND)
                if latest and latest.unresolved and incidents.clearable(latest):
                    self._clear(latest, "sight_again", now)


def _blind_cause(late: Sequence[Blindness], rules: int) -> Cause:
    first = min(late, key=lambda blind: blind.since)
    title = mask(f"Prometheus cannot be read for {len(late)} of {rules} rules: {first.why}")
    return Cause(BLIND, "critical", title.cut(incidents.TITLE), first.since)


def _excerpt(rule: AlertRule, why: str) -> str:
    """The place in a condition that Prometheus complains of, where it names one."""
    found = re.search(r"(\d+):(\d+): parse error", why)
    return promql.excerpt(rule.condition, promql.offset(rule.condition, int(found[1]), int(found[2]))) if found else ""


def _reason(cause: Cause) -> str:
    return {BLIND: "blind", INVALID: "rules_invalid"}.get(cause.key, "alert_fired")


def _note(act: str, cause: Cause) -> Note:
    return Note(WHO, act, _reason(cause), {"title": cause.title, "severity": mask(cause.severity)})


def _ended(alert: Alert, now: datetime) -> list[Alert]:
    """What is left of an alert whose rule is gone."""
    if alert.state is AlertState.FIRING:
        return [replace(alert, state=AlertState.RESOLVED, holds=False, holds_since=now, resolved_at=now)]
    fresh = alert.resolved_at is not None and now - alert.resolved_at <= RETENTION
    return [alert] if alert.state is AlertState.RESOLVED and fresh else []
