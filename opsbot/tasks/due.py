"""What waits to be done, and when to look again: records and claims in, tasks and a time out. It changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

from opsbot.core.incident import Incident
from opsbot.core.ports import Claim
from opsbot.core.task import Mode, Skill, Task, next_change, next_skills


def waiting(
    incidents: Iterable[Incident], claims: Iterable[Claim], now: datetime, mode: Mode, runnable: Collection[Skill]
) -> tuple[Task, ...]:
    """The tasks that are due, that nobody holds or has put off, and that this process can do."""
    held = {(claim.incident, claim.skill) for claim in claims}
    return tuple(task for task in _due(incidents, now, mode) if _key(task) not in held and task.skill in runnable)


def _due(incidents: Iterable[Incident], now: datetime, mode: Mode) -> Iterator[Task]:
    for incident in incidents:
        for skill in next_skills(incident, now, mode):
            yield Task(incident.id, skill, incident.severity, incident.since)


def _key(task: Task) -> tuple[int, Skill]:
    return task.incident, task.skill


def next_time(incidents: Iterable[Incident], claims: Iterable[Claim], now: datetime) -> datetime | None:
    """The first time after `now` at which something becomes due by itself: an expiry, a lapse, an end of waiting."""
    times = [next_change(incident) for incident in incidents]
    times += [at for claim in claims for at in (claim.lease, claim.again_at)]
    return min((at for at in times if at is not None and at > now), default=None)
