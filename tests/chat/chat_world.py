"""People, incidents to talk about, and an office: a door on a fake Slack with all that stands behind it."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from opsbot.access import Access
from opsbot.chat.notify import Notifier
from opsbot.chat.slack import SlackDoor
from opsbot.commands import help  # noqa: A004
from opsbot.commands.desk import Probe
from opsbot.config import Config, Person, Slack
from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import Approval
from opsbot.core.audit import Note
from opsbot.core.diagnosis import DiagnosisRule, Finding, Hypothesis, Proposal, Quote
from opsbot.core.evidence import Citation, Evidence, Gap
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Plan, PlannedStep, Playbook, Run, StepRecord, StepState, VerifySpec
from opsbot.core.ports import Clock, ClusterReader, Metrics, Model, Store
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.store import SqlStore
from opsbot.testing.clock import ManualClock
from opsbot.testing.slack import FakeSlack
from opsbot.testing.slack.world import Message, View

T = TypeVar("T")

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
AGENTS = Target("agents", "Deployment", "agents", cluster="prod-1", uid="u-1")
ANA, BEN, EVE = "U0ANA", "U0BEN", "U0EVE"
ACCESS = Access(
    people=(Person("Ana", slack=ANA), Person("Ben", slack=BEN)),
    groups={"sre": ("Ana",), "dev": ("Ben",)},
    permissions={"sre": ("approve:*", "diagnose", "ack", "close"), "everyone": ("read",)},
)


def made_plan(**given: Any) -> Plan:
    steps = (
        PlannedStep(
            "scale", {"replicas": 6}, "scale Deployment/agents -n agents 4 -> 6", timedelta(seconds=30),
            ("- spec.replicas: 4", "+ spec.replicas: 6"),
            "kubectl scale deployment/agents -n agents --current-replicas=4 --replicas=6",
        ),
        PlannedStep("wait", {"until": "rollout_complete"}, "wait for the rollout", timedelta(minutes=5)),
    )  # fmt: skip
    plain: dict[str, Any] = {
        "playbook": "scale_up_agents", "playbook_digest": "d" * 64, "target": AGENTS, "inputs": {"add": 2},
        "steps": steps, "undo": (replace(steps[0], says="scale Deployment/agents -n agents 6 -> 4"),), "reads": {},
        "before": {"replicas": 4}, "permission": "approve:scale", "quorum": 1, "second_person": False,
        "limits": "l" * 64, "made_at": NOW, "expires_at": NOW + timedelta(minutes=15), "nonce": "n1",
        "why": mask("the agents are overloaded"), "origin": "finding",
        "verify": VerifySpec(alert_clears_within=timedelta(minutes=10)),
    }  # fmt: skip
    return Plan(**(plain | given))


PLAN = made_plan()
CAUSE = Finding(
    "overload", "overload", AGENTS, mask("4 of 4 replicas are busy and the queue grows"), 0.8,
    (Citation("e1", "pod_logs", 1, mask("2026-05-04T03:01:58.1Z WARN queue is full (512), task waits")),
     Citation("e1", "pod_logs", 7, mask("2026-05-04T03:01:59.2Z WARN queue is full (512), task waits"))),
    ("high_latency",), ("scale_up_agents",), 1, cause=True,
)  # fmt: skip
SYMPTOM = Finding(
    "high_latency", "high_latency", AGENTS, mask("p95 is 7312 ms"), 0.9,
    (Citation("e2", "metrics", 1, mask("avg(response_time) = 7312")),), rank=2, explained_by="overload",
)  # fmt: skip
GUESS = Hypothesis(
    "slow_dependency", AGENTS, mask("the database behind the agents may be slow"), 0.4,
    (Quote("e1", mask("queue is full (512)")),), "restart_workload",
)  # fmt: skip
EVIDENCE = (
    Evidence("e1", "pod_logs", AGENTS, NOW, mask("WARN queue is full (512), task waits"),
             mask("logs of pod agents-7d4f, container app")),
    Evidence("e2", "metrics", AGENTS, NOW, mask("avg(response_time) = 7312"), mask("Prometheus, avg(response_time)")),
)  # fmt: skip
ORIGINS = {piece.id: str(piece.origin) for piece in EVIDENCE}


ALERT = Alert(
    "rule-1", "High Task Latency", "f1", "critical", {"alertname": "High Task Latency"}, AlertState.FIRING, NOW,
    value=7312.4, fired_at=NOW,
)  # fmt: skip


def approval_of(plan: Plan, **given: Any) -> Approval:
    return Approval(
        plan.digest[:16], plan.digest, plan.permission, plan.quorum, plan.made_at, plan.expires_at, **given
    )  # fmt: skip


def incident_in(state: State = State.OPEN, **given: Any) -> Incident:
    """An incident as it stands in a state; any field may be given."""
    plain: dict[str, Any] = {
        "id": 42, "key": AGENTS.key, "version": 3, "state": state, "severity": "critical",
        "title": mask("High Task Latency"), "opened_at": NOW - timedelta(minutes=2), "since": NOW, "target": AGENTS,
    }  # fmt: skip
    if state is not State.OPEN:
        plain |= {
            "collected_at": NOW, "diagnosed_at": NOW, "findings": (CAUSE, SYMPTOM), "says": mask("overload on agents"),
            "gaps": (Gap("events", mask("403: may not list events")),),
            "proposals": (Proposal("scale_up_agents", mask("overload"), "finding"),), "reason": "diagnosed",
        }  # fmt: skip
    return Incident(**(plain | given))


def awaiting(plan: Plan = PLAN, **given: Any) -> Incident:
    return incident_in(
        State.AWAITING_APPROVAL, **({"plan": plan, "approval": approval_of(plan), "reason": "proposed"} | given)
    )  # fmt: skip


def run_of(*states: StepState, undone: bool = False) -> Run:
    steps = tuple(
        StepRecord(place, False, f"act-{place}", state, NOW, NOW, PLAN.steps[place].says)
        for place, state in enumerate(states)
    )
    return Run("run-1", PLAN.digest, NOW, steps, NOW, undone)


@dataclass
class ChatDesk:
    """`commands.desk.Desk` of the chat door, on this store."""

    store: Store
    clock: Clock
    access: Access = ACCESS
    door: str = "slack"
    config: Config = field(default_factory=lambda: Config(folder=Path()))
    rules: tuple[DiagnosisRule, ...] = ()
    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    config_file: Path | None = None
    model: Model | None = None
    metrics: Metrics | None = None

    @property
    def now(self) -> datetime:
        return self.clock()

    @property
    def record(self) -> Store:
        return self.store

    @property
    def made_store(self) -> Store:
        return self.store

    @property
    def reader(self) -> ClusterReader:
        raise NotImplementedError

    def probes(self) -> Iterator[Callable[[], Probe]]:
        raise NotImplementedError


@dataclass
class Office:
    """A door on a fake Slack, with all that stands behind it."""

    slack: FakeSlack
    store: SqlStore
    clock: ManualClock
    folder: Path
    woken: list[int] = field(default_factory=list)
    access: Access = ACCESS
    doors: list[SlackDoor] = field(default_factory=list)

    def settings(self, **given: Any) -> Slack:
        files = {"bot": self.slack.bot_token, "app": self.slack.app_token, "secret": self.slack.signing_secret}
        for name, text in files.items():
            (self.folder / name).write_text(text + "\n")
        plain: dict[str, Any] = {
            "channel": self.slack.channel, "team": self.slack.team, "app": self.slack.app,
            "bot_token_file": self.folder / "bot", "app_token_file": self.folder / "app",
            "signing_secret_file": self.folder / "secret", "api_url": self.slack.url + "/api/",
        }  # fmt: skip
        return Slack(**(plain | given))

    def door(self, **given: Any) -> SlackDoor:
        """A door, not started."""
        made = SlackDoor(self.settings(**given), self.desk, self.store, self.clock, self.woken.append)
        self.doors.append(made)
        return made

    def desk(self) -> ChatDesk:
        return ChatDesk(self.store, self.clock, self.access)

    @contextmanager
    def open(self, **given: Any) -> Iterator[SlackDoor]:
        """A door at work, with its socket standing."""
        door = self.door(**given)
        door.start()
        try:
            if door.mode == "socket":
                assert self.slack.wait_connected()
            yield door
        finally:
            door.stop()

    def add(self, incident: Incident | None = None) -> Incident:
        """An incident in the store, its evidence beside it."""
        made = self.store.create(incident or awaiting(), Note("monitor", "opened"), self.clock())
        self.store.add_evidence(made.id, made.round, EVIDENCE, made.gaps, Note("diagnostic", "collected"), self.clock())
        return self.load(made.id)

    def load(self, number: int) -> Incident:
        found = self.store.load(number)
        assert found
        return found

    def notify(self, incident: Incident) -> None:
        Notifier(self.store, self.access).notify(self.load(incident.id), self.clock())

    def card_ts(self, incident: Incident) -> str:
        """Where the card stands, once it does."""
        self.notify(incident)
        return self.there(lambda: self.store.card(incident.id)).ts

    def modal(self, person: str) -> View:
        """The form that this person sees, once it is open."""
        return self.there(lambda: self.slack.view(person))

    def there(self, look: Callable[[], T | None]) -> T:
        """What is looked for, once it is there."""
        found = self.slack.wait_for(look)
        assert found is not None
        return found

    def private(self, person: str, count: int = 1) -> list[str]:
        """All that a person was told in private, once that is so much."""
        return [spoken(message) for message in self.slack.wait_for(lambda: self._told(person, count))]

    def _told(self, person: str, count: int) -> Any:
        found = self.slack.ephemeral(person)
        return found if len(found) >= count else None


def spoken(message: Message) -> str:
    """All text of a message."""
    return message.text + "\n" + texts(list(message.blocks or ()))


def texts(value: Any) -> str:
    """All text in blocks, a line each."""
    if isinstance(value, dict):
        own = value.get("text")
        rest = [texts(item) for key, item in value.items() if not (key == "text" and isinstance(own, str))]
        return "\n".join(part for part in [own if isinstance(own, str) else "", *rest] if part)
    return "\n".join(part for part in map(texts, value) if part) if isinstance(value, list) else ""


def help_data(words: str) -> dict[str, Any]:
    """What `help` says at this door."""
    desk: Any = SimpleNamespace(door="slack")
    return help.run(desk, "", Namespace(words=words.split())).data
