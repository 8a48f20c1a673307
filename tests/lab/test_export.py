"""Alert rules as a Prometheus rule file: loaded back they are the same rules, whatever stands in them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.core.alert import AlertRule, TargetSpec, apart
from opsbot.core.errors import ConfigError
from opsbot.lab import export
from opsbot.monitor.rules import promfile, rulefile
from tests.lab import odd_rules

RULE = AlertRule("A", "up == 0", "critical", file="alerts.yaml", line=7)
ALERTS = """\
alerts:
  - name: High Task Latency
    condition: "avg(response_time) > 5000"
    severity: critical
    actions: [scale_up_agents, restart_workload]
    for: 2m
    keep_firing_for: 5m
    every: 15s
    labels: {team: agents}
    annotations:
      summary: 'p95 is {{ $value | humanize }} ms'
      how: |
        first this

        then that
    target: {kind: deploy, namespace: '{{ labels.namespace }}', name: agents}
  - {name: Down, condition: up == 0, severity: info}
"""
WRITTEN = """\
# Made by `opsbot export prometheus` from alerts.yaml: change that file, and make this one anew.
groups:
  - name: opsbot every 15s
    interval: 15s
    rules:
      - alert: 'High Task Latency'
        expr: 'avg(response_time) > 5000'
        for: 2m
        keep_firing_for: 5m
        labels:
          severity: 'critical'
          team: 'agents'
        annotations:
          summary: 'p95 is {{ $value | humanize }} ms'
          how: |
            first this

            then that
          opsbot_actions: 'scale_up_agents, restart_workload'
          opsbot_target: 'Deployment/{{ $labels.namespace }}/agents'
  - name: opsbot every 30s
    interval: 30s
    rules:
      - alert: 'Down'
        expr: 'up == 0'
        labels:
          severity: 'info'
"""


def back(text: str) -> list[AlertRule]:
    """What a rule file holds, as if it had no place."""
    # Another default for `every`: what is written must not lean on it.
    found = promfile.parse(text, "rules.yaml", every=timedelta(hours=7)).alerts
    return [replace(rule, file="", line=0) for rule in found]


def sent(rules: list[AlertRule]) -> list[AlertRule]:
    """The rules in the order of their groups."""
    return [export.plain(rule) for bundle in export.bundles(rules) for rule in bundle.rules]


def test_the_file_as_a_person_reads_it() -> None:
    rules, _ = rulefile.parse(ALERTS, "alerts.yaml")
    assert export.text(rules, "alerts.yaml") == WRITTEN


def test_what_is_written_comes_back() -> None:
    rules, _ = rulefile.parse(ALERTS, "alerts.yaml")
    assert back(WRITTEN) == [replace(rule, file="", line=0) for rule in rules]
    assert {rule.id for rule in back(WRITTEN)} == {rule.id for rule in rules}


@pytest.mark.parametrize("seed", range(40))
def test_any_rules_come_back(seed: int) -> None:
    rules = odd_rules.rules(seed)
    text = export.text(rules, "alerts.yaml")
    assert back(text) == sent(rules)
    assert [rule.id for rule in back(text)] == [rule.id for rule in sent(rules)]
    assert text == export.text(rules, "alerts.yaml")


@pytest.mark.parametrize("text", odd_rules.TEXTS, ids=ascii)
def test_any_text_comes_back(text: str) -> None:
    rules = [replace(RULE, labels={"a": text}, annotations={"summary": text, "yes": text})]
    made = export.text(rules, "alerts.yaml")
    assert back(made) == sent(rules)
    assert all(letter.isprintable() for line in made.split("\n") for letter in line)


def test_alerts_of_one_name_come_back() -> None:
    conditions = [f"{{name: A, condition: up == {number}, severity: info}}" for number in range(3)]
    rules, _ = rulefile.parse(f"alerts: [{', '.join(conditions)}]", "alerts.yaml")
    found = apart(back(export.text(apart(rules), "alerts.yaml")))
    assert [(rule.id, rule.condition) for rule in found] == [(rule.id, rule.condition) for rule in apart(rules)]


NAMES = ("runbook-url", "a.b", "告警主题", "a b", "it's", "1", "1.5", "-", "?", "# x", "a: b", "{a}", "!x", "*a", "<<",
         "=", "~", "on", "@a", "severity:warning", "\\n", '"q"')  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back(name: str) -> None:
    rules = [replace(RULE, labels={name: "x"}, annotations={name: "y"})]
    assert back(export.text(rules, "alerts.yaml")) == sent(rules)


def test_a_target_in_opsbots_spelling_comes_out_in_that_of_prometheus() -> None:
    spec = TargetSpec("Deployment", "{{labels.deployment}}", "{{  labels.namespace  }}")
    made = export.text([replace(RULE, target=spec)], "alerts.yaml")
    assert "opsbot_target: 'Deployment/{{ $labels.namespace }}/{{ $labels.deployment }}'" in made
    (rule,) = back(made)
    assert rule.target == TargetSpec("Deployment", "{{ labels.deployment }}", "{{ labels.namespace }}")


def test_groups_are_by_interval_and_what_else_a_group_decides() -> None:
    slow, fast = timedelta(minutes=1), timedelta(seconds=1)
    rules = [
        replace(RULE, name="A", every=slow), replace(RULE, name="B", every=fast), replace(RULE, name="C", every=slow),
        replace(RULE, name="D", every=fast, limit=3), replace(RULE, name="E", every=slow, query_offset=fast),
    ]  # fmt: skip
    found = export.bundles(rules)
    assert [(each.name, "".join(rule.name for rule in each.rules)) for each in found] == [
        ("opsbot every 1s", "B"), ("opsbot every 1s limit 3", "D"), ("opsbot every 1m", "AC"),
        ("opsbot every 1m offset 1s", "E"),
    ]  # fmt: skip
    assert back(export.text(rules, "alerts.yaml")) == sent(rules)


def test_no_rules_are_a_file_all_the_same() -> None:
    made = export.text([], "alerts.yaml")
    assert made.endswith("groups: []\n")
    assert back(made) == []


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (replace(RULE, annotations={"opsbot_actions": "a"}), "speaks to opsbot"),
        (replace(RULE, annotations={"opsbot_target": "Node/a"}), "speaks to opsbot"),
        (replace(RULE, target=TargetSpec("Deployment", "a/{{ labels.b }}", "c")), "no KIND/NAMESPACE/NAME"),
        (replace(RULE, target=TargetSpec("Deployment", "a_{{ labels.b }}", "c")), "no KIND/NAMESPACE/NAME"),
        (replace(RULE, actions=("a", "b,c")), "would not come back equal"),
        (replace(RULE, every=timedelta(microseconds=1_000_500)), "would not come back equal"),
    ],
    ids=["actions", "target", "slash", "letter", "comma", "fraction"],
)  # fmt: skip
def test_what_a_rule_file_cannot_hold_is_a_problem_at_its_place(rule: AlertRule, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        export.text([RULE, rule], "alerts.yaml")
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.rule) == ("alerts.yaml", 7, "A")
    assert says in problem.message


def test_the_first_line_stays_one_line_whatever_the_file_is_called() -> None:
    assert export.text([], "a\nalerts: []\x1b").splitlines()[1] == "groups: []"


def test_the_shipped_alerts_come_back() -> None:
    rules, _ = rulefile.load(Path(__file__).parents[2] / "alerts.yaml")
    assert back(export.text(rules, "alerts.yaml")) == sent(list(rules))
