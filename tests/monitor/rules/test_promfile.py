"""Prometheus' own rule files: what is read from them, what is refused with its place, and what is passed over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opsbot.core.alert import TargetSpec, apart
from opsbot.core.errors import ConfigError, Problem
from opsbot.monitor.rules import promfile
from opsbot.monitor.rules.promgroups import RULE, Entry, RecordRule

GOOD = """\
groups:
  - name: shop
    interval: 1m
    limit: 7
    query_offset: 15s
    labels: {team: ops, area: eu}
    rules:
      - record: shop:errors:rate5m
        expr: sum by (route) (rate(shop_errors_total[5m]))
        labels: {level: route}
      - alert: ShopErrors
        expr: |
          shop:errors:rate5m
            > 1
        for: 1h30m
        keep_firing_for: 5m
        labels: {severity: critical, area: us, flag: no, number: 012}
        annotations:
          summary: '{{ $value | humanize }} on {{ $labels.route }}'
          opsbot_actions: scale_up
          opsbot_target: 'Deployment/shop/{{ $labels.route }}'
"""


def test_what_a_file_says() -> None:
    found = promfile.parse(GOOD, "f.yaml", {"scale_up"})
    (group,) = found.groups
    assert (group.name, group.interval, group.limit) == ("shop", timedelta(minutes=1), 7)
    record, entry = group.rules
    assert isinstance(record, RecordRule)
    assert isinstance(entry, Entry)
    assert (record.name, record.labels) == ("shop:errors:rate5m", {"team": "ops", "area": "eu", "level": "route"})
    rule = entry.alert
    assert found.alerts == (rule,)
    assert (rule.name, rule.severity, rule.line) == ("ShopErrors", "critical", 11)
    assert (rule.hold_for, rule.keep_firing_for, rule.every) == (
        timedelta(minutes=90), timedelta(minutes=5), timedelta(minutes=1),
    )  # fmt: skip
    assert (rule.limit, rule.query_offset) == (7, timedelta(seconds=15))
    assert rule.labels == {"team": "ops", "area": "us", "flag": "no", "number": "012"}
    assert rule.actions == ("scale_up",)
    assert rule.target == TargetSpec("Deployment", "{{ labels.route }}", "shop")
    assert set(rule.annotations) == {"summary"}
    assert set(entry.extras) == {"opsbot_actions", "opsbot_target"}
    assert [(one.name, one.why) for one in found.ignored] == [("shop:errors:rate5m", promfile.RECORDED)]
    assert found.warnings == ()


def object_of(groups: str, name: str = "x") -> str:
    inner = "\n".join(f"    {line}" for line in groups.splitlines())
    head = f"apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: {{name: {name}}}"
    return f"{head}\nspec:\n  groups:\n{inner}\n"


ONE = "- name: g\n  rules: [{alert: A, expr: up == 0}]"


def listed(*objects: str) -> str:
    items = "".join("- " + "\n  ".join(one.splitlines()) + "\n" for one in objects)
    return f"apiVersion: v1\nkind: List\nitems:\n{items}"


def of(line: str) -> str:
    """A group of one alert with a line more."""
    return f"- name: g\n  rules: [{{alert: A, expr: up == 0, {line}}}]"


@pytest.mark.parametrize(
    ("text", "alerts"),
    [
        (object_of(ONE), ["A"]),
        ("groups: [{name: g, rules: [{record: a, expr: b, for: 0s, annotations: {}}]}]", []),
        (object_of(f"{ONE}\n  partial_response_strategy: warn"), ["A"]),
        (listed(object_of(ONE), object_of(ONE, "y")), ["A", "A"]),
        (object_of(ONE) + "---\n" + object_of(ONE, "y"), ["A", "A"]),
        ("groups:", []), ("groups: []", []), ("", []), ("groups: [{name: g, rules: }]", []),
        ("groups: [{name: g, rules: [&a {alert: A, expr: up == 0}, *a]}]", ["A", "A"]),
        ('{"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up == 0", "for": "0"}]}]}', ["A"]),
        ("groups:\n-\n- name: g\n  rules:\n  -\n  - {alert: A, expr: up == 0}\n  - ~", ["A"]),
        (object_of(of("for: ''")), ["A"]), (object_of(f"{ONE}\n  interval: ''\n  query_offset: ''"), ["A"]),
        ("groups: [{name: g, rules: [{alert: A, expr: up == 0, labels: &a {x: y}, annotations: &a {x: z}}]}]", ["A"]),
    ],
    ids=[
        "object", "recorded for no time", "of the operator", "list", "documents", "nothing", "no groups", "empty",
        "no rules", "alias", "JSON", "nothing in lists", "for of nothing", "interval of nothing", "anchor given again",
    ],
)  # fmt: skip
def test_all_that_kubectl_and_prometheus_take(text: str, alerts: list[str]) -> None:
    assert [rule.name for rule in promfile.parse(text, "f").alerts] == alerts


def test_rules_that_are_alike_are_told_apart() -> None:
    rules = apart(promfile.parse(listed(object_of(ONE), object_of(ONE, "y")), "f").alerts)
    assert len({rule.id for rule in rules}) == 2


def test_other_objects_are_passed_over() -> None:
    text = listed("apiVersion: v1\nkind: Service\nmetadata: {name: web}", object_of(ONE))
    assert [(one.name, one.why) for one in promfile.parse(text, "f").ignored] == [
        ("Service/web", "is no PrometheusRule")
    ]


def rule(lines: str) -> str:
    inner = "\n".join(f"        {line}" for line in lines.splitlines())
    return f"groups:\n  - name: g\n    rules:\n      - alert: Before\n        expr: up == 0\n      -{inner[7:]}\n"


BAD = {
    "unknown key": (rule("alert: A\nexpr: up == 0\nseverity: x"), [(8, "A", "severity: is not a known key")]),
    "key twice": (rule("alert: A\nexpr: up == 0\nexpr: up == 1"), [(8, "A", "given twice")]),
    "no name": (rule("expr: up == 0"), [(6, "", "must have `alert` or `record`")]),
    "both names": (rule("alert: A\nrecord: b\nexpr: up"), [(6, "A", "not both")]),
    "no expression": (rule("alert: A\nfor: 5m"), [(6, "A", "expr: is missing")]),
    "expression": (rule("alert: A\nexpr: rate(up[5m] > 1"), [(7, "A", "unclosed left parenthesis")]),
    "type": (rule("alert: A\nexpr: rate(up) > 1"), [(7, "A", "expected type matrix")]),
    "function": (rule("alert: A\nexpr: foo(up) > 1"), [(7, "A", "unknown function")]),
    "a range": (rule("alert: A\nexpr: 'up[5m]'"), [(7, "A", "gives a range")]),
    "duration": (rule("alert: A\nexpr: up == 0\nfor: 5 minutes"), [(8, "A", "is no duration")]),
    "template": (rule("alert: A\nexpr: up == 0\nlabels: {x: '{{ foo }}'}"), [(8, "A", "labels.x: 'foo' is not")]),
    "label": (rule("alert: A\nexpr: up == 0\nlabels: {'': c}"), [(8, "A", "'' is no label name")]),
    "annotation": (rule('alert: A\nexpr: up == 0\nannotations: {"a\\nb": c}'), [(8, "A", "is no label name")]),
    "long label": (rule(f"alert: A\nexpr: up == 0\nlabels: {{{'x' * 201}: c}}"), [(8, "A", "is no label name")]),
    "recorded dash": (rule("record: a-b\nexpr: up"), [(6, "a-b", "no name of a metric")]),
    "name as label": (rule("alert: A\nexpr: up == 0\nlabels: {__name__: c}"), [(8, "A", "no label name")]),
    "labels": (rule("alert: A\nexpr: up == 0\nlabels: [a]"), [(8, "A", "labels: must be a mapping")]),
    "a label": (rule("alert: A\nexpr: up == 0\nlabels: {a: [b]}"), [(8, "A", "a: must be text")]),
    "recorded name": (rule("record: a b\nexpr: up"), [(6, "a b", "no name of a metric")]),
    "recorded for": (rule("record: a\nexpr: up\nfor: 5m"), [(8, "a", "a recording rule has none")]),
    "recorded text": (rule("record: a\nexpr: up\nannotations: {a: b}"), [(8, "a", "a recording rule has none")]),
    "recorded expression": (rule("record: a\nexpr: up("), [(7, "a", "unclosed left parenthesis")]),
    "recorded label": (rule("record: a\nexpr: up\nlabels: {a-b: c}"), [(8, "a", "no label name")]),
    "two at once": (
        rule("alert: A\nexpr: up(\nfor: x"), [(7, "A", "unclosed"), (8, "A", "is no duration")],
    ),
    "expression is a list": (rule("alert: A\nexpr: [up]"), [(7, "A", "expr: must be text")]),
    "name is a list": (rule("alert: [A]\nexpr: up == 0"), [(6, "", "alert: must be text")]),
    "recorded name is a list": (rule("record: [a]\nexpr: up"), [(6, "", "record: must be text")]),
    "duration is a list": (rule("alert: A\nexpr: up == 0\nfor: [5m]"), [(8, "A", "for: must be text")]),
    "group's name is a list": ("groups:\n- name: [g]", [(2, "", "name: must be text")]),
    "limit is a list": ("groups:\n- {name: g, limit: [5]}", [(2, "", "limit: must be a whole number")]),
    "group twice": ("groups:\n- name: g\n- name: g", [(3, "", "the group 'g' is given twice")]),
    "group without name": ("groups:\n- rules: []", [(2, "", "name: a group must have one")]),
    "group of the operator": ("groups:\n- {name: g, partial_response_strategy: warn}", [(2, "", "not a known key")]),
    "limit in quotes": ("groups:\n- {name: g, limit: '5'}", [(2, "", "limit: must be a whole number, without")]),
    "limit of nothing": ("groups:\n- {name: g, limit: ''}", [(2, "", "limit: must be a whole number")]),
    "limit too large": ("groups:\n- {name: g, limit: 9223372036854775808}", [(2, "", "limit: must be")]),
    "limit of bits": ("groups:\n- {name: g, limit: 1e19}", [(2, "", "limit: must be")]),
    "limit of no end": ("groups:\n- {name: g, limit: .inf}", [(2, "", "limit: must be")]),
    "limit of letters": ("groups:\n- {name: g, limit: 0x}", [(2, "", "limit: must be")]),
    "empty duration": (rule("alert: A\nexpr: up == 0\nfor: ''"), [(8, "A", "for: ")]),
    "empty duration of an object": (object_of(of("keep_firing_for: ''")), [(7, "A", "keep_firing_for: ")]),
    "merges": (rule("alert: A\nexpr: up == 0\nlabels: {<<: {a: b}, <<: {c: d}}"), [(8, "A", "'<<' is given twice")]),
    "limit": ("groups:\n- {name: g, limit: many}", [(2, "", "limit: must be a whole number")]),
    "top": ("groups: []\nother: 1", [(2, "", "other: is not a known key")]),
    "list": ("- groups", [(1, "", "must be a mapping")]),
    "groups": ("groups: {a: b}", [(1, "", "groups: must be a list")]),
    "a group": ("groups: [5]", [(1, "", "a group must be a mapping")]),
    "a rule": ("groups: [{name: g, rules: [5]}]", [(1, "", "a rule must be a mapping")]),
    "no YAML": ("groups: [", [(2, "", "not valid YAML")]),
    "unknown playbook": (
        rule("alert: A\nexpr: up == 0\nannotations: {opsbot_actions: fly}"), [(8, "A", "no playbook 'fly'")],
    ),
    "target": (rule("alert: A\nexpr: up == 0\nannotations: {opsbot_target: x}"), [(8, "A", "no KIND/NAMESPACE/NAME")]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "want"), BAD.values(), ids=BAD.keys())
def test_refused_with_its_place_and_rule(text: str, want: list[tuple[int, str, str]]) -> None:
    with pytest.raises(ConfigError) as raised:
        promfile.parse(text, "f.yaml", {"scale_up"})
    found = raised.value.problems
    assert [(one.line, one.rule) for one in found] == [(line, name) for line, name, _ in want], found
    assert all(words in one.message for one, (_, _, words) in zip(found, want, strict=True)), found


def problem(text: str) -> Problem:
    with pytest.raises(ConfigError) as raised:
        promfile.parse(text, "f.yaml")
    return raised.value.problems[0]


def test_a_caret_shows_the_place_in_an_expression() -> None:
    assert problem(rule("alert: A\nexpr: sum(rate(up[5m]) > 1")).excerpt == "sum(rate(up[5m]) > 1\n   ^"


@pytest.mark.parametrize(
    ("written", "limit"),
    [
        ("7", 7), ("-5", -5), ("+5", 5), ("017", 15), ("0o17", 15), ("0x10", 16), ("-0x10", -16), ("0b11", 3),
        ("08", 8),
        ("1_000", 1000), ("1e3", 1000), ("1.5", 1), ("-1.5", -1), (".5", 0), ("5.", 5), ("99999999999", 99999999999),
        ("9223372036854775807", 2**63 - 1), ("~", 0), ("0", 0), ("1e1_0", 10**10),
    ],
)  # fmt: skip
def test_a_limit_is_a_number_as_go_reads_it(written: str, limit: int) -> None:
    (group,) = promfile.parse(f"groups: [{{name: g, limit: {written}}}]", "f").groups
    assert group.limit == limit


NAMES = ("runbook-url", "a.b", "告警主题", "1", "a b", "severity:warning")


@pytest.mark.parametrize("name", NAMES)
def test_labels_and_annotations_have_any_letters(name: str) -> None:
    (rule_,) = promfile.parse(
        rule(f"alert: A\nexpr: up\nlabels: {{{name}: b}}\nannotations: {{{name}: c}}"), "f"
    ).alerts[1:]
    assert (rule_.labels, rule_.annotations) == ({name: "b"}, {name: "c"})


def test_what_kubernetes_drops_is_advised_against() -> None:
    found = promfile.parse(object_of(of("runbook: x") + "\n  intervall: 1m"), "f")
    assert [rule.name for rule in found.alerts] == ["A"]
    assert [(one.line, one.message, one.hint) for one in found.warnings] == [
        (8, "intervall: is not a known key: Kubernetes drops it", "did you mean 'interval'?"),
        (7, "runbook: is not a known key: Kubernetes drops it", f"known keys: {', '.join(sorted(RULE))}"),
    ]  # fmt: skip


def test_a_doubtful_label_of_a_group_is_advised_against() -> None:
    text = "groups: [{name: g, labels: {a: '{{ .labels.x }}'}, rules: [{alert: A, expr: up == 0}]}]"
    (warning,) = promfile.parse(text, "f").warnings
    assert "'.labels.x' in a template means nothing" in warning.message


@pytest.mark.parametrize(
    ("lines", "want"),
    [
        ("alert: A\nexpr: up == 0\nlabels: {severity:warning}", "the name 'severity:warning' has no text"),
        ("alert: A\nexpr: up", "has no comparison"),
        ("alert: A\nexpr: sum(up) == 0\nannotations: {s: '{{ $labels.job }}'}", "drops the label 'job'"),
        ("alert: A\nexpr: up == 0\nlabels: {severity: page}", "severity 'page' is not known"),
        ("alert: A\nexpr: up == 0\nannotations: {opsbot_actions: a}", "there is no target"),
        ("alert: A\nexpr: up == 0\nannotations: {s: '{{ .labels.job }}'}", "'.labels.job' in a template means nothing"),
        ("alert: A\nexpr: up == 0\nannotations: {s: '{{ $labels.a.b }}'}", "'$labels.a.b' in a template means nothing"),
        ("alert: A\nexpr: up == 0\nannotations: {s: '{{ humanize }}'}", "humanize in a template takes one value"),
    ],
    ids=[
        "no blank",
        "no comparison",
        "dropped label",
        "severity",
        "no target",
        "no field",
        "deep label",
        "too few values",
    ],
)
def test_advice(lines: str, want: str) -> None:
    (warning,) = promfile.parse(rule(lines), "f").warnings
    assert want in warning.message
    assert warning.rule == "A"


def test_a_watchdog_needs_no_comparison() -> None:
    text = rule("alert: Watchdog\nexpr: vector(1)\nlabels: {severity: none}")
    assert promfile.parse(text, "f").warnings == ()


def test_problems_find_their_rules_in_a_large_file() -> None:
    one = "      - alert: A{0}\n        expr: up(\n        labels: {{a: '{{{{ $b }}}}'}}\n"
    text = "groups:\n  - name: g\n    rules:\n" + "".join(one.format(number) for number in range(500))
    with pytest.raises(ConfigError) as raised:
        promfile.parse(text, "f")
    assert [(found.line, found.rule) for found in raised.value.problems] == [
        (4 + 3 * number + more, f"A{number}") for number in range(500) for more in (1, 2)
    ]
