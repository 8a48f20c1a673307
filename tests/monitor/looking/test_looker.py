"""Looks over a real store: what becomes of alerts, each with a named reason: groups, storms, flaps, holding back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

import pytest

from opsbot.config import Incidents
from opsbot.core.alert import AlertState
from opsbot.core.audit import Note
from opsbot.core.incident import State, advance
from opsbot.core.silence import Inhibition, Match, Matcher, Silence, Window
from opsbot.mask import mask
from opsbot.monitor.looking.looker import OVER
from opsbot.monitor.looking.storms import STORM
from opsbot.store import SqlStore, open_store
from tests.monitor.calm_world import START, CalmWorld, alert, at, back, gone

COOLDOWN = 1800
CALM = 600


@pytest.fixture
def world(store: SqlStore) -> CalmWorld:
    return CalmWorld(store)


def walked(world: CalmWorld, *events: str, seconds: float) -> None:
    for event in events:
        reason = "closed_by_human" if event == "closed" else ""
        world.store.save(advance(world.one, event, at(seconds), reason), Note("test", event), at(seconds))


# verdicts -----------------------------------------------------------------------------------------------------------


def test_what_became_of_alerts_is_said_once_each(world: CalmWorld) -> None:
    first, second = alert("A", to="web"), alert("B", 5, to="web", severity="critical")
    world.push(1, first)
    world.push(6, second)
    for seconds in (7, 8, 9):
        world.look(seconds)
    world.push(20, gone(second, 20))
    world.push(30, gone(first, 30))
    world.push(40, back(first, 40))
    assert world.said(first) == ["opened", "cleared", "reopened"]
    assert world.said(second) == ["raised", "cleared"]
    assert {verdict.incident for verdict in world.verdicts(first)} == {world.one.id}
    assert [verdict.at for verdict in world.verdicts(first)] == [at(1), at(30), at(40)]
    assert (world.one.severity, world.one.reopened) == ("warning", 1)


def test_an_alert_of_the_same_target_joins(world: CalmWorld) -> None:
    world.push(1, alert("A", to="web"))
    late = alert("B", 5, to="web")
    world.push(6, late)
    assert (world.said(late), len(world.one.alerts)) == (["joined"], 2)


def test_one_that_is_no_incident_says_why(world: CalmWorld) -> None:
    quiet, beat = alert("InfoInhibitor", severity="none"), alert("Watchdog", severity="none")
    world.push(1, quiet, beat)
    world.push(2, gone(quiet, 2))
    assert (world.said(quiet), world.said(beat), world.open()) == (["severity_none", "cleared"], ["heartbeat"], {})


def test_verdicts_go_on_after_a_restart(world: CalmWorld) -> None:
    one = alert("A")
    world.push(1, one)
    world.started()
    world.look(2)
    world.started()
    world.push(3, gone(one, 3))
    assert world.said(one) == ["opened", "cleared"]


def test_an_alert_that_is_forgotten_has_cleared(world: CalmWorld) -> None:
    one = alert("A", severity="none")
    world.push(1, one)
    world.store.forget([one.fingerprint])
    world.look(2)
    world.look(3)
    assert world.said(one) == ["severity_none", "cleared"]


def test_what_a_human_closed_says_so_and_lets_others_through(world: CalmWorld) -> None:
    one, other = alert("A", to="web"), alert("B", 50, to="web")
    world.push(1, one)
    walked(world, "closed", seconds=10)
    for seconds in (20, COOLDOWN, 2 * COOLDOWN):
        world.look(seconds)
    assert (world.said(one), world.open()) == (["opened", "closed_by_human"], {})
    assert world.verdicts(one)[-1].says == "incident 1 was closed by a human while it fired"
    world.push(51, other)
    assert (world.said(other), len(world.open())) == (["reopened"], 1)


def test_an_alert_that_has_an_incident_is_no_cause_of_another(world: CalmWorld) -> None:
    """Its group may be another one since: it stays where it is."""
    one = alert("A", team="x")
    world.push(1, one)
    world.policy = replace(world.policy, calm=Incidents(group_by=("team",)))
    world.started()
    world.look(10)
    assert list(world.open()) == ["rule:rule-of-A"]
    world.push(11, alert("B", 11, team="x"))
    assert sorted(world.open()) == ["labels:team=x", "rule:rule-of-A"]


def test_alerts_group_by_labels(store: SqlStore) -> None:
    world = CalmWorld(store, Incidents(group_by=("team", "zone")))
    world.push(1, alert("A", team="x", zone="1"), alert("B", team="x", zone="1"), alert("A", team="x"), alert("C"))
    assert sorted(world.open()) == ["labels:team=x", "labels:team=x,zone=1", "rule:rule-of-C"]


# held back ----------------------------------------------------------------------------------------------------------


def silence(world: CalmWorld, name: str, start: float, end: float) -> None:
    matcher = Matcher("alertname", Match.IS, name)
    world.store.add_silence(Silence(0, (matcher,), "ana", mask("known"), at(start), at(start), at(end)))


def test_a_silence_holds_back_until_it_ends(world: CalmWorld) -> None:
    one = alert("A")
    silence(world, "A", 0, 60)
    world.push(1, one)
    world.look(59)
    assert (world.said(one), world.open()) == (["silenced"], {})
    assert world.verdicts(one)[0].says.startswith("silence 1 of ana until ")
    world.look(60)
    assert (world.said(one), len(world.open())) == (["silenced", "opened"], 1)


def test_a_silence_leaves_open_what_is_open_but_lets_nothing_join_raise_or_reopen(world: CalmWorld) -> None:
    first, second = alert("A", to="web"), alert("B", 5, to="web", severity="critical")
    world.push(1, first)
    silence(world, "B", 2, 1000)
    world.push(6, second)
    assert (world.said(second), world.one.severity, len(world.one.alerts)) == (["silenced"], "warning", 1)
    silence(world, "A", 7, 1000)
    world.look(8)
    assert (world.said(first), world.one.state) == (["opened"], State.OPEN)
    world.push(20, gone(first, 20))
    world.push(30, back(first, 30))
    assert (world.one.state, world.said(first)) == (State.RESOLVED, ["opened", "cleared", "silenced"])


def test_inhibition_and_maintenance_have_names_too(store: SqlStore) -> None:
    rule = Inhibition((Matcher("alertname", Match.IS, "NodeDown"),), (Matcher("alertname", Match.IS, "PodDown"),))
    night = Window("night", time(0), time(23, 59), weekdays=(0,), matchers=(Matcher("alertname", Match.IS, "Backup"),))
    world = CalmWorld(store, None, (night,), (rule,))
    node, pod, backup = alert("NodeDown"), alert("PodDown"), alert("Backup")
    world.push(1, node, pod, backup)
    assert (world.said(node), world.said(pod), world.said(backup)) == (["opened"], ["inhibited"], ["maintenance"])
    assert "NodeDown" in world.verdicts(pod)[0].says
    world.push(10, gone(node, 10))
    assert world.said(pod) == ["inhibited", "opened"]
    world.agent.watch((), [])
    assert "rule:rule-of-Backup" not in world.open()


def test_windows_that_begin_or_vanish_while_it_runs_hold_from_the_next_look_on(store: SqlStore) -> None:
    day = Window("day", time(0), time(23, 59), weekdays=(0,))
    world = CalmWorld(store)
    first, second = alert("A", to="web"), alert("B", to="db")
    world.push(1, first)
    world.agent.maintain([day])
    world.push(2, first, second)
    assert (world.said(first), world.said(second), len(world.open())) == (["opened"], ["maintenance"], 1)
    assert "window day until" in world.verdicts(second)[0].says
    world.agent.maintain([replace(day, name="dawn", ends=time(6))])
    assert world.look(3), "nothing was written, and yet it is another window"
    assert (world.said(second), len(world.open())) == (["maintenance", "opened"], 2)
    world.agent.maintain([])
    assert not world.look(4)


# storms -------------------------------------------------------------------------------------------------------------


def many(number: int, since: float = 0, lead: str = "R", severity: str = "warning") -> list:  # type: ignore[type-arg]
    return [alert(f"{lead}{place}", since, severity=severity, to=f"{lead.lower()}{place}") for place in range(number)]


def test_when_it_is_calm_all_open_at_once(world: CalmWorld) -> None:
    world.push(1, *many(10))
    assert len(world.open()) == 10


def test_what_is_too_much_waits_and_becomes_one(world: CalmWorld) -> None:
    alerts = many(10) + many(30, 0, "Z", "info")
    world.push(0, *alerts)
    assert (len(world.open()), world.said(alerts[-1])) == (10, ["waiting"])
    world.look(4.9)
    assert STORM not in world.open()
    world.look(5)
    storm = next(one for one in world.store.incidents() if one.key == STORM)
    assert (len(world.open()), len(storm.alerts), storm.severity) == (11, 30, "info")
    assert storm.title == "Storm: 30 alerts of 30 rules on 30 targets within 1s"
    assert world.said(alerts[-1]) == ["waiting", "folded"]
    assert ("opened", "storm") in world.acts()


def test_a_storm_that_does_not_settle_waits_no_longer_than_it_may(world: CalmWorld) -> None:
    world.push(0, *many(10))
    for seconds in range(1, 40):
        world.push(seconds, alert(f"Late{seconds}", seconds))
        assert (STORM in world.open()) == (seconds >= 31), seconds
    assert len(world.open()) == 11


def test_later_ones_join_the_storm_and_its_title_counts_them(world: CalmWorld) -> None:
    world.push(0, *many(40))
    world.look(5)
    late = alert("Late", 20, severity="critical", to="late")
    world.push(20, late)
    world.look(25)
    storm = next(one for one in world.store.incidents() if one.key == STORM)
    assert (len(storm.alerts), storm.severity, world.said(late)) == (31, "critical", ["waiting", "folded"])
    assert storm.title == "Storm: 31 alerts of 31 rules on 31 targets within 20s"


def test_when_the_storm_is_over_others_open_at_once_again(world: CalmWorld) -> None:
    alerts = many(40)
    world.push(0, *alerts)
    world.look(5)
    late = alert("Late", 61, to="late")
    world.push(61, late)
    assert (world.said(late), len(world.open())) == (["opened"], 12)


def test_a_storm_ends_with_the_last_of_its_alerts(world: CalmWorld) -> None:
    alerts = many(40)
    world.push(0, *alerts)
    world.look(5)
    world.push(100, *(gone(one, 100) for one in alerts[:-1]))
    left = [key for key, state in world.open().items() if state is State.OPEN]
    assert len(left) == 1
    world.push(200, gone(alerts[-1], 200))
    assert world.open() == {}


def test_the_counters_survive_a_restart(world: CalmWorld) -> None:
    world.push(0, *many(10))
    world.started()
    world.push(10, *many(5, 10, "L"))
    assert len(world.open()) == 10
    world.started()
    world.look(14)
    assert STORM not in world.open()
    world.started()
    world.look(15)
    assert (len(world.open()), STORM in world.open()) == (11, True)


def test_a_storm_that_a_human_closed_is_left_and_the_next_one_is_another(world: CalmWorld) -> None:
    alerts = many(40)
    world.push(0, *alerts)
    world.look(5)
    storm = next(one for one in world.store.incidents() if one.key == STORM)
    world.store.save(advance(storm, "closed", at(20), "closed_by_human"), Note("ana", "closed"), at(20))
    for seconds in (30, 60, 100):
        world.look(seconds)
    assert (STORM in world.open(), world.said(storm.alerts[0])[-1]) == (False, "closed_by_human")
    world.push(110, *many(40, 110, "N"))
    world.look(116)
    assert [one.key for one in world.store.incidents(limit=200)].count(STORM) == 2


def test_what_clears_while_it_waits_was_no_incident(world: CalmWorld) -> None:
    world.push(0, *many(10))
    blip = alert("Blip", 1)
    world.push(1, blip)
    world.push(3, gone(blip, 3))
    world.look(40)
    assert (world.said(blip), STORM in world.open()) == (["waiting", "cleared"], False)


# flapping -----------------------------------------------------------------------------------------------------------


def flapped(world: CalmWorld, times: int, period: float = 60) -> float:
    """An alert that fires, and then clears and fires again so many times; when it fired last."""
    one = alert("A", to="web")
    world.push(0, one)
    for place in range(1, times + 1):
        world.push(place * period - period / 2, gone(one, place * period - period / 2))
        world.push(place * period, back(one, place * period))
    return times * period


def test_an_incident_that_refires_is_flapping_and_is_held_open(world: CalmWorld) -> None:
    last = flapped(world, 5)
    found = world.one
    assert (found.flapping, len(found.flaps), found.reopened, found.state) == (True, 5, 2, State.OPEN)
    world.push(last + 30, gone(alert("A", to="web"), last + 30))
    world.look(last + 30 + CALM - 1)
    assert (world.one.state, world.said(found.alerts[0])[-1]) == (State.OPEN, "flapping")
    world.look(last + 30 + CALM)
    assert (world.one.state, world.one.reason) == (State.RESOLVED, "calm_again")
    assert [act for act, _ in world.acts()] == [
        "opened", "cleared", "reopened", "cleared", "reopened", "flapped", "flapped", "flapped", "cleared",
    ]  # fmt: skip


def test_flaps_are_counted_over_restarts(world: CalmWorld) -> None:
    one = alert("A", to="web")
    for seconds in range(0, 600, 30):
        world.started()
        world.push(seconds, gone(one, seconds) if seconds % 60 else back(one, seconds))
        world.started()
        world.look(seconds + 1)
    assert (world.one.flapping, len(world.one.flaps)) == (True, 9)


def test_what_came_and_went_unseen_counts_once(world: CalmWorld) -> None:
    last = flapped(world, 3)
    one = alert("A", to="web")
    world.push(last + 50, back(one, last + 40))
    for seconds in (51, 52, 53):
        world.look(last + seconds)
    assert len(world.one.flaps) == 4


def test_an_alert_that_stays_up_beside_one_that_flaps_is_no_flapping(world: CalmWorld) -> None:
    steady, other = alert("A", to="web"), alert("B", to="web")
    world.push(0, steady, other)
    for seconds in range(30, 600, 60):
        world.push(seconds, gone(other, seconds))
        world.push(seconds + 30, back(other, seconds + 30))
    assert (world.one.flaps, world.one.flapping, world.one.version) == ((), False, 1)


def test_refires_that_are_rare_are_no_flapping(store: SqlStore) -> None:
    world = CalmWorld(store, Incidents(flaps=2, flaps_within=timedelta(minutes=5)))
    flapped(world, 5, period=400)
    assert (world.one.flapping, world.one.reopened) == (False, 5)


def test_calm_after_flapping_is_over_a_new_firing_flaps_at_once(world: CalmWorld) -> None:
    last = flapped(world, 3)
    one = alert("A", to="web")
    world.push(last + 10, gone(one, last + 10))
    world.look(last + 10 + CALM)
    world.push(last + 700, back(one, last + 700))
    assert (world.one.state, world.one.flapping) == (State.OPEN, True)


@pytest.mark.parametrize(
    "walk",
    [("diagnosed", "proposed", "approved", "started"), ("diagnosed", "proposed", "approved", "started", "ran")],
    ids=["running", "verifying"],
)
def test_a_run_on_a_flapping_incident_is_not_disturbed(world: CalmWorld, walk: tuple[str, ...]) -> None:
    last = flapped(world, 3)
    one = alert("A", to="web")
    walked(world, *walk, seconds=last + 1)
    before = world.one.version
    world.push(last + 30, gone(one, last + 30))
    world.push(last + 60, back(one, last + 60))
    world.push(last + 90, gone(one, last + 90))
    world.look(last + 90 + CALM)
    assert world.one.version == before
    walked(world, "failed" if walk[-1] == "started" else "verified", seconds=last + 91 + CALM)
    world.look(last + 92 + CALM)
    assert world.open() == {}


def test_an_escalated_incident_that_flaps_is_not_diagnosed_over_and_over(world: CalmWorld) -> None:
    last = flapped(world, 2)
    walked(world, "diagnosed", "stuck", seconds=last + 1)
    one = alert("A", to="web")
    for seconds in range(60, 600, 60):
        world.push(last + seconds - 30, gone(one, last + seconds - 30))
        world.push(last + seconds, back(one, last + seconds))
    assert (world.one.state, world.one.round, len(world.one.flaps)) == (State.ESCALATED, 3, 11)


# cheap --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path: Path) -> Iterator[CalmWorld]:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}", START)
    yield CalmWorld(store)
    assert store.verify() == ()
    store.close()


class Counting:
    """How often the store was asked for all alerts."""

    def __init__(self, store: SqlStore) -> None:
        self.asked, self._ask = 0, store.alerts

    def __call__(self, rule: str | None = None):  # type: ignore[no-untyped-def]
        self.asked += 1
        return self._ask(rule)


def test_nothing_is_read_while_nothing_changes_until_something_is_due(
    on_disk: CalmWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting(on_disk.store)
    monkeypatch.setattr(on_disk.store, "alerts", counting)
    alerts = many(12)
    on_disk.push(0, *alerts)
    on_disk.look(0.5)
    asked = counting.asked
    for seconds in (1, 2, 3, 4):
        assert on_disk.look(seconds) is False
    assert counting.asked == asked
    assert on_disk.look(5) is True
    assert STORM in on_disk.open()
    on_disk.look(6)
    asked = counting.asked
    on_disk.look(10_000)
    assert counting.asked == asked
    on_disk.store.receive([gone(one, 10_001) for one in alerts])
    assert on_disk.look(10_001) is True
    assert on_disk.open() == {}


def test_the_end_of_a_silence_and_of_calm_are_due_by_themselves(on_disk: CalmWorld) -> None:
    silence(on_disk, "B", 0, 400)
    last = flapped(on_disk, 3)
    on_disk.push(last + 10, gone(alert("A", to="web"), last + 10), alert("B"))
    for seconds in (last + 11, last + 12, 399):
        on_disk.look(seconds)
    assert on_disk.said(alert("B")) == ["silenced"]
    on_disk.look(400)
    assert on_disk.said(alert("B")) == ["silenced", "opened"]
    on_disk.look(500)
    assert len(on_disk.open()) == 2
    on_disk.look(last + 10 + CALM)
    assert list(on_disk.open()) == ["rule:rule-of-B"]


# how an end is told -------------------------------------------------------------------------------------------------


def test_one_that_was_over_before_it_was_looked_at_says_so(world: CalmWorld) -> None:
    one, pending = alert("A"), replace(alert("P"), state=AlertState.PENDING)
    world.push(10, gone(one, 5), pending)
    world.look(20)
    (verdict,) = world.verdicts(one)
    assert (verdict.reason, verdict.says, verdict.incident) == ("cleared", OVER, None)
    assert world.said(pending) == []
    world.push(30, back(one, 30))
    assert world.said(one) == ["cleared", "opened"]


def test_what_flapped_has_cleared_as_soon_as_its_incident_has_ended(world: CalmWorld) -> None:
    last = flapped(world, 3)
    one = gone(alert("A", to="web"), last + 30)
    world.push(last + 30, one)
    assert world.said(one)[-1] == "flapping"
    world.look(last + 30 + CALM)
    assert (world.one.state, world.said(one)[-1]) == (State.RESOLVED, "cleared")
    world.look(last + 40 + CALM)
    assert world.said(one)[-2:] == ["flapping", "cleared"]


def test_a_heartbeat_that_has_cleared_names_its_incident(world: CalmWorld) -> None:
    beat = alert("Watchdog", severity="none")
    world.push(0, beat)
    world.push(10, gone(beat, 10))
    last = world.verdicts(beat)[-1]
    assert (last.reason, last.incident) == ("heartbeat_missing", world.one.id)
    assert str(world.one.id) in last.says
    world.started()
    world.look(20)
    assert world.said(beat) == ["heartbeat", "heartbeat_missing"]
    world.push(30, back(beat, 30))
    assert world.said(beat) == ["heartbeat", "heartbeat_missing", "heartbeat"]


def test_a_heartbeat_whose_incident_a_human_closed_has_cleared(world: CalmWorld) -> None:
    beat, other = alert("Watchdog", severity="none"), gone(alert("Watchdog", severity="none", zone="b"), 0)
    world.push(0, beat, other)
    world.push(10, gone(beat, 10))
    assert world.said(other) == ["cleared"]
    walked(world, "diagnosed", "closed", seconds=20)
    world.look(25)
    world.look(30)
    assert world.said(beat) == ["heartbeat", "heartbeat_missing", "cleared"]
