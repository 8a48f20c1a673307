"""What every store promises of claims: one holder at a time, leases that lapse, waiting that a change ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.incident import Incident
from opsbot.core.ports import Claim, Store
from opsbot.core.task import Skill

NOTE = Note("monitor", "opened")
LEASE = timedelta(seconds=60)
TASK = (1, Skill.PLAN)


@pytest.fixture
def made(store: Store, now: datetime, incident: Callable[..., Incident]) -> Incident:
    return store.create(incident(), NOTE, now)


def test_a_task_is_taken_once(store: Store, now: datetime, made: Incident) -> None:
    assert store.claim(TASK, "w1", now, LEASE)
    assert not store.claim(TASK, "w2", now, LEASE)
    assert not store.claim(TASK, "w1", now, LEASE)
    assert store.claim((1, Skill.VERIFY), "w2", now, LEASE)
    assert store.claims(now) == (
        Claim(1, Skill.PLAN, "w1", now + LEASE, None), Claim(1, Skill.VERIFY, "w2", now + LEASE, None),
    )  # fmt: skip


def test_a_lapsed_lease_is_taken_by_another_and_the_first_cannot_give_it_back(
    store: Store, now: datetime, made: Incident
) -> None:
    store.claim(TASK, "w1", now, LEASE)
    assert not store.claim(TASK, "w2", now + LEASE - timedelta(microseconds=1), LEASE)
    assert store.claims(now + LEASE) == ()
    assert store.claim(TASK, "w2", now + LEASE, LEASE)
    store.release(TASK, "w1", None)
    store.release(TASK, "w1", now + timedelta(hours=1))
    assert not store.renew(TASK, "w1", now + LEASE, LEASE)
    assert [claim.worker for claim in store.claims(now + LEASE)] == ["w2"]


def test_a_lease_is_renewed_by_its_holder_alone(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    late = now + timedelta(seconds=50)
    assert store.renew(TASK, "w1", late, LEASE)
    assert not store.renew(TASK, "w2", late, LEASE)
    assert not store.renew((1, Skill.VERIFY), "w1", late, LEASE)
    assert [claim.lease for claim in store.claims(late)] == [late + LEASE]


def test_what_is_put_off_waits_for_its_time(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    again = now + timedelta(minutes=5)
    store.release(TASK, "w1", again)
    assert store.claims(now) == (Claim(1, Skill.PLAN, "w1", None, again),)
    assert not store.claim(TASK, "w2", again - timedelta(seconds=1), LEASE)
    assert store.claims(again) == ()
    assert store.claim(TASK, "w2", again, LEASE)
    assert not store.renew((1, Skill.PLAN), "w1", again, LEASE)


def test_what_is_put_off_is_free_once_the_record_has_changed(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    store.release(TASK, "w1", now + timedelta(hours=1))
    store.note(1, NOTE, now)
    assert len(store.claims(now)) == 1
    store.save(replace(made, severity="info"), NOTE, now)
    assert store.claims(now) == ()
    assert store.claim(TASK, "w2", now, LEASE)


def test_a_lease_outlives_a_change_of_the_record(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    saved = store.save(replace(made, severity="info"), NOTE, now)
    assert not store.claim(TASK, "w2", now, LEASE)
    store.release(TASK, "w1", now + LEASE)
    assert len(store.claims(now)) == 1
    assert saved.version == 2


def test_what_is_given_back_is_free_at_once(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    store.release(TASK, "w1", None)
    assert store.claims(now) == ()
    assert store.claim(TASK, "w2", now, LEASE)


def test_a_task_of_no_incident_is_refused(store: Store, now: datetime) -> None:
    with pytest.raises(PermanentError, match="incident 9"):
        store.claim((9, Skill.PLAN), "w1", now, LEASE)


def test_claims_write_neither_versions_nor_audit(store: Store, now: datetime, made: Incident) -> None:
    store.claim(TASK, "w1", now, LEASE)
    store.renew(TASK, "w1", now, LEASE)
    store.release(TASK, "w1", now + LEASE)
    assert store.load(1) == made
    assert len(store.audit()) == 1


def _race(threads: int, act: Callable[[int], bool]) -> list[bool]:
    gate, won = threading.Barrier(threads), [False] * threads

    def run(place: int) -> None:
        gate.wait()
        won[place] = act(place)

    started = [threading.Thread(target=run, args=(place,)) for place in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return won


def test_of_many_threads_one_gets_the_task(store: Store, now: datetime, made: Incident) -> None:
    assert sum(_race(8, lambda place: store.claim(TASK, f"w{place}", now, LEASE))) == 1


def test_of_many_threads_that_save_one_version_one_wins(store: Store, now: datetime, made: Incident) -> None:
    def save(place: int) -> bool:
        try:
            store.save(replace(made, reason=f"w{place}"), NOTE, now)
        except Conflict:
            return False
        return True

    assert sum(_race(8, save)) == 1
    assert len(store.audit(1)) == 2
    assert store.verify() == ()
