"""A real store, a clock that stands still until it is moved, and a toy bot whose skills walk incidents forward."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from opsbot.config.values import ROLES
from opsbot.core.approval import Approval
from opsbot.core.audit import Note
from opsbot.core.incident import Incident, State, advance
from opsbot.core.task import Again, Skill
from opsbot.mask import mask
from opsbot.store import SqlStore, open_store
from opsbot.tasks import Terms, Worker
from opsbot.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'opsbot.db'}"


@pytest.fixture
def store(url: str, clock: ManualClock) -> Iterator[SqlStore]:
    opened = open_store(url, clock())
    yield opened
    opened.close()


@dataclass
class Toys:
    """Skills that do the least that moves an incident on; `did` is what was done, in order."""

    store: SqlStore
    did: list[tuple[int, Skill]] = field(default_factory=list)

    def collect(self, incident: Incident, now: datetime) -> Again | None:
        self._note(incident, Skill.COLLECT_EVIDENCE)
        self.store.save(replace(incident, collected_at=now), Note("diagnostic", "collected"), now)
        return None

    def match(self, incident: Incident, now: datetime) -> Again | None:
        self._note(incident, Skill.MATCH_RULES)
        self.store.save(advance(incident, "diagnosed", now), Note("diagnostic", "diagnosed"), now)
        return None

    def plan(self, incident: Incident, now: datetime) -> Again | None:
        self._note(incident, Skill.PLAN)
        if incident.state is State.AWAITING_APPROVAL:
            self.store.save(advance(incident, "expired", now), Note("remediation", "expired"), now)
            return None
        asked = Approval("ap", "p" * 64, "approve:x", 1, now, now + timedelta(minutes=15))
        proposed = replace(advance(incident, "proposed", now), approval=asked)
        self.store.save(proposed, Note("remediation", "proposed"), now)
        return None

    def report(self, incident: Incident, now: datetime) -> Again | None:
        self._note(incident, Skill.REPORT)
        self.store.add_report(incident.id, incident.version, "the report", now)
        return None

    def _note(self, incident: Incident, skill: Skill) -> None:
        self.did.append((incident.id, skill))

    @property
    def skills(self) -> dict[Skill, Callable[[Incident, datetime], Again | None]]:
        return {
            Skill.COLLECT_EVIDENCE: self.collect, Skill.MATCH_RULES: self.match, Skill.PLAN: self.plan,
            Skill.REPORT: self.report,
        }  # fmt: skip


@pytest.fixture
def toys(store: SqlStore) -> Toys:
    return Toys(store)


@pytest.fixture
def opened(store: SqlStore, clock: ManualClock) -> Callable[..., Incident]:
    """Put a new incident into the store."""

    def make(key: str = "k1", severity: str = "critical") -> Incident:
        new = Incident(0, key, 0, State.OPEN, severity, mask("slow"), clock(), clock())
        return store.create(new, Note("monitor", "opened"), clock())

    return make


@pytest.fixture
def terms() -> Terms:
    return Terms("worker-1", ROLES, poll=timedelta(milliseconds=10))


@pytest.fixture
def worker(store: SqlStore, toys: Toys, terms: Terms, clock: ManualClock) -> Worker:
    return Worker(store, toys.skills, terms, clock)
