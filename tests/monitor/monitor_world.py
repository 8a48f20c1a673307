"""A world for the monitor: a store in memory, metrics that say what they are told, and an agent on both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from opsbot.config import Limits
from opsbot.core.alert import AlertRule, TargetSpec
from opsbot.core.audit import Note
from opsbot.core.incident import Incident, State, advance
from opsbot.monitor.agent import MonitorAgent
from opsbot.store import SqlStore
from opsbot.testing.prometheus import FakeMetrics

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RULE = AlertRule(
    name="Slow", condition="avg(x) > 5", severity="critical", actions=("scale_up_agents",),
    annotations={"summary": "at {{ $value }} ms"}, target=TargetSpec("Deployment", "agents", "agents"),
)  # fmt: skip
LIMITS = Limits()


class World:
    """What a test of the agent walks through: `poll` at a second of the day, and what the store says then."""

    def __init__(self, store: SqlStore, *rules: AlertRule) -> None:
        self.store = store
        self.metrics = FakeMetrics()
        self.rules = rules or (RULE,)
        self.agent = self.started()

    def started(self) -> MonitorAgent:
        """A new process on the same store."""
        self.agent = MonitorAgent(
            rules=self.rules, metrics=self.metrics, store=self.store, cluster="prod-1", limits=LIMITS
        )
        return self.agent

    def poll(self, seconds: float, rule: AlertRule | None = None) -> datetime:
        now = START + timedelta(seconds=seconds)
        self.agent.poll(rule or self.rules[0], now)
        return now

    def up(self, seconds: float, value: float = 7.0) -> datetime:
        """A poll that finds the first rule's condition true."""
        self.metrics.says(self.rules[0].condition, ({}, value))
        return self.poll(seconds)

    def down(self, seconds: float) -> datetime:
        """A poll that finds nothing."""
        self.metrics.says(self.rules[0].condition)
        return self.poll(seconds)

    def incidents(self) -> tuple[Incident, ...]:
        return self.store.incidents()

    @property
    def one(self) -> Incident:
        """The only incident there is."""
        (found,) = self.store.incidents()
        return found

    def walk(self, *events: str, at: float) -> Incident:
        """Others do their work on the only incident."""
        now = START + timedelta(seconds=at)
        for event in events:
            self.store.save(advance(self.one, event, now), Note("test", event), now)
        return self.one

    def states(self) -> list[State]:
        """Of all incidents, oldest first."""
        return [incident.state for incident in reversed(self.store.incidents())]

    def acts(self) -> list[tuple[str, str]]:
        """What the audit says that the monitor did."""
        return [(entry.act, entry.reason) for entry in self.store.audit() if entry.who == "monitor"]
