"""What every store promises of incidents: compare-and-set, one unresolved per key, audit in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from opsbot.core.alert import Alert
from opsbot.core.audit import Note
from opsbot.core.canonical import digest
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State, advance
from opsbot.core.ports import Store

NOTE = Note("monitor", "opened", "alert_fired", {"alert": "a1"})
Make = Callable[..., Incident]


def test_a_new_incident_gets_an_id_and_version_1(store: Store, now: datetime, incident: Make) -> None:
    first, second = (store.create(incident(key=key), NOTE, now) for key in ("a", "b"))
    assert (first.id, first.version, second.id) == (1, 1, 2)
    assert store.load(1) == first
    assert store.load(3) is None


def test_every_field_of_a_record_comes_back_with_its_digests(store: Store, now: datetime, full: Incident) -> None:
    made = store.create(full, NOTE, now)
    loaded = store.load(made.id)
    assert loaded == made
    assert loaded is not None
    assert loaded.digest == made.digest
    assert loaded.plan is not None
    assert full.plan is not None
    assert loaded.plan.digest == full.plan.digest
    assert isinstance(loaded.title, MaskedText)
    assert isinstance(loaded.findings[0].evidence[0].text, MaskedText)
    untouched = [f.name for f in fields(Incident) if getattr(full, f.name) == f.default]
    assert untouched == ["origin", "resolved_at", "alerts", "hypotheses", "reported", "asked", "told"]


def test_times_come_back_as_the_same_moment_whatever_their_zone(store: Store, now: datetime, incident: Make) -> None:
    east = now.astimezone(timezone(timedelta(hours=9)))
    made = store.create(incident(opened_at=east), NOTE, east)
    loaded = store.load(made.id)
    assert loaded is not None
    assert loaded.opened_at == now
    assert store.audit(made.id)[0].at == now
    assert store.verify() == ()


def test_a_time_without_a_zone_is_refused_and_nothing_is_stored(store: Store, now: datetime, incident: Make) -> None:
    with pytest.raises(PermanentError, match="without a zone"):
        store.create(incident(), NOTE, now.replace(tzinfo=None))
    assert store.incidents() == ()
    assert store.verify() == ()


def test_saving_counts_the_version_up_and_tells_the_audit(store: Store, now: datetime, incident: Make) -> None:
    made = store.create(incident(), NOTE, now)
    saved = store.save(advance(made, "diagnosed", now), Note("diagnostic", "diagnosed", detail={"findings": "0"}), now)
    assert (saved.version, saved.state) == (2, State.DIAGNOSED)
    assert store.load(made.id) == saved
    entries = store.audit(made.id)
    assert [(e.seq, e.who, e.act, e.version, e.record) for e in entries] == [
        (1, "monitor", "opened", 1, made.digest), (2, "diagnostic", "diagnosed", 2, saved.digest),
    ]  # fmt: skip
    assert (entries[0].reason, entries[0].detail) == ("alert_fired", {"alert": "a1"})


def test_who_saves_an_old_version_gets_a_conflict_and_changes_nothing(
    store: Store, now: datetime, incident: Make
) -> None:
    made = store.create(incident(), NOTE, now)
    theirs = store.save(replace(made, severity="info"), NOTE, now)
    with pytest.raises(Conflict):
        store.save(replace(made, severity="warning"), NOTE, now)
    assert store.load(made.id) == theirs
    assert len(store.audit(made.id)) == 2


@pytest.mark.parametrize("version", [0, 2, 99], ids=["before", "ahead", "far ahead"])
def test_a_version_that_was_never_loaded_is_a_conflict(
    store: Store, now: datetime, incident: Make, version: int
) -> None:
    made = store.create(incident(), NOTE, now)
    with pytest.raises(Conflict):
        store.save(replace(made, version=version), NOTE, now)
    with pytest.raises(Conflict):
        store.save(replace(made, id=77), NOTE, now)


def test_one_unresolved_incident_per_key(store: Store, now: datetime, incident: Make) -> None:
    made = store.create(incident(), NOTE, now)
    with pytest.raises(Conflict):
        store.create(incident(), NOTE, now)
    store.save(advance(made, "closed", now), NOTE, now)
    assert store.create(incident(), NOTE, now).id == 2
    assert store.verify() == ()


def test_reopening_beside_a_newer_unresolved_one_is_a_conflict(store: Store, now: datetime, incident: Make) -> None:
    closed = store.save(advance(store.create(incident(), NOTE, now), "closed", now), NOTE, now)
    store.create(incident(), NOTE, now)
    with pytest.raises(Conflict):
        store.save(advance(closed, "refired", now), NOTE, now)
    assert store.load(closed.id) == closed
    assert len(store.audit(closed.id)) == 2
    assert store.verify() == ()


def test_what_lives_in_other_rows_is_no_part_of_the_record(
    store: Store, now: datetime, incident: Make, alert: Callable[..., Alert]
) -> None:
    store.save_alerts("rule-1", [alert("a1"), alert("a2")], now)
    claimed = incident(alerts=(alert("other"),), reported=9, asked=True, told="1.0.0")
    made = store.create(claimed, NOTE, now, alerts=["a1"])
    assert (made.alerts, made.reported, made.asked, made.told) == ((alert("a1"),), 0, False, "")
    assert store.load(made.id) == made
    assert store.audit(made.id)[0].record == digest(made.record)


def test_pages_are_newest_first(store: Store, now: datetime, incident: Make) -> None:
    made = [store.create(incident(key=f"k{n % 3}" if n > 2 else f"k{n}", state=State.RESOLVED), NOTE, now)
            for n in range(6)]  # fmt: skip
    store.save(advance(made[4], "refired", now), NOTE, now)
    assert [i.id for i in store.incidents()] == [6, 5, 4, 3, 2, 1]
    assert [i.id for i in store.incidents(limit=2)] == [6, 5]
    assert [i.id for i in store.incidents(limit=2, before=5)] == [4, 3]
    assert [i.id for i in store.incidents(key="k1")] == [5, 2]
    assert [i.id for i in store.incidents(unresolved=True)] == [5]
    assert store.incidents(limit=0) == store.incidents(limit=-1) == ()
    assert store.incidents(key="'; DROP TABLE incidents; --") == ()


def test_due_are_the_unresolved_and_the_unreported(store: Store, now: datetime, incident: Make) -> None:
    first, second, third = (store.create(incident(key=key), NOTE, now) for key in "abc")
    second = store.save(advance(second, "closed", now), NOTE, now)
    third = store.save(advance(third, "closed", now), NOTE, now)
    store.add_report(third.id, third.version, "report", now)
    assert [i.id for i in store.due()] == [first.id, second.id]
    store.save(advance(third, "refired", now), NOTE, now)
    assert [i.id for i in store.due()] == [1, 2, 3]


def test_to_who_can_tell_due_are_also_the_resolved_with_news(store: Store, now: datetime, incident: Make) -> None:
    """Those told of before, however old; the others only while they are fresh; and none where nobody tells."""
    for key in ("told of", "told all", "never told", "told of later"):
        made = store.create(incident(key=key), NOTE, now)
        if key in ("told of", "told all"):
            store.add_messages(made.id, [], made.mark, now)
        closed = store.save(advance(made, "closed", now), NOTE, now)
        store.add_report(made.id, closed.version, "report", now)
        if key == "told all":
            store.add_messages(made.id, [], closed.mark, now)
    just = timedelta(microseconds=1)
    assert store.due() == ()
    assert [i.id for i in store.due(now)] == [1, 3, 4]
    assert [i.id for i in store.due(now + just)] == [1]
    store.add_messages(4, [], "an older mark", now)
    assert [i.id for i in store.due(now + just)] == [1, 4]
    for told in store.due(now):
        store.add_messages(told.id, [], told.mark, now)
    assert store.due(now) == ()
    store.add_hypotheses(2, 1, [], NOTE, now)
    assert [i.id for i in store.due(now + just)] == [2]
    assert store.due() == ()


@pytest.mark.parametrize(
    "plan_reads",
    [{"at": datetime(2026, 1, 1, tzinfo=UTC)}, {"for": timedelta(minutes=2)}, {"nan": float("nan")}, {"x": object()},
     {"set": {"a"}}],
    ids=["time", "duration", "not a number", "object", "set"],
)  # fmt: skip
def test_what_would_come_back_as_something_else_is_not_stored(
    store: Store, now: datetime, full: Incident, plan_reads: dict[str, object]
) -> None:
    assert full.plan is not None
    odd = replace(full, plan=replace(full.plan, reads=plan_reads))
    if isinstance(plan_reads.get("set"), set):  # a set has a canonical form, and comes back as a list with the same one
        made = store.create(odd, NOTE, now)
        loaded = store.load(made.id)
        assert loaded is not None
        assert loaded.digest == made.digest
        return
    with pytest.raises(PermanentError, match="cannot be stored"):
        store.create(odd, NOTE, now)
    assert store.incidents() == ()


def test_a_run_is_remembered_with_its_outcome_after_the_record_has_gone_on(
    store: Store, now: datetime, full: Incident
) -> None:
    made = store.create(full, NOTE, now)
    assert full.plan is not None
    (run,) = store.past_runs(now)
    assert (run.incident, run.playbook, run.key, run.started_at, run.outcome) == (
        1, "scale_up_agents", full.plan.target.key, now, "",
    )  # fmt: skip
    resolved = store.save(advance(made, "verified", now), NOTE, now)
    assert [run.outcome for run in store.past_runs(now)] == ["verified"]
    store.save(advance(resolved, "refired", now), NOTE, now)
    assert [run.outcome for run in store.past_runs(now)] == ["verified"]
    assert store.past_runs(now + timedelta(microseconds=1)) == ()


def test_a_failed_run_keeps_the_reason_it_failed_with(store: Store, now: datetime, full: Incident) -> None:
    made = store.create(full, NOTE, now)
    failed = store.save(advance(made, "not_verified", now, "worse"), NOTE, now)
    store.save(advance(failed, "closed", now), NOTE, now)
    assert [run.outcome for run in store.past_runs(now - timedelta(hours=1))] == ["worse"]


def test_a_number_that_no_store_can_hold_is_refused_in_words(store: Store) -> None:
    with pytest.raises(PermanentError, match="too large"):
        store.load(10**30)
