"""The alert states, second by second, as Prometheus has them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertRule, AlertState, Sample, TargetSpec
from opsbot.core.evidence import MaskedText
from opsbot.core.target import Target
from opsbot.monitor.gotemplate import Server
from opsbot.monitor.state import LONGEST, SameLabelsError, TooManyError, carried, step, words

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RULE = AlertRule(name="Slow", condition="x > 5", severity="critical")


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def rule(hold: float = 0, keep: float = 0, base: AlertRule = RULE) -> AlertRule:
    return replace(base, hold_for=timedelta(seconds=hold), keep_firing_for=timedelta(seconds=keep))


def sample(value: float = 7, labels: Mapping[str, str] | None = None, at: datetime = START) -> Sample:
    return Sample(labels or {}, value, at)


def walk(made: AlertRule, held: Sequence[tuple[float, bool]]) -> list[Alert]:
    """The alerts after polls at these seconds, at which the condition held or not."""
    alerts: list[Alert] = []
    for seconds, holds in held:
        alerts = step(made, [sample(at=after(seconds))] if holds else [], alerts, after(seconds))
    return alerts


def letters(made: AlertRule, line: str, every: float = 10) -> str:
    """A line of `1` (holds) and `0` (does not), one poll each, as p(ending), f(iring), r(esolved) or `-`."""
    alerts: list[Alert] = []
    out = ""
    for place, holds in enumerate(line):
        now = after(place * every)
        alerts = step(made, [sample(at=now)] if holds == "1" else [], alerts, now)
        out += {0: "-"}.get(len(alerts)) or alerts[0].state.value[0]
    return out


@pytest.mark.parametrize(
    ("hold", "keep", "line", "want"),
    [
        (0, 0, "0110", "-ffr"),
        (20, 0, "11110", "ppffr"),
        (20, 0, "1101110", "pp-ppfr"),
        (15, 0, "1111", "ppff"),
        (10, 0, "10", "p-"),
        (0, 20, "1000", "fffr"),
        (0, 20, "100100100", "fffffffff"),
        (0, 5, "100", "ffr"),
        (20, 20, "111000", "ppfffr"),
        (20, 30, "1000", "p---"),
        (0, 0, "101", "frf"),
        (20, 0, "1110111", "ppfrppf"),
        (3600, 0, "111", "ppp"),
    ],
    ids=[
        "no for: at once", "for", "for starts anew after a gap", "for that is no multiple of the poll", "pending goes",
        "keep", "keep starts anew each time", "keep shorter than a poll", "for and keep",
        "keep is for firing ones only", "fires again", "pending again after resolved", "long for",
    ],
)  # fmt: skip
def test_states_over_time(hold: float, keep: float, line: str, want: str) -> None:
    assert letters(rule(hold, keep), line) == want


def test_every_time_is_kept() -> None:
    (found,) = walk(rule(20, 30), [(0, True), (10, True), (20, True), (30, True), (40, False), (50, False)])
    assert (found.active_at, found.fired_at, found.resolved_at) == (START, after(20), None)
    assert (found.state, found.holds) == (AlertState.FIRING, False)
    assert (found.held_at, found.holds_since) == (after(30), after(40))
    (over,) = step(rule(20, 30), [], [found], after(70))
    assert (over.state, over.resolved_at, over.fired_at) == (AlertState.RESOLVED, after(70), after(20))


def test_holding_again_while_kept_up_is_told_apart_from_holding_all_along() -> None:
    (found,) = walk(rule(0, 60), [(0, True), (10, False), (20, True), (30, True)])
    assert (found.state, found.holds, found.holds_since) == (AlertState.FIRING, True, after(20))
    assert (found.active_at, found.fired_at) == (START, START)


@pytest.mark.parametrize(
    ("seconds", "there"), [(10, True), (910, True), (911, False)], ids=["fresh", "15 minutes", "over 15 minutes"]
)
def test_a_resolved_alert_is_remembered_for_a_while(seconds: float, there: bool) -> None:
    (gone,) = walk(rule(), [(0, True), (10, False)])
    assert step(rule(), [], [gone], after(seconds)) == ([gone] if there else [])


def test_an_alert_that_comes_back_begins_anew() -> None:
    (back,) = walk(rule(20), [(0, True), (10, True), (20, True), (30, False), (60, True)])
    assert (back.state, back.active_at, back.fired_at, back.resolved_at) == (AlertState.PENDING, after(60), None, None)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf], ids=["nan", "inf", "-inf"])
def test_a_sample_counts_whatever_its_value_is(value: float) -> None:
    (found,) = step(RULE, [sample(value)], [], START)
    assert (found.state, found.value) == (AlertState.FIRING, None)


def test_the_value_and_annotations_are_those_of_the_last_answer() -> None:
    made = replace(RULE, annotations={"summary": "at {{ $value }}"})
    first = step(made, [sample(7)], [], START)
    (found,) = step(made, [sample(9)], first, after(10))
    assert (found.value, found.annotations["summary"]) == (9.0, "at 9")
    (kept,) = step(replace(made, keep_firing_for=timedelta(60)), [], [found], after(20))
    assert kept.annotations["summary"] == "at 9"


# labels -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "given", "want"),
    [
        ({}, {"job": "a"}, {"job": "a"}),
        ({}, {"__name__": "x", "job": "a"}, {"job": "a"}),
        ({"job": "b"}, {"job": "a"}, {"job": "b"}),
        ({"job": ""}, {"job": "a"}, {}),
        ({"who": "{{ $labels.job }}-{{ $value }}"}, {"job": "a"}, {"job": "a", "who": "a-7"}),
        ({"who": "{{ $labels.nope }}"}, {"job": "a"}, {"job": "a"}),
        ({}, {"alertname": "other", "severity": "low"}, {}),
        ({"metric": "{{ $labels.__name__ }}"}, {"__name__": "x"}, {"metric": "x"}),
    ],
    ids=["own kept", "name dropped", "rule's win", "empty removes", "template", "empty template", "alertname", "name"],
)
def test_final_labels(own: dict[str, str], given: dict[str, str], want: dict[str, str]) -> None:
    (found,) = step(replace(RULE, labels=own), [sample(labels=given)], [], START)
    assert found.labels == {**want, "alertname": "Slow", "severity": "critical"}


def test_the_severity_may_be_a_template() -> None:
    (found,) = step(replace(RULE, severity="{{ $labels.level }}"), [sample(labels={"level": "info"})], [], START)
    assert (found.severity, found.labels["severity"]) == ("info", "info")


def test_each_label_set_is_an_alert_of_its_own() -> None:
    made = rule(20)
    first = step(made, [sample(labels={"pod": "a"})], [], START)
    later = step(made, [sample(labels={"pod": "a"}), sample(labels={"pod": "b"})], first, after(20))
    assert sorted((a.labels["pod"], a.state.value) for a in later) == [("a", "firing"), ("b", "pending")]
    assert len({a.fingerprint for a in later}) == 2


@pytest.mark.parametrize(
    ("own", "one", "two"),
    [
        ({}, {"job": "a"}, {"job": "a"}),
        ({}, {"__name__": "x"}, {"__name__": "y"}),
        ({"pod": "all"}, {"pod": "a"}, {"pod": "b"}),
    ],
    ids=["twice the same", "differ by name alone", "made equal by the rule"],
)
def test_two_samples_with_the_same_final_labels_are_an_error(
    own: dict[str, str], one: dict[str, str], two: dict[str, str]
) -> None:
    with pytest.raises(SameLabelsError, match="same labels"):
        step(replace(RULE, labels=own), [sample(labels=one), sample(labels=two)], [], START)


def test_a_template_that_cannot_be_filled_says_so_in_its_place() -> None:
    made = replace(RULE, annotations={"summary": "{{ humanize $labels.job }}"})
    (found,) = step(made, [sample(labels={"job": "a"})], [], START)
    assert found.annotations["summary"] == "<error expanding template: 'a' is no number>"


def test_annotations_are_masked_and_cut() -> None:
    made = replace(RULE, annotations={"summary": "{{ $labels.url }}", "long": "{{ $labels.long }}"})
    labels = {"url": "postgres://bot:hunter2secret@db/x", "long": "y" * 100_000}
    (found,) = step(made, [sample(labels=labels)], [], START)
    assert all(isinstance(text, MaskedText) for text in found.annotations.values())
    assert "hunter2secret" not in found.annotations["summary"]
    assert len(found.annotations["long"]) <= LONGEST


# targets ------------------------------------------------------------------------------------------------------------

STATIC = TargetSpec("Deployment", "agents", "agents")
BY_LABEL = TargetSpec("Deployment", "{{ labels.deployment }}", "{{ labels.namespace }}")


@pytest.mark.parametrize(
    ("spec", "labels", "want"),
    [
        (None, {}, None),
        (STATIC, {}, Target("agents", "Deployment", "agents", "prod-1")),
        (BY_LABEL, {"deployment": "web", "namespace": "shop"}, Target("shop", "Deployment", "web", "prod-1")),
        (TargetSpec("Node", "{{ labels.node }}"), {"node": "n-1"}, Target("", "Node", "n-1", "prod-1")),
        (TargetSpec("{{ labels.kind }}", "a", "b"), {"kind": "sts"}, Target("b", "StatefulSet", "a", "prod-1")),
        (TargetSpec("Deployment", "a", "{{ labels.team }}"), {}, Target("blue", "Deployment", "a", "prod-1")),
        (BY_LABEL, {"deployment": "web"}, None),
        (BY_LABEL, {"deployment": "../secrets/x", "namespace": "shop"}, None),
        (BY_LABEL, {"deployment": "web;rm -rf", "namespace": "shop"}, None),
        (BY_LABEL, {"deployment": "web\n", "namespace": "shop"}, None),
        (BY_LABEL, {"deployment": "{{ labels.namespace }}", "namespace": "shop"}, None),
        (BY_LABEL, {"deployment": "w" * 300, "namespace": "shop"}, None),
        (BY_LABEL, {"deployment": "w\u0435b", "namespace": "shop"}, None),
        (TargetSpec("{{ labels.kind }}", "a", "b"), {"kind": "Secret"}, None),
    ],
    ids=[
        "none", "static", "by label", "node", "kind by label", "by the rule's own label", "label missing", "path",
        "blanks", "newline", "template in a label", "long", "other alphabet", "kind that is none",
    ],
)  # fmt: skip
def test_the_target_of_an_alert(spec: TargetSpec | None, labels: dict[str, str], want: Target | None) -> None:
    made = replace(RULE, target=spec, labels={"team": "blue"})
    (found,) = step(made, [sample(labels=labels)], [], START, "prod-1")
    assert found.target == want


def test_the_playbooks_that_may_run_go_with_the_alert() -> None:
    (found,) = step(replace(RULE, actions=("a", "b")), [sample()], [], START)
    assert found.actions == ("a", "b")


# what an earlier process left ---------------------------------------------------------------------------------------


def test_the_clock_of_a_pending_alert_goes_on_over_a_restart() -> None:
    left = walk(rule(60), [(0, True)])
    (found,) = step(rule(60), [sample()], carried(left, START, after(60)), after(60))
    assert (found.state, found.active_at) == (AlertState.FIRING, START)


@pytest.mark.parametrize(
    ("gap", "states"), [(3600, ["pending", "firing"]), (3601, ["firing"])], ids=["an hour", "longer"]
)
def test_after_an_hour_unseen_pending_ones_start_anew(gap: float, states: list[str]) -> None:
    (pending,) = walk(rule(60), [(0, True)])
    firing = replace(pending, state=AlertState.FIRING, fired_at=START, fingerprint="f")
    assert [a.state.value for a in carried([pending, firing], START, after(gap))] == states


def test_nothing_is_carried_from_nowhere() -> None:
    assert carried([], None, START) == []


# limits, severities, servers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "fits"), [(0, True), (2, True), (1, False)], ids=["none", "as many", "fewer"])
def test_more_alerts_than_the_limit_are_an_error(limit: int, fits: bool) -> None:
    seen = [sample(labels={"pod": "a"}), sample(labels={"pod": "b"})]
    limited = replace(RULE, limit=limit)
    if fits:
        assert len(step(limited, seen, [], START)) == 2
    else:
        with pytest.raises(TooManyError, match="more than the limit of 1"):
            step(limited, seen, [], START)


def test_a_rule_without_a_severity_leaves_that_of_the_sample() -> None:
    (found,) = step(replace(RULE, severity=""), [sample(labels={"severity": "page"})], [], START)
    assert (found.severity, found.labels["severity"]) == ("page", "page")


def test_a_severity_that_is_empty_takes_it_away() -> None:
    (found,) = step(
        replace(RULE, severity="", labels={"severity": ""}), [sample(labels={"severity": "page"})], [], START
    )
    assert "severity" not in found.labels


def test_templates_may_ask_the_server() -> None:
    server = Server({"cluster": "c1"}, query=lambda text: [Sample({"q": text}, 5.0, START)])
    text = '{{ $externalLabels.cluster }} {{ query "up" | first | label "q" }} {{ query "up" | first | value }}'
    (found,) = step(replace(RULE, annotations={"summary": text}), [sample()], [], START, server=server)
    assert found.annotations["summary"] == "c1 up 5"


def test_words_are_what_people_are_told_before_it_is_masked() -> None:
    made = replace(RULE, annotations={"s": "password=hunter2-{{ $value }}"}, labels={"team": "a"})
    (said,) = words(made, [sample()]).values()
    assert said.annotations == {"s": "password=hunter2-7"}
    assert said.labels["team"] == "a"
    (alert,) = step(made, [sample()], [], START)
    assert "hunter2" not in alert.annotations["s"]
