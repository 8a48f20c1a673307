"""RemediationAgent: three skills over one set of means. An incident walks in; what became of it is in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from opsbot.core.errors import Conflict
from opsbot.core.incident import Incident
from opsbot.core.task import Again
from opsbot.remediate import planning, run, verify
from opsbot.remediate.means import Means


@dataclass(frozen=True, slots=True)
class RemediationAgent:
    """Plans, runs and verifies. On a Conflict it gives up quietly: the incident has moved on and is looked at again."""

    means: Means

    def plan(self, incident: Incident, now: datetime) -> Again | None:
        """Propose a plan for a diagnosed incident, or put away an expired question."""
        return self._take(planning.plan, incident, now)

    def run_playbook(self, incident: Incident, now: datetime) -> Again | None:
        """Take an approved, running or parked incident one move further."""
        return self._take(run.run_playbook, incident, now)

    def verify(self, incident: Incident, now: datetime) -> Again | None:
        """Look for proof that a run helped."""
        return self._take(verify.verify, incident, now)

    def _take(
        self, skill: Callable[[Means, Incident, datetime], Again | None], incident: Incident, now: datetime
    ) -> Again | None:
        try:
            return skill(self.means, incident, now)
        except Conflict:
            return None
