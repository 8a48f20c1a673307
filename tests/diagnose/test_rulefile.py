from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from opsbot.core.diagnosis import FindingIs, Pattern, RuleCase, When
from opsbot.core.errors import ConfigError, Problem
from opsbot.diagnose import rulefile
from opsbot.diagnose.order import ordered

GOOD = """\
rules:
  - name: pool_empty
    fault: connection_pool_exhausted
    says: 'pool {{ pool }} of {{ target.name }} is empty ({{ count }})'
    when:
      all:  [{source: pod_logs, pattern: '(?P<pool>\\S+) is empty', within: 15m, at_least: 2}]
      any:  [{source: events, pattern: 'Unhealthy'}, {finding: high_latency}]
      none: [{finding: dependency_unreachable}]
    explains: [high_latency]
    suggests: [restart_workload]
    source: 'the pool, Pool.take'
    confidence: 0.9
    cases:
      - {name: empty, evidence: {pod_logs: 'p1 is empty'}, finds: {pool: p1}, findings: [high_latency]}
      - {name: full, evidence: {pod_logs: 'p1 is full'}, finds: nothing}
"""


def problems(text: str, playbooks: Sequence[str] | None = None) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        rulefile.parse(text, "rules.yaml", playbooks)
    return caught.value.problems


def edited(*changes: tuple[str, str]) -> str:
    text = GOOD
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_good_file_becomes_values() -> None:
    (rule,) = rulefile.parse(GOOD, "rules.yaml", ["restart_workload"])
    assert rule.when == When(
        all=(Pattern("pod_logs", r"(?P<pool>\S+) is empty", timedelta(minutes=15), 2),),
        any=(Pattern("events", "Unhealthy"), FindingIs("high_latency")),
        none=(FindingIs("dependency_unreachable"),),
    )
    assert (rule.name, rule.fault, rule.confidence) == ("pool_empty", "connection_pool_exhausted", 0.9)
    assert (rule.explains, rule.suggests) == (("high_latency",), ("restart_workload",))
    assert (rule.file, rule.line) == ("rules.yaml", 2)
    assert rule.cases == (
        RuleCase("empty", {"pod_logs": "p1 is empty"}, {"pool": "p1"}, ("high_latency",), 14),
        RuleCase("full", {"pod_logs": "p1 is full"}, None, (), 15),
    )


BAD: dict[str, tuple[tuple[str, str], int, str, str]] = {
    # what is changed, the line of the problem, words of the message, words of the hint
    "unknown key": (("    source:", "    sorce:"), 11, "sorce: is not a known key", "did you mean 'source'?"),
    "key left out": (("    source: 'the pool, Pool.take'\n", ""), 2, "source: is missing", ""),
    "unknown fault": (("fault: connection_pool_exhausted", "fault: connection_pool_exausted"), 3,
                      "'connection_pool_exausted' is no known fault", "did you mean 'connection_pool_exhausted'?"),
    "symptom as fault": (("fault: connection_pool_exhausted", "fault: crash_loop"), 3, "is a symptom", ""),
    "unknown symptom": (("explains: [high_latency]", "explains: [high_latenci]"), 9, "'high_latenci' is no known",
                        "did you mean 'high_latency'?"),
    "unknown playbook": (("suggests: [restart_workload]", "suggests: [restart_workloads]"), 10, "is no playbook",
                         "did you mean 'restart_workload'?"),
    "unknown source": (("source: events", "source: event"), 7, "'event' is no evidence", "did you mean 'events'?"),
    "pattern that is none": (("(?P<pool>\\S+) is empty", "(?P<pool>\\S+ is empty"), 6, "does not compile", ""),
    "pattern that never ends": (("Unhealthy", "(a|aa)+$"), 7, "takes too long on a text such as 'aaaaa", ""),
    "pattern left out": ((", pattern: 'Unhealthy'", ""), 7, "pattern: is missing", ""),
    "both kinds at once": (("{finding: high_latency}", "{finding: high_latency, source: events}"), 7, "either", ""),
    "no kind of condition": (("{finding: high_latency}", "{}"), 7, "must be either", ""),
    "time of a finding": (("{finding: high_latency}", "{finding: high_latency, within: 5m}"), 7, "no other key", ""),
    "itself": (("{finding: dependency_unreachable}", "{finding: pool_empty}"), 8, "must name another rule", ""),
    "group of no pattern": (("{{ pool }}", "{{ pol }}"), 4, "no named group provides 'pol'", "did you mean 'pool'?"),
    "broken reference": (("{{ pool }}", "{{ pool | upper }}"), 4, "is no reference", ""),
    "group of that name": (("?P<pool>", "?P<target>"), 6, "may not be called 'target'", ""),
    "odd time": (("within: 15m", "within: 15 minutes"), 6, "is no duration", ""),
    "no line is enough": (("at_least: 2", "at_least: 0"), 6, "must be 1 or more", ""),
    "number as text": (("at_least: 2", "at_least: '2'"), 6, "must be a whole number", ""),
    "too sure": (("confidence: 0.9", "confidence: 1.5"), 12, "more than 0 and at most 1", ""),
    "name with a blank": (("name: pool_empty", "name: pool empty"), 2, "must be small letters", ""),
    "empty source": (("source: 'the pool, Pool.take'", "source: ' '"), 11, "which program writes this text", ""),
    "no case that finds nothing": (("finds: nothing", "finds: {}"), 13, "one that finds `nothing`", ""),
    "case of no source": (("{pod_logs: 'p1 is full'}", "{logs: 'p1 is full'}"), 15, "is no source", "'pod_logs'?"),
    "case of no group": (("finds: {pool: p1}", "finds: {pol: p1}"), 14, "is no named group", ""),
    "case that finds a number": (("finds: {pool: p1}", "finds: {pool: 1}"), 14, "must be a mapping", ""),
    "case that finds a word": (("finds: nothing", "finds: nothin"), 15, "or `nothing`", ""),
    "time as a number": (("within: 15m", "within: 15"), 6, "must be a duration such as 30s, 5m or 1h30m", ""),
    "name with a NUL": (("name: pool_empty", 'name: "pool\\0"'), 2, "must be small letters", ""),
    "name of a megabyte": (("name: pool_empty", f"name: {'x' * 1_000_000}"), 2, "must be small letters", ""),
    "key twice": (("0.9\n", "0.9\n    confidence: 0.8\n"), 13, "is given twice", "line 12"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "line", "message", "hint"), BAD.values(), ids=BAD)
def test_a_bad_rule_is_refused_with_its_place(change: tuple[str, str], line: int, message: str, hint: str) -> None:
    found = problems(edited(change), ["restart_workload"])
    fitting = [problem for problem in found if message in problem.message]
    assert fitting, [str(problem) for problem in found]
    assert fitting[0].line == line
    assert fitting[0].column >= 1
    assert hint in fitting[0].hint


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules: []\n", "must hold a list `rules:`"),
        ("- a\n", "must hold a list `rules:`"),
        ("rules: {a: 1}\n", "must hold a list `rules:`"),
        (GOOD + "extra: 1\n", "extra: is not a known key"),
        ("", "holds 0 YAML documents"),
        ("rules: [1]\n", "must be a mapping"),
        ("rules: [\n", "not valid YAML"),
        ("rules:\n  - {name: a, when: [1], cases: {}}\n", "when: must be a mapping"),
    ],
    ids=["empty list", "no mapping", "no list", "other key", "empty file", "no rule", "no YAML", "wrong types"],
)
def test_a_file_of_another_form_is_refused(text: str, message: str) -> None:
    assert any(message in problem.message for problem in problems(text))


def test_all_problems_come_at_once_and_in_order() -> None:
    second = GOOD.partition("rules:\n")[2].replace("pool_empty", "other").replace("is empty", "is [empty")
    text = edited(("fault: connection_pool_exhausted", "fault: nonsense"), ("within: 15m", "within: soon")) + second
    found = problems(text)
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)
    assert {problem.rule for problem in found} == {"pool_empty", "other"}
    assert len(found) == 3
    assert str(found[0]).startswith("rules.yaml:3:12: pool_empty: fault: 'nonsense' is no known fault")


def test_a_rule_that_does_not_fit_hides_no_problem_of_the_next() -> None:
    text = "rules:\n  - {name: a}\n" + GOOD.partition("rules:\n")[2].replace(
        "high_latency]\n    suggests", "x]\n    suggests"
    )
    assert {problem.line for problem in problems(text)} == {2, 10}


SECOND = GOOD.partition("rules:\n")[2]
TOGETHER: dict[str, tuple[str, list[str]]] = {
    "bad says and a double": (
        edited(("{{ pool }}", "{{ pol }}")) + SECOND, ["no named group provides 'pol'", "given twice"],
    ),
    "bad type and a double": (edited(("at_least: 2", "at_least: x")) + SECOND, ["at_least: must be", "given twice"]),
    "key left out and a fault": (
        edited(("    source: 'the pool, Pool.take'\n", ""), ("_exhausted", "_exausted")),
        ["source: is missing", "no known fault"],
    ),
    "reader and meaning": (
        edited(("confidence: 0.9\n", "confidence: 0.9\n    confidence: 0.8\n"), ("[high_latency]\n", "[x]\n")),
        ["'x' is no known", "given twice"],
    ),
    "unknown key of a condition and its pattern": (
        edited(("pattern: 'Unhealthy'", "pattern: '(', patern: x")), ["does not compile", "patern: is not a known key"],
    ),
    "broken case alone": (edited((", finds: nothing", "")), ["cases.1.finds: is missing"]),
    "broken when alone": (
        edited(
            ("all:  [", "all:  5 #"), ("any:  [", "any:  6 #"), ("{{ pool }}", "x"), ("finds: {pool: p1}", "finds: {}")
        ),
        ["when.all: must be a list", "when.any: must be a list"],
    ),
    "other key and a fault": (
        edited(("_exhausted", "_exausted")) + "extra: 1\n", ["no known fault", "extra: is not a known key"],
    ),
    "other key and no rules": ("extra: 1\n", ["extra: is not a known key", "must hold a list `rules:`"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), TOGETHER.values(), ids=TOGETHER)
def test_no_problem_hides_another(text: str, words: list[str]) -> None:
    found = [problem.message for problem in problems(text)]
    assert len(found) == len(words), found
    assert all(any(word in message for message in found) for word in words), found
    assert all(len(message) < 200 for message in found)


def test_a_name_given_twice_in_one_file_is_refused() -> None:
    (found,) = problems(GOOD + GOOD.partition("rules:\n")[2])
    assert (found.line, "given twice" in found.message) == (16, True)
    assert "rules.yaml:2" in found.hint


def asking(name: str, finding: str, fault: str = "connection_pool_exhausted") -> str:
    return (
        GOOD.replace("pool_empty", name)
        .replace("fault: connection_pool_exhausted", f"fault: {fault}")
        .replace("finding: dependency_unreachable", f"finding: {finding}")
    )


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ((asking("a", "b"), asking("b", "a")), ["lead back to itself", "lead back to itself"]),
        ((asking("a", "overload"), asking("b", "a", "overload")), ["lead back to itself", "lead back to itself"]),
        ((asking("a", "pol_empty"), asking("pool_empty", "overload")), ["is of no rule or check"]),
        ((asking("a", "connection_pool_exhausted"), asking("b", "overload")), []),
        ((asking("a", "out_of_memory"),), []),
    ],
    ids=["by name", "by fault", "misspelt", "its own fault of others", "a check's fault"],
)
def test_conditions_on_findings_are_looked_at_together(texts: Sequence[str], words: list[str]) -> None:
    rules = [rule for text in texts for rule in rulefile.parse(text, "rules.yaml")]
    found = rulefile.together(rules)
    assert len(found) == len(words)
    assert all(word in problem.message for word, problem in zip(words, found, strict=True))


def test_rules_that_others_ask_for_come_first() -> None:
    texts = (asking("a", "b"), asking("b", "c"), asking("c", "overload"), asking("d", "overload", "overload"))
    rules = [rule for text in texts for rule in rulefile.parse(text, "rules.yaml")]
    names = [rule.name for rule in ordered(rules)]
    assert names.index("d") < names.index("c") < names.index("b") < names.index("a")


@pytest.mark.parametrize("odd", ["&a [*a, *a]", "!!python/object:os.system {}", "[[[[" * 20, "no", "012", "~"])
def test_hostile_values_are_refused_in_words(odd: str) -> None:
    assert problems(edited(("says: 'pool {{ pool }} of {{ target.name }} is empty ({{ count }})'", f"says: {odd}")))
