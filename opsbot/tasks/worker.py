"""The workers of one process: slots of roles, filled with what is due, one look at the store after another.

A worker keeps no truth of its own: what it forgets, the next look finds again. It never dies of what a skill does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from opsbot.config.values import Queue
from opsbot.core.errors import PermanentError
from opsbot.core.ports import Clock, Store
from opsbot.core.task import Mode, Role, Skill, Task
from opsbot.tasks.attempt import Attempts, SkillFunction, in_words
from opsbot.tasks.due import next_time, waiting
from opsbot.tasks.queue import WakeUps
from opsbot.tasks.team import Pick, Slots, check_team, pick

LOG = logging.getLogger("opsbot.tasks")
NEWS = timedelta(hours=1)
"""How long an incident that was resolved before anything was told of it is still told."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How a worker works. `name` must be another one in each process and after each start.

    `lease` is how long a claim outlives a process that died; `poll` how often changes of other processes are looked
    for; `sweep` how often the store is looked at without any sign.
    """

    name: str
    roles: tuple[Role, ...]
    queue: Queue = field(default_factory=Queue)
    mode: Mode = Mode.PROPOSE
    lease: timedelta = timedelta(seconds=15)
    poll: timedelta = timedelta(seconds=0.5)
    sweep: timedelta = timedelta(seconds=30)


@dataclass(slots=True)
class _Running:
    pick: Pick
    renewed: float
    thread: threading.Thread | None = None


class Worker:
    """Does what is due with the skills it is given; a skill that is not among them is left to other processes."""

    def __init__(
        self, store: Store, skills: Mapping[Skill, SkillFunction], terms: Terms, clock: Clock, *,
        wakeups: WakeUps | None = None, jitter: Callable[[], float] = lambda: 0.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        problems = check_team(terms.roles, skills)
        if problems:
            raise PermanentError("; ".join(problem.says for problem in problems))
        self.wakeups = wakeups or WakeUps()
        self.waiting = 0  # tasks that were due at the last look and found no free slot
        self._store, self._skills, self._terms = store, skills, terms
        self._clock, self._monotonic = clock, monotonic
        self._attempts = Attempts(store, skills, terms.mode, jitter)
        self._lock = threading.Lock()
        self._running: dict[Task, _Running] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._seen: int | None = None
        self._look_at: datetime | None = None
        self._sweep_at = 0.0

    # one look -------------------------------------------------------------------------------------------------------

    def run_once(self, now: datetime) -> tuple[Task, ...]:
        """Do, here and now, what is due at one look; the tasks in the order in which they were done."""
        done = []
        for choice in self._claimed(now):
            self._do(choice, lambda: now)
            done.append(choice.task)
        return tuple(done)

    def settle(self, now: datetime, most: int = 200) -> tuple[Task, ...]:
        """Look again and again until nothing is due at that time; PermanentError after too many tasks."""
        done: tuple[Task, ...] = ()
        while found := self.run_once(now):
            done += found
            if len(done) > most:
                raise PermanentError(f"still not settled after {len(done)} tasks: {done[-1]}")
        return done

    def _claimed(self, now: datetime) -> Iterator[Pick]:
        """Tasks for free slots, each claimed as it is handed out; one that another process got first is let go."""
        news_since = now - NEWS if Skill.NOTIFY in self._skills else None
        incidents, claims = self._store.due(news_since), self._store.claims(now)
        found = waiting(incidents, claims, now, self._terms.mode, self._skills.keys())
        with self._lock:
            held = {(task.incident, task.skill) for task in self._running}
        tasks = [task for task in found if (task.incident, task.skill) not in held]
        self._look_at = next_time(incidents, claims, now)
        while not self._stopping.is_set() and (choice := pick(tasks, self._slots(), self._terms.queue)):
            tasks.remove(choice.task)
            key = (choice.task.incident, choice.task.skill)
            if self._store.claim(key, self._terms.name, now, self._terms.lease):
                with self._lock:
                    self._running[choice.task] = _Running(choice, self._monotonic())
                yield choice
        self.waiting = len(tasks)

    def _slots(self) -> list[Slots]:
        with self._lock:
            busy = [running.pick.role.name for running in self._running.values()]
        return [Slots(role, role.max_concurrency - busy.count(role.name)) for role in self._terms.roles]

    def _do(self, choice: Pick, clock: Clock) -> None:
        task = choice.task
        try:
            again_at = self._attempts.run(task, clock)
            self._store.release((task.incident, task.skill), self._terms.name, again_at)
        except Exception as error:  # noqa: BLE001  (the lease lapses, and somebody looks again)
            LOG.error("incident %d: %s cannot be given back: %s", task.incident, task.skill.value, in_words(error))
        finally:
            with self._lock:
                self._running.pop(task, None)

    # threads --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to work in threads of its own; PermanentError when it has begun already."""
        if self._thread is not None:
            raise PermanentError("this worker has been started already")
        self._thread = threading.Thread(target=self._loop, name="opsbot-worker", daemon=True)
        self._thread.start()

    def stop(self, limit: float = 20.0) -> tuple[Task, ...]:
        """Take nothing new and wait up to `limit` seconds for what runs; the tasks that still run then."""
        self._stopping.set()
        self.wakeups.wake(0)
        until = self._monotonic() + limit
        self._join(self._thread, until)  # first, because until it ends it may still begin something
        for running in self._now():
            self._join(running.thread, until)
        return tuple(running.pick.task for running in self._now())

    def _join(self, thread: threading.Thread | None, until: float) -> None:
        if thread is not None:
            thread.join(max(0.0, until - self._monotonic()))

    @property
    def stopping(self) -> bool:
        """Whether it has been told to stop: for skills that can pause between two steps."""
        return self._stopping.is_set()

    @property
    def alive(self) -> bool:
        """Whether its loop runs."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def running(self) -> tuple[Pick, ...]:
        """What is being done, and in whose slots."""
        return tuple(running.pick for running in self._now())

    def _now(self) -> list[_Running]:
        with self._lock:
            return list(self._running.values())

    def _loop(self) -> None:
        woken: frozenset[int] = frozenset({0})
        failures, poll, sweep = 0, self._terms.poll.total_seconds(), self._terms.sweep.total_seconds()
        while not self._stopping.is_set():
            try:
                self._turn(bool(woken) or failures > 0)
                failures = 0
            except Exception as error:  # noqa: BLE001  (a store that fails now may work at the next turn)
                failures += 1
                LOG.error("cannot look for work: %s", in_words(error))
            woken = self.wakeups.wait(min(poll * 2.0 ** min(failures, 20), sweep))

    def _turn(self, woken: bool) -> None:
        """Renew what runs, and look at the store where there is any sign or it has not been looked at for long."""
        self._renew()
        seen, now, tick = self._store.changed(), self._clock(), self._monotonic()
        timely = self._look_at is not None and now >= self._look_at
        if not (woken or seen != self._seen or timely or tick >= self._sweep_at):
            return
        self._seen, self._sweep_at = seen, tick + self._terms.sweep.total_seconds()
        for choice in self._claimed(now):
            self._begin(choice)

    def _begin(self, choice: Pick) -> None:
        name = f"opsbot-{choice.role.name}-{choice.task.incident}-{choice.task.skill.value}"
        thread = threading.Thread(target=self._work, args=(choice,), name=name, daemon=True)
        with self._lock:
            self._running[choice.task].thread = thread
        try:
            thread.start()
        except RuntimeError:  # no thread can be had: the slot is free again, and the claim lapses by itself
            with self._lock:
                self._running.pop(choice.task, None)
            raise

    def _work(self, choice: Pick) -> None:
        self._do(choice, self._clock)
        self.wakeups.wake(choice.task.incident)

    def _renew(self) -> None:
        """Lengthen the leases that are a third gone. A lost one is only told: the record's version fences the work."""
        tick, third = self._monotonic(), self._terms.lease.total_seconds() / 3
        for running in self._now():
            if tick - running.renewed < third:
                continue
            task, running.renewed = running.pick.task, tick
            if not self._store.renew((task.incident, task.skill), self._terms.name, self._clock(), self._terms.lease):
                LOG.warning("incident %d: the lease on %s was lost", task.incident, task.skill.value)
