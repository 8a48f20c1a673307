"""What remediation works with: the ports and settings that `app` passes in, and how they are asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from opsbot.config import Limits
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, OpsbotError
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan, Playbook, Run
from opsbot.core.ports import ClusterReader, ClusterWriter, Metrics, Object, PastRun, Store
from opsbot.core.target import Target
from opsbot.core.task import Again, Mode
from opsbot.mask import mask
from opsbot.remediate import facts
from opsbot.remediate.approvals import Access
from opsbot.remediate.drafting import Seen
from opsbot.remediate.guardrails import PAUSED, Surroundings
from opsbot.remediate.plan import Order, Terms

SOON = timedelta(seconds=1)
PAUSING_MAP = "opsbot-paused"
GIVEN_UP = {
    State.DIAGNOSED: "stuck", State.APPROVED: "refused", State.PARKED: "refused", State.RUNNING: "failed",
    State.VERIFYING: "not_verified",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Means:
    """Ports and settings. `reader` and `writer` are None where config gives no such account.

    `opinion_within` is how long an incident for which nothing is proposed waits for a model that is being asked; zero
    where there is none. `home` is the namespace that opsbot itself runs in, where a ConfigMap may pause it; empty
    where it is in none.
    `every` is how often each alert rule is asked, by its id.
    """

    store: Store
    playbooks: Mapping[str, Playbook]
    limits: Limits
    access: Access
    mode: Mode
    cluster: str
    nonce: Callable[[], str]
    reader: ClusterReader | None = None
    writer: ClusterWriter | None = None
    metrics: Metrics | None = None
    opinion_within: timedelta = timedelta()
    home: str = ""
    every: Mapping[str, timedelta] = field(default_factory=dict)

    def see(self, target: Target) -> Seen | None:
        """The target under the read account; None where it is not there, Blind where that cannot be known."""
        if self.reader is None:
            raise Blind("there is no account to read the cluster with")
        found = facts.read(self.reader, target)
        return Seen(*found) if found else None

    def see_closely(self, thing: Object, target: Target) -> Seen:
        """What an object that the write account has just read tells, and whether an autoscaler owns it."""
        if self.reader is None:
            raise Blind("there is no account to read the cluster with")
        return Seen(facts.uid(thing), facts.whole(self.reader, target, thing))

    def pause(self) -> str | None:
        """What the kill switches say: empty for off, None where one cannot be read."""
        try:
            return self.store.fetch(PAUSED) or self._paused_by_hand()
        except OpsbotError:
            return None

    def _paused_by_hand(self) -> str:
        """The second switch, for which kubectl is enough: a ConfigMap in opsbot's own namespace."""
        if not self.home or self.reader is None:
            return ""
        there = self.reader.get("ConfigMap", self.home, PAUSING_MAP) is not None
        return f"there is a ConfigMap {PAUSING_MAP} in {self.home}" if there else ""

    def unseen(self, incident: Incident, now: datetime) -> str:
        """Which alert of the incident has not been asked for of late, so that it may have cleared since; else empty.

        An answer counts as stale once it is older than twice the time between two questions.
        """
        for alert in incident.alerts:
            every = self.every.get(alert.rule)
            answered = self.store.answered(alert.rule) if every else None
            if every and (answered is None or now - answered > 2 * every):
                return alert.name
        return ""

    def around(self, incident: Incident, now: datetime) -> Surroundings:
        """What holds around a change of this incident now.

        Other runs count against its budgets; once its own has written, those that began later do not: they saw it.
        """
        own = incident.run
        others = tuple(run for run in self._runs(now) if not _is(run, incident.id, own) and not _later(run, incident))
        said = all(alert.cluster_said for alert in incident.alerts)
        return Surroundings(self.limits, self.mode, self.cluster, self.pause(), others, now, said)

    def _runs(self, now: datetime) -> tuple[PastRun, ...]:
        rails = [playbook.guardrails for playbook in self.playbooks.values()]
        spans = [timedelta(hours=1), *(r.cooldown for r in rails), *(r.max_runs_per for r in rails)]
        return self.store.past_runs(now - max(spans))

    def order(self, plan: Plan) -> Order | None:
        """What was ordered when this plan was made, of the playbook as it is now; None where that is gone."""
        playbook = self.playbooks.get(plan.playbook)
        return Order(playbook, plan.target, plan.inputs, plan.why, plan.origin) if playbook else None

    def terms(self, now: datetime) -> Terms:
        """What a new plan is made under."""
        return Terms(self.limits.digest, now, self.nonce())

    def save(self, incident: Incident, act: str, now: datetime, **detail: str) -> Incident:
        """Save with an audit entry; every detail goes through the mask."""
        masked = {name: mask(text) for name, text in detail.items()}
        return self.store.save(incident, Note("remediation", act, incident.reason, masked), now)

    def give_up(self, incident: Incident, reason: str, says: str, now: datetime) -> Again | None:
        """Hand the incident to a human, with the named reason and a sentence."""
        told = advance(incident, GIVEN_UP[incident.state], now, reason)
        self.save(with_words(told, says), "gave_up", now, says=says)
        return None

    def patient(self, incident: Incident, since: datetime, error: Blind, now: datetime) -> Again | None:
        """Wait while the cluster cannot be read; once that has lasted, tell a human."""
        if now - since < self.limits.blind_for:
            return Again(now + 5 * SOON)
        return self.give_up(incident, "blind", f"the cluster could not be read: {error}", now)


def with_words(incident: Incident, says: str) -> Incident:
    """The incident with a sentence for people, masked."""
    return replace(incident, says=mask(says))


def _is(run: PastRun, incident: int, own: Run | None) -> bool:
    return own is not None and (run.incident, run.started_at) == (incident, own.started_at)


def _later(run: PastRun, incident: Incident) -> bool:
    own = incident.run
    return own is not None and incident.begun and run.started_at > own.started_at
