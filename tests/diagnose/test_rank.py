from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Gap, MaskedText, Picture
from opsbot.core.target import Target
from opsbot.diagnose.diagnosis import diagnose
from opsbot.diagnose.propose import propose
from opsbot.diagnose.rank import rank
from opsbot.diagnose.rulefile import load
from opsbot.mask import mask
from tests.diagnose.diagnosis_world import AGENTS, NOW, crash_loop, deployment, log, picture, pod

POD = Target("agents", "Pod", "agents-1")
OTHER = Target("agents", "Deployment", "shop")


def finding(
    fault: str, confidence: float = 0.9, *explains: str, target: Target = AGENTS, suggests: tuple[str, ...] = ()
) -> Finding:
    return Finding(fault, fault, target, mask(f"it is {fault}"), confidence, (), explains, suggests)


def root(target: Target) -> Target:
    return AGENTS if target == POD else target


def told(*findings: Finding) -> list[tuple[str, bool, str | None]]:
    return [(f.fault, f.cause, f.explained_by) for f in rank(findings, root)]


TABLE: dict[str, tuple[tuple[Finding, ...], list[tuple[str, bool, str | None]]]] = {
    "a cause and its symptoms": (
        (finding("crash_loop"), finding("out_of_memory", 0.9, "crash_loop", "app_crash"), finding("app_crash", 0.85)),
        [("out_of_memory", True, None), ("app_crash", False, "out_of_memory"), ("crash_loop", False, "out_of_memory")],
    ),
    "a symptom is never a cause": ((finding("crash_loop"),), [("crash_loop", False, None)]),
    "two causes, the surer first": (
        (finding("disk_full", 0.7), finding("dns_failing", 0.9)),
        [("dns_failing", True, None), ("disk_full", True, None)],
    ),
    "what says why comes before what says that": (
        (finding("app_crash", 0.95), finding("dns_failing", 0.6)),
        [("dns_failing", True, None), ("app_crash", True, None)],
    ),
    "a guess is no cause": ((finding("overload", 0.4),), [("overload", False, None)]),
    "a guess explains nothing": (
        (finding("overload", 0.4, "app_crash"), finding("app_crash")),
        [("app_crash", True, None), ("overload", False, None)],
    ),
    "of two of one fault the surer stands": (
        (finding("out_of_memory", 0.8), replace(finding("out_of_memory", 0.95), rule="check")),
        [("out_of_memory", True, None), ("out_of_memory", False, "check")],
    ),
    "other workloads are other stories": (
        (finding("out_of_memory", 0.9, "crash_loop"), finding("app_crash", 0.8, target=OTHER),
         finding("crash_loop", target=OTHER)),
        [("out_of_memory", True, None), ("app_crash", True, None), ("crash_loop", False, None)],
    ),
    "a pod belongs to its workload": (
        (finding("out_of_memory", 0.9, "crash_loop", target=POD), finding("crash_loop")),
        [("out_of_memory", True, None), ("crash_loop", False, "out_of_memory")],
    ),
    "a chain": (
        (finding("overload", 0.9, "high_latency"), finding("slow_dependency", 0.7, "overload"),
         finding("high_latency")),
        [("slow_dependency", True, None), ("overload", False, "slow_dependency"), ("high_latency", False, "overload")],
    ),
    "a circle is cut at its weaker link": (
        (finding("overload", 0.9, "slow_dependency"), finding("slow_dependency", 0.7, "overload")),
        [("overload", True, None), ("slow_dependency", False, "overload")],
    ),
    "a circle of three": (
        (finding("overload", 0.9, "disk_full"), finding("disk_full", 0.8, "dns_failing"),
         finding("dns_failing", 0.7, "overload")),
        [("overload", True, None), ("disk_full", False, "overload"), ("dns_failing", False, "disk_full")],
    ),
    "nothing": ((), []),
}  # fmt: skip


@pytest.mark.parametrize(("findings", "want"), TABLE.values(), ids=TABLE)
def test_causes_come_first_and_explain_the_rest(
    findings: tuple[Finding, ...], want: list[tuple[str, bool, str | None]]
) -> None:
    for order in permutations(findings):
        assert told(*order) == want


@pytest.mark.parametrize("findings", [given for given, _ in TABLE.values()], ids=TABLE)
def test_ranks_count_from_one(findings: tuple[Finding, ...]) -> None:
    assert [f.rank for f in rank(findings, root)] == list(range(1, len(findings) + 1))


# proposals ----------------------------------------------------------------------------------------------------------

SHIPPED = tuple(rule for file in sorted((Path(__file__).parents[2] / "rules").glob("*.yaml")) for rule in load(file))
KNOWN = ("scale_up_agents", "restart_workload", "third")


def cause(rank: int, *suggests: str, is_cause: bool = True) -> Finding:
    return replace(finding("overload", suggests=suggests), rank=rank, cause=is_cause)


def alert(*actions: str, severity: str = "critical", state: AlertState = AlertState.FIRING) -> Alert:
    return Alert("r", "Slow", "f", severity, {}, state, NOW, actions=actions)


@pytest.mark.parametrize(
    ("findings", "alerts", "want"),
    [
        ((cause(1, "scale_up_agents"),), (), [("scale_up_agents", "finding")]),
        ((), (alert("restart_workload", "third"),), [("restart_workload", "alert"), ("third", "alert")]),
        ((cause(2, "third"), cause(1, "restart_workload")), (alert("scale_up_agents"),),
         [("restart_workload", "finding"), ("third", "finding"), ("scale_up_agents", "alert")]),
        ((cause(1, "scale_up_agents"),), (alert("scale_up_agents"),), [("scale_up_agents", "finding")]),
        ((cause(1, "rm_rf"),), (alert("drop_tables"),), []),
        ((cause(1, "third", is_cause=False),), (), []),
        ((cause(4, "third"), cause(1), cause(2), cause(3)), (), []),
        ((), (alert("third", state=AlertState.RESOLVED), alert("restart_workload", state=AlertState.PENDING)), []),
        ((), (alert("third", severity="info"), alert("restart_workload")),
         [("restart_workload", "alert"), ("third", "alert")]),
    ],
    ids=["of a cause", "of an alert", "causes by rank, then alerts", "each once", "unknown names", "no cause",
         "only the first causes", "alerts that are not up", "the worst alert first"],
)  # fmt: skip
def test_proposals_come_in_order_of_preference(
    findings: tuple[Finding, ...], alerts: tuple[Alert, ...], want: list[tuple[str, str]]
) -> None:
    proposals = propose(findings, alerts, KNOWN)
    assert [(made.playbook, made.origin) for made in proposals] == want
    assert all(isinstance(made.why, MaskedText) and made.why for made in proposals)


# all of it ----------------------------------------------------------------------------------------------------------


def test_a_crash_loop_for_want_of_a_cache_is_one_cause_with_its_symptoms() -> None:
    given = picture(
        [crash_loop()], workload=[deployment(status={"readyReplicas": 0})],
        logs=[log("starting\nError: connect ECONNREFUSED 10.0.3.7:6379\n", previous=True)],
    )  # fmt: skip
    found = diagnose(given, SHIPPED)
    assert [(f.fault, f.cause) for f in found.findings[:2]] == [("dependency_unreachable", True), ("app_crash", False)]
    assert {f.fault for f in found.findings[2:]} == {"crash_loop", "restarts", "pod_not_ready", "replicas_unavailable"}
    assert all(f.explained_by for f in found.findings[1:])
    assert found.says == (
        "dependency_unreachable: agents-5f6d-aaaaa cannot reach 10.0.3.7:6379: ECONNREFUSED (1 lines)."
    )


def test_a_healthy_target_has_no_cause_and_says_so() -> None:
    found = diagnose(picture([pod()], workload=[deployment()], logs=[log("INFO all is well\n")]), ())
    assert found.findings == ()
    assert found.says == "No cause found."


def test_gaps_are_said_aloud_and_nothing_is_proposed_without_a_target() -> None:
    blind = Picture(None, NOW, (), (Gap("pods", mask("403")), Gap("pods", mask("again")), Gap("events", mask("403"))))
    found = diagnose(blind, (), KNOWN, (alert("scale_up_agents"),))
    assert found.says == "No cause found. Not seen: pods, events."
    assert found.proposals == ()
    assert diagnose(Picture(AGENTS, NOW), (), KNOWN, (alert("scale_up_agents"),)).proposals[0].origin == "alert"
