"""The agents on their hands, and the bot that sets them to work."""

from __future__ import annotations

import os
import random
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from opsbot.access import Access
from opsbot.app.hands import Hands
from opsbot.config import Config
from opsbot.core.alert import AlertRule
from opsbot.core.errors import ConfigError
from opsbot.core.incident import Incident
from opsbot.core.playbook import Playbook
from opsbot.core.task import Again, Mode, Skill
from opsbot.diagnose.agent import DiagnosticAgent
from opsbot.lab import library
from opsbot.monitor.agent import MonitorAgent
from opsbot.remediate.agent import RemediationAgent
from opsbot.remediate.means import Means
from opsbot.report import Reporter
from opsbot.tasks.schedule import Schedule
from opsbot.tasks.worker import Terms, Worker

SkillFunction = Callable[[Incident, datetime], Again | None]


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents, what each skill calls, and the mode with why it is so."""

    monitor: MonitorAgent
    skills: Mapping[Skill, SkillFunction]
    rules: tuple[AlertRule, ...]
    mode: Mode
    why: str


def build(config: Config, hands: Hands) -> Agents:
    """All agents on these hands; ConfigError with the problems of all files that they need."""
    playbooks = library.playbooks(config)
    rules = library.rules(config, playbooks)
    alerts = library.alerts(config, playbooks)
    if hands.metrics is None:
        raise ConfigError([library.no_prometheus(config)])
    which, why = config.mode
    monitor = MonitorAgent(
        rules=alerts,
        metrics=hands.metrics,
        store=hands.store,
        cluster=config.kubernetes.cluster,
        limits=config.limits,
        clock=hands.clock,
    )
    diagnostic = DiagnosticAgent(hands.reader, hands.store, rules, tuple(playbooks))
    remediation = RemediationAgent(_means(config, hands, playbooks, alerts))
    skills: dict[Skill, SkillFunction] = {
        Skill.COLLECT_EVIDENCE: diagnostic.collect_evidence,
        Skill.MATCH_RULES: diagnostic.match_rules,
        Skill.PLAN: remediation.plan,
        Skill.RUN_PLAYBOOK: remediation.run_playbook,
        Skill.VERIFY: remediation.verify,
        Skill.REPORT: Reporter(hands.store).report,
    }
    return Agents(monitor, skills, alerts, which, why)


def access(config: Config) -> Access:
    """Who may do what."""
    found = config.access
    return Access(found.people, found.groups, found.permissions)


def _means(config: Config, hands: Hands, playbooks: Mapping[str, Playbook], alerts: Sequence[AlertRule]) -> Means:
    which, _ = config.mode
    return Means(
        store=hands.store, playbooks=playbooks, limits=config.limits, access=access(config), mode=which,
        cluster=config.kubernetes.cluster, nonce=partial(secrets.token_hex, 8), reader=hands.reader,
        writer=hands.writer if which is not Mode.OBSERVE else None, metrics=hands.metrics,
        every={rule.id: rule.every for rule in alerts},
    )  # fmt: skip


class Bot:
    """The agents at work: a tick for each rule, and workers for what is due."""

    def __init__(self, config: Config, hands: Hands) -> None:
        self.agents = build(config, hands)
        self._hands = hands
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        terms = Terms(name, config.roles, config.queue, self.agents.mode)
        self._worker = Worker(hands.store, self.agents.skills, terms, hands.clock, jitter=random.random)
        self._schedule = Schedule(hands.clock, threads=_polling(config))

    def start(self) -> None:
        """Begin to poll and to work, in threads of their own."""
        self._worker.start()
        for rule in self.agents.rules:
            self._schedule.every(rule.every, partial(self._poll, rule), f"poll {rule.name} {rule.id}")
        self._schedule.start()

    def stop(self) -> None:
        """Take nothing new, and wait for what runs."""
        self._schedule.stop()
        self._worker.stop()

    def _poll(self, rule: AlertRule) -> None:
        self.agents.monitor.poll(rule, self._hands.clock())
        self._worker.wakeups.wake(0)


def _polling(config: Config) -> int:
    """Slots for polls: those of the roles that have the skill."""
    return sum(role.max_concurrency for role in config.roles if Skill.POLL_ALERTS in role.skills) or 1
