"""Skills and tasks: what is due for an incident, read off its record.

A task is (incident id, skill). Losing, doubling or reordering a wake-up is harmless, because this function is asked
again each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsbot.core.incident import Incident, State


class Mode(StrEnum):
    """What opsbot may do on its own: look, propose, or act where a playbook has earned it."""

    OBSERVE = "observe"
    PROPOSE = "propose"
    ACT = "act"


class Skill(StrEnum):
    """All that a role may be able to do. The first two are ticks, not tasks."""

    POLL_ALERTS = "poll_alerts"
    RECEIVE_ALERTS = "receive_alerts"
    COLLECT_EVIDENCE = "collect_evidence"
    MATCH_RULES = "match_rules"
    ASK_MODEL = "ask_model"
    PLAN = "plan"
    RUN_PLAYBOOK = "run_playbook"
    VERIFY = "verify"
    NOTIFY = "notify"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Role:
    """An agent's role: skills of its own, slots, and skills that it lends idle slots to."""

    name: str
    skills: tuple[Skill, ...]
    max_concurrency: int
    lends: tuple[Skill, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, with what `pick` needs to weigh it."""

    incident: int
    skill: Skill
    severity: str = "warning"
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Again:
    """What a skill returns to say: nothing more to do now, look again at this time."""

    at: datetime


def next_skills(incident: Incident, now: datetime, mode: Mode) -> tuple[Skill, ...]:
    """The skills that are due for an incident now; empty while it waits for a human or for nothing.

    What moves it on comes first, then what is told of it (`notify`) and what a model is asked about it. An expired
    question is due for `plan`, which puts it away. In mode observe nothing is planned; a run that was under way when
    the write account was taken away is still due, so that a human is told.
    """
    return (*_walk(incident, now, mode), *_telling(incident), *_asking(incident))


def _walk(incident: Incident, now: datetime, mode: Mode) -> tuple[Skill, ...]:
    match incident.state:
        case State.OPEN:
            return (Skill.MATCH_RULES if incident.collected_at else Skill.COLLECT_EVIDENCE,)
        case State.DIAGNOSED:
            return () if mode is Mode.OBSERVE else (Skill.PLAN,)
        case State.AWAITING_APPROVAL:
            late = incident.approval is None or incident.approval.expired(now)
            return (Skill.PLAN,) if late else ()
        case State.APPROVED | State.RUNNING | State.PARKED:
            return (Skill.RUN_PLAYBOOK,)
        case State.VERIFYING:
            return (Skill.VERIFY,)
        case State.ESCALATED | State.RESOLVED:
            return (Skill.REPORT,) if incident.reported < incident.version else ()


def _telling(incident: Incident) -> tuple[Skill, ...]:
    return () if incident.told == incident.mark else (Skill.NOTIFY,)


def _asking(incident: Incident) -> tuple[Skill, ...]:
    """A model is asked once per incident, while it is open to somebody's work."""
    wanted = incident.open_question and not incident.asked and incident.unresolved
    return (Skill.ASK_MODEL,) if wanted else ()


def next_change(incident: Incident) -> datetime | None:
    """When something becomes due by time alone (an expiry); None where only an event can change anything."""
    if incident.state is State.AWAITING_APPROVAL and incident.approval is not None:
        return incident.approval.expires_at
    return None
