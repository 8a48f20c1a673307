"""Unit-test files of promtool: opsbot's verdicts beside those of the real promtool, on rules made for it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.errors import ConfigError
from opsbot.lab import promcases, promtests
from opsbot.lab.promcases import Judged
from opsbot.lab.promserver import FUTURE, Bench

pytestmark = pytest.mark.real("prometheus")

RULES = """\
groups:
  - name: b
    rules:
      - {record: 'job:up:sum', expr: sum by (job) (up), labels: {team: ops}}
      - {record: 'job:up:max', expr: 'max_over_time(job:up:sum[5m])'}
      - alert: Down
        expr: job:up:sum < 2
        for: 2m
        labels: {severity: '{{ if eq $labels.job "a" }}critical{{ else }}warning{{ end }}'}
        annotations:
          summary: '{{ $value }} of {{ $labels.job }} in {{ $externalLabels.cluster }}'
          series: '{{ range query "up" | sortByLabel "instance" }}{{ .Labels.instance }}={{ .Value }} {{ end }}'
          opsbot_target: 'Deployment/shop/{{ $labels.job }}'
      - {alert: Keeps, expr: up == 0, keep_firing_for: 3m, annotations: {x: '{{ $value }} {{ $labels.instance }}'}}
      - {alert: Gone, expr: 'absent(up{job="a",instance="1"})', labels: {job: ''}}
  - name: a
    rules:
      - alert: Meta
        expr: count by (alertname) (ALERTS{alertstate="firing",alertname!="Meta"}) > 0
        for: 1m
        labels: {via: '{{ $labels.alertname }}'}
      - {record: later, expr: early * 2}
      - {record: early, expr: vector(time())}
      - {alert: Diff, expr: early - later < 0}
      - {record: self, expr: '(self offset 1m or vector(0)) + 1'}
      - {alert: Self, expr: self > 4, annotations: {d: '{{ $value | humanizeDuration }}'}}
      - {alert: Sub, expr: 'max_over_time(rate(cnt[2m])[5m:]) > 0.1'}
"""
SERIES = {
    'up{job="a",instance="1"}': "1 1 0 0 _ _ 1x3 0x10 stale 1x3", 'up{job="a",instance="2"}': "1x20",
    "up{job='b',instance=\"3\"}": "0x3 1x4 _x3 1 0 0 NaN 1", "cnt": "0+10x10 0+20x10",
}  # fmt: skip
TIMES = ("0m", "1m", "90s", "2m", "3m", "5m", "8m", "9m", "12m", "20m", "25m")
NAMES = ("Down", "Keeps", "Gone", "Meta", "Diff", "Self", "Sub", "Nobody")
EXPRESSIONS = (
    "up", "job:up:sum", "job:up:max", "ALERTS", "ALERTS_FOR_STATE", "early", "later", "self", "rate(cnt[2m])", "time()",
    "sum(rate(cnt[5m:]))", "up offset 1m", "1/0", "nosuch", '"x"', "up[5m]", "timestamp(up)",
)  # fmt: skip
ALONE = ("Keeps", "Gone", "Sub")


def written(folder: Path, tests: list[dict[str, Any]], every: str = "1m", rules: str = RULES) -> Path:
    (folder / "rules.yaml").write_text(rules)
    file = folder / "tests.yaml"
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": every,
        "group_eval_order": ["b", "a"],
        "tests": tests,
    }
    file.write_text(json.dumps(document))
    return file


def group(alerts: list[dict[str, Any]], expressions: list[dict[str, Any]], interval: str = "1m") -> dict[str, Any]:
    return {
        "interval": interval, "external_labels": {"cluster": "c1"}, "alert_rule_test": alerts,
        "promql_expr_test": expressions, "input_series": [{"series": s, "values": v} for s, v in SERIES.items()],
    }  # fmt: skip


def judged(program: Path, file: Path) -> list[Judged]:
    return promcases.run(promtests.parse(file.read_text(), str(file)), Bench(program))


def agrees(program: Path, file: Path) -> bool:
    """Whether promtool finds all of a file right."""
    tool = program.with_name("promtool")
    ran = subprocess.run([str(tool), "test", "rules", str(file)], capture_output=True, check=False, timeout=60)
    return ran.returncode == 0


def labelled(labels: dict[str, str]) -> str:
    return "{" + ",".join(f"{name}={json.dumps(text)}" for name, text in labels.items()) + "}"


@pytest.mark.parametrize(
    ("every", "interval", "names", "expressions"),
    [("1m", "1m", NAMES, EXPRESSIONS), ("30s", "1m", NAMES, EXPRESSIONS), ("1m", "30s", ALONE, ("up", "job:up:max"))],
    ids=["step by step", "twice a minute", "in one stride"],
)
def test_what_opsbot_finds_promtool_finds_too(
    prometheus_program: Path,
    tmp_path: Path,
    every: str,
    interval: str,
    names: tuple[str, ...],
    expressions: tuple[str, ...],
) -> None:
    alerts: list[dict[str, Any]] = [{"eval_time": t, "alertname": n} for t in TIMES for n in names]
    asked: list[dict[str, Any]] = [{"eval_time": t, "expr": e} for t in TIMES for e in expressions]
    found = judged(prometheus_program, written(tmp_path, [group(alerts, asked, interval)], every))
    assert len(found) == len(alerts) + len(asked)
    for case, answer in zip(alerts, found, strict=False):
        case["exp_alerts"] = [{f"exp_{part}": texts for part, texts in one.items()} for one in answer.got]
    whole = [
        {**case, "exp_samples": [{"labels": labelled(one["labels"]), "value": one["value"]} for one in answer.got]}
        for case, answer in zip(asked, found[len(alerts) :], strict=True)
        if not isinstance(answer.got, str) and not any(one["value"] == "nan" for one in answer.got)
    ]
    for case in whole:
        for sample in case["exp_samples"]:
            sample["value"] = {"inf": ".inf", "-inf": "-.inf"}.get(str(sample["value"]), sample["value"])
    file = written(tmp_path, [group(alerts, whole, interval)], every)
    file.write_text(file.read_text().replace('".inf"', ".inf").replace('"-.inf"', "-.inf"))
    assert any(case["exp_alerts"] for case in alerts)
    assert any(case["exp_samples"] for case in whole)
    assert agrees(prometheus_program, file)
    assert all(case.passed for case in judged(prometheus_program, file))


@pytest.mark.parametrize(
    ("alerts", "right"),
    [
        ([], False),
        ([{"exp_labels": {"job": "b", "instance": "3"}, "exp_annotations": {"x": "0 3"}}], True),
        ([{"exp_labels": {"job": "b", "instance": "4"}, "exp_annotations": {"x": "0 3"}}], False),
        ([{"exp_labels": {"job": "b", "instance": "3"}, "exp_annotations": {"x": "0 4"}}], False),
        ([{"exp_labels": {"job": "b", "instance": "3", "alertname": "x"}, "exp_annotations": {"x": "0 3"}}], True),
        ([{"exp_labels": {"job": "b", "instance": "3"}, "exp_annotations": {"x": "0 3"}}] * 2, False),
        ([{"exp_labels": {"job": "b", "instance": "3"}}], False),
    ],
    ids=["none expected", "right", "label", "annotation", "name is set", "twice", "no annotation"],
)
def test_what_is_false_fails(
    prometheus_program: Path, tmp_path: Path, alerts: list[dict[str, Any]], right: bool
) -> None:
    file = written(tmp_path, [group([{"eval_time": "1m", "alertname": "Keeps", "exp_alerts": alerts}], [])])
    (found,) = judged(prometheus_program, file)
    assert found.passed is right
    assert agrees(prometheus_program, file) is right


@pytest.mark.parametrize(
    ("samples", "right"),
    [
        ([{"labels": "{}", "value": 3}], True), ([{"labels": "{}", "value": 4}], False), ([], False),
        ([{"labels": '{a="b"}', "value": 3}], False), ([{"labels": "{", "value": 3}], False),
        ([{"labels": '{a=""}', "value": 3}], True),
    ],
    ids=["right", "value", "none", "label", "no series", "empty label"],
)  # fmt: skip
def test_what_is_false_of_an_expression_fails(
    prometheus_program: Path, tmp_path: Path, samples: list[dict[str, Any]], right: bool
) -> None:
    asked = [{"eval_time": "1m", "expr": "count(up)", "exp_samples": samples}]
    (found,) = judged(prometheus_program, written(tmp_path, [group([], asked)]))
    assert found.passed is right


BROKEN = {
    "same labels": ("{alert: A, expr: up, labels: {job: '', instance: ''}}", "same labels"),
    "fails while it runs": ("{alert: A, expr: 'up * on(job) up > 0'}", "many-to-many"),
    "recorded twice": ("{record: r, expr: up, labels: {job: '', instance: ''}}", "same labels"),
}


@pytest.mark.parametrize(("rule", "why"), BROKEN.values(), ids=BROKEN)
def test_a_rule_that_cannot_be_evaluated_fails_its_test(
    prometheus_program: Path, tmp_path: Path, rule: str, why: str
) -> None:
    rules = f"groups: [{{name: g, rules: [{rule}]}}]"
    asked = [{"eval_time": "1m", "expr": "nosuch"}]
    file = written(tmp_path, [group([], asked)], rules=rules)
    (found,) = judged(prometheus_program, file)
    assert (found.passed, why in found.got) == (False, True), found
    assert not agrees(prometheus_program, file)


def test_more_than_the_limit_of_a_group_fails(prometheus_program: Path, tmp_path: Path) -> None:
    rules = "groups: [{name: g, limit: 1, rules: [{alert: A, expr: up >= 0}]}]"
    file = written(tmp_path, [group([{"eval_time": "1m", "alertname": "A"}], [])], rules=rules)
    (found,) = judged(prometheus_program, file)
    assert "more than the limit of 1" in found.got
    assert not agrees(prometheus_program, file)


def test_two_rules_that_make_one_series_in_turn(prometheus_program: Path, tmp_path: Path) -> None:
    """Allowed where both give the same at the same time; one long stride cannot do it, single steps can."""
    rules = "groups: [{name: g, rules: [{record: r, expr: sum(cnt)}, {record: r, expr: sum(cnt)}]}]"
    file = written(
        tmp_path,
        [group([], [{"eval_time": "5m", "expr": "r", "exp_samples": [{"labels": "r", "value": 50}]}])],
        rules=rules,
    )
    assert [case.passed for case in judged(prometheus_program, file)] == [True]
    assert agrees(prometheus_program, file)


@pytest.mark.parametrize(
    ("series", "why"),
    [({"series": "up{", "values": "1"}, "no series"), ({"series": "up", "values": "1y"}, "no value")],
    ids=["series", "value"],
)
def test_a_series_that_cannot_be_read_fails_its_test_alone(
    prometheus_program: Path, tmp_path: Path, series: dict[str, str], why: str
) -> None:
    asked = [{"eval_time": "1m", "expr": "vector(1)", "exp_samples": [{"labels": "{}", "value": 1}]}]
    bad = {**group([], asked), "input_series": [series]}
    first, second = judged(prometheus_program, written(tmp_path, [bad, group([], asked)]))
    assert (first.passed, why in first.got, second.passed) == (False, True, True)


def test_problems_of_rule_files_are_told(prometheus_program: Path, tmp_path: Path) -> None:
    file = written(tmp_path, [group([], [])], rules="groups: [{name: g, rules: [{alert: A}]}]")
    with pytest.raises(ConfigError, match="expr: is missing"):
        judged(prometheus_program, file)


def test_what_does_not_rest_on_a_native_histogram_is_judged(prometheus_program: Path, tmp_path: Path) -> None:
    rules = "groups: [{name: g, rules: [{record: r, expr: hist}, {alert: A, expr: r > 0}, {alert: B, expr: up > 0}]}]"
    expressions: list[dict[str, Any]] = [
        {"eval_time": "1m", "expr": "vector(1)", "exp_samples": [{"labels": "", "value": 1}]},
        {"eval_time": "1m", "expr": "count(r)"},
    ]
    made = group([{"eval_time": "1m", "alertname": name} for name in ("A", "C")], expressions)
    made["input_series"].append({"series": "hist", "values": "{{schema:0 sum:1 count:1}}x3"})
    found = judged(prometheus_program, written(tmp_path, [made], rules=rules))
    assert [case.passed for case in found] == [False, True, True, False]
    assert "native histograms" in found[0].got
    assert "native histograms" in found[3].got


def test_a_series_given_twice_is_the_last_one(prometheus_program: Path, tmp_path: Path) -> None:
    asked = [{"eval_time": "1m", "expr": "x", "exp_samples": [{"labels": "x", "value": 2}]}]
    made = {**group([], asked), "input_series": [{"series": "x", "values": v} for v in ("1 1", "2 2")]}
    file = written(tmp_path, [made])
    assert [case.passed for case in judged(prometheus_program, file)] == [True]
    assert agrees(prometheus_program, file)


def test_a_template_asks_for_the_time_of_the_rule_and_the_condition_for_one_before(
    prometheus_program: Path, tmp_path: Path
) -> None:
    note = "{annotations: {s: '{{ query \"x\" | first | value }}'}, alert: A, expr: x > 0}"
    rules = f"groups: [{{name: g, query_offset: 1m, rules: [{note}]}}]"
    alerts = [{"exp_labels": {}, "exp_annotations": {"s": "3"}}]
    made = {
        **group([{"eval_time": "2m", "alertname": "A", "exp_alerts": alerts}], []),
        "input_series": [{"series": "x", "values": "1 2 3 4"}],
    }
    assert [case.passed for case in judged(prometheus_program, written(tmp_path, [made], rules=rules))] == [True]


def test_a_time_that_does_not_begin_in_1970(prometheus_program: Path, tmp_path: Path) -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: x > 2 and on() vector(time()) > 1.7e9, for: 1m}]}]"
    alerts: list[dict[str, Any]] = [{"exp_labels": {}}]
    asked = [{"eval_time": "90s", "expr": "timestamp(x)", "exp_samples": [{"value": 1704067260}]}]
    made = {
        **group([{"eval_time": "2m", "alertname": "A"}, {"eval_time": "3m", "alertname": "A",
        "exp_alerts": alerts}], asked),
        "start_timestamp": "2024-01-01T00:00:00Z", "input_series": [{"series": "x", "values": "1 2 3 4"}],
    }  # fmt: skip
    assert [case.passed for case in judged(prometheus_program, written(tmp_path, [made], rules=rules))] == [True] * 3


def test_nan_is_never_what_was_expected(prometheus_program: Path, tmp_path: Path) -> None:
    asked = [{"eval_time": "1m", "expr": "x", "exp_samples": [{"labels": "x", "value": ".nan"}]}]
    made = {**group([], asked), "input_series": [{"series": "x", "values": "NaN NaN"}]}
    file = written(tmp_path, [made])
    file.write_text(file.read_text().replace('".nan"', ".nan"))
    assert [case.passed for case in judged(prometheus_program, file)] == [False]
    assert not agrees(prometheus_program, file)


def test_a_label_that_is_expected_to_be_empty_is_never_there(prometheus_program: Path, tmp_path: Path) -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: vector(1), labels: {a: ''}}]}]"
    asked = [{"eval_time": "1m", "alertname": "A", "exp_alerts": [{"exp_labels": {"a": ""}}]}]
    file = written(tmp_path, [group(asked, [])], rules=rules)
    assert [case.passed for case in judged(prometheus_program, file)] == [False]
    assert not agrees(prometheus_program, file)


def test_a_template_reads_what_rules_make(prometheus_program: Path, tmp_path: Path) -> None:
    note = '{{ query "sum(foo)" | first | value }} {{ query "count(ALERTS)" | first | value }}'
    rules = f"""\
groups:
  - name: a
    rules:
      - {{record: foo, expr: x * 2}}
      - {{alert: Other, expr: x > 0}}
      - {{alert: A, expr: x > 0, annotations: {{n: '{note}'}}}}
"""
    alerts = [{"exp_labels": {}, "exp_annotations": {"n": "6 2"}}]
    made = {
        **group([{"eval_time": "2m", "alertname": "A", "exp_alerts": alerts}], []),
        "input_series": [{"series": "x", "values": "1 2 3"}],
    }
    file = written(tmp_path, [made], rules=rules)
    assert [case.passed for case in judged(prometheus_program, file)] == [True]
    assert agrees(prometheus_program, file)


@pytest.mark.parametrize(
    ("series", "rules", "why"),
    [
        ([{"series": "x", "values": "1 y"}], "groups: []", "no value"),
        (
            [{"series": f'up{{i="{i}"}}', "values": "1"} for i in "ab"],
            "groups: [{name: g, rules: [{alert: A, expr: 'up * on(job) up > 0'}]}]",
            "'A' at 0s: ",
        ),
        ([], "groups: [{name: g, rules: [{record: r, expr: 'vector(1) or on(a) vector(1)', labels: {a: b}}]}]", ""),
    ],
    ids=["series", "rule", "nothing given"],
)
def test_an_entry_without_cases_fails_where_it_cannot_be_carried_out(
    prometheus_program: Path, tmp_path: Path, series: list[dict[str, str]], rules: str, why: str
) -> None:
    file = written(tmp_path, [{}, {"input_series": series}], rules=rules)
    found = judged(prometheus_program, file)
    assert [(case.name, case.passed) for case in found] == ([("entry 2 of tests", False)] if why else [])
    assert all(why in case.got and case.line for case in found)
    assert agrees(prometheus_program, file) is not bool(why)


def test_no_entry_needs_no_rules(prometheus_program: Path, tmp_path: Path) -> None:
    file = written(tmp_path, [], rules="groups: 5")
    assert judged(prometheus_program, file) == []
    assert agrees(prometheus_program, file)


@pytest.mark.parametrize("stride", [1, 60], ids=["few steps", "many steps"])
def test_the_time_of_a_rule_that_fails_is_told(prometheus_program: Path, tmp_path: Path, stride: int) -> None:
    rules = "groups: [{name: g, rules: [{alert: A, expr: 'a * on() b'}]}]"
    asked = [{"eval_time": f"{20 + stride}m", "expr": "vector(1)"}]
    series = [{"series": "a", "values": "1x99"}, {"series": 'b{i="1"}', "values": "1x99"},
              {"series": 'b{i="2"}', "values": "_x17 1x50"}]  # fmt: skip
    made = {**group([], asked), "input_series": series}
    (found,) = judged(prometheus_program, written(tmp_path, [made], rules=rules))
    assert found.got.startswith("rule 'A' at 17m: ")


def test_a_series_that_is_given_and_made_names_its_rule(prometheus_program: Path, tmp_path: Path) -> None:
    rules = "groups: [{name: g, rules: [{record: r, expr: x}]}]"
    series = [{"series": name, "values": values} for name, values in (("x", "1 1"), ("r", "9 9"))]
    made = {**group([], [{"eval_time": "1m", "expr": "r"}]), "input_series": series}
    (found,) = judged(prometheus_program, written(tmp_path, [made], rules=rules))
    assert found.got.startswith("rule 'r' at 0s: ")


def test_many_entries_have_each_their_own_server(prometheus_program: Path, tmp_path: Path) -> None:
    tests = [
        {**group([], [{"eval_time": "0m", "expr": "x", "exp_samples": [{"labels": "x", "value": n}]}]),
         "input_series": [{"series": "x", "values": str(n)}]}
        for n in range(5)
    ]  # fmt: skip
    assert [case.passed for case in judged(prometheus_program, written(tmp_path, tests))] == [True] * 5


@pytest.mark.plane
@pytest.mark.real("prometheus 3")
def test_times_of_the_future_are_refused_with_a_reason(built_program: Path, tmp_path: Path) -> None:
    asked = [{"eval_time": "0m", "expr": "x", "exp_samples": [{"labels": "x", "value": 1}]}]
    start = {"start_timestamp": "2100-01-01T00:00:00Z", "input_series": [{"series": "x", "values": "1"}]}
    late, early = {**group([], asked), **start}, {**group([], asked), "input_series": start["input_series"]}
    first, second = judged(built_program, written(tmp_path, [late, early]))
    assert (first.passed, first.got, second.passed) == (False, FUTURE, True)
