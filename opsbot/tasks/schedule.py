"""Ticks: functions called again and again. APScheduler is the tick source here and nothing else: no stores, no queue.

A tick that comes late is still taken, several late ones become one, and one that finds its forerunner still running
is skipped and told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from opsbot.core.errors import PermanentError
from opsbot.core.ports import Clock
from opsbot.tasks.attempt import in_words

LOG = logging.getLogger("opsbot.tasks")
Tell = Callable[[str, str], None]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def latest(now: datetime, interval: timedelta, phase: timedelta) -> datetime:
    """The last regular time that is not after `now`: a whole number of intervals and the phase since 1970."""
    return EPOCH + phase + (now - EPOCH - phase) // interval * interval


def _regular(interval: timedelta, phase: timedelta) -> Any:
    """A trigger of APScheduler for regular times; its own counts from when the first call was."""
    from apscheduler.triggers.base import BaseTrigger

    class Regular(BaseTrigger):  # type: ignore[misc]
        def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime:
            return latest(before or now, interval, phase) + interval

    return Regular()


def _log(name: str, what: str) -> None:
    LOG.warning("tick %s: %s", name, what)


class Schedule:
    """Functions and how often to call them. `tell(name, what)` hears of skipped ticks and of what functions raise."""

    def __init__(self, clock: Clock, threads: int = 4, tell: Tell = _log) -> None:
        from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES
        from apscheduler.executors.pool import ThreadPoolExecutor
        from apscheduler.schedulers.background import BackgroundScheduler

        # Its own log would print a traceback for each failing tick; they are told by `_heard` in one line.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        # misfire_grace_time: the default of one second drops a tick that a stall has delayed, without a word.
        defaults = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
        self._clock, self._tell = clock, tell
        self._scheduler = BackgroundScheduler(
            timezone=UTC, executors={"default": ThreadPoolExecutor(threads)}, job_defaults=defaults, daemon=True
        )
        self._scheduler.add_listener(self._heard, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)

    def every(
        self, interval: timedelta, function: Callable[[], object], name: str, phase: timedelta | None = None
    ) -> None:
        """Call a function at once when started and then every so often; PermanentError for a name given twice.

        With a `phase` the calls after the first are at the times that `latest` means, whenever the first was.
        """
        if interval < timedelta(milliseconds=100):
            raise PermanentError(f"tick {name}: an interval of {interval} is too short")
        if self._scheduler.get_job(name) is not None:
            raise PermanentError(f"tick {name} is there already")
        first = self._clock()
        if phase is None:
            self._scheduler.add_job(
                function, "interval", seconds=interval.total_seconds(), id=name, next_run_time=first
            )
        else:
            self._scheduler.add_job(function, _regular(interval, phase), id=name, next_run_time=first)

    def drop(self, name: str) -> None:
        """Tick this no more; nothing where there is no such tick."""
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self, wait: bool = True) -> None:
        """No more ticks; with `wait` those that run are waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=wait)

    def _heard(self, event: Any) -> None:
        error = getattr(event, "exception", None)
        self._tell(event.job_id, "skipped: the one before still runs" if error is None else in_words(error))
