"""Which rules matter to a test, in which order they are evaluated, and whether that can be done in long strides."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.lab import promload, promrules
from opsbot.lab.promtests import AlertCase, ExprCase, PromTest, PromTests
from opsbot.monitor.rules import promfile
from opsbot.monitor.rules.promgroups import Group


def groups(**rules: str) -> tuple[Group, ...]:
    """A group for each name, with rules as YAML."""
    text = "\n".join(f"- {{name: {name}, rules: [{inner}]}}" for name, inner in rules.items())
    return promfile.parse(f"groups:\n{text}", "r.yml").groups


RECORDS = {"reads": "{record: out, expr: 'mid + 1'}", "makes": "{record: mid, expr: in}"}
ALERTING = {"meta": "{alert: M, expr: ALERTS > 0}", "plain": "{alert: A, expr: up > 0}"}
ASKING = {
    "asks": "{alert: A, expr: up > 0, annotations: {s: '{{ query \"mid\" | first | value }}'}}",
    "makes": "{record: mid, expr: in}",
}
CIRCLE = {"a": "{record: x, expr: z}", "b": "{record: y, expr: x}", "c": "{record: z, expr: y}"}


@pytest.mark.parametrize(
    ("rules", "order", "found"),
    [
        (RECORDS, (), ["makes", "reads"]),
        (ALERTING, (), ["plain", "meta"]),
        (ASKING, (), ["makes", "asks"]),
        (CIRCLE, (), ["a", "b", "c"]),
        ({"b": "{record: x, expr: u}", "a": "{record: y, expr: u}"}, (), ["b", "a"]),
        ({"any": "{record: n, expr: 'count({a=\"b\"})'}", **RECORDS}, (), ["makes", "reads", "any"]),
        (RECORDS, ("reads", "makes"), ["reads", "makes"]),
        ({**RECORDS, "last": "{record: in, expr: up}"}, ("reads", "makes"), ["reads", "last", "makes"]),
        (RECORDS, ("other", "reads"), ["makes", "reads"]),
    ],
    ids=[
        "maker first", "alerts first", "what a template asks", "circle", "as in the file", "reads anything",
        "as listed", "unlisted beside the first", "only one is free",
    ],
)  # fmt: skip
def test_order_of_groups(rules: dict[str, str], order: tuple[str, ...], found: list[str]) -> None:
    assert [group.name for group in promrules.ordered(groups(**rules), order)] == found


def asking(text: str) -> tuple[Group, ...]:
    note = (
        f"{{record: mid, expr: in}}, {{alert: B, expr: in > 1}}, {{alert: A, expr: up, annotations: {{s: '{text}'}}}}"
    )
    return groups(g=note)


@pytest.mark.parametrize(
    ("text", "needed", "alerts_read", "forward"),
    [
        ("plain", ["A"], False, True),
        ('{{ query "up" | first | value }}', ["A"], False, True),
        ('{{ query "mid" | first | value }}', ["mid", "A"], False, True),
        ('{{ "sum(mid)" | query | first | value }}', ["mid", "A"], False, True),
        ('{{ with query "ALERTS" }}x{{ end }}', ["B", "A"], True, False),
        ('{{ query "mid offset -1m" | first | value }}', ["mid", "A"], False, False),
        ('{{ printf "mi%s" "d" | query | first | value }}', ["mid", "B", "A"], True, False),
        ('{{ $q := "mid" }}{{ range query $q }}{{ .Value }}{{ end }}', ["mid", "B", "A"], True, False),
        ('{{ query "sum(" | first | value }}', ["mid", "B", "A"], True, False),
    ],
    ids=["asks nothing", "input", "recorded", "down a pipe", "alerts", "ahead", "put together", "variable", "broken"],
)  # fmt: skip
def test_what_a_template_asks_is_needed(text: str, needed: list[str], alerts_read: bool, forward: bool) -> None:
    rules = promrules.running(asking(text))
    test = PromTest("", timedelta(minutes=1), (), (AlertCase(timedelta(), "A", ()),), ())
    assert promrules.mark_needed(rules, test) is alerts_read
    assert [one.rule.name for one in rules if one.needed] == needed
    assert promrules.forward(rules, test, alerts_read) is forward


def test_an_alert_whose_text_asks_for_what_is_not_there_is_tainted() -> None:
    rules = promrules.running(asking('{{ query "mid" | first | value }}'))
    assert promrules.tainted(rules, ["in"]) >= {"mid", "A", "B"}
    assert "A" not in promrules.tainted(promrules.running(asking("plain")), ["in"])


def test_a_case_that_reads_a_rule_needs_it() -> None:
    rules = promrules.running(groups(**RECORDS))
    test = PromTest("", timedelta(minutes=1), (), (), (ExprCase(timedelta(), "mid", ()),))
    promrules.mark_needed(rules, test)
    assert [one.rule.name for one in rules if one.needed] == ["mid"]


PLAIN, OBJECT = "groups: [{name: a, rules: []}]\n", "kind: PrometheusRule\napiVersion: v1\nspec: {groups: []}\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (PLAIN, PLAIN),
        (f"{PLAIN}---\nanything: [", PLAIN),
        (f"# words\n---\n{PLAIN}--- # more\n{PLAIN}", f"# words\n---\n{PLAIN}"),
        (f"{PLAIN}...\n{PLAIN}", PLAIN),
        (f"groups:\n- name: |\n   ---\n{PLAIN}", f"groups:\n- name: |\n   ---\n{PLAIN}"),
        (f"---\n{OBJECT}---\n{OBJECT}", f"---\n{OBJECT}---\n{OBJECT}"),
        ("", ""),
    ],
    ids=["one", "second is broken", "words before", "end mark", "indented", "objects", "empty"],
)
def test_of_a_plain_rule_file_the_first_document_counts(text: str, left: str) -> None:
    assert promload.first(text) == left


def test_each_rule_file_counts_once(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text("groups: [{name: g, rules: [{record: r, expr: up}]}]")
    tests = PromTests(str(tmp_path / "t.yml"), ("r.yml", "*.yml", "no*"), timedelta(minutes=1), (), ())
    (tmp_path / "t.yml").write_text("groups: []")
    assert [group.name for group in promload.groups(tests)] == ["g"]
    assert [one.message for one in promload.doubts(tests)] == [
        "rule_files: 'no*' names no file", "has no case: nothing was compared",
    ]  # fmt: skip
