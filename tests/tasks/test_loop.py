"""The worker's threads: it wakes, notices other processes, sweeps, renews, stops, and outlives its store's troubles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError, TemporaryError
from opsbot.core.incident import Incident, State, advance
from opsbot.core.task import Again, Role, Skill, Task
from opsbot.store import SqlStore, open_store
from opsbot.tasks import Terms, Worker
from opsbot.testing import ManualClock
from tests.tasks.conftest import Toys

Opened = Callable[..., Incident]
COLLECT, MATCH, PLAN = Skill.COLLECT_EVIDENCE, Skill.MATCH_RULES, Skill.PLAN
PATIENCE = 30.0


def _until(true: Callable[[], bool]) -> None:
    """Wait for something to come true; the test fails when it does not within PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def _state(store: SqlStore, incident: int = 1) -> State:
    found = store.load(incident)
    assert found is not None
    return found.state


@pytest.fixture
def started(worker: Worker) -> Iterator[Worker]:
    worker.start()
    yield worker
    assert worker.stop(PATIENCE) == ()


def test_it_walks_incidents_that_were_there_and_that_come(started: Worker, store: SqlStore, opened: Opened) -> None:
    for n in range(5):
        opened(f"k{n}")
        started.wakeups.wake(n + 1)
    _until(lambda: {i.state for i in store.incidents()} == {State.AWAITING_APPROVAL})
    _until(lambda: started.running == ())
    assert store.verify() == ()


def test_a_change_by_another_process_is_noticed_without_a_wake_up(
    started: Worker, url: str, store: SqlStore, clock: ManualClock, opened: Opened
) -> None:
    other = open_store(url, clock())
    new = Incident(0, "k1", 0, State.OPEN, "critical", opened("k0").title, clock(), clock())
    other.create(new, Note("cli", "opened"), clock())
    _until(lambda: _state(store, 2) is State.AWAITING_APPROVAL)
    other.close()


def test_what_becomes_due_by_time_alone_is_done(
    started: Worker, store: SqlStore, clock: ManualClock, opened: Opened
) -> None:
    opened()
    _until(lambda: _state(store) is State.AWAITING_APPROVAL)
    clock.advance(timedelta(minutes=15))
    _until(lambda: _state(store) is State.ESCALATED)


def test_a_sweep_finds_what_no_sign_told_of(
    store: SqlStore, toys: Toys, terms: Terms, clock: ManualClock, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With changes unseen and no wake-up, the sweep alone finds it; the clock of sweeps is not the wall clock."""
    tick = 0.0
    monkeypatch.setattr(store, "changed", lambda: 0)
    worker = Worker(store, toys.skills, terms, clock, monotonic=lambda: tick)
    worker._turn(woken=True)
    opened()
    clock.set(clock() - timedelta(hours=1))
    tick = 29.9
    worker._turn(woken=False)
    assert worker.running == ()
    assert toys.did == []
    tick = 30.0
    worker._turn(woken=False)
    _until(lambda: toys.did == [(1, COLLECT)] and worker.running == ())


def test_no_more_run_at_once_than_there_are_slots_and_no_task_twice(
    store: SqlStore, terms: Terms, toys: Toys, clock: ManualClock, opened: Opened
) -> None:
    gate, lock = threading.Event(), threading.Lock()
    at_once: list[int] = []
    inside = 0

    def slow(incident: Incident, now: datetime) -> Again | None:
        nonlocal inside
        with lock:
            inside += 1
            at_once.append(inside)
        gate.wait(PATIENCE)
        with lock:
            inside -= 1
        return toys.collect(incident, now)

    for n in range(7):
        opened(f"k{n}")
    worker = Worker(store, {COLLECT: slow}, replace(terms, roles=(Role("diagnostic", (COLLECT,), 3),)), clock)
    worker.start()
    _until(lambda: len(at_once) == 3)
    worker.wakeups.wake(0)
    gate.set()
    _until(lambda: len(toys.did) == 7)
    assert worker.stop(PATIENCE) == ()
    assert max(at_once) == 3
    assert sorted(toys.did) == [(n, COLLECT) for n in range(1, 8)]


def test_leases_of_what_runs_are_renewed_and_a_lost_one_is_told(
    store: SqlStore, terms: Terms, toys: Toys, clock: ManualClock, opened: Opened, caplog: pytest.LogCaptureFixture
) -> None:
    gate, tick = threading.Event(), 0.0

    def slow(incident: Incident, now: datetime) -> Again | None:
        gate.wait(PATIENCE)
        return toys.collect(incident, now)

    opened()
    start = clock()
    worker = Worker(store, {COLLECT: slow}, terms, clock, monotonic=lambda: tick)
    worker._turn(woken=True)
    for tick in (3.0, 6.0, 8.0, 12.0):
        clock.set(start + timedelta(seconds=tick))
        worker._turn(woken=False)
    (held,) = store.claims(clock())
    assert held.lease == start + timedelta(seconds=12) + terms.lease
    clock.set(start + timedelta(minutes=10))
    assert store.claim((1, COLLECT), "thief", clock(), terms.lease)
    tick = 600.0
    worker._turn(woken=False)
    assert "the lease on collect_evidence was lost" in caplog.text
    gate.set()
    _until(lambda: worker.running == ())
    assert [claim.worker for claim in store.claims(clock())] == ["thief"]


def test_stop_waits_for_what_runs_and_takes_nothing_new(
    store: SqlStore, terms: Terms, toys: Toys, clock: ManualClock, opened: Opened
) -> None:
    inside, gate = threading.Event(), threading.Event()

    def slow(incident: Incident, now: datetime) -> Again | None:
        inside.set()
        gate.wait(PATIENCE)
        return toys.collect(incident, now)

    opened()
    worker = Worker(store, toys.skills | {COLLECT: slow}, terms, clock)
    worker.start()
    assert inside.wait(PATIENCE)
    before = worker.stopping
    left = worker.stop(limit=0.05)
    assert [(task.incident, task.skill) for task in left] == [(1, COLLECT)]
    assert (before, worker.stopping) == (False, True)
    gate.set()
    assert worker.stop(PATIENCE) == ()
    assert toys.did == [(1, COLLECT)]
    assert worker.run_once(clock()) == ()


def test_it_is_started_once_and_stopped_without_having_been_started(worker: Worker) -> None:
    assert worker.stop() == ()
    worker.start()
    with pytest.raises(PermanentError, match="already"):
        worker.start()
    assert worker.stop(PATIENCE) == ()


def test_a_store_in_trouble_is_told_and_tried_again(
    store: SqlStore, toys: Toys, terms: Terms, clock: ManualClock, opened: Opened, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    whole, times = store.due, 0

    def sometimes(news_since: datetime | None) -> tuple[Incident, ...]:
        nonlocal times
        times += 1
        if times <= 3:
            raise TemporaryError("the disk is full")
        return whole(news_since)

    monkeypatch.setattr(store, "due", sometimes)
    opened()
    worker = Worker(store, toys.skills, terms, clock)
    worker.start()
    _until(lambda: _state(store) is State.AWAITING_APPROVAL)
    worker.stop(PATIENCE)
    assert "cannot look for work: TemporaryError: the disk is full" in caplog.text


def test_an_idle_worker_reads_little_and_writes_nothing(
    started: Worker, store: SqlStore, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    _until(lambda: _state(store) is State.AWAITING_APPROVAL and started.running == ())
    whole, looks, polls = store.due, 0, 0
    settled = threading.Event()

    def counted(news_since: datetime | None = None) -> tuple[Incident, ...]:
        nonlocal looks
        looks += 1
        return whole(news_since)

    def polled() -> int:
        nonlocal polls
        polls += 1
        if polls > 20:
            settled.set()
        return SqlStore.changed(store)

    monkeypatch.setattr(store, "due", counted)
    monkeypatch.setattr(store, "changed", polled)
    before = (store.audit(), store.incidents())
    assert settled.wait(PATIENCE)
    assert looks <= 3
    assert (store.audit(), store.incidents()) == before


def test_two_workers_with_threads_do_nothing_twice(
    url: str, store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    other_store = open_store(url, clock())
    other_toys = Toys(other_store, toys.did)
    for n in range(12):
        opened(f"k{n}")
    workers = [
        Worker(store, toys.skills, terms, clock),
        Worker(other_store, other_toys.skills, replace(terms, name="worker-2"), clock),
    ]
    for worker in workers:
        worker.start()
    _until(lambda: {i.state for i in store.incidents()} == {State.AWAITING_APPROVAL})
    for worker in workers:
        assert worker.stop(PATIENCE) == ()
    assert sorted(toys.did) == sorted((n, skill) for n in range(1, 13) for skill in (COLLECT, MATCH, PLAN))
    assert store.verify() == ()
    other_store.close()


def test_a_human_who_approves_in_another_process_is_noticed_while_a_plan_waits(
    started: Worker, url: str, store: SqlStore, clock: ManualClock, opened: Opened
) -> None:
    opened()
    _until(lambda: _state(store) is State.AWAITING_APPROVAL)
    cli = open_store(url, clock(), create=False)
    waiting = cli.load(1)
    assert waiting is not None
    cli.save(advance(waiting, "closed", clock()), Note("ana", "closed"), clock())
    _until(lambda: [version for version, _ in store.reports(1)] == [waiting.version + 1])
    cli.close()


def test_what_begins_while_it_is_told_to_stop_is_waited_for(
    store: SqlStore, terms: Terms, toys: Toys, clock: ManualClock, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    claiming, go_on, finish = threading.Event(), threading.Event(), threading.Event()
    claim = store.claim

    def slow_claim(*given: Any) -> bool:
        claiming.set()
        go_on.wait(PATIENCE)
        return claim(*given)

    def slow(incident: Incident, now: datetime) -> Again | None:
        finish.wait(PATIENCE)
        return toys.collect(incident, now)

    monkeypatch.setattr(store, "claim", slow_claim)
    opened()
    worker = Worker(store, {COLLECT: slow}, terms, clock)
    worker.start()
    assert claiming.wait(PATIENCE)
    left: list[tuple[Task, ...]] = []
    stopping = threading.Thread(target=lambda: left.append(worker.stop(PATIENCE)))
    stopping.start()
    _until(lambda: worker.stopping)
    go_on.set()
    _until(lambda: worker.running != ())
    finish.set()
    stopping.join(PATIENCE)
    assert left == [()]
    assert toys.did == [(1, COLLECT)]


def test_where_no_thread_can_be_had_the_slot_stays_free(
    store: SqlStore, worker: Worker, toys: Toys, clock: ManualClock, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    opened()
    with monkeypatch.context() as poor:
        poor.setattr(threading.Thread, "start", none)
        with pytest.raises(RuntimeError):
            worker._turn(woken=True)
    assert worker.running == ()
    assert [task.skill for task in worker.run_once(clock.advance(60))] == [COLLECT]
