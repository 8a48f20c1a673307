"""A world for the remediation agent: a fake cluster behind the real client, the real store, a clock that is moved."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from opsbot.access import Access
from opsbot.config import Limits, Person
from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import Decision
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Proposal
from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Playbook
from opsbot.core.ports import ClusterReader, ClusterWriter, Metrics, Store
from opsbot.core.target import Target
from opsbot.core.task import Again, Mode, Skill, next_skills
from opsbot.kube.read import KubeReader
from opsbot.kube.write import KubeWriter
from opsbot.mask import mask
from opsbot.remediate import approvals, facts, playbookfile
from opsbot.remediate.agent import RemediationAgent
from opsbot.remediate.means import Means
from opsbot.store import open_store
from opsbot.testing import ManualClock
from opsbot.testing.cluster import FakeCluster

SHIPPED = Path(__file__).parents[2] / "playbooks"
RULE = "rule-1"
TARGET = Target("agents", "Deployment", "agents")
WAITING = (State.AWAITING_APPROVAL, State.ESCALATED, State.RESOLVED)


def shipped(name: str = "scale_up_agents") -> Playbook:
    return playbookfile.load(SHIPPED / f"{name}.yaml")


def deployment(name: str = "agents", replicas: int = 4, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "agents"},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
            **spec,
        },
    }  # fmt: skip


def autoscaler(name: str = "agents") -> dict[str, Any]:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "agents"}, "spec": {"scaleTargetRef": ref, "maxReplicas": 9},
    }  # fmt: skip


def people(*allowed: str) -> Access:
    known = [Person(name) for name in ("Ana", "Ben", "Cleo")]
    return Access(known, {"sre": allowed}, {"sre": ["approve:*"], "everyone": ["read"]})


@dataclass
class World:
    """Everything that a remediation touches. What `agent` gives is new each time, as after a restart."""

    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    access: Access = field(default_factory=lambda: people("Ana", "Ben"))
    mode: Mode = Mode.PROPOSE
    watched: bool = False
    metrics: Metrics | None = None
    home: str = ""

    def __post_init__(self) -> None:
        self.clock = ManualClock()
        self.cluster = FakeCluster(self.clock)
        self.store: Store = open_store("sqlite://", self.clock())
        self.playbooks = self.playbooks or {name: shipped(name) for name in ("scale_up_agents", "restart_workload")}
        self.reader: ClusterReader | None = KubeReader(self.cluster.connect("reader"))
        self.writer: ClusterWriter | None = KubeWriter(self.cluster.connect("writer"))
        self.nonces = itertools.count(1)
        self.id = 0

    # the stage

    def deploy(self, name: str = "agents", replicas: int = 4, **spec: Any) -> None:
        self.cluster.add(deployment(name, replicas, **spec))
        self.settle()

    def settle(self) -> None:
        for _ in range(6):
            self.cluster.settle()
            self.clock.advance(1)
        self.cluster.settle()

    def replicas(self, name: str = "agents") -> int:
        found = self.cluster.get("Deployment", "agents", name)
        assert found is not None
        return int(found["spec"]["replicas"])

    def scale(self, replicas: int, name: str = "agents") -> None:
        """Somebody else scales it."""
        self.cluster.change("Deployment", "agents", name, {"spec": {"replicas": replicas}})

    def applied(self) -> list[Any]:
        """The bodies of opsbot's writes that the server took, whatever the answer."""
        return [write.body for write in self.cluster.writes if write.account == "writer" and write.applied]

    def effects(self) -> list[int]:
        """The replicas that opsbot has set, one for each write that took effect."""
        return [body["spec"]["replicas"] for body in self.applied()]

    def effects_by_field(self) -> list[str]:
        """The fields of the spec that opsbot has set, one for each write that took effect."""
        return [next(iter(body["spec"])) for body in self.applied()]

    def seen(self) -> tuple[str, Mapping[str, Any]] | None:
        """What the read account sees of the target."""
        assert self.reader is not None
        return facts.read(self.reader, TARGET)

    # the alert

    def alert(self, **given: Any) -> Alert:
        now, target = self.clock(), TARGET
        made = Alert(
            rule=RULE, name="High Task Latency", fingerprint="f1", severity="critical", labels={},
            state=AlertState.FIRING, active_at=now, fired_at=now, target=target,
        )  # fmt: skip
        return replace(made, **given)

    def answer(self, *alerts: Alert, rule: str = RULE) -> None:
        """A complete answer of Prometheus about a rule now."""
        self.store.save_alerts(rule, alerts, self.clock())

    def open(self, *playbooks: str, target: Target | None = TARGET, **given: Any) -> int:
        """A diagnosed incident with these proposals."""
        now = self.clock()
        self.answer(self.alert())
        proposals = tuple(Proposal(name, mask("the logs hold timeouts"), "finding") for name in playbooks)
        made = Incident(
            id=0, key=target.key if target else "rule-1", version=0, state=State.DIAGNOSED, severity="critical",
            title=mask("High Task Latency"), opened_at=now, since=now, target=target, proposals=proposals,
        )  # fmt: skip
        created = self.store.create(replace(made, **given), Note("monitor", "opened"), now, ["f1"])
        self.id = created.id
        return self.id

    # the walk

    def agent(self) -> RemediationAgent:
        return RemediationAgent(
            Means(
                store=self.store, playbooks=self.playbooks, limits=self.limits, access=self.access, mode=self.mode,
                cluster="", nonce=lambda: f"n{next(self.nonces)}", reader=self.reader, writer=self.writer,
                metrics=self.metrics, home=self.home,
                every={RULE: timedelta(seconds=30)} if self.watched else {},
            )
        )  # fmt: skip

    @property
    def incident(self) -> Incident:
        found = self.store.load(self.id)
        assert found is not None
        return found

    def once(self, agent: RemediationAgent | None = None) -> Again | None:
        """What is due for the incident, once, at the clock's time."""
        agent, incident, now = agent or self.agent(), self.incident, self.clock()
        skills = {Skill.PLAN: agent.plan, Skill.RUN_PLAYBOOK: agent.run_playbook, Skill.VERIFY: agent.verify}
        for skill in next_skills(incident, now, self.mode):
            if skill in skills:
                return skills[skill](incident, now)
        return None

    def walk(self, until: Sequence[State] = WAITING, *, seconds: float = 3600, answering: bool = False) -> Incident:
        """Do what is due, time and cluster moving on meanwhile, until the incident is in one of these states.

        With `answering`, Prometheus answers at every look that the alert does not hold any more.
        """
        end = self.clock() + timedelta(seconds=seconds)
        while self.incident.state not in until and self.clock() < end:
            self.move(self.once())
            if answering:
                self.answer()
        return self.incident

    def move(self, again: Again | None) -> None:
        """Time goes on to the next look; the cluster's controllers with it."""
        now = self.clock()
        self.clock.advance(max((again.at if again else now) - now, timedelta(milliseconds=50)))
        self.cluster.tick()

    def decide(self, person: str = "Ana", approves: bool = True, prefix: str = "") -> Incident:
        incident = self.incident
        assert incident.plan is not None
        decision = Decision(person, approves, self.clock(), "cli")
        return approvals.decide(incident, decision, prefix or incident.plan.digest[:8], self.access, self.store)

    def approved(self, *playbooks: str, **given: Any) -> Incident:
        """An incident whose plan has been approved and not begun."""
        self.open(*(playbooks or ("scale_up_agents",)), **given)
        self.walk()
        return self.decide()

    def running(self, *playbooks: str) -> Incident:
        """An incident whose run has begun: nothing is written yet."""
        self.approved(*playbooks)
        return self.walk((State.RUNNING,))

    def acts(self) -> list[str]:
        return [entry.act for entry in self.store.audit(self.id)]

    def later(self, **length: float) -> datetime:
        return self.clock.advance(timedelta(**length))


class Meddled:
    """A writer before whose calls something happens: `events` maps (name, how often called so) to it."""

    def __init__(self, writer: Any, events: Mapping[tuple[str, int], Callable[[], None]]) -> None:
        self._writer, self._events = writer, events
        self.counts: Counter[str] = Counter()

    def _before(self, name: str) -> None:
        self.counts[name] += 1
        self._events.get((name, self.counts[name]), lambda: None)()

    def read(self, target: Target, timeout: float = 10.0) -> Any:
        self._before("read")
        return self._writer.read(target, timeout)

    def patch(self, target: Target, body: Any, *, dry_run: bool = False, timeout: float = 10.0) -> Any:
        self._before("dry run" if dry_run else "patch")
        return self._writer.patch(target, body, dry_run=dry_run, timeout=timeout)


class BlindWriter:
    """A writer that cannot see."""

    def read(self, target: Target, timeout: float = 10.0) -> Any:
        raise Blind("no answer in time")

    def patch(self, target: Target, body: Any, *, dry_run: bool = False, timeout: float = 10.0) -> Any:
        raise AssertionError("nothing may be written unseen")
