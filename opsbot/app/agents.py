"""The agents on their hands, and the bot that sets them to work."""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from opsbot import config as settings
from opsbot.access import Access
from opsbot.app.hands import Hands, warm_up
from opsbot.app.looks import Looks
from opsbot.app.maintenance import Maintenance
from opsbot.app.ticks import Ticks
from opsbot.chat.notify import Notifier
from opsbot.config import Config
from opsbot.config import Model as ModelSettings
from opsbot.core.alert import AlertRule, Answer
from opsbot.core.errors import Blind, ConfigError
from opsbot.core.incident import Incident
from opsbot.core.playbook import Playbook
from opsbot.core.ports import Model
from opsbot.core.task import Again, Mode, Skill
from opsbot.diagnose.agent import DiagnosticAgent
from opsbot.diagnose.opinion import ModelAgent
from opsbot.lab import library
from opsbot.lab.rulebook import RuleBook
from opsbot.monitor.agent import MonitorAgent, Policy
from opsbot.monitor.gotemplate import Server
from opsbot.monitor.receiving.receiver import Reception
from opsbot.remediate.agent import RemediationAgent
from opsbot.remediate.means import Means
from opsbot.report import Reporter
from opsbot.tasks.worker import Terms, Worker

if TYPE_CHECKING:
    from opsbot.app.web import WebDoor
    from opsbot.chat.slack import SlackDoor

LOG = logging.getLogger("opsbot.app")
LOOK = timedelta(seconds=5)
"""How often rule files and the config are looked at: whether they have changed on disk."""
TIDY = timedelta(minutes=10)
"""How often pushed alerts that were resolved long ago are let go."""

SkillFunction = Callable[[Incident, datetime], Again | None]


@dataclass(frozen=True, slots=True)
class Agents:
    """The agents, what each skill calls, the alert rules, how often each is asked, and the mode with why it is so."""

    monitor: MonitorAgent
    skills: Mapping[Skill, SkillFunction]
    book: RuleBook
    every: dict[str, timedelta]
    mode: Mode
    why: str

    @property
    def rules(self) -> tuple[AlertRule, ...]:
        """The alert rules in force."""
        return self.book.rules


def build(config: Config, hands: Hands) -> Agents:
    """All agents on these hands; ConfigError with the problems of all files that they need."""
    playbooks = library.playbooks(config)
    rules = library.rules(config, playbooks)
    book = library.rulebook_of(config, playbooks)
    every = {rule.id: rule.every for rule in book.rules}
    if hands.metrics is None and book.rules:
        raise ConfigError([library.no_prometheus(config)])
    which, why = config.mode
    monitor = MonitorAgent(
        rules=book.rules,
        metrics=hands.metrics or _Unasked(),
        store=hands.store,
        cluster=config.kubernetes.cluster,
        limits=config.limits,
        clock=hands.clock,
        server=_server(config),
        policy=_policy(config, book, playbooks),
    )
    always = config.model is not None and config.model.ask == "always"
    home = config.kubernetes.cluster
    diagnostic = DiagnosticAgent(hands.reader, hands.store, rules, tuple(playbooks), always_ask=always, home=home)
    remediation = RemediationAgent(_means(config, hands, playbooks, every))
    skills: dict[Skill, SkillFunction] = {
        Skill.COLLECT_EVIDENCE: diagnostic.collect_evidence,
        Skill.MATCH_RULES: diagnostic.match_rules,
        Skill.PLAN: remediation.plan,
        Skill.RUN_PLAYBOOK: remediation.run_playbook,
        Skill.VERIFY: remediation.verify,
        Skill.REPORT: Reporter(hands.store).report,
    }
    if config.slack:
        skills[Skill.NOTIFY] = Notifier(hands.store, access(config)).notify
    if config.model and hands.model:
        skills[Skill.ASK_MODEL] = _opinion(config.model, hands, hands.model, playbooks).ask_model
    return Agents(monitor, skills, book, every, which, why)


class _Unasked:
    """The Prometheus of a bot to which all alerts are pushed."""

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:  # noqa: ARG002
        """Nothing can be seen here."""
        raise Blind("prometheus.url is not given")


def _server(config: Config) -> Server:
    """What templates are told of the Prometheus behind them."""
    found = config.prometheus
    return Server(found.external_labels, found.external_url) if found else Server()


def _policy(config: Config, book: RuleBook, playbooks: Collection[str]) -> Policy:
    labels = config.prometheus.external_labels if config.prometheus else {}
    reception = Reception(
        config.kubernetes.cluster, config.kubernetes.cluster_label, labels,
        frozenset(config.webhooks.identity_ignores), frozenset(playbooks),
    )  # fmt: skip
    return Policy(config.incidents, config.maintenance, book.inhibitions, reception)


def access(config: Config) -> Access:
    """Who may do what."""
    found = config.access
    return Access(found.people, found.groups, found.permissions)


def _opinion(asked: ModelSettings, hands: Hands, model: Model, playbooks: Mapping[str, Playbook]) -> ModelAgent:
    names = {name: playbook.summary for name, playbook in playbooks.items()}
    return ModelAgent(hands.store, model, names, asked.tokens_per_incident, asked.timeout.total_seconds())


def _means(config: Config, hands: Hands, playbooks: Mapping[str, Playbook], every: Mapping[str, timedelta]) -> Means:
    which, _ = config.mode
    return Means(
        store=hands.store, playbooks=playbooks, limits=config.limits, access=access(config), mode=which,
        cluster=config.kubernetes.cluster, nonce=partial(secrets.token_hex, 8), reader=hands.reader,
        writer=hands.writer if which is not Mode.OBSERVE else None, metrics=hands.metrics,
        opinion_within=config.model.timeout if config.model else timedelta(),
        home=settings.home(config), every=every,
    )  # fmt: skip


class Bot:
    """The agents at work: a tick for each rule, and workers for what is due."""

    def __init__(self, config: Config, hands: Hands) -> None:
        self.agents = build(config, hands)
        self._config, self._hands = config, hands
        self._maintenance = Maintenance(config)
        name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        terms = Terms(name, config.roles, config.queue, self.agents.mode)
        self._worker = Worker(hands.store, self.agents.skills, terms, hands.clock, jitter=random.random)
        place = f"{config.kubernetes.cluster}/{socket.gethostname()}"
        self.ticks = Ticks(self._poll, hands.clock, place, _polling(config))
        self._schedule = self.ticks.schedule
        self._chat = self._door(config, hands)
        self.looks = Looks(self._look_at_alerts)
        self._polled: datetime | None = None
        self.web = self._served(config, hands)

    def start(self) -> None:
        """Begin to poll and to work, in threads of their own."""
        if self._chat:
            self._chat.start()
        self._worker.start()
        self.ticks.take_up(self.agents.rules)
        self._schedule.every(LOOK, self._look, "look at rule files")
        self._schedule.every(LOOK, self._look_at_windows, "look at maintenance windows")
        self._schedule.every(TIDY, lambda: self.agents.monitor.tidy(self._hands.clock()), "tidy up pushed alerts")
        self._schedule.start()
        self.looks.start()
        if self.web:
            self.web.start()
        warm_up(self._config)

    def stop(self) -> None:
        """Take nothing new, and wait for what runs."""
        if self.web:
            self.web.stop()
        self.looks.stop()
        self._schedule.stop()
        self._worker.stop()
        if self._chat:
            self._chat.stop()

    def _door(self, config: Config, hands: Hands) -> SlackDoor | None:
        if config.slack is None:
            return None
        from opsbot.app.desk import ServiceDesk
        from opsbot.chat.slack import SlackDoor

        def desk() -> ServiceDesk:
            return ServiceDesk(self._maintenance.config, hands, "slack")

        return SlackDoor(config.slack, desk, hands.store, hands.clock, self._worker.wakeups.wake)

    def _served(self, config: Config, hands: Hands) -> WebDoor | None:
        """The small server, where config asks for one; nothing of it is loaded otherwise."""
        if config.web is None:
            return None
        from opsbot.app.web import Running, WebDoor

        running = Running(
            self.agents, hands.store, self._worker, hands.clock, lambda: self._polled, self.looks.soon,
            self.ticks.figures,
        )  # fmt: skip
        return WebDoor(config, config.web, running)

    def _look(self) -> None:
        """Take up rule files that have changed; a bad one leaves its old rules in force, and people are told."""
        agents = self.agents
        if agents.book.look():
            self._take_up(agents.rules)
            for problem in agents.book.problems:
                LOG.error("rule files: %s%s", f"rule {problem.rule!r}: " if problem.rule else "", problem)
            LOG.info("rule files were read again", extra={"fields": dict(agents.book.figures)})
        agents.monitor.tell_invalid(agents.book.problems, self._hands.clock())
        agents.monitor.tell_refused(self.web.intake.refusals.hearing() if self.web else {}, self._hands.clock())

    def _look_at_windows(self) -> None:
        """Take up other maintenance windows, and look at once whom they hold back."""
        if self._maintenance.look():
            self.agents.monitor.maintain(self._maintenance.config.maintenance)
            self.looks.soon()

    def _take_up(self, after: Sequence[AlertRule]) -> None:
        self.agents.monitor.watch(after, self.agents.book.inhibitions)
        self.agents.every.clear()
        self.agents.every.update({rule.id: rule.every for rule in after})
        self.ticks.take_up(after)

    def _look_at_alerts(self) -> None:
        """Make incidents fit alerts, however those came in; `looks.soon` says that there is news."""
        if self.agents.monitor.look(self._hands.clock()):
            self._worker.wakeups.wake(0)

    def _poll(self, rules: Sequence[AlertRule], now: datetime) -> None:
        self.agents.monitor.poll(rules, now)
        self._polled = self._hands.clock()
        self._worker.wakeups.wake(0)


def _polling(config: Config) -> int:
    """Slots for polls: those of the roles that have the skill."""
    return sum(role.max_concurrency for role in config.roles if Skill.POLL_ALERTS in role.skills) or 1
