"""Which waiting task a free slot takes next: tasks and free slots in, a choice out. It knows no clock and no store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from opsbot.config.values import Queue
from opsbot.core.task import Role, Skill, Task

AGING = timedelta(minutes=1)
"""What one point of weight is worth in waiting: a critical task (10) goes before a warning (3) up to 7 minutes older.

So everything that waits has its turn, however many heavier tasks come after it.
"""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slots:
    """A role, and how many of its slots are free."""

    role: Role
    free: int


class Pick(NamedTuple):
    """A task, the role whose slot takes it, and whether that slot is lent."""

    task: Task
    role: Role
    lent: bool


class TeamProblem(NamedTuple):
    """What is wrong with a team: a named reason, the role (empty for the team), and a sentence."""

    reason: str
    role: str
    says: str


def pick(waiting: Sequence[Task], slots: Sequence[Slots], queue: Queue) -> Pick | None:
    """The task to take next, or None where no free slot may take any of those that wait.

    Work of a role's own goes first, so that a slot that was lent comes back as soon as it is free. Then an idle slot is
    lent to the longest queue among the skills that its role lends. `waiting` holds tasks that nobody has claimed.
    """
    free = [each for each in slots if each.free > 0]
    own = {skill: each.role for each in reversed(free) for skill in each.role.skills}
    mine = [task for task in waiting if task.skill in own]
    if mine:
        best = first(mine, queue)
        return Pick(best, own[best.skill], lent=False)
    lenders = {skill: each.role for each in reversed(free) for skill in each.role.lends}
    longest = _longest([task for task in waiting if task.skill in lenders])
    if not longest:
        return None
    best = first(longest, queue)
    return Pick(best, lenders[best.skill], lent=True)


def _longest(tasks: Iterable[Task]) -> list[Task]:
    """The tasks of the skill with the most of them; of the first by name where several have as many."""
    found = list(tasks)
    counts = Counter(task.skill for task in found)
    most = min(counts, key=lambda skill: (-counts[skill], skill.value), default=None)
    return [task for task in found if task.skill is most]


def first(tasks: Collection[Task], queue: Queue) -> Task:
    """The task whose turn it is: the oldest (fifo), or the oldest after each point of weight has made it older."""
    return min(tasks, key=lambda task: (_turn(task, queue), task.incident, task.skill.value))


def _turn(task: Task, queue: Queue) -> datetime:
    since = task.since or _LONG_AGO
    if queue.order == "fifo":
        return since
    weight = queue.weights.get(task.severity, queue.weights.get("warning", 1))
    return since - min(weight * AGING, since - _LONG_AGO)


def check_team(roles: Sequence[Role], needed: Collection[Skill] = ()) -> tuple[TeamProblem, ...]:
    """What is wrong with a team of which these skills are needed; empty is good."""
    return tuple(_problems(roles, needed))


def _problems(roles: Sequence[Role], needed: Collection[Skill]) -> Iterator[TeamProblem]:
    for name, count in Counter(role.name for role in roles).items():
        if count > 1:
            yield TeamProblem("duplicate_role", name, f"role {name!r} is there {count} times")
    for role in roles:
        if role.max_concurrency < 1:
            yield TeamProblem("no_slots", role.name, f"role {role.name!r} needs a max_concurrency of 1 or more")
        if not role.skills:
            yield TeamProblem("no_skills", role.name, f"role {role.name!r} has no skill")
    had = {skill for role in roles for skill in role.skills}
    for skill in sorted(set(needed) - had):
        says = f"no role has the skill {skill.value}: its tasks would wait for ever"
        yield TeamProblem("skill_without_role", "", says)
