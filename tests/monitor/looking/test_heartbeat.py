"""Alerts that must always fire: seen once and then missed, by polls and by pushes, over restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from opsbot.config import Incidents
from opsbot.core.alert import Alert, AlertRule
from opsbot.core.audit import Note
from opsbot.core.errors import Blind
from opsbot.core.incident import State, advance
from opsbot.monitor.looking import heartbeat
from opsbot.monitor.looking.heartbeat import Beat
from opsbot.monitor.looking.incidents import HEARTBEAT
from opsbot.monitor.receiving.merging import RENEW
from opsbot.store import SqlStore
from tests.monitor.calm_world import CalmWorld, alert, at, back, gone
from tests.monitor.monitor_world import LIMITS, World

WITHIN = (Incidents().heartbeat_within + RENEW).total_seconds()
"""For so long one may stay away: a receipt is written down once a minute."""
BEAT = alert("Watchdog", severity="none")


def received(seconds: float, one: Alert = BEAT) -> Alert:
    """The same alert, received again then."""
    return replace(one, held_at=at(seconds))


@pytest.fixture
def world(store: SqlStore) -> CalmWorld:
    return CalmWorld(store)


def test_one_that_is_pushed_and_then_stays_away_opens_an_incident_that_ends_when_it_is_back(world: CalmWorld) -> None:
    world.push(0, BEAT)
    world.look(WITHIN - 1)
    assert world.open() == {}
    world.look(WITHIN)
    found = world.one
    assert (found.key, found.severity, found.reason) == (HEARTBEAT, "critical", "heartbeat_missing")
    assert found.title == "Prometheus or its rules are blind: Watchdog was last seen 2026-05-04 12:00:00 UTC"
    world.look(WITHIN + 100)
    assert world.open() == {HEARTBEAT: State.OPEN}
    world.push(WITHIN + 200, received(WITHIN + 200))
    assert (world.one.state, world.one.reason) == (State.RESOLVED, "heartbeat_again")


def test_one_that_resolves_is_missed_at_once(world: CalmWorld) -> None:
    world.push(0, BEAT)
    world.push(60, gone(BEAT, 60))
    assert world.open() == {HEARTBEAT: State.OPEN}
    world.push(90, back(BEAT, 90))
    assert world.open() == {}


def test_one_that_was_never_seen_is_not_missed(world: CalmWorld) -> None:
    world.push(0, gone(BEAT, 0))
    for seconds in (1, WITHIN, 10 * WITHIN):
        world.look(seconds)
    assert world.open() == {}


def test_one_that_comes_rarely_is_given_twice_its_usual_gap(world: CalmWorld) -> None:
    """As with a repeat interval of an hour: it is missed once, until its pace is known."""
    for seconds in (0, 3600, 7200):
        world.push(seconds, received(seconds))
    resolved = len(world.store.incidents())
    world.look(7200 + 7259)
    assert (world.open(), resolved) == ({}, 0)
    world.look(7200 + 7260)
    assert world.open() == {HEARTBEAT: State.OPEN}


def test_a_receipt_that_was_not_written_down_is_no_silence(store: SqlStore) -> None:
    """What came less than a minute after the last one is not."""
    world = CalmWorld(store, Incidents(heartbeat_within=timedelta(minutes=1)))
    for seconds in (0, 50):
        world.push(seconds, BEAT)
    world.look(50 + 60)
    assert world.open() == {}
    world.look(120)
    assert world.open() == {HEARTBEAT: State.OPEN}


@pytest.mark.parametrize("long", [
    pytest.param((3600,), id="once"),
    pytest.param((3600, 7200), id="twice"),
])  # fmt: skip
def test_an_outage_does_not_pass_for_its_pace(world: CalmWorld, long: tuple[float, ...]) -> None:
    now = 0.0
    world.push(now, BEAT)
    for gap in (60, 60, 60, *long):
        now += gap
        world.look(now - 1)
        world.push(now, received(now))
        assert world.open() == {}
    world.look(now + WITHIN - 1)
    assert world.open() == {}
    world.look(now + WITHIN)
    assert world.open() == {HEARTBEAT: State.OPEN}


def test_the_time_that_opsbot_was_down_is_no_pace(world: CalmWorld) -> None:
    for seconds in (0, 60, 120):
        world.push(seconds, received(seconds))
    world.started()
    world.push(10_000, received(10_000))
    world.look(10_000 + WITHIN)
    assert world.open() == {HEARTBEAT: State.OPEN}


def test_that_it_was_seen_and_its_pace_survive_restarts(world: CalmWorld) -> None:
    for seconds in (0, 3600, 7200):
        world.push(seconds, received(seconds))
        world.started()
    world.push(7300, gone(BEAT, 7300))
    world.store.forget([BEAT.fingerprint])
    world.started()
    world.look(9000)
    assert world.open() == {HEARTBEAT: State.OPEN}
    assert "12:00:00" not in world.one.title


def test_the_time_that_opsbot_was_down_does_not_count(world: CalmWorld) -> None:
    world.push(0, BEAT)
    world.started()
    world.look(10 * WITHIN)
    assert world.open() == {}
    world.look(11 * WITHIN)
    assert world.open() == {HEARTBEAT: State.OPEN}


def test_a_restart_proves_no_heartbeat_that_is_missed_already(world: CalmWorld) -> None:
    world.push(0, BEAT)
    world.look(WITHIN)
    for seconds in (WITHIN + 10, WITHIN + 20):
        world.started()
        world.look(seconds)
    world.look(3 * WITHIN)
    assert (world.one.state, world.one.reopened) == (State.OPEN, 0)
    world.push(3 * WITHIN + 10, received(3 * WITHIN + 10))
    assert (world.one.state, world.one.reason) == (State.RESOLVED, "heartbeat_again")


def test_one_that_a_human_gave_up_is_missed_no_more_until_it_is_seen_again(world: CalmWorld) -> None:
    world.push(0, BEAT)
    world.look(WITHIN)
    now = at(WITHIN + 10)
    world.store.save(advance(world.one, "closed", now, "closed_by_human"), Note("ana", "closed"), now)
    for seconds in (WITHIN + 11, 5 * WITHIN):
        world.look(seconds)
    assert world.open() == {}
    other = alert("Watchdog", 6 * WITHIN, severity="none", cluster="b")
    world.push(6 * WITHIN, other)
    world.push(6 * WITHIN + 10, gone(other, 6 * WITHIN + 10))
    assert world.open() == {HEARTBEAT: State.OPEN}


def test_it_is_never_a_cause_itself_whatever_its_severity(store: SqlStore) -> None:
    world = CalmWorld(store, Incidents(heartbeats=("StillHere",)))
    one, watchdog = alert("StillHere", severity="critical"), alert("Watchdog", severity="critical")
    world.push(0, one, watchdog)
    assert (list(world.open()), world.said(one)) == (["rule:rule-of-Watchdog"], ["heartbeat"])


# polled -------------------------------------------------------------------------------------------------------------

RULE = AlertRule(name="Watchdog", condition="vector(1)", severity="none")
BLIND_FOR = LIMITS.blind_for.total_seconds()


@pytest.fixture
def polled(store: SqlStore) -> World:
    world = World(store, RULE)
    world.up(0)
    return world


def test_a_polled_one_is_missed_when_an_answer_is_without_it(polled: World) -> None:
    polled.up(30)
    polled.down(60)
    assert (polled.one.key, polled.one.title[-23:]) == (HEARTBEAT, "2026-05-04 12:00:30 UTC")
    polled.up(90)
    assert (polled.one.state, polled.one.reason) == (State.RESOLVED, "heartbeat_again")


def test_while_prometheus_is_blind_nothing_is_told_twice(polled: World) -> None:
    polled.metrics.fails(RULE.condition, Blind("no"))
    for seconds in (30, 60, BLIND_FOR + 30, 3 * BLIND_FOR):
        polled.poll(seconds)
    assert [one.key for one in polled.incidents()] == ["blind/prometheus"]


def test_nor_of_one_that_is_pushed_and_what_was_told_before_stays(polled: World) -> None:
    pushed = alert("DeadMansSwitch", severity="none")
    polled.store.receive([pushed])
    polled.agent.look(at(1))
    polled.metrics.fails(RULE.condition, Blind("no"))
    polled.poll(30)
    polled.store.receive([gone(pushed, 40)])
    polled.poll(60)
    assert polled.incidents() == ()
    polled.up(90)
    assert [(one.key, one.state) for one in polled.incidents()] == [(HEARTBEAT, State.OPEN)]
    polled.metrics.fails(RULE.condition, Blind("no"))
    for seconds in (120, 150 + BLIND_FOR):
        polled.poll(seconds)
    assert sorted(one.key for one in polled.incidents() if one.unresolved) == [HEARTBEAT, "blind/prometheus"]


def test_one_rule_that_cannot_be_read_hides_no_heartbeat(store: SqlStore) -> None:
    bad = replace(RULE, name="Bad", condition="bad", severity="warning")
    world = World(store, RULE, bad)
    world.metrics.fails("bad", Blind("no"))
    for seconds in (0.0, 30.0, BLIND_FOR):
        world.poll(seconds, bad)
        world.up(seconds)
    world.poll(BLIND_FOR + 30, bad)
    world.down(BLIND_FOR + 30)
    assert sorted(one.key for one in world.incidents()) == [HEARTBEAT, "blind/prometheus"]
    assert "for 1 of 2 rules (Bad)" in next(one.title for one in world.incidents() if one.key != HEARTBEAT)


def test_a_rule_that_was_removed_is_not_missed(polled: World) -> None:
    polled.agent.watch([])
    polled.agent.look(at(30))
    polled.poll(60)
    assert polled.incidents() == ()


def test_its_incident_ends_when_its_rule_is_removed(polled: World) -> None:
    polled.down(30)
    assert polled.one.state is State.OPEN
    polled.agent.watch([])
    polled.agent.look(at(60))
    assert (polled.one.state, polled.one.reason) == (State.RESOLVED, "rule_gone")


def test_an_outage_of_opsbot_is_not_one_of_a_polled_heartbeat(polled: World) -> None:
    polled.started()
    polled.agent.look(at(100 * WITHIN))
    polled.up(100 * WITHIN + 1)
    assert polled.incidents() == ()


# the fact in the store ------------------------------------------------------------------------------------------------

BEATS = {"f": Beat("Watchdog", "r", "alertmanager", at(5), False, (60.0, 61.5))}


def test_what_is_known_reads_back() -> None:
    assert heartbeat.read(heartbeat.spelled(BEATS)) == BEATS


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "3", '{"f": 1}', '{"f": {"name": "W"}}',
     heartbeat.spelled(BEATS).replace("+00:00", ""), heartbeat.spelled(BEATS).replace("[60.0, 61.5]", '"ab"'),
     heartbeat.spelled(BEATS).replace("60.0", '"x"')],
    ids=["nothing", "empty", "cut", "a list", "a number", "no mapping", "half", "no zone", "text", "no number"],
)  # fmt: skip
def test_a_spoilt_fact_is_none(text: str | None) -> None:
    assert heartbeat.read(text) == {}


def test_it_is_written_when_it_says_something_new_and_not_at_every_receipt(world: CalmWorld) -> None:
    assert heartbeat.newer(BEATS, {})
    assert not heartbeat.newer(BEATS, BEATS)
    later = {"f": replace(BEATS["f"], seen_at=at(10))}
    assert not heartbeat.newer(later, BEATS)
    assert heartbeat.newer({"f": replace(BEATS["f"], seen_at=at(5) + timedelta(minutes=11))}, BEATS)
    assert heartbeat.newer({"f": replace(BEATS["f"], fires=True)}, BEATS)
