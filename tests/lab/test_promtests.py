"""Unit-test files of promtool: what is read, and what is refused with its place."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest

from opsbot.core.errors import ConfigError
from opsbot.lab import promtests

WHOLE = """\
rule_files: [rules/*.yaml]
evaluation_interval: 30s
group_eval_order: [b, a]
fuzzy_compare: true
tests:
  - name: one
    interval: 2m
    external_labels: {cluster: c}
    external_url: https://p.example
    input_series: [{series: 'up{a="b"}', values: 1 0x3}]
    alert_rule_test:
      - eval_time: 5m
        alertname: Down
        exp_alerts: [{exp_labels: {n: 5, flag: no}, exp_annotations: {s: t}}]
    promql_expr_test:
      - {expr: up, eval_time: 10m, exp_samples: [{labels: up, value: .inf}, {labels: '{}', value: 1e3}]}
"""


def test_what_a_file_says() -> None:
    found = promtests.parse(WHOLE, "f")
    assert (found.rule_files, found.order, found.fuzzy) == (("rules/*.yaml",), ("b", "a"), True)
    (group,) = found.groups
    assert (found.every, group.interval, group.until) == (
        timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10),
    )  # fmt: skip
    assert (group.external_labels, group.external_url) == ({"cluster": "c"}, "https://p.example")
    assert group.series[0].values == "1 0x3"
    assert group.alerts[0].alerts[0].labels == {"n": "5", "flag": "no"}
    assert group.expressions[0].samples == (("up", math.inf), ("{}", 1000.0))


def test_what_need_not_be_said() -> None:
    found = promtests.parse("tests: [{alert_rule_test: [{alertname: A}]}]", "f")
    assert (found.every, found.groups[0].interval, found.groups[0].until) == (
        timedelta(minutes=1), timedelta(minutes=1), timedelta(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("tests: []\nothers: 1", 2, "others: is not a known key"), ("tests: {}", 1, "tests: must be a list"),
        ("tests:\n- 5", 2, "must be a mapping"),
        ("tests:\n- alert_rule_test: [{eval_time: 1m}]", 2, "alertname: is missing"),
        ("tests:\n- promql_expr_test: [{eval_time: 1m}]", 2, "expr: is missing"),
        ("group_eval_order: [a, b, a]", 1, "'a' is given twice"),
        ("tests:\n- start_timestamp: tomorrow", 2, "'tomorrow' is no time"),
        ("tests:\n- start_timestamp: 2024-13-01T00:00:00Z", 2, "is no time"),
        ("tests:\n- alert_rule_test: [{alertname: A, eval_time: soon}]", 2, "is no duration"),
        ("tests:\n- promql_expr_test: [{expr: a, exp_samples: [{value: x}]}]", 2, "'x' is no number"),
        ("evaluation_interval: 1ms\ntests:\n- alert_rule_test: [{alertname: A, eval_time: 1d}]", 3, "more than 250000"),
        ("tests: [", 2, "not valid YAML"), ("tests: []\n---\ntests: []", 3, "must be one YAML document"),
        ("tests: [{external_labels: [a]}]", 1, "must be a mapping"), ("rule_files: [[a]]", 1, "must be text"),
    ],
)  # fmt: skip
def test_refused_with_its_place(text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        promtests.parse(text, "f")
    (problem,) = raised.value.problems
    assert (problem.line, message in problem.message) == (line, True), problem


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("1700000000", 1_700_000_000), ("2024-01-01T00:00:00Z", 1_704_067_200), ("1.5e9", 1_500_000_000),
     ("'2024-01-01T01:30:00.5+01:30'", 1_704_067_200.5), ("-60", -60), ("", 0)],
    ids=["seconds", "a moment", "exponent", "a moment elsewhere", "before 1970", "nothing"],
)  # fmt: skip
def test_when_the_time_of_a_test_begins(written: str, seconds: float) -> None:
    (group,) = promtests.parse(f"tests: [{{start_timestamp: {written}}}]", "f").groups
    assert group.start == timedelta(seconds=seconds)


def test_what_is_left_empty_says_nothing() -> None:
    (group, nothing) = promtests.parse("tests: [{input_series: [null, {}, {series: up}]}, null]", "f").groups
    assert [one.series for one in group.series] == ["up"]
    assert nothing.series == ()
