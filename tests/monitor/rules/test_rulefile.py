"""alerts.yaml: what is read, and every way to write it wrong, with its place."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.core.alert import AlertRule, TargetSpec, apart
from opsbot.core.errors import ConfigError, Problem
from opsbot.monitor.rules import rulefile
from opsbot.monitor.rules.rulefile import load, parse

PLAYBOOKS = ("restart_workload", "scale_up_agents")
ROOT = Path(__file__).parents[3]

FULL = """\
alerts:
  - name: High Task Latency
    condition: "avg by (deployment) (response_time) > 5000"
    severity: critical
    actions: [scale_up_agents, restart_workload]
    for: 2m
    keep_firing_for: 5m
    every: 10s
    labels: {team: agents}
    annotations: {summary: 'p95 is {{ $value | humanize }} ms on {{ $labels.deployment }}'}
    target: {kind: deploy, namespace: agents, name: '{{ labels.deployment }}'}
rule_files: []
inhibit: []
"""


def rules(text: str) -> tuple[AlertRule, ...]:
    found, warnings = parse(text, "alerts.yaml", PLAYBOOKS)
    assert warnings == ()
    return found


def problems(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "alerts.yaml", PLAYBOOKS)
    return list(caught.value.problems)


def warnings(text: str) -> list[str]:
    return [f"{w.line}:{w.column} {w.message} ({w.hint})" for w in parse(text, "alerts.yaml", PLAYBOOKS)[1]]


def entry(more: str = "", condition: str = "x > 5", severity: str = "critical") -> str:
    text = f"alerts:\n  - name: a\n    condition: '{condition}'\n    severity: {severity}\n"
    return text + "".join(f"    {line}\n" for line in more.splitlines())


def test_all_keys() -> None:
    assert rules(FULL) == (
        AlertRule(
            name="High Task Latency", condition="avg by (deployment) (response_time) > 5000", severity="critical",
            actions=("scale_up_agents", "restart_workload"), hold_for=timedelta(minutes=2),
            keep_firing_for=timedelta(minutes=5), every=timedelta(seconds=10), labels={"team": "agents"},
            annotations={"summary": "p95 is {{ $value | humanize }} ms on {{ $labels.deployment }}"},
            target=TargetSpec("Deployment", "{{ labels.deployment }}", "agents"), file="alerts.yaml", line=2,
        ),
    )  # fmt: skip


def test_four_keys_are_enough() -> None:
    (found,), _ = parse(entry("actions: [scale_up_agents]"), "f", PLAYBOOKS, timedelta(seconds=7))
    assert (found.hold_for, found.keep_firing_for, found.every) == (timedelta(), timedelta(), timedelta(seconds=7))


def test_the_shipped_example_is_good() -> None:
    (found,), said = load(ROOT / "alerts.yaml", PLAYBOOKS)
    assert (found.name, found.condition, found.actions) == (
        "High Task Latency", "avg(response_time) > 5000", ("scale_up_agents",)
    )  # fmt: skip
    assert (found.hold_for, found.every, said) == (timedelta(seconds=10), timedelta(seconds=2), ())


def test_playbooks_that_are_not_known_here_are_not_checked() -> None:
    (found,), _ = parse(entry("actions: [anything]"), "f")
    assert found.actions == ("anything",)


@pytest.mark.parametrize("text", ["alerts: []", "inhibit: []"], ids=["none", "no key"])
def test_a_file_may_hold_no_alert(text: str) -> None:
    assert rules(text) == ()


BAD = {
    "unknown playbook": (entry("actions: [scale_up_agent]"), 5, "no playbook 'scale_up_agent'", "'scale_up_agents'"),
    "unlike any playbook": (entry("actions: [zzz]"), 5, "no playbook 'zzz'", "restart_workload, scale_up_agents"),
    "playbook twice": (entry("actions: [scale_up_agents, scale_up_agents]"), 5, "given twice", ""),
    "actions is a text": (entry("actions: scale_up_agents"), 5, "must be a list", ""),
    "duplicate key": (entry("severity: warning"), 5, "key 'severity' is given twice", "line 4"),
    "unknown key": (entry("fro: 5m"), 5, "fro: is not a known key", "did you mean 'for'?"),
    "unknown key on top": ("alert: []", 1, "alert: is not a known key", "'alerts'"),
    "bad PromQL": (entry(condition="up{"), 3, "no PromQL that can be watched: unexpected end", ""),
    "unknown function": (entry(condition="foo(up) > 1"), 3, "unknown function", ""),
    "wrong type": (entry(condition="rate(up) > 1"), 3, "expected type matrix", ""),
    "range": (entry(condition="up[5m]"), 3, "range of time", ""),
    "bad duration": (entry("for: 5 minutes"), 5, "no duration", ""),
    "duration without unit": (entry("for: 5"), 5, "must be a duration", ""),
    "negative duration": (entry("keep_firing_for: '-5m'"), 5, "no duration", ""),
    "units in the wrong order": (entry("every: 5s1m"), 5, "no duration", ""),
    "too often": (entry("every: 100ms"), 5, "every: must be 1s or longer", ""),
    "zero every": (entry("every: '0'"), 5, "every: must be 1s or longer", ""),
    "label name": (entry("labels: {'': x}"), 5, "'' is no label name", "printed"),
    "label __name__": (entry("labels: {__name__: x}"), 5, "is no label name", ""),
    "annotation name": (entry('annotations: {"a\\tb": x}'), 5, "'a\\tb' is no label name", ""),
    "label is a number": (entry("labels: {a: 5}"), 5, "labels.a: must be text", ""),
    "severity as label": (entry("labels: {severity: page}"), 5, "'severity' cannot be set here", ""),
    "alertname as label": (entry("labels: {alertname: b}"), 5, "'alertname' cannot be set here", ""),
    "template": (entry("annotations: {s: '{{ if $value }}'}"), 5, "annotations.s: {{ if }} in a template has no", ""),
    "label template": (entry("labels: {s: '{{ $value'}"), 5, "labels.s: an opening {{ has no closing", ""),
    "target without kind": (entry("target: {name: a, namespace: b}"), 5, "target.kind: is missing", ""),
    "target without name": (entry("target: {kind: Deployment, namespace: b}"), 5, "target.name: is missing", ""),
    "target without namespace": (entry("target: {kind: Deployment, name: b}"), 5, "target.namespace: is missing", ""),
    "unknown kind": (entry("target: {kind: Foo, name: a, namespace: b}"), 5, "'Foo' is no kind", ""),
    "name of no object": (entry("target: {kind: Pod, name: A_b, namespace: b}"), 5, "'A_b' is no name", ""),
    "target template": (entry("target: {kind: Pod, name: '{{ $labels.x }}', namespace: b}"), 5, "no reference", ""),
    "other reference": (entry("target: {kind: Pod, name: '{{ value.x }}', namespace: b}"), 5, "is not known here", ""),
    "bare labels": (entry("target: {kind: Pod, name: '{{ labels }}', namespace: b}"), 5, "'labels' is not known", ""),
    "name missing": ("alerts:\n  - {condition: up > 1, severity: info}", 2, "name: is missing", ""),
    "name empty": ("alerts:\n  - {name: '', condition: up > 1, severity: info}", 2, "name: must not be empty", ""),
    "name with a NUL": ('alerts:\n  - {name: "a\\0", condition: up > 1, severity: info}', 2, "cannot be printed", ""),
    "name of two lines": ('alerts:\n  - {name: "a\\nb", condition: up > 1, severity: info}', 2, "cannot be print", ""),
    "name of a megabyte": (
        f"alerts:\n  - {{name: {'x' * 1_000_000}, condition: up > 1, severity: info}}", 2, "at most 200", "",
    ),
    "duration is a truth": (entry("every: true"), 5, "must be a duration such as 30s, 5m or 1h30m", ""),
    "entry is a text": ("alerts: [x]", 1, "must be a mapping", ""),
    "entry is null": ("alerts:\n  -\n", 2, "must be a mapping", ""),
    "alerts is a mapping": ("alerts: {a: b}", 1, "must be a list", ""),
    "file is a list": ("- a", 1, "must be a mapping", ""),
    "empty file": ("", 1, "0 YAML documents", ""),
    "two documents": ("alerts: []\n---\nalerts: []", 1, "2 YAML documents", ""),
    "not YAML": ("alerts: [", 2, "not valid YAML", ""),
    "inhibit": ("alerts: []\ninhibit: [{source_matchers: [a]}]", 2, "source_matchers: 'a': a name alone", "NAME="),
    "alias": ("alerts: &a []\ninhibit: *a", 2, "an alias is not allowed", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message", "hint"), BAD.values(), ids=BAD.keys())
def test_refused_with_its_place(text: str, line: int, message: str, hint: str) -> None:
    (found,) = problems(text)
    assert (found.line, found.file) == (line, "alerts.yaml")
    assert message in found.message
    assert hint in found.hint


ONE = "  - {name: a, condition: x > 5, severity: info}\n"
OTHERS = {
    "severity": "  - {name: a, condition: x > 5, severity: critical}\n",
    "condition": "  - {name: a, condition: x > 50, severity: info}\n",
    "labels": "  - {name: a, condition: x > 5, severity: info, labels: {b: c}}\n",
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_two_of_one_name_are_two_rules(other: str) -> None:
    assert len({rule.id for rule in apart(rules("alerts:\n" + ONE + other))}) == 2


SAME = {
    "to the letter": ONE,
    "but for how": "  - {name: a, condition: x > 5, severity: info, for: 5m, every: 1s, annotations: {b: c}}\n",
}


@pytest.mark.parametrize("same", SAME.values(), ids=SAME.keys())
def test_two_rules_that_are_the_same_are_refused(same: str) -> None:
    (found,) = problems("alerts:\n" + ONE + OTHERS["condition"] + same)
    assert (found.line, found.message, found.hint) == (4, "'a' is given twice", "the first one is in line 2")


def test_every_problem_is_told_at_once_in_order_of_place() -> None:
    text = """\
alerts:
  - {name: a, condition: 'up{', severity: info, for: 5x, actions: [nope], labels: {'': x}}
  - {nam: b, condition: foo(), severity: 3, target: {kind: Foo, name: a}}
  - 5
  - {name: c, condition: up > 1, severity: info}
rule_files: [x]
foo: 1
"""
    found = problems(text)
    assert [p.line for p in found] == sorted(p.line for p in found)
    wanted = [
        (2, "unexpected end"), (2, "'5x'"), (2, "'nope'"), (2, "'' is no"), (3, "nam: is not"), (3, "unknown function"),
        (3, "severity: must be text"), (3, "'Foo'"), (3, "name: is missing"), (4, "alerts.2: must be a mapping"),
        (7, "foo: is not a known key"),
    ]  # fmt: skip
    for line, words in wanted:
        assert [p for p in found if p.line == line and words in p.message], words
    assert {p.rule for p in found} == {"a", ""}


TOGETHER = {
    "key twice and a playbook": (
        entry("severity: info\nactions: [nope]", condition="up{"), ["unexpected end", "given twice", "no playbook"],
    ),
    "bent word and a duration": (entry("labels: {a: no}\nfor: 5"), ["two ways", "must be a duration"]),
    "alias in one alert, PromQL in the next": (
        "alerts:\n  - {name: &a x, condition: up > 1, severity: *a}\n  - {name: y, condition: 'up{', severity: info}",
        ["an alias", "unexpected end"],
    ),
    "inhibit and the top": (
        "rule_files: [x]\ninhibit: [{target_matchers: [a]}]\nalert: 1", ["a name alone", "not a known key"],
    ),
    "label of a wrong type beside a bad name": (
        entry("labels: {a: 5, '': x}"), ["labels.a: must be text", "no label name"],
    ),
    "target that lacks a kind beside a bad label": (
        entry("labels: {'': x}\ntarget: {name: a}"), ["no label name", "target.kind: is missing"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), TOGETHER.values(), ids=TOGETHER)
def test_no_problem_hides_another(text: str, words: list[str]) -> None:
    found = [problem.message for problem in problems(text)]
    assert len(found) == len(words), found
    assert all(word in message for word, message in zip(words, found, strict=True)), found


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (entry(severity="page"), "4:15 severity 'page' is not known: it ranks as warning (known are critical"),
        (entry(severity="Critical"), "4:15 severity 'Critical' is not known: it ranks as warning (did"),
        (entry(condition="up"), "3:16 condition has no comparison"),
        (entry("actions: [scale_up_agents]"), "5:14 there is no target: nothing will be proposed"),
        (entry("annotations: {s: '{{ $labels.pod }}'}", "sum(x) > 5"), "drops the label 'pod': it will be empty"),
        (entry("labels: {s: '{{ .Labels.pod | title }}'}", "sum by (job) (x) > 5"), "drops the label 'pod'"),
        (entry("target: {kind: Pod, namespace: a, name: '{{ labels.pod }}'}", "sum(x) > 5"), "drops the label 'pod'"),
        (entry("annotations: {s: '{{ $labels.pod }}'}", "sum without (pod) (x) > 5"), "(`without`, `ignoring` or"),
        (entry("annotations: {s: '{{ .Labels.pod }}'}", "x * ignoring (pod) y > 5"), "drops the label 'pod'"),
        (entry("annotations: {s: '{{ $labels.le }}'}", "histogram_quantile(0.9, x) > 5"), "drops the label 'le'"),
        (entry(condition="mad_over_time(x[5m]) > 1"), "needs --enable-feature=promql-experimental-functions"),
    ],
    ids=["severity", "near severity", "no comparison", "no target", "annotation", "label", "target", "without",
         "ignoring", "quantile", "flag"],
)  # fmt: skip
def test_warnings_advise(text: str, want: str) -> None:
    found = [said for said in warnings(text) if "there is no target" not in said or "no target" in want]
    assert len(found) == 1
    assert want in found[0]


@pytest.mark.parametrize(
    "text",
    [
        entry(severity="none"),
        entry("annotations: {s: '{{ $labels.pod }}'}", "sum by (pod) (x) > 5"),
        entry("annotations: {s: '{{ $labels.pod }}'}", "x > 5"),
        entry("labels: {app: y}\ntarget: {kind: Pod, namespace: a, name: '{{ labels.app }}'}", "sum(x) > 5"),
        entry(condition="absent(up)"),
        entry("target: {kind: Node, name: '{{ labels.node }}'}", "x > 5"),
        entry("annotations: {s: '{{ $labels.pod }}'}", "sum without (pod) (x) * on (a) group_left (pod) y > 5"),
        entry("annotations: {s: '{{ range query `up` }}{{ .Labels.pod }}{{ end }}'}", "sum(x) > 5"),
    ],
    ids=["severity none", "kept", "not known", "rule's own label", "absent", "node without namespace", "brought back",
         "another sample"],
)  # fmt: skip
def test_no_false_warning(text: str) -> None:
    assert warnings(text) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "alerts.yaml")


def test_the_patterns_of_other_files() -> None:
    assert rulefile.patterns("rule_files: ['a/*.yaml', b.yaml]", "f") == ("a/*.yaml", "b.yaml")
    assert rulefile.patterns("alerts: []", "f") == ()
    with pytest.raises(ConfigError, match="must be text"):
        rulefile.patterns("rule_files: [5]", "f")
