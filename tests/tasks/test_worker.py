"""One look after another, here and now: what is done, what is put off, and what is never done twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.config.values import ROLES
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, Conflict, OpsbotError, PermanentError, Refused, TemporaryError, Unknown
from opsbot.core.incident import Incident, State, advance
from opsbot.core.task import Again, Mode, Role, Skill
from opsbot.store import SqlStore, open_store
from opsbot.tasks import Terms, Worker
from opsbot.tasks.attempt import TELL_AFTER
from opsbot.testing import ManualClock
from tests.tasks.conftest import Toys

Opened = Callable[..., Incident]
COLLECT, MATCH, PLAN, REPORT = Skill.COLLECT_EVIDENCE, Skill.MATCH_RULES, Skill.PLAN, Skill.REPORT


def _now(store: SqlStore, incident: int = 1) -> Incident:
    found = store.load(incident)
    assert found is not None
    return found


def test_an_incident_is_walked_until_it_waits_for_a_human(
    worker: Worker, store: SqlStore, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    opened()
    assert [task.skill for task in worker.settle(clock())] == [COLLECT, MATCH, PLAN]
    assert _now(store).state is State.AWAITING_APPROVAL
    assert worker.run_once(clock()) == ()
    clock.advance(timedelta(minutes=15))
    worker.settle(clock())
    assert (_now(store).state, _now(store).reported) == (State.ESCALATED, _now(store).version)
    assert [skill for _, skill in toys.did] == [COLLECT, MATCH, PLAN, PLAN, REPORT]
    assert store.claims(clock()) == ()
    assert store.verify() == ()


def test_waiting_for_a_human_writes_nothing(
    worker: Worker, store: SqlStore, opened: Opened, clock: ManualClock
) -> None:
    for n in range(5):
        opened(f"k{n}")
    worker.settle(clock())
    before = (store.changed(), store.audit(), store.incidents())
    for _ in range(100):
        assert worker.run_once(clock.advance(timedelta(seconds=8))) == ()
    assert (store.changed(), store.audit(), store.incidents()) == before


def test_again_is_kept_in_the_claim_and_writes_no_version_and_no_audit(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock
) -> None:
    asked: list[datetime] = []

    def later(_: Incident, now: datetime) -> Again:
        asked.append(now)
        return Again(now + timedelta(seconds=30))

    made = opened()
    worker = Worker(store, {COLLECT: later}, terms, clock)
    for _ in range(61):
        worker.settle(clock())
        clock.advance(1)
    assert [at - asked[0] for at in asked] == [timedelta(), timedelta(seconds=30), timedelta(seconds=60)]
    assert (_now(store), len(store.audit())) == (made, 1)


@pytest.mark.parametrize("again", [None, timedelta(), timedelta(days=-1)], ids=["no time", "now", "yesterday"])
def test_no_progress_rests_a_second(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, again: timedelta | None
) -> None:
    opened()
    skill = {COLLECT: lambda _, now: None if again is None else Again(now + again)}
    worker = Worker(store, skill, terms, clock)
    assert len(worker.settle(clock())) == 1
    assert worker.run_once(clock.advance(0.999)) == ()
    assert len(worker.settle(clock.advance(0.001))) == 1


def test_what_a_human_does_meanwhile_ends_the_waiting(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, toys: Toys
) -> None:
    opened()
    skills = toys.skills | {PLAN: lambda _, now: Again(now + timedelta(hours=1))}
    worker = Worker(store, skills, terms, clock)
    worker.settle(clock())
    assert _now(store).state is State.DIAGNOSED
    store.save(advance(_now(store), "again", clock()), Note("ana", "again"), clock())
    assert [task.skill for task in worker.settle(clock())] == [COLLECT, MATCH, PLAN]


class Odd(Exception):
    pass


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


FAILURES: dict[str, Exception] = {
    "temporary": TemporaryError("busy"), "blind": Blind("no answer"), "unknown": Unknown("lost"),
    "refused": Refused("no_right", "no"), "permanent": PermanentError("never"), "a bug": Odd("x"),
    "one that cannot be spelled": Unspeakable(),
    "a bug of Python": ZeroDivisionError("division by zero"), "recursion": RecursionError("deep"),
    "a text of many lines": OpsbotError("one\ntwo\nthree"),
}  # fmt: skip


@pytest.mark.parametrize("error", FAILURES.values(), ids=FAILURES.keys())
def test_a_failing_skill_is_put_off_longer_and_longer_and_told_once(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, error: Exception,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    made, start = opened(), clock()
    tried: list[float] = []

    def fail(_: Incident, now: datetime) -> Again | None:
        tried.append((now - start).total_seconds())
        raise error

    worker = Worker(store, {COLLECT: fail}, terms, clock)
    for _ in range(64):
        worker.settle(clock())
        clock.advance(1)
    assert tried == [0, 1, 3, 7, 15, 31, 63]
    assert [entry.act for entry in store.audit()] == ["opened", "keeps_failing"]
    told = store.audit()[1]
    assert (told.at - start).total_seconds() == 15
    assert told.detail["failures"] == str(TELL_AFTER)
    assert told.reason == told.reason.lower()
    assert _now(store) == made
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 7
    assert not any("\n" in line for line in lines)


def test_waiting_asked_for_by_the_far_side_is_kept_within_bounds(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock
) -> None:
    asked = iter([30.0, 1e12, float("nan"), float("inf"), -5.0])
    opened()

    def fail(_: Incident, now: datetime) -> Again | None:
        raise TemporaryError("later", retry_after=next(asked))

    worker = Worker(store, {COLLECT: fail}, terms, clock)
    for want in (30, 300, 300, 300, 16):
        assert len(worker.run_once(clock())) == 1
        (held,) = store.claims(clock())
        assert held.again_at == clock() + timedelta(seconds=want)
        clock.set(held.again_at)


def test_jitter_adds_up_to_a_quarter(store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock) -> None:
    def fail(_: Incident, now: datetime) -> Again | None:
        raise TemporaryError("later", retry_after=100)

    opened()
    Worker(store, {COLLECT: fail}, terms, clock, jitter=lambda: 1.0).run_once(clock())
    assert store.claims(clock())[0].again_at == clock() + timedelta(seconds=125)


def test_a_success_forgets_the_failures(store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock) -> None:
    times = 0

    def sometimes(_: Incident, now: datetime) -> Again | None:
        nonlocal times
        times += 1
        if times % 3:
            raise TemporaryError("no")
        return Again(now + timedelta(seconds=1))

    opened()
    worker = Worker(store, {COLLECT: sometimes}, terms, clock)
    for _ in range(60):
        worker.settle(clock())
        clock.advance(1)
    assert times > 30
    assert len(store.audit()) == 1


def test_a_secret_in_an_error_reaches_neither_the_log_nor_the_audit(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Incident, now: datetime) -> Again | None:
        raise ValueError("GET https://bot:hunter2secret@prometheus/ failed")

    opened()
    worker = Worker(store, {COLLECT: fail}, terms, clock)
    for _ in range(20):
        worker.settle(clock())
        clock.advance(1)
    assert "hunter2secret" not in caplog.text + str(store.audit())
    assert "prometheus" in store.audit()[1].detail["error"]


def test_one_failing_incident_stops_no_other(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    def fail_first(incident: Incident, now: datetime) -> Again | None:
        if incident.id == 1:
            raise Odd
        return toys.collect(incident, now)

    for n in range(3):
        opened(f"k{n}")
    Worker(store, toys.skills | {COLLECT: fail_first}, terms, clock).settle(clock())
    assert [_now(store, n).state.value for n in (1, 2, 3)] == ["open", "awaiting_approval", "awaiting_approval"]


def test_a_skill_that_saved_before_it_failed_is_put_off_all_the_same(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock
) -> None:
    def save_and_fail(incident: Incident, now: datetime) -> Again | None:
        store.save(replace(incident, reason=f"{incident.version}"), Note("x", "saved"), now)
        raise Odd

    opened()
    worker = Worker(store, {COLLECT: save_and_fail}, terms, clock)
    assert len(worker.settle(clock())) == 1
    assert _now(store).version == 2


@pytest.mark.parametrize("moved", [True, False], ids=["somebody else saved", "nobody did"])
def test_a_conflict_is_quiet(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, moved: bool, caplog: pytest.LogCaptureFixture
) -> None:
    times = 0

    def lose(incident: Incident, now: datetime) -> Again | None:
        nonlocal times
        times += 1
        if moved and times == 1:
            store.save(replace(incident, severity="info"), Note("ana", "lowered"), now)
        raise Conflict("moved on")

    opened()
    Worker(store, {COLLECT: lose}, terms, clock).settle(clock())
    assert times == 1 + moved
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_what_was_settled_since_the_look_is_not_done(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    def close_the_other(incident: Incident, now: datetime) -> Again | None:
        other = _now(store, 3 - incident.id)
        store.save(advance(other, "closed", now), Note("ana", "closed"), now)
        return toys.collect(incident, now)

    opened("a")
    opened("b")
    worker = Worker(store, {COLLECT: close_the_other}, terms, clock)
    assert len(worker.run_once(clock())) == 2
    assert toys.did == [(1, COLLECT)]


def test_a_skill_that_this_process_lacks_is_left_to_others(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    opened()
    only = {skill: function for skill, function in toys.skills.items() if skill is not PLAN}
    Worker(store, only, terms, clock).settle(clock())
    assert _now(store).state is State.DIAGNOSED
    Worker(store, {PLAN: toys.plan}, replace(terms, name="other"), clock).settle(clock())
    assert _now(store).state is State.AWAITING_APPROVAL


def test_in_mode_observe_nothing_is_planned(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    opened()
    Worker(store, toys.skills, replace(terms, mode=Mode.OBSERVE), clock).settle(clock())
    assert _now(store).state is State.DIAGNOSED


def test_two_workers_on_one_store_do_nothing_twice(
    url: str, store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    other_store = open_store(url, clock())
    both = [
        Worker(store, toys.skills, terms, clock),
        Worker(other_store, toys.skills, replace(terms, name="w2"), clock),
    ]
    for n in range(6):
        opened(f"k{n}")
    for turn in range(12):
        both[turn % 2].run_once(clock())
    assert sorted(toys.did) == sorted((n, skill) for n in range(1, 7) for skill in (COLLECT, MATCH, PLAN))
    assert store.verify() == ()
    other_store.close()


def test_what_a_dead_worker_held_is_taken_when_its_lease_lapses(
    store: SqlStore, worker: Worker, toys: Toys, opened: Opened, clock: ManualClock, terms: Terms
) -> None:
    opened()
    assert store.claim((1, COLLECT), "dead", clock(), terms.lease)
    assert worker.run_once(clock.advance(terms.lease - timedelta(seconds=1))) == ()
    assert [task.skill for task in worker.run_once(clock.advance(1))] == [COLLECT]


def test_between_claim_and_release_a_crash_loses_nothing(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    """The process dies inside a skill, after the skill has saved: the work stands, and the walk goes on."""

    def die(incident: Incident, now: datetime) -> Again | None:
        toys.collect(incident, now)
        raise KeyboardInterrupt

    opened()
    with pytest.raises(KeyboardInterrupt):
        Worker(store, {COLLECT: die}, terms, clock).run_once(clock())
    assert len(store.claims(clock())) == 1
    after = Worker(store, toys.skills, replace(terms, name="next start"), clock)
    assert [task.skill for task in after.settle(clock())] == [MATCH, PLAN]
    assert toys.did.count((1, COLLECT)) == 1


def test_heavier_incidents_go_first(
    store: SqlStore, terms: Terms, toys: Toys, opened: Opened, clock: ManualClock
) -> None:
    for n, severity in enumerate(["info", "warning", "critical", "odd"]):
        opened(f"k{n}", severity)
    Worker(store, {COLLECT: toys.collect}, terms, clock).run_once(clock())
    assert [incident for incident, _ in toys.did] == [3, 2, 4, 1]


def test_a_team_that_cannot_do_its_work_is_refused(
    store: SqlStore, terms: Terms, toys: Toys, clock: ManualClock
) -> None:
    with pytest.raises(PermanentError, match="no role has the skill collect_evidence"):
        Worker(store, toys.skills, replace(terms, roles=ROLES[2:]), clock)
    with pytest.raises(PermanentError, match="max_concurrency"):
        Worker(store, {PLAN: toys.plan}, replace(terms, roles=(Role("r", (PLAN,), 0),)), clock)


def test_what_never_settles_is_told(store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock) -> None:
    def busy(incident: Incident, now: datetime) -> Again | None:
        store.save(replace(incident, reason=str(incident.version)), Note("x", "saved"), now)
        return None

    opened()
    with pytest.raises(PermanentError, match="still not settled"):
        Worker(store, {COLLECT: busy}, terms, clock).settle(clock(), most=20)


def test_a_store_that_fails_at_release_kills_nothing(
    store: SqlStore, worker: Worker, toys: Toys, opened: Opened, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise TemporaryError("the disk is full")

    opened()
    with monkeypatch.context() as broken:
        broken.setattr(store, "release", full)
        assert len(worker.run_once(clock())) == 1
    assert "cannot be given back" in caplog.text
    assert [task.skill for task in worker.settle(clock.advance(60))] == [MATCH, PLAN]
    assert toys.did.count((1, COLLECT)) == 1


def test_an_audit_that_cannot_be_written_ends_no_waiting(
    store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise TemporaryError("the disk is full")

    def fail(_: Incident, now: datetime) -> Again | None:
        raise Odd

    monkeypatch.setattr(store, "note", full)
    opened()
    worker = Worker(store, {COLLECT: fail}, terms, clock)
    for _ in range(TELL_AFTER):
        assert len(worker.run_once(clock())) == 1
        (held,) = store.claims(clock())
        assert held.again_at is not None
        clock.set(held.again_at)
    assert "its audit cannot be written: TemporaryError: the disk is full" in caplog.text


# what is told


def _notifier(store: SqlStore, told: list[str]) -> Callable[[Incident, datetime], None]:
    def notify(incident: Incident, now: datetime) -> None:
        told.append(f"{incident.id} {incident.state} {incident.mark}")
        store.add_messages(incident.id, [], incident.mark, now)

    return notify


def test_every_version_is_told_until_it_is_resolved_and_then_no_more(
    store: SqlStore, toys: Toys, terms: Terms, opened: Opened, clock: ManualClock
) -> None:
    told: list[str] = []
    worker = Worker(store, toys.skills | {Skill.NOTIFY: _notifier(store, told)}, terms, clock)
    opened()
    worker.settle(clock())
    store.save(advance(_now(store), "closed", clock()), Note("ana", "closed"), clock())
    worker.settle(clock())
    assert told[-2:] == ["1 awaiting_approval 4.0.0", "1 resolved 5.0.0"]
    assert worker.run_once(clock()) == ()
    store.add_hypotheses(1, 1, [], Note("diagnostic", "asked"), clock())
    assert [task.skill for task in worker.settle(clock.advance(timedelta(days=9)))] == [Skill.NOTIFY]
    assert told[-1] == "1 resolved 5.1.0"


def test_where_nobody_tells_the_resolved_are_let_be_and_a_later_chat_is_not_flooded(
    store: SqlStore, toys: Toys, terms: Terms, opened: Opened, clock: ManualClock
) -> None:
    silent = Worker(store, toys.skills, terms, clock)
    for key in "ab":
        made = opened(key)
        store.save(advance(made, "closed", clock()), Note("ana", "closed"), clock())
        silent.settle(clock())
        clock.advance(timedelta(minutes=59))
    assert store.due() == ()
    told: list[str] = []
    worker = Worker(store, toys.skills | {Skill.NOTIFY: _notifier(store, told)}, terms, clock)
    worker.settle(clock())
    assert told == ["2 resolved 2.0.0"]


def test_telling_and_asking_are_progress(store: SqlStore, terms: Terms, opened: Opened, clock: ManualClock) -> None:
    """After each of them what comes next is looked at at once."""
    made = opened()
    store.save(replace(made, open_question=True), Note("diagnostic", "wonders"), clock())
    did: list[str] = []

    def ask(incident: Incident, now: datetime) -> None:
        did.append("ask")
        store.add_hypotheses(incident.id, incident.round, [], Note("diagnostic", "asked"), now)

    worker = Worker(store, {Skill.NOTIFY: _notifier(store, did), Skill.ASK_MODEL: ask}, terms, clock)
    worker.settle(clock())
    assert did.count("ask") == 1
    assert did[-1] == "1 open 2.1.0"
    assert store.claims(clock()) == ()
