"""The rules that ship: every case of each, and what an on-call engineer would not forgive."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opsbot.core.diagnosis import DiagnosisRule, FindingIs
from opsbot.core.evidence import Picture
from opsbot.core.faults import FAULTS, NAMES
from opsbot.diagnose import cases, rulefile
from opsbot.diagnose.diagnosis import diagnose
from opsbot.diagnose.order import ordered
from tests.diagnose.diagnosis_world import AGENTS, log, picture, pod

FOLDER = Path(__file__).parents[2] / "rules"
PLAYBOOKS = {"scale_up_agents", "restart_workload"}
RULES = tuple(rule for file in sorted(FOLDER.glob("*.yaml")) for rule in rulefile.load(file, PLAYBOOKS))
RESULTS = [result for rule in RULES for result in cases.run(rule)]


def test_they_load_together_and_there_are_enough_of_them() -> None:
    assert rulefile.together(RULES) == ()
    assert len(RULES) >= 12
    assert len(ordered(RULES)) == len(RULES)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: result.name)
def test_each_case_passes(result: cases.Result) -> None:
    assert result.passed, f"expected {result.expected}, got {result.got}"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_says_whose_words_it_reads_and_has_near_misses(rule: DiagnosisRule) -> None:
    assert len(rule.source) > 10
    assert any(case.finds is not None for case in rule.cases)
    assert any(case.finds is None for case in rule.cases)
    assert rule.fault in FAULTS
    assert set(rule.explains) <= NAMES - {rule.fault}


def test_cases_find_with_their_own_rule_what_other_rules_leave_alone() -> None:
    """A text that one rule is sure of is not taken for something quite different by another."""
    allowed = {frozenset(pair) for pair in (
        ("dependency_unreachable", "slow_dependency"), ("database_error", "disk_full"), ("database_error", "shm_full"),
        ("overload", "threads_exhausted"), ("app_error", "rate_limited"), ("out_of_memory", "threads_exhausted"),
        ("certificate_expired", "certificate_untrusted"), ("connection_pool_exhausted", "database_error"),
        ("disk_full", "database_error"),
    )}  # fmt: skip
    strangers = [f"{name} takes {text[:60]!r} for {fault}" for name, fault, text in _strangers(allowed)]
    assert not strangers


def _strangers(allowed: set[frozenset[str]]) -> Iterator[tuple[str, str, str]]:
    for rule in RULES:
        for case in rule.cases:
            text = case.evidence.get("pod_logs", "")
            if case.finds is None:
                continue
            for finding in diagnose(picture(logs=[log(text)]), RULES).findings:
                if finding.fault != rule.fault and frozenset((finding.fault, rule.fault)) not in allowed:
                    yield finding.rule, finding.fault, text


def read(*lines: str) -> set[str]:
    """The causes that all shipped rules together see in a log."""
    found = diagnose(picture(logs=[log("".join(f"{line}\n" for line in lines))]), RULES)
    return {finding.fault for finding in found.causes}


BUSY = "WARN task 8f21 timed out after 5000 ms waiting for a free worker (queue 41)"
HEALTHY = (
    "INFO listening on :8080", "INFO connected to database orders at 10.0.0.4:5432", "GET /healthz HTTP/1.1\" 200 2",
    "INFO payment queue size: 0", "INFO all gateways responding normally", "DEBUG retrying in 0 ms, 0 errors so far",
    "INFO no errors in the last hour", "INFO cache miss for key timeout_policy", "INFO worker pool: 8 workers, 3 idle",
    "INFO rate limit is 100 requests per second", "INFO TLS certificate valid until 2031-01-01",
    "WARN slow start: warm-up took 12 s", "INFO memory limit 256Mi, using 120Mi", "INFO dns cache holds 12 names",
    "INFO dead letter queue is empty", "INFO 0 of 1024 file descriptors in use",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "causes"),
    [
        (HEALTHY, set()),
        ((BUSY,) * 3, {"overload"}),
        (("ERROR connect to orders-db:5432 timed out after 3000 ms",), set()),
        (("ERROR upstream connect error: connect ETIMEDOUT 10.0.3.7:5432",), {"dependency_unreachable"}),
        ((BUSY, "INFO database query took 6.2 s", "INFO database query took 7.2 s"), {"slow_dependency"}),
        ((BUSY, "Error: connect ECONNREFUSED 10.0.3.7:6379"), {"dependency_unreachable"}),
        ((BUSY, "HikariPool-1 - Connection is not available, request timed out after 30000ms"),
         {"connection_pool_exhausted"}),
    ],
    ids=["healthy", "busy", "one connect timeout", "a connect timeout with its address", "busy for a slow database",
         "busy for want of a cache", "busy for want of connections"],
)  # fmt: skip
def test_what_the_rules_make_of_a_log(lines: tuple[str, ...], causes: set[str]) -> None:
    assert read(*lines) == causes


def test_overload_suggests_more_replicas_and_is_about_the_workload() -> None:
    logs = [log(BUSY + "\n", "agents-5f6d-aaaaa"), log(BUSY + "\n", "agents-5f6d-bbbbb")]
    given = picture([pod("agents-5f6d-aaaaa"), pod("agents-5f6d-bbbbb")], logs=logs)
    found = diagnose(given, RULES, PLAYBOOKS)
    assert [finding.fault for finding in found.causes] == ["overload"]
    assert found.causes[0].target == AGENTS
    assert "high_latency" in found.causes[0].explains
    assert [(proposal.playbook, proposal.origin) for proposal in found.proposals] == [("scale_up_agents", "finding")]


@pytest.mark.parametrize("hostile", ["a" * 60_000, "( " * 20_000, "\\" * 9_000, "x: " * 15_000, "\x1b[31m" * 9_000])
def test_long_and_odd_lines_cost_no_gap(hostile: str) -> None:
    found = diagnose(picture(logs=[log(f"{hostile}\n{BUSY}\n{hostile}")]), RULES)
    assert found.gaps == ()
    assert {finding.fault for finding in found.causes} == {"overload"}


def test_no_finding_condition_is_of_a_name_that_nothing_finds() -> None:
    names = {rule.name for rule in RULES} | {rule.fault for rule in RULES} | NAMES
    asked = [c for rule in RULES for c in (*rule.when.all, *rule.when.any, *rule.when.none) if isinstance(c, FindingIs)]
    assert asked
    assert {condition.finding for condition in asked} <= names


def test_an_empty_picture_is_no_news() -> None:
    assert diagnose(Picture(None, picture().taken_at), RULES).findings == ()
