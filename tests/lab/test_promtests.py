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
        ("evaluation_interval: 1ms\ntests:\n- promql_expr_test: [{expr: a, eval_time: 1d}]", 3, "more than 1000000"),
        ("tests:\n- promql_expr_test: [{expr: a, exp_samples: [{value: '1'}]}]", 2, "'1' is text: write it"),
        ("fuzzy_compare: maybe", 1, "neither true nor false"), ("fuzzy_compare: 'true'", 1, "without quotes"),
        ("tests: [", 2, "not valid YAML"),
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
    (group, nothing) = promtests.parse("tests: [{input_series: [{series: up}, null, {}]}, null]", "f").groups
    assert [one.series for one in group.series] == ["up"]
    assert nothing.series == ()
    assert promtests.parse("", "f").groups == ()


def test_of_several_documents_the_first_counts() -> None:
    found = promtests.parse("tests: [{name: one}]\n---\ntests: 5\nothers: 1\n---\n", "f")
    assert [group.name for group in found.groups] == ["one"]


@pytest.mark.parametrize(
    ("items", "want", "lost"),
    [
        ("[{series: a, values: 1 2}, {series: 'b{}'}]", [("a", "1 2"), ("b{}", "")], 0),
        ("\n- {series: a}\n- series: b\n  values: |\n    1\n", [("a", ""), ("b", "1")], 0),
        ("\n- series: a\n  values: |\n    1\n- {series: b}\n- {series: c}", [("a", "1")], 6),
        ("\n- series: a\n  values: |-\n    1\n    2 3\n- {series: b}", [("a", "1"), ("2 3", ""), ("b", "")], 0),
        ("\n- series: a\n  values: |-\n    1\n    b 2", [("a", "1"), ("b", "2")], 0),
        ("\n- null\n- {series: a}", [], 4), ("\n- {series: '#a'}\n- {series: b}", [], 4),
        ("[{series: a 1, values: 2}, {values: b 3}]", [("a", "1 2"), ("b", "3")], 0),
        ("[{series: 'a {b=\"c\"}', values: 1}]", [("a", '{b="c"} 1')], 0),
    ],
    ids=["plain", "a line end at last", "a line end", "two lines", "a series in the values", "nothing first",
    "a comment", "in one text", "a space before the brace"],
)  # fmt: skip
def test_series_are_lines_of_one_text(items: str, want: list[tuple[str, str]], lost: int) -> None:
    found = promtests.parse("tests:\n- input_series: " + items.replace("\n", "\n  "), "f")
    assert [(one.series, one.values) for one in found.groups[0].series] == want
    assert [problem.line for problem in found.warnings] == ([lost] if lost else [])


@pytest.mark.parametrize(("written", "want"), [("true", True), ("Yes", True), ("on", True), ("no", False), ("", False)])
def test_neighbouring_numbers_may_be_equal(written: str, want: bool) -> None:
    assert promtests.parse(f"fuzzy_compare: {written}", "f").fuzzy is want
