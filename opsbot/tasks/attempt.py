"""Doing one task once: a claimed task in, the time before which it need not be looked at again out.

Whatever a skill raises ends here: as waiting that grows, one line in the log, and after some failures in a row one
note in the incident's audit. It never raises on a skill's account.
"""

from __future__ import annotations

import logging
import math
import re
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, OpsbotError, Refused
from opsbot.core.incident import Incident
from opsbot.core.ports import Clock, Store
from opsbot.core.task import Again, Mode, Skill, Task, next_skills
from opsbot.mask import mask

LOG = logging.getLogger("opsbot.tasks")
SkillFunction = Callable[[Incident, datetime], Again | None]

IDLE = timedelta(seconds=1)
"""How long a task rests that made no progress and named no time."""
FIRST_REST = 1.0
LONGEST_REST = 300.0
TELL_AFTER = 5
"""Failures in a row after which the incident's audit says so, once."""


class Attempts:
    """Skills by name, and how often each task has failed in a row."""

    def __init__(
        self, store: Store, skills: Mapping[Skill, SkillFunction], mode: Mode, jitter: Callable[[], float]
    ) -> None:
        self._store, self._skills, self._mode, self._jitter = store, skills, mode, jitter
        self._failures: dict[tuple[int, Skill], int] = {}

    def run(self, task: Task, clock: Clock) -> datetime | None:
        """Do it; None where it may be looked at again at once (it made progress, or is no longer due)."""
        try:
            again = self._once(task, clock)
        except Exception as error:  # noqa: BLE001  (the worker outlives its skills)
            return self._failed(task, error, clock())
        self._failures.pop((task.incident, task.skill), None)
        return again

    def _once(self, task: Task, clock: Clock) -> datetime | None:
        now = clock()
        before = self._store.load(task.incident)
        if before is None or task.skill not in next_skills(before, now, self._mode):
            return None
        again: Again | None = None
        try:
            again = self._skills[task.skill](before, now)
        except Conflict:
            LOG.info("incident %d: %s gave way to a change by somebody else", task.incident, task.skill.value)
        if again is None and _moved(before, self._store.load(task.incident)):
            return None
        rest = clock() + IDLE
        return rest if again is None else max(again.at, now + IDLE)

    def _failed(self, task: Task, error: Exception, now: datetime) -> datetime:
        times = self._failures[task.incident, task.skill] = self._failures.get((task.incident, task.skill), 0) + 1
        seconds = rest_after(times, getattr(error, "retry_after", 0.0), self._jitter())
        LOG.warning(
            "incident %d: %s failed (%d in a row), again in %.0f s: %s",
            task.incident, task.skill.value, times, seconds, in_words(error),
        )  # fmt: skip
        if times == TELL_AFTER:
            self._tell(task, error, now)
        return now + timedelta(seconds=seconds)

    def _tell(self, task: Task, error: Exception, now: datetime) -> None:
        detail = {"skill": task.skill.value, "failures": str(TELL_AFTER), "error": in_words(error)}
        try:
            self._store.note(task.incident, Note("worker", "keeps_failing", named(error), detail), now)
        except OpsbotError as trouble:
            LOG.error("incident %d: its audit cannot be written: %s", task.incident, in_words(trouble))


def _moved(before: Incident, after: Incident | None) -> bool:
    return after is None or _progress(after) != _progress(before)


def _progress(incident: Incident) -> tuple[object, ...]:
    return incident.version, incident.reported, incident.told, incident.asked


def rest_after(failures: int, retry_after: float, jitter: float) -> float:
    """Seconds to wait after so many failures in a row: doubling, at least what was asked for, never for ever.

    `jitter` (0 to 1) adds up to a quarter, so that many who failed together do not come back together.
    """
    asked = retry_after if math.isfinite(retry_after) else LONGEST_REST
    doubled = FIRST_REST * 2.0 ** min(failures - 1, 30)
    return min(max(asked, doubled) * (1 + jitter / 4), LONGEST_REST)


def named(error: BaseException) -> str:
    """An error as a snake_case reason."""
    if isinstance(error, Refused):
        return error.reason
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower()


def in_words(error: BaseException) -> str:
    """An error on one masked line; with the place in the program where it is none of opsbot's own."""
    frames = [] if isinstance(error, OpsbotError) else traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    try:
        return mask(" ".join(f"{type(error).__name__}: {error}"[:2000].split())).cut(300) + place
    except Exception:  # noqa: BLE001  (an error that cannot even be spelled must not end the loop that tells of it)
        return type(error).__name__ + place
