"""The agent over a real store: from answers to incidents, through restarts, crashes, blindness and other hands."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertRule, AlertState, TargetSpec, apart
from opsbot.core.approval import Approval, ApprovalState
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, Conflict, OpsbotError, PermanentError, Problem
from opsbot.core.evidence import MaskedText
from opsbot.core.incident import Incident, State, advance
from opsbot.core.silence import Match
from opsbot.matchers import text as matching
from opsbot.monitor.agent import MonitorAgent
from opsbot.monitor.looking.silences import hidden
from opsbot.store import SqlStore
from opsbot.testing.clock import ManualClock
from tests.monitor.monitor_world import LIMITS, RULE, START, World

COOLDOWN = LIMITS.cooldown.total_seconds()
BLIND_FOR = LIMITS.blind_for.total_seconds()
TO_APPROVAL = ("diagnosed", "proposed")
TO_VERIFYING = (*TO_APPROVAL, "approved", "started", "ran")


def other(name: str, **changes: object) -> AlertRule:
    return replace(RULE, name=name, condition=f"{name} > 1", **changes)  # type: ignore[arg-type]


# opening, joining, clearing -----------------------------------------------------------------------------------------


def test_a_firing_alert_opens_the_incident_of_its_target(world: World) -> None:
    now = world.up(0, 5400)
    found = world.one
    assert (found.key, found.state, found.severity) == ("prod-1/agents/Deployment/agents", State.OPEN, "critical")
    assert (found.title, found.opened_at, found.origin) == ("at 5400 ms", now, "alert")
    assert found.target is not None
    assert [(a.name, a.state, a.actions) for a in found.alerts] == [("Slow", AlertState.FIRING, ("scale_up_agents",))]
    assert world.acts() == [("opened", "alert_fired")]
    assert world.metrics.asked == [("avg(x) > 5", now)]


@pytest.mark.parametrize("name", ["runbook-url", "a.b", "告警主题", "a b", 'a"b', "severity:x"])
def test_a_label_of_any_letters_is_stored_and_matched(store: SqlStore, name: str) -> None:
    world = World(store, replace(RULE, target=None, labels={name: "x {{ $value }}"}, annotations={name: "y"}))
    world.up(0)
    (alert,) = store.alerts()
    assert (alert.labels[name], dict(alert.annotations)) == ("x 7", {name: "y"})
    matchers = matching.parse(matching.spell_all([matching.made(name, Match.IS, "x 7")]))
    assert hidden(matchers, store.alerts()) == [alert]
    assert world.states() == [State.OPEN]


def test_nothing_opens_before_the_alert_fires(store: SqlStore) -> None:
    world = World(store, replace(RULE, hold_for=timedelta(seconds=60)))
    world.up(0)
    world.up(30)
    assert (world.incidents(), store.alerts()[0].state) == ((), AlertState.PENDING)
    world.up(60)
    assert world.states() == [State.OPEN]


def test_polls_of_an_alert_that_stays_up_write_nothing_to_the_incident(world: World) -> None:
    world.up(0)
    for seconds in range(30, 300, 30):
        world.up(seconds, seconds)
    assert (world.one.version, len(world.acts())) == (1, 1)


def test_two_alerts_of_one_name_come_and_go_by_themselves(store: SqlStore) -> None:
    plain = replace(RULE, target=None)
    one, other = apart([plain, replace(plain, condition="avg(x) > 50")])
    world = World(store, one, other)
    world.metrics.says(other.condition, ({}, 60.0))
    world.up(0, 60.0)
    world.poll(0, other)
    assert {incident.key for incident in world.incidents()} == {f"rule:{one.id}", f"rule:{other.id}"}
    world.down(30)
    world.poll(30, other)
    states = {alert.rule: alert.state for alert in store.alerts()}
    assert states == {one.id: AlertState.RESOLVED, other.id: AlertState.FIRING}


def test_an_alert_without_a_target_has_the_incident_of_its_rule(store: SqlStore) -> None:
    rule = replace(RULE, target=None, annotations={})
    world = World(store, rule)
    world.up(0)
    assert (world.one.key, world.one.target, world.one.title) == (f"rule:{rule.id}", None, "Slow")


def test_a_label_that_is_no_name_makes_no_target(store: SqlStore) -> None:
    world = World(store, replace(RULE, target=TargetSpec("Deployment", "{{ labels.d }}", "agents")))
    world.metrics.says(RULE.condition, ({"d": "../../x"}, 1))
    world.poll(0)
    assert (world.one.target, world.one.key) == (None, f"rule:{world.rules[0].id}")


def test_alerts_of_one_target_are_one_incident_of_the_worst_severity(store: SqlStore) -> None:
    mild, bad = other("mild", severity="warning"), other("bad", severity="critical")
    world = World(store, mild, bad)
    world.metrics.says(mild.condition, ({"pod": "a"}, 1), ({"pod": "b"}, 1))
    world.metrics.says(bad.condition, ({}, 1))
    world.poll(0, mild)
    assert (world.one.severity, len(world.one.alerts)) == ("warning", 2)
    world.poll(1, bad)
    assert (world.one.severity, len(world.one.alerts)) == ("critical", 3)
    assert world.acts() == [("opened", "alert_fired"), ("attached", "alert_fired"), ("raised", "alert_fired")]
    world.poll(30, mild)
    world.poll(31, bad)
    assert (world.one.severity, len(world.acts())) == ("critical", 3)


def test_alerts_of_several_targets_are_several_incidents(store: SqlStore) -> None:
    world = World(store, replace(RULE, target=TargetSpec("Deployment", "{{ labels.d }}", "agents")))
    world.metrics.says(RULE.condition, ({"d": "a"}, 1), ({"d": "b"}, 1))
    world.poll(0)
    assert sorted(i.key for i in world.incidents()) == ["prod-1/agents/Deployment/a", "prod-1/agents/Deployment/b"]
    world.metrics.says(RULE.condition, ({"d": "b"}, 1))
    world.poll(30)
    assert {i.key[-1]: i.state for i in world.incidents()} == {"a": State.RESOLVED, "b": State.OPEN}


def test_severity_none_never_opens_an_incident(store: SqlStore) -> None:
    world = World(store, replace(RULE, name="Watchdog", severity="none"))
    world.up(0)
    assert world.incidents() == ()
    assert [a.state for a in store.alerts()] == [AlertState.FIRING]


@pytest.mark.parametrize(
    "walked",
    [(), ("diagnosed",), TO_APPROVAL, (*TO_APPROVAL, "approved"), (*TO_APPROVAL, "rejected")],
    ids=["open", "diagnosed", "awaiting_approval", "approved", "escalated"],
)
def test_a_cleared_alert_resolves_the_incident(world: World, walked: tuple[str, ...]) -> None:
    world.up(0)
    world.walk(*walked, at=10)
    now = world.down(30)
    assert (world.one.state, world.one.reason, world.one.resolved_at) == (State.RESOLVED, "alert_cleared", now)
    assert world.acts()[-1] == ("cleared", "alert_cleared")


@pytest.mark.parametrize("state", [ApprovalState.WAITING, ApprovalState.APPROVED], ids=["waiting", "given"])
def test_an_approval_is_withdrawn_with_the_alert(world: World, state: ApprovalState) -> None:
    world.up(0)
    world.walk(*TO_APPROVAL, at=10)
    asked = Approval("1", "p" * 64, "approve:scale", 1, START, START + timedelta(minutes=15), state=state)
    world.store.save(replace(world.one, approval=asked), Note("test", "asked"), START)
    world.down(30)
    assert world.one.approval is not None
    assert (world.one.state, world.one.approval.state) == (State.RESOLVED, ApprovalState.WITHDRAWN)


def test_the_incident_clears_with_the_last_of_its_alerts(store: SqlStore) -> None:
    one, two = other("one"), other("two")
    world = World(store, one, two)
    for rule in (one, two):
        world.metrics.says(rule.condition, ({}, 1))
        world.poll(0, rule)
    world.metrics.says(one.condition)
    world.poll(30, one)
    assert world.states() == [State.OPEN]
    world.metrics.says(two.condition)
    world.poll(31, two)
    assert world.states() == [State.RESOLVED]


def test_an_alert_that_is_only_kept_up_keeps_the_incident_and_opens_none(store: SqlStore) -> None:
    world = World(store, replace(RULE, keep_firing_for=timedelta(seconds=60)))
    world.up(0)
    world.down(30)
    assert (world.states(), store.alerts()[0].holds) == ([State.OPEN], False)
    world.walk("closed", at=40)
    world.down(50)
    assert world.states() == [State.RESOLVED]


@pytest.mark.parametrize("walked", [TO_VERIFYING[:-1], TO_VERIFYING], ids=["running", "verifying"])
def test_while_a_run_is_under_way_only_the_alerts_change(world: World, walked: tuple[str, ...]) -> None:
    world.up(0)
    before = world.walk(*walked, at=10)
    world.down(30)
    world.up(60)
    world.down(90)
    assert replace(world.one, alerts=()) == replace(before, alerts=())
    assert [a.state for a in world.store.alerts()] == [AlertState.RESOLVED]


def test_a_worse_alert_does_not_touch_the_record_of_a_run(store: SqlStore) -> None:
    mild, bad = other("mild", severity="warning"), other("bad", severity="critical")
    world = World(store, mild, bad)
    world.metrics.says(mild.condition, ({}, 1))
    world.poll(0, mild)
    before = world.walk(*TO_VERIFYING, at=10)
    world.metrics.says(bad.condition, ({}, 1))
    world.poll(20, bad)
    assert (world.one.version, world.one.severity, len(world.one.alerts)) == (before.version, "warning", 2)
    world.walk("not_verified", at=25)
    world.poll(50, bad)
    assert (world.one.state, world.one.severity) == (State.ESCALATED, "critical")


def test_incidents_of_other_origins_are_left_alone(world: World) -> None:
    manual = Incident(
        id=0, key="k", version=0, state=State.OPEN, severity="info", title=MaskedText("by hand"), opened_at=START,
        since=START, origin="manual",
    )  # fmt: skip
    world.store.create(manual, Note("ana", "opened"), START)
    world.down(30)
    assert world.states() == [State.OPEN]


# again --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("later", "states"),
    [(COOLDOWN, [State.OPEN]), (COOLDOWN + 1, [State.RESOLVED, State.OPEN])],
    ids=["within the cooldown: the same", "later: a new one"],
)
def test_a_new_firing_after_a_clear(world: World, later: float, states: list[State]) -> None:
    world.up(0)
    world.walk("diagnosed", at=10)
    world.down(30)
    world.up(30 + later, 8)
    assert world.states() == states
    newest = world.incidents()[0]
    assert (newest.round, newest.reopened) == ((2, 1) if len(states) == 1 else (1, 0))
    assert (newest.title, len(newest.alerts)) == ("at 8 ms", 1)


def test_a_verified_incident_opens_again_where_the_condition_holds_again_while_the_alert_is_kept_up(
    store: SqlStore,
) -> None:
    world = World(store, replace(RULE, keep_firing_for=timedelta(minutes=5)))
    world.up(0)
    world.walk(*TO_VERIFYING, at=10)
    world.down(30)
    world.walk("verified", at=35)
    world.down(60)
    assert world.states() == [State.RESOLVED]
    world.up(90)
    assert (world.states(), world.one.reopened) == ([State.OPEN], 1)


def test_an_answer_that_came_while_it_was_being_verified_is_not_lost(world: World) -> None:
    """Verification saw the alert gone and resolved; a poll asked a moment earlier saw it back."""
    world.up(0)
    world.walk(*TO_VERIFYING, at=10)
    world.down(30)
    world.up(60)
    world.walk("verified", at=60.5)
    world.up(90)
    assert (world.states(), world.one.reopened) == ([State.OPEN], 1)


def test_what_a_human_closed_stays_closed_until_it_has_cleared_and_fires_anew(world: World) -> None:
    world.up(0)
    world.store.save(advance(world.one, "closed", START, "closed_by_human"), Note("ana", "closed"), START)
    world.up(30)
    world.up(2 * COOLDOWN)
    assert world.states() == [State.RESOLVED]
    world.down(2 * COOLDOWN + 30)
    world.up(2 * COOLDOWN + 60)
    assert world.states() == [State.RESOLVED, State.OPEN]


def test_an_escalated_incident_is_not_opened_again_by_an_alert_that_never_cleared(store: SqlStore) -> None:
    steady, flapping = other("steady"), other("flapping")
    world = World(store, steady, flapping)
    for seconds in (0, 60, 120):
        world.metrics.says(steady.condition, ({}, 1))
        world.poll(seconds, steady)
        world.metrics.says(flapping.condition, *([({}, 1)] if seconds != 60 else []))
        world.poll(seconds + 1, flapping)
        if seconds == 0:
            world.walk("diagnosed", "stuck", at=10)
    assert (world.one.state, world.one.round) == (State.ESCALATED, 1)


def test_an_escalated_incident_opens_again_where_all_of_it_had_cleared_unseen(world: World) -> None:
    """The alert cleared and fired between two looks at the incident: while a run was under way that then failed."""
    world.up(0)
    world.walk(*TO_VERIFYING[:-1], at=10)
    world.down(30)
    world.walk("failed", at=40)
    alert = world.store.alerts()[0]
    back = replace(alert, state=AlertState.FIRING, holds=True, fired_at=START + timedelta(seconds=50), resolved_at=None)
    world.store.save_alerts(RULE.id, [back], START + timedelta(seconds=50))
    world.up(60)
    assert (world.one.state, world.one.reopened) == (State.OPEN, 1)


# restarts, crashes, other hands -------------------------------------------------------------------------------------


def test_active_alerts_survive_a_restart(store: SqlStore) -> None:
    world = World(store, replace(RULE, hold_for=timedelta(seconds=60)))
    world.up(0)
    world.started()
    world.up(60)
    (found,) = store.alerts()
    assert (found.state, found.active_at, found.fired_at) == (
        AlertState.FIRING, START, START + timedelta(seconds=60)
    )  # fmt: skip
    world.started()
    world.up(90)
    assert (store.alerts()[0].fired_at, world.states()) == (START + timedelta(seconds=60), [State.OPEN])
    world.started()
    world.down(120)
    assert world.states() == [State.RESOLVED]


class Crashing(SqlStore):
    """A store whose process dies at the n-th change."""

    def __init__(self, store: SqlStore, lives: int) -> None:
        self.__dict__.update(store.__dict__)
        self.lives = lives

    def _count(self) -> None:
        if self.lives == 0:
            raise KeyboardInterrupt
        self.lives -= 1

    def save_answers(self, answers, answered_at):  # type: ignore[no-untyped-def]
        self._count()
        saved = super().save_answers(answers, answered_at)
        self._count()
        return saved

    def create(self, incident, note, now, alerts=()):  # type: ignore[no-untyped-def]
        made = super().create(incident, note, now, alerts)
        self._count()
        return made

    def save(self, incident, note, now):  # type: ignore[no-untyped-def]
        self._count()
        saved = super().save(incident, note, now)
        self._count()
        return saved


@pytest.mark.parametrize("lives", range(10))
def test_a_crash_between_two_changes_loses_nothing_and_does_nothing_twice(store: SqlStore, lives: int) -> None:
    world = World(store)
    crashed = MonitorAgent(
        rules=world.rules, metrics=world.metrics, store=Crashing(store, lives), cluster="prod-1", limits=LIMITS
    )
    died = 0
    for seconds in (0, 30, 60):
        world.metrics.says(RULE.condition, *([({}, 1)] if seconds < 60 else []))
        try:
            crashed.poll(RULE, START + timedelta(seconds=seconds))
        except KeyboardInterrupt:
            died += 1
            crashed = world.started()
            world.poll(seconds)
    world.poll(90)
    assert died == (1 if lives < 9 else 0)
    assert world.states() == [State.RESOLVED]
    assert [act for act, _ in world.acts()] == ["opened", "cleared"]


class Raced(SqlStore):
    """A store in which somebody else is always faster."""

    def __init__(self, store: SqlStore) -> None:
        self.__dict__.update(store.__dict__)

    def create(self, incident, note, now, alerts=()):  # type: ignore[no-untyped-def]
        super().create(incident, Note("other", "opened"), now, alerts)
        return super().create(incident, note, now, alerts)

    def save(self, incident, note, now):  # type: ignore[no-untyped-def]
        raise Conflict


def test_a_conflict_is_left_to_the_next_poll(store: SqlStore) -> None:
    world = World(store)
    raced = MonitorAgent(rules=world.rules, metrics=world.metrics, store=Raced(store), cluster="", limits=LIMITS)
    world.metrics.says(RULE.condition, ({}, 1))
    raced.poll(RULE, START)
    assert world.states() == [State.OPEN]
    world.metrics.says(RULE.condition)
    raced.poll(RULE, START + timedelta(seconds=30))
    assert world.states() == [State.OPEN]
    world.poll(60)
    assert world.states() == [State.RESOLVED]


def test_two_processes_that_poll_the_same_make_one_incident(world: World) -> None:
    second = MonitorAgent(rules=world.rules, metrics=world.metrics, store=world.store, cluster="prod-1", limits=LIMITS)
    for seconds in (0, 30, 60):
        world.up(seconds)
        second.poll(RULE, START + timedelta(seconds=seconds + 1))
    assert (world.states(), world.acts()) == ([State.OPEN], [("opened", "alert_fired")])


def test_alerts_of_a_rule_that_is_no_longer_watched_end_but_prove_nothing(store: SqlStore) -> None:
    world = World(store)
    now = world.up(0)
    world.rules = (other("new"),)
    world.metrics.says(world.rules[0].condition)
    world.started()
    world.poll(30)
    assert world.states() == [State.RESOLVED]
    assert store.answered(RULE.id) == now


def test_a_pushed_alert_of_no_rule_is_not_ended(store: SqlStore) -> None:
    world = World(store)
    pushed = Alert(
        rule="push", name="P", fingerprint="f", severity="info", labels={}, state=AlertState.FIRING, active_at=START,
        source="alertmanager",
    )  # fmt: skip
    store.save_alerts("push", [pushed], START)
    world.down(30)
    assert [a.state for a in store.alerts("push")] == [AlertState.FIRING]


# blind --------------------------------------------------------------------------------------------------------------

FAILURES: dict[str, OpsbotError] = {
    "blind": Blind("Prometheus at http://127.0.0.1:9 refuses the connection"),
    "wrong expression": PermanentError("Prometheus refuses the expression: 1:2: parse error"),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_a_failure_resolves_nothing_and_fires_nothing(store: SqlStore, failure: OpsbotError) -> None:
    world = World(store, RULE, other("second", hold_for=timedelta(seconds=60), target=None))
    world.metrics.says("second > 1", ({}, 1))
    world.up(0)
    world.poll(0, world.rules[1])
    for rule in world.rules:
        world.metrics.fails(rule.condition, failure)
    before = (store.alerts(), store.answered(RULE.id), world.incidents())
    for seconds in (30, 60, 90):
        for rule in world.rules:
            world.poll(seconds, rule)
    assert (store.alerts(), store.answered(RULE.id), world.incidents()) == before
    assert world.agent.blindness()[RULE.id].since == START + timedelta(seconds=30)
    told = world.agent.blindness()[RULE.id]
    assert (told.times, told.why) == (3, str(failure))


def test_a_whole_answer_ends_blindness(world: World) -> None:
    world.metrics.fails(RULE.condition, Blind("no"))
    world.poll(0)
    world.down(30)
    assert world.agent.blindness() == {}


def test_an_answer_for_another_time_is_blind(world: World) -> None:
    now = world.up(0)
    world.metrics.answers_for(now)
    world.down(30)
    assert world.states() == [State.OPEN]
    assert "not for the time asked" in world.agent.blindness()[RULE.id].why


def test_an_answer_older_than_two_polls_when_it_is_in_hand_is_blind(store: SqlStore) -> None:
    world, clock = World(store), ManualClock(START)
    agent = MonitorAgent(rules=world.rules, metrics=world.metrics, store=store, cluster="", limits=LIMITS, clock=clock)
    world.metrics.says(RULE.condition, ({}, 1))
    clock.advance(60)
    agent.poll(RULE, START)
    assert agent.blindness() == {}
    clock.advance(0.001)
    agent.poll(RULE, START)
    assert agent.blindness()[RULE.id].since == START
    assert "60.0s old" in agent.blindness()[RULE.id].why


def test_an_answer_older_than_a_known_one_is_blind(world: World) -> None:
    world.up(60)
    world.down(30)
    assert world.states() == [State.OPEN]
    assert "older than one that is known" in world.agent.blindness()[RULE.id].why


def test_two_results_of_one_label_set_are_blind_for_that_rule(world: World) -> None:
    world.up(0)
    world.metrics.says(RULE.condition, ({"__name__": "a"}, 1), ({"__name__": "b"}, 1))
    world.poll(30)
    assert (world.states(), "same labels" in world.agent.blindness()[RULE.id].why) == ([State.OPEN], True)


def test_the_question_has_two_polls_of_time_at_most(store: SqlStore) -> None:
    given: list[float] = []

    class Timed:
        def query(self, expression: str, at: datetime, timeout: float = 10.0):  # type: ignore[no-untyped-def]
            given.append(timeout)
            raise Blind("no")

    for every in (2, 30):
        rule = replace(RULE, every=timedelta(seconds=every))
        MonitorAgent(rules=[rule], metrics=Timed(), store=store, cluster="", limits=LIMITS).poll(rule, START)
    assert [round(seconds, 1) for seconds in given] == [4.0, 10.0]


def test_lasting_blindness_becomes_an_incident_and_ends_itself(world: World) -> None:
    world.metrics.fails(RULE.condition, Blind("token=hunter2secret refused"))
    world.poll(0)
    world.poll(BLIND_FOR - 1)
    assert world.incidents() == ()
    world.poll(BLIND_FOR)
    found = world.one
    assert (found.key, found.severity, found.target, found.reason) == ("blind/prometheus", "critical", None, "blind")
    assert found.title.startswith("Prometheus cannot be read for 1 of 1 rules (Slow): ")
    assert "hunter2secret" not in found.title
    world.walk("diagnosed", "stuck", at=BLIND_FOR + 10)
    world.poll(BLIND_FOR + 30)
    assert world.states() == [State.ESCALATED]
    world.down(BLIND_FOR + 60)
    assert (world.one.state, world.one.reason) == (State.RESOLVED, "sight_again")


def test_blindness_ends_only_when_every_rule_can_be_read(store: SqlStore) -> None:
    one, two = other("one"), other("two")
    world = World(store, one, two)
    for seconds in (0, BLIND_FOR):
        for rule in (one, two):
            world.metrics.fails(rule.condition, Blind("no"))
            world.poll(seconds, rule)
    assert world.one.title.startswith("Prometheus cannot be read for")
    world.started()
    world.metrics.says(one.condition)
    world.poll(BLIND_FOR + 30, one)
    assert world.states() == [State.OPEN]
    world.metrics.says(two.condition)
    world.poll(BLIND_FOR + 31, two)
    assert world.states() == [State.RESOLVED]


def test_blindness_that_a_human_closed_is_not_told_again(world: World) -> None:
    world.metrics.fails(RULE.condition, Blind("no"))
    world.poll(0)
    world.poll(BLIND_FOR)
    world.walk("closed", at=BLIND_FOR + 1)
    world.poll(BLIND_FOR + 30)
    assert world.states() == [State.RESOLVED]


def test_an_incident_that_a_crash_left_out_is_opened_even_when_nothing_can_be_seen_now(store: SqlStore) -> None:
    world = World(store)
    world.metrics.says(RULE.condition, ({}, 1))
    crashing = MonitorAgent(
        rules=world.rules, metrics=world.metrics, store=Crashing(store, 1), cluster="prod-1", limits=LIMITS
    )
    with pytest.raises(KeyboardInterrupt):
        crashing.poll(RULE, START)
    assert (world.incidents(), len(store.alerts())) == ((), 1)
    world.metrics.fails(RULE.condition, Blind("no"))
    world.poll(30)
    assert world.states() == [State.OPEN]


def test_hostile_labels_reach_nobody_unmasked(store: SqlStore) -> None:
    world = World(store, replace(RULE, annotations={"summary": "{{ $labels.url }}"}, target=None))
    world.metrics.says(RULE.condition, ({"url": "https://ana:hunter2secret@db/ <!channel>" + "x" * 9999}, 1))
    world.poll(0)
    assert "hunter2secret" not in world.one.title
    assert len(world.one.title) <= 200
    assert not [e for e in store.audit() if "hunter2secret" in str(e.detail)]


# rules that change ----------------------------------------------------------------------------------------------------

OTHER = replace(RULE, name="Other", condition="max(y) > 1", target=None)
BAD = (Problem("a.yaml", 7, 3, "for: 'x' is no duration", "", "Slow"),)


def test_rules_that_are_gone_end_their_alerts_and_incidents(world: World) -> None:
    world.up(0)
    world.agent.watch([OTHER])
    world.metrics.says(OTHER.condition)
    world.poll(30, OTHER)
    assert world.states() == [State.RESOLVED]
    assert world.one.reason == "rule_gone"


def test_a_rule_that_is_gone_is_asked_no_more(world: World) -> None:
    world.agent.watch([OTHER])
    world.poll(0, RULE)
    assert world.metrics.asked == []
    assert world.agent.blindness() == {}


def test_blindness_of_a_rule_that_is_gone_is_forgotten(world: World) -> None:
    world.metrics.fails(RULE.condition, Blind("no"))
    world.poll(0)
    world.agent.watch([OTHER])
    world.metrics.says(OTHER.condition)
    world.poll(BLIND_FOR + 1, OTHER)
    assert world.incidents() == ()


def test_files_that_cannot_be_read_are_one_incident_until_they_can(world: World) -> None:
    for seconds in (0, 5, 10):
        world.agent.tell_invalid(BAD, START + timedelta(seconds=seconds))
    assert world.one.severity == "warning"
    assert world.one.title.startswith("alert rules cannot be read, older ones stay in force: Slow: a.yaml:7:3: for:")
    world.down(12)
    assert world.states() == [State.OPEN]
    world.agent.tell_invalid((), START + timedelta(seconds=15))
    assert (world.states(), world.one.reason) == ([State.RESOLVED], "files_good_again")
    assert world.acts()[0] == ("opened", "rules_invalid")


def test_files_that_a_human_knows_of_are_not_told_again(world: World) -> None:
    world.agent.tell_invalid(BAD, START)
    world.walk("closed", at=5)
    world.agent.tell_invalid(BAD, START + timedelta(seconds=10))
    assert world.states() == [State.RESOLVED]


def test_the_incident_of_files_ends_after_a_restart_too(world: World) -> None:
    world.agent.tell_invalid(BAD, START)
    world.started().tell_invalid((), START + timedelta(seconds=5))
    assert world.states() == [State.RESOLVED]


def test_a_rule_whose_condition_is_edited_keeps_its_alerts(store: SqlStore) -> None:
    world = World(store, replace(RULE, hold_for=timedelta(seconds=60)))
    for seconds in (0, 60):
        world.up(seconds)
    edited = replace(world.rules[0], condition="avg(x) > 4")
    world.rules = (edited,)
    world.agent.watch([edited])
    world.up(90)
    (alert,) = store.alerts()
    assert (alert.state, alert.active_at, world.one.state) == (AlertState.FIRING, START, State.OPEN)


# what a rule asks -----------------------------------------------------------------------------------------------------


def test_a_rule_with_an_offset_is_asked_for_an_earlier_time_and_its_templates_for_now(store: SqlStore) -> None:
    text = '{{ query "up" | first | value }}'
    world = World(store, replace(RULE, query_offset=timedelta(seconds=20), annotations={"summary": text}))
    world.metrics.says("up", ({}, 5.0))
    world.up(60)
    assert world.metrics.asked == [
        (RULE.condition, START + timedelta(seconds=40)),
        ("up", START + timedelta(seconds=60)),
    ]
    assert (world.one.title, store.alerts()[0].active_at) == ("5", START + timedelta(seconds=60))


def test_a_template_whose_question_is_not_answered_says_so(store: SqlStore) -> None:
    world = World(store, replace(RULE, annotations={"summary": '{{ query "up" | len }}'}))
    world.up(0)
    (alert,) = store.alerts()
    assert alert.annotations["summary"].startswith("<error expanding template: query: the fake was told nothing")
    assert world.one.title == RULE.name


def test_the_place_that_prometheus_names_is_shown(world: World, caplog: pytest.LogCaptureFixture) -> None:
    said = 'refuses the expression: invalid parameter "query": 1:5: parse error: unexpected end of input'
    world.metrics.fails(RULE.condition, PermanentError(said))
    world.poll(0)
    (record,) = [record for record in caplog.records if "cannot be read" in record.getMessage()]
    assert record.__dict__["fields"] == {"at": f"{RULE.condition}\n    ^"}
