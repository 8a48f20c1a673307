"""What tells one rule from another, and one alert from another."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.alert import AlertRule, apart, fingerprint, rank, telling

RULE = AlertRule("High Task Latency", "avg(response_time) > 5000", "critical", labels={"team": "agents"})


@pytest.mark.parametrize(
    "change",
    [{"name": "Other"}, {"severity": "warning"}, {"labels": {"team": "shop"}}, {"labels": {}}],
    ids=lambda change: next(iter(change)),
)
def test_a_rule_of_another_meaning_is_another_rule(change: dict[str, Any]) -> None:
    assert replace(RULE, **change).id != RULE.id


@pytest.mark.parametrize(
    "change",
    [{"file": "x.yaml", "line": 9}, {"annotations": {"summary": "x"}}, {"hold_for": timedelta(minutes=1)},
     {"every": timedelta(seconds=5)}, {"actions": ("restart",)},
     {"condition": "up == 0"}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_rule_stays_itself_wherever_it_stands_and_however_often_it_is_asked(change: dict[str, Any]) -> None:
    assert replace(RULE, **change).id == RULE.id


def test_an_alert_is_its_rule_and_its_labels() -> None:
    one = fingerprint(RULE.id, {"a": "1", "b": "2"})
    assert one == fingerprint(RULE.id, {"b": "2", "a": "1"})
    assert one != fingerprint(RULE.id, {"a": "1"})
    assert one != fingerprint("other", {"a": "1", "b": "2"})
    assert len(one) == len(RULE.id) == 16


@pytest.mark.parametrize(
    ("severity", "place"), [("critical", 0), ("warning", 1), ("info", 2), ("none", 1), ("", 1), ("CRITICAL", 1)]
)
def test_rank(severity: str, place: int) -> None:
    assert rank(severity) == place


def test_rules_that_are_alike_are_two_all_the_same() -> None:
    one = AlertRule("A", "up == 0", "info", file="a")
    found = apart([one, replace(one, hold_for=timedelta(minutes=5)), replace(one, name="B"), replace(one, twin=5)])
    assert [rule.twin for rule in found] == [0, 1, 0, 2]
    assert len({rule.id for rule in found}) == 4
    assert found[0].id == one.id


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([], []),
        ([{"alertname": "A", "pod": "a"}], [{}]),
        ([{"alertname": "A", "pod": "a"}, {"alertname": "B", "pod": "a"}], [{}, {}]),
        ([{"pod": "a", "zone": "z"}, {"pod": "b", "zone": "z"}], [{"pod": "a"}, {"pod": "b"}]),
        ([{"pod": "a"}, {"node": "n"}], [{"pod": "a"}, {"node": "n"}]),
        ([{"pod": "a"}, {"pod": ""}], [{"pod": "a"}, {}]),
        ([{"a": "1", "b": "long 1"}, {"a": "1", "b": "long 2"}, {"a": "2", "b": "long 3"}],
         [{"b": "long 1", "a": "1"}, {"b": "long 2", "a": "1"}, {"b": "long 3", "a": "2"}]),
        ([dict.fromkeys("abcd", "1"), dict.fromkeys("abcd", "2")],
         [dict.fromkeys("abc", "1"), dict.fromkeys("abc", "2")]),
    ],
    ids=["none", "one", "only names differ", "what is alike", "other labels", "an empty one", "most values", "a few"],
)  # fmt: skip
def test_what_tells_alerts_apart(labels: list[dict[str, str]], told: list[dict[str, str]]) -> None:
    assert telling(labels) == told
