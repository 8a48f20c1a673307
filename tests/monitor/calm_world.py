"""A world for calm: pushed alerts put straight into a real store, an agent that looks, and time that is passed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from opsbot.config import Incidents, Limits
from opsbot.core.alert import Alert, AlertState, fingerprint
from opsbot.core.incident import Incident, State
from opsbot.core.silence import Inhibition, Verdict, Window
from opsbot.core.target import named
from opsbot.mask import mask, mask_tree
from opsbot.monitor.agent import MonitorAgent, Policy
from opsbot.store import SqlStore
from opsbot.testing.prometheus import FakeMetrics

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def alert(name: str, since: float = 0, *, severity: str = "warning", to: str = "", **labels: str) -> Alert:
    """An alert that fires since then; `to` is the Deployment that it is about."""
    final = mask_tree({"alertname": name, "severity": severity, **labels, **({"deployment": to} if to else {})})
    rule = f"rule-of-{name}"
    return Alert(
        rule=rule, name=name, fingerprint=fingerprint(rule, final), severity=mask(severity), labels=final,
        state=AlertState.FIRING, active_at=at(since), fired_at=at(since), held_at=at(since), holds_since=at(since),
        target=named("Deployment", "agents", to, "prod-1") if to else None, source="alertmanager",
    )  # fmt: skip


def gone(one: Alert, seconds: float) -> Alert:
    """The same, resolved."""
    ended = at(seconds)
    return replace(one, state=AlertState.RESOLVED, holds=False, holds_since=ended, resolved_at=ended)


def back(one: Alert, seconds: float) -> Alert:
    """The same, firing anew."""
    since = at(seconds)
    return replace(
        one, state=AlertState.FIRING, holds=True, active_at=since, fired_at=since, held_at=since, holds_since=since,
        resolved_at=None,
    )  # fmt: skip


SLOW = Incidents(debounce=timedelta(seconds=5), max_wait=timedelta(seconds=30))
"""So that seconds between looks can tell one from the other."""


class CalmWorld:
    """An agent over a store, without rules of its own."""

    def __init__(
        self, store: SqlStore, calm: Incidents | None = None, windows: tuple[Window, ...] = (),
        inhibitions: tuple[Inhibition, ...] = (),
    ) -> None:  # fmt: skip
        self.store = store
        self.policy = Policy(calm or SLOW, windows, inhibitions)
        self.agent = self.started()

    def started(self) -> MonitorAgent:
        """A new process on the same store."""
        self.agent = MonitorAgent(
            rules=(), metrics=FakeMetrics(), store=self.store, cluster="prod-1", limits=Limits(), policy=self.policy
        )
        return self.agent

    def push(self, seconds: float, *alerts: Alert) -> None:
        """Alerts come in, and are looked at."""
        self.store.receive(alerts)
        self.agent.look(at(seconds))

    def look(self, seconds: float) -> bool:
        return self.agent.look(at(seconds))

    @property
    def one(self) -> Incident:
        (found,) = self.store.incidents()
        return found

    def open(self) -> dict[str, State]:
        """Unresolved incidents by key."""
        return {one.key: one.state for one in self.store.incidents(unresolved=True, limit=10_000)}

    def said(self, one: Alert) -> list[str]:
        """The reasons of all verdicts on an alert."""
        return [verdict.reason for verdict in self.verdicts(one)]

    def verdicts(self, one: Alert) -> tuple[Verdict, ...]:
        return self.store.verdicts([one.fingerprint])

    def acts(self) -> list[tuple[str, str]]:
        return [(entry.act, entry.reason) for entry in self.store.audit() if entry.who == "monitor"]
