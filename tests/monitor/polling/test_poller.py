"""Polls of many rules: one read, one save, nobody's alert lost, and what is slow or blind is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertRule, AlertState, Answer, fingerprint
from opsbot.core.errors import Blind, PermanentError
from opsbot.monitor.polling.poller import Poller
from opsbot.store import SqlStore
from opsbot.testing.prometheus import FakeMetrics
from tests.monitor.monitor_world import START


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rules(count: int, **more: object) -> list[AlertRule]:
    return [replace(AlertRule(f"r{at}", f"m{at} > 0", "warning"), **more) for at in range(count)]  # type: ignore[arg-type]


class Counting(SqlStore):
    """A store that notes what is read and saved; `meanwhile` happens just before a save."""

    def __init__(self, store: SqlStore) -> None:
        self.__dict__.update(store.__dict__)
        self.calls: list[str] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def alerts(self, rule: str | None = None) -> tuple[Alert, ...]:
        self.calls.append("alerts")
        return super().alerts(rule)

    def answers(self) -> Mapping[str, datetime]:
        self.calls.append("answers")
        return super().answers()

    def answered(self, rule: str) -> datetime | None:
        self.calls.append("answered")
        return super().answered(rule)

    def save_answers(self, answers: Mapping[str, Sequence[Alert]], answered_at: datetime) -> frozenset[str]:
        self.calls.append("save")
        self.meanwhile()
        return super().save_answers(answers, answered_at)


class Ground:
    """A poller on a store that counts, and metrics that say what they are told."""

    def __init__(self, store: SqlStore, watched: Sequence[AlertRule]) -> None:
        self.store, self.metrics, self.now = Counting(store), FakeMetrics(), 0.0
        self.rules = list(watched)
        for rule in watched:
            self.metrics.says(rule.condition)
        self.poller = self.started()

    def started(self) -> Poller:
        self.poller = Poller(
            rules=self.rules, metrics=self.metrics, store=self.store, cluster="prod-1", timer=lambda: self.now
        )
        return self.poller

    def up(self, at: int, **labels: str) -> None:
        self.metrics.says(self.rules[at].condition, (labels, 1.0))

    def poll(self, seconds: float) -> None:
        self.poller.poll(self.rules, after(seconds))

    def states(self, at: int) -> list[tuple[str, str]]:
        return [(alert.state.value, alert.source) for alert in self.store.alerts(self.rules[at].id)]


def pushed(rule: AlertRule, **labels: str) -> Alert:
    """What a webhook makes of an alert that fits a rule."""
    final = {**labels, "alertname": rule.name, "severity": rule.severity}
    return Alert(
        rule=rule.id, name=rule.name, fingerprint=fingerprint(rule.id, final), severity=rule.severity, labels=final,
        state=AlertState.FIRING, active_at=START, fired_at=START, held_at=START, source="alertmanager",
    )  # fmt: skip


# few reads, one save --------------------------------------------------------------------------------------------------


def test_a_poll_reads_once_and_saves_once_however_many_rules_there_are(store: SqlStore) -> None:
    ground = Ground(store, rules(200))
    ground.up(3, pod="a")
    ground.poll(0)
    assert sorted(ground.store.calls) == ["alerts", "alerts", "answers", "save"]  # once more to end those of rules gone
    ground.store.calls.clear()
    ground.poll(30)
    assert ground.store.calls == ["alerts", "save"]
    assert ground.states(3) == [("firing", "prometheus")]
    assert {store.answered(rule.id) for rule in ground.rules} == {after(30)}
    assert ground.poller.sees_all()


def test_each_alert_is_walked_on_from_what_the_store_says(store: SqlStore) -> None:
    ground = Ground(store, rules(20, hold_for=timedelta(seconds=60)))
    ground.up(3, pod="a")
    ground.up(4, pod="a")
    ground.poll(0)
    ground.started()
    ground.metrics.says(ground.rules[4].condition)
    ground.poll(60)
    assert (ground.states(3), ground.states(4)) == ([("firing", "prometheus")], [])


def test_pending_ones_start_anew_after_an_hour_that_nobody_looked(store: SqlStore) -> None:
    for again in (True, False):
        ground = Ground(store, rules(6, hold_for=timedelta(minutes=30)))
        ground.up(3, pod=str(again))
        ground.poll(0 if again else 10_000)
        if again:
            ground.started()
        ground.poll(3601 if again else 13_601)
        assert [state for state, _ in ground.states(3)] == ["pending"]


def test_rules_of_other_offsets_are_asked_for_their_own_time(store: SqlStore) -> None:
    ground = Ground(store, [*rules(5), *rules(5, query_offset=timedelta(seconds=60), severity="critical")])
    ground.poll(0)
    assert {at for _, at in ground.metrics.asked} == {START, after(-60)}
    assert len(ground.metrics.asked) == 4
    assert {store.answered(rule.id) for rule in ground.rules} == {START}


# one bad rule ---------------------------------------------------------------------------------------------------------


def test_a_bad_rule_blinds_no_other(store: SqlStore) -> None:
    ground = Ground(store, rules(20))
    for at in range(20):
        ground.up(at, pod="a")
    ground.poll(0)
    ground.metrics.fails(ground.rules[7].condition, PermanentError("Prometheus refuses the expression"))
    ground.metrics.says(ground.rules[8].condition, ({"__name__": "a"}, 1), ({"__name__": "b"}, 1))
    ground.metrics.says(ground.rules[9].condition)
    ground.poll(30)
    assert {rule.name for rule in ground.rules if rule.id in ground.poller.blindness()} == {"r7", "r8"}
    assert [ground.states(at)[0][0] for at in (6, 7, 8, 9)] == ["firing", "firing", "firing", "resolved"]
    assert [store.answered(ground.rules[at].id) for at in (6, 7, 8)] == [after(30), START, START]
    assert not ground.poller.sees_all()


def test_where_nobody_answers_nothing_changes(store: SqlStore) -> None:
    ground = Ground(store, rules(20))
    for at in range(20):
        ground.up(at, pod="a")
    ground.poll(0)
    before = store.alerts()
    for rule in ground.rules:
        ground.metrics.fails(rule.condition, Blind("no"))
    ground.metrics.fails("vector(1)", Blind("no"))
    ground.store.calls.clear()
    ground.poll(30)
    assert store.alerts() == before
    assert len(ground.poller.blindness()) == 20
    assert "save" not in ground.store.calls


def test_an_answer_for_another_time_counts_for_no_rule(store: SqlStore) -> None:
    ground = Ground(store, rules(10))
    ground.metrics.answers_for(after(-30))
    ground.poll(0)
    assert len(ground.poller.blindness()) == 10
    assert store.answers() == {}


def test_a_rule_for_which_somebody_knows_more_is_left_as_it_is(store: SqlStore) -> None:
    ground = Ground(store, rules(6))
    ground.up(2, pod="a")
    store.save_answers({ground.rules[2].id: []}, after(60))
    ground.poll(30)
    assert list(ground.poller.blindness()) == [ground.rules[2].id]
    assert ground.states(2) == []
    assert store.answered(ground.rules[3].id) == after(30)


def test_rules_that_become_blind_together_are_told_in_one_line(
    store: SqlStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "opsbot.monitor")
    ground = Ground(store, rules(20))
    ground.metrics.fails(ground.rules[0].condition, PermanentError("1:4: parse error: no"))
    for at, rule in enumerate(ground.rules[1:]):
        ground.metrics.fails(rule.condition, Blind(f"store-{at} is down"))
    ground.poll(0)
    ground.poll(30)
    assert sorted(record.getMessage().partition(": ")[0] for record in caplog.records) == [
        "19 of 20 rules cannot be read", "rule 'r0' cannot be read",
    ]  # fmt: skip
    (many,) = [record.getMessage() for record in caplog.records if "19 of 20" in record.getMessage()]
    assert many.startswith("19 of 20 rules cannot be read: 'r1', 'r2', 'r3' and others: store-")
    assert many.endswith("is down")
    caplog.clear()
    for rule in ground.rules:
        ground.metrics.says(rule.condition)
    ground.poll(60)
    ground.poll(90)
    assert [record.getMessage() for record in caplog.records] == [
        "20 rules can be read again, after up to 2 failures: 'r0', 'r1', 'r2' and others"
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_few_rules_that_become_blind_are_told_one_by_one(
    store: SqlStore, caplog: pytest.LogCaptureFixture, count: int
) -> None:
    caplog.set_level(logging.INFO, "opsbot.monitor")
    ground = Ground(store, rules(20))
    for rule in ground.rules[:count]:
        ground.metrics.fails(rule.condition, Blind("no"))
    ground.poll(0)
    for rule in ground.rules[:count]:
        ground.metrics.says(rule.condition)
    ground.poll(30)
    assert [record.getMessage() for record in caplog.records] == [
        *(f"rule 'r{at}' cannot be read: no" for at in range(count)),
        *(f"rule 'r{at}' can be read again, after 1 failures" for at in range(count)),
    ]


# pushed and polled ----------------------------------------------------------------------------------------------------


def test_a_pushed_alert_that_no_poll_sees_is_left_to_who_pushed_it(store: SqlStore) -> None:
    ground = Ground(store, rules(6))
    store.receive([pushed(ground.rules[2], pod="a")])
    ground.up(2, pod="b")
    ground.poll(0)
    ground.poll(30)
    assert sorted(ground.states(2)) == [("firing", "alertmanager"), ("firing", "prometheus")]


def test_a_pushed_alert_that_a_poll_sees_is_the_same_alert_and_polls_have_the_say(store: SqlStore) -> None:
    ground = Ground(store, rules(6, hold_for=timedelta(minutes=5)))
    store.receive([pushed(ground.rules[2], pod="a")])
    ground.up(2, pod="a")
    ground.poll(30)
    assert ground.states(2) == [("firing", "prometheus")]
    ground.metrics.says(ground.rules[2].condition)
    ground.poll(60)
    assert ground.states(2) == [("resolved", "prometheus")]


def test_what_is_pushed_while_a_poll_is_under_way_is_not_lost(store: SqlStore) -> None:
    ground = Ground(store, rules(6))
    ground.store.meanwhile = lambda: store.receive([pushed(ground.rules[2], pod="late")])
    ground.poll(0)
    assert ground.states(2) == [("firing", "alertmanager")]


def test_pushed_alerts_do_not_count_against_the_limit_of_a_rule(store: SqlStore) -> None:
    ground = Ground(store, rules(6, limit=1))
    store.receive([pushed(ground.rules[2], pod="a")])
    ground.up(2, pod="b")
    ground.poll(0)
    assert ground.poller.blindness() == {}


# time -----------------------------------------------------------------------------------------------------------------


class Slow(FakeMetrics):
    """Questions about `m1` take a while, by the ground's clock."""

    ground: Ground
    seconds = 6.0
    timeouts: list[float]

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:
        self.timeouts.append(timeout)
        if "m1 " in expression:
            self.ground.now += self.seconds
        return super().query(expression, at, timeout)


def slow(store: SqlStore, count: int, **more: object) -> tuple[Ground, Slow]:
    ground = Ground(store, rules(count, **more))
    ground.metrics = metrics = Slow()
    metrics.ground, metrics.timeouts = ground, []
    for rule in ground.rules:
        metrics.says(rule.condition)
    ground.started()
    return ground, metrics


def test_a_slow_rule_is_told_once_and_asked_alone(store: SqlStore, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "opsbot.monitor")
    ground, metrics = slow(store, 2)
    for seconds in (0, 30, 60, 90):
        ground.poll(seconds)
    assert list(ground.poller.slow()) == [ground.rules[1].id]
    assert ground.poller.slow()[ground.rules[1].id] == 6.0
    assert [record.getMessage() for record in caplog.records] == [
        "rule 'r1' takes too long: 6.0s each 30s; it is asked alone"
    ]
    assert ground.poller.figures()["slow"] == 1
    metrics.seconds = 0.0
    ground.poll(120)
    assert ground.poller.slow() == {}
    assert caplog.records[-1].getMessage() == "rule 'r1' does not take too long any more"


def test_a_slow_rule_that_is_gone_is_forgotten(store: SqlStore) -> None:
    ground, _ = slow(store, 1)
    ground.rules = rules(2)[1:]
    ground.poller.watch(ground.rules)
    ground.metrics.says("m1 > 0")
    ground.poll(0)
    assert list(ground.poller.slow()) == [ground.rules[0].id]
    ground.poller.watch([])
    assert ground.poller.slow() == {}


@pytest.mark.parametrize(("every", "patience"), [(1, 2.0), (2, 4.0), (30, 10.0)])
def test_a_poll_has_two_of_its_intervals_at_most(store: SqlStore, every: float, patience: float) -> None:
    ground, metrics = slow(store, 1, every=timedelta(seconds=every))
    ground.poll(0)
    assert metrics.timeouts == [patience]


def test_templates_may_ask_while_there_is_time(store: SqlStore) -> None:
    notes = {"summary": '{{ with query "up" }}{{ . | first | value }}{{ end }}'}
    ground, metrics = slow(store, 2, annotations=notes)
    metrics.says("up", ({}, 4.0))
    ground.up(0, pod="a")
    ground.poll(0)
    assert [alert.annotations["summary"] for alert in store.alerts(ground.rules[0].id)] == ["4"]
    assert metrics.timeouts[-1] == 4.0
    metrics.seconds = 11.0
    ground.poll(30)
    (alert,) = store.alerts(ground.rules[0].id)
    assert "there was no time left to ask" in alert.annotations["summary"]


def test_figures(store: SqlStore) -> None:
    ground = Ground(store, rules(10))
    ground.metrics.fails(ground.rules[1].condition, Blind("no"))
    ground.poll(0)
    ground.poll(30)
    assert ground.poller.figures() == {
        "seconds": 0.0, "questions": 3, "alone": 1, "rules": 10, "slow": 0, "blind": 1,
    }  # fmt: skip


def test_nothing_is_asked_where_nothing_is_due(store: SqlStore) -> None:
    ground = Ground(store, rules(3))
    ground.poller.poll([], START)
    ground.poller.poll([replace(ground.rules[0], name="Other")], START)
    assert ground.metrics.asked == []
