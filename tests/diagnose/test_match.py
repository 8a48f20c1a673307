from __future__ import annotations

from datetime import timedelta

import pytest

from opsbot.core.diagnosis import Condition, DiagnosisRule, Finding, FindingIs, Pattern, When
from opsbot.core.evidence import MaskedText
from opsbot.core.target import Target
from opsbot.diagnose import cases
from opsbot.diagnose.match import match
from opsbot.diagnose.rulefile import parse
from opsbot.mask import mask
from tests.diagnose.diagnosis_world import AGENTS, ago, event, log, picture, pod


def rule(when: When, says: str = "found", name: str = "r", fault: str = "overload") -> DiagnosisRule:
    return DiagnosisRule(name, fault, says, when, "a test", ())


def line(pattern: str, within: timedelta | None = None, at_least: int = 1, source: str = "pod_logs") -> Pattern:
    return Pattern(source, pattern, within, at_least)


def finds(when: When, text: str, found: tuple[Finding, ...] = ()) -> bool:
    findings, gaps = match(picture(logs=[log(text)]), [rule(when)], found)
    assert gaps == ()
    return bool(findings)


def given(name: str, fault: str = "overload") -> Finding:
    return Finding(name, fault, AGENTS, mask("given"), 0.9, ())


A, B, C, F = line("alpha"), line("beta"), line("gamma"), FindingIs("overload")


@pytest.mark.parametrize(
    ("all_", "any_", "none_", "text", "want"),
    [
        ((A,), (), (), "alpha", True),
        ((A, B), (), (), "alpha", False),
        ((A, B), (), (), "alpha\nbeta", True),
        ((), (A, B), (), "beta", True),
        ((), (A, B), (), "gamma", False),
        ((C,), (A, B), (), "gamma", False),
        ((C,), (A, B), (), "gamma alpha", True),
        ((A,), (), (B,), "alpha", True),
        ((A,), (), (B,), "alpha\nbeta", False),
        ((A,), (), (B, C), "alpha\ngamma", False),
        ((A, F), (), (), "alpha", False),
        ((A,), (), (F,), "alpha", True),
    ],
    ids=["all", "one of all is missing", "all of them", "any", "none of any", "all but none of any", "all and any",
         "none holds", "one of none holds", "the other of none holds", "a finding missing", "a finding not there"],
)  # fmt: skip
def test_conditions(
    all_: tuple[Condition, ...], any_: tuple[Condition, ...], none_: tuple[Condition, ...], text: str, want: bool
) -> None:
    assert finds(When(all_, any_, none_), text) is want


@pytest.mark.parametrize(
    ("condition", "found", "want"),
    [
        (FindingIs("out_of_memory"), given("x", "out_of_memory"), True),
        (FindingIs("x"), given("x", "out_of_memory"), True),
        (FindingIs("y"), given("x", "out_of_memory"), False),
        (FindingIs("overload"), given("r", "overload"), False),
    ],
    ids=["by fault", "by name", "another", "never itself"],
)
def test_findings_of_others_are_seen(condition: FindingIs, found: Finding, want: bool) -> None:
    assert finds(When(all=(A, condition)), "alpha", (found,)) is want


@pytest.mark.parametrize(
    ("stamp", "want"),
    [
        (ago(minutes=14), True),
        (ago(minutes=15), True),
        (ago(minutes=16), False),
        ("", True),
        ("2026-03-04 07:00", True),
    ],
    ids=["young", "at the edge", "old", "no time", "a time of another kind"],
)
def test_the_age_of_a_line_counts_where_its_time_is_known(stamp: str, want: bool) -> None:
    assert finds(When(all=(line("alpha", timedelta(minutes=15)),)), f"{stamp} alpha") is want


def test_old_lines_do_not_count_as_many() -> None:
    wanted = When(all=(line("alpha", timedelta(minutes=15), at_least=2),))
    assert not finds(wanted, f"{ago(hours=2)} alpha\n{ago(minutes=1)} alpha")
    assert finds(wanted, f"{ago(minutes=2)} alpha\n{ago(minutes=1)} alpha")


def test_lines_are_counted_over_all_logs_of_a_source() -> None:
    logs = [log("alpha\n", "agents-5f6d-aaaaa"), log("alpha\n", "agents-5f6d-bbbbb")]
    made = rule(When(all=(line("alpha", at_least=2),)), "{{ count }} times")
    (finding,), _ = match(picture(logs=logs), [made])
    assert finding.says == "2 times"


def test_rules_read_the_text_of_other_sources_too() -> None:
    made = rule(When(all=(line("BackOff .*restarting (?P<what>.*)", source="events"),)), "{{ what }}")
    (finding,), _ = match(picture(events=[event("BackOff", "Back-off restarting container app")]), [made])
    assert finding.says == "container app"
    assert finding.evidence[0].source == "events"


def test_what_is_said_comes_from_the_newest_line() -> None:
    text = f"{ago(minutes=1)} pool p2 empty\n{ago(minutes=9)} pool p1 empty\nhost h9\n"
    made = rule(
        When(all=(line(r"pool (?P<pool>\w+)"), line(r"host (?P<host>\w+)"))),
        "{{ pool }} on {{ host }} for {{ target.name }}",
    )
    (finding,), _ = match(picture(logs=[log(text)]), [made])
    assert finding.says == "p2 on h9 for agents-5f6d-aaaaa"
    assert finding.groups == {"pool": "p2", "host": "h9", "count": "3"}


def test_a_group_that_took_no_part_is_unknown() -> None:
    made = rule(When(any=(line(r"host (?P<host>\w+)"), line("nobody"))), "lost {{ host }}")
    (finding,), _ = match(picture(logs=[log("nobody\n")]), [made])
    assert finding.says == "lost unknown"


def test_a_few_lines_are_cited_and_they_differ() -> None:
    text = "".join(f"{ago(seconds=500 - n)} pool p{n % 7} empty\n" for n in range(400))
    made = rule(When(all=(line(r"pool (?P<pool>\w+) empty"),)), "{{ count }}")
    (finding,), _ = match(picture(logs=[log(text)]), [made])
    assert finding.says == "400"
    assert len(finding.evidence) == 4
    assert finding.evidence[0].line == 400
    assert finding.evidence[-1].line == 1
    assert len({cite.text.split()[2] for cite in finding.evidence[:3]}) == 3
    assert all(isinstance(cite.text, MaskedText) for cite in finding.evidence)


def test_the_finding_is_about_the_pod_or_the_workload_that_pods_share() -> None:
    both = ["agents-5f6d-aaaaa", "agents-5f6d-bbbbb"]
    pods = [pod(name) for name in both]
    made = [rule(When(all=(A,)))]
    (one,), _ = match(picture(pods, logs=[log("alpha", both[0])]), made)
    assert one.target == Target("agents", "Pod", both[0])
    (two,), _ = match(picture(pods, logs=[log("alpha", name) for name in both], target=None), made)
    assert two.target == Target("agents", "Deployment", "agents")
    (odd,), _ = match(picture(logs=[log("alpha", "x"), log("alpha", "y")]), made)
    assert odd.target == AGENTS


def test_words_out_of_lines_are_masked_again() -> None:
    made = rule(When(all=(line(r"login (?P<words>\w+ \S+)"),)), "password: {{ words }}")
    (finding,), _ = match(picture(logs=[log("login refused correct-horse-battery\n")]), [made])
    assert "correct-horse" not in finding.says or finding.says == mask(finding.says)
    assert isinstance(finding.says, MaskedText)
    assert all(isinstance(text, MaskedText) for text in finding.groups.values())


def test_a_template_in_the_text_is_text() -> None:
    made = rule(When(all=(line(r"says (?P<words>.*)"),)), "it says {{ words }}")
    (finding,), _ = match(picture(logs=[log("says {{ target.name }} and {{ count }}\n")]), [made])
    assert finding.says == "it says {{ target.name }} and {{ count }}"


def test_a_rule_that_takes_too_long_is_a_gap_and_the_others_go_on() -> None:
    slow = rule(When(all=(line("(a|aa)+$"),)), name="slow")
    quick = rule(When(all=(A,)), name="quick")
    findings, gaps = match(picture(logs=[log("a" * 60 + "!\nalpha\n")]), [slow, quick], budget=0.05)
    assert [finding.rule for finding in findings] == ["quick"]
    assert [(gap.source, gap.why) for gap in gaps] == [("rules", "rule slow was given up after 0.05 s on this text")]


def test_rules_see_what_earlier_rules_found() -> None:
    first = rule(When(all=(A,)), name="first", fault="dns_failing")
    second = rule(When(all=(A, FindingIs("dns_failing"))), name="second")
    third = rule(When(all=(A,), none=(FindingIs("second"),)), name="third")
    findings, _ = match(picture(logs=[log("alpha")]), [third, second, first])
    assert [finding.rule for finding in findings] == ["first", "second"]


RULE = """\
rules:
  - name: pool_empty
    fault: connection_pool_exhausted
    says: '{{ pool }}'
    when: {all: [{source: pod_logs, pattern: 'pool (?P<pool>\\S+) is empty', within: 5m}], none: [{finding: overload}]}
    source: a test
    cases:
      - {name: right, evidence: {pod_logs: 'pool p1 is empty'}, finds: {pool: p1}}
      - {name: other group, evidence: {pod_logs: 'pool p1 is empty'}, finds: {pool: p2}}
      - {name: finds after all, evidence: {pod_logs: 'pool p1 is empty'}, finds: nothing}
      - {name: finds nothing after all, evidence: {pod_logs: 'pool p1 is full'}, finds: {}}
      - {name: right, there is none, evidence: {pod_logs: 'pool p1 is full'}, finds: nothing}
      - {name: given a finding, evidence: {pod_logs: 'pool p1 is empty'}, findings: [overload], finds: nothing}
      - name: the newest line is now
        evidence: {pod_logs: "2026-03-04T10:00:00Z pool p1 is empty\\n2026-03-04T10:06:00Z bye"}
        finds: nothing
"""


def test_cases_of_a_rule_are_run() -> None:
    (made,) = parse(RULE.replace("right, there is none", "right too"), "rules.yaml")
    results = cases.run(made)
    assert [(result.line, result.passed, result.expected, result.got) for result in results] == [
        (8, True, "finds pool=p1", "finds pool=p1"),
        (9, False, "finds pool=p2", "finds pool=p1"),
        (10, False, "nothing", "finds pool=p1"),
        (11, False, "finds it", "nothing"),
        (12, True, "nothing", "nothing"),
        (13, True, "nothing", "nothing"),
        (14, True, "nothing", "nothing"),
    ]
    assert results[0].name == "pool_empty: right"
