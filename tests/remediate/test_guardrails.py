"""Each guardrail trips in one situation and not in its neighbour; none passes for lack of something to judge."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsbot.config import Limits
from opsbot.core.errors import Refused
from opsbot.core.playbook import Guardrails, Verdict
from opsbot.core.ports import PastRun
from opsbot.core.target import Target
from opsbot.core.task import Mode
from opsbot.mask import mask
from opsbot.remediate import facts as reading
from opsbot.remediate import guardrails
from opsbot.remediate.guardrails import GUARDRAILS, Situation, Surroundings, denial, judge
from opsbot.remediate.plan import Order, Terms, make
from tests.remediate.remediation_world import TARGET, shipped

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LIMITS = Limits()
BOUND = TARGET.named("u1")
FACTS = {**reading.SAMPLE, "namespace": "agents", "name": "agents", "replicas": 4}


@dataclass(frozen=True)
class Case:
    """What is different from a situation in which everything is allowed."""

    guardrail: str
    denies: bool
    reason: str = ""
    target: Target | None = BOUND
    facts: dict[str, Any] | None = None
    uid: str = "u1"
    limits: Limits = LIMITS
    mode: Mode = Mode.PROPOSE
    cluster: str = ""
    pause: str | None = ""
    runs: tuple[PastRun, ...] = ()
    rails: Guardrails | None = None
    when: str = "true"
    inputs: dict[str, Any] | None = None
    begun: bool = False
    no_facts: bool = False


def ran(ago: timedelta, playbook: str = "scale_up_agents", key: str = TARGET.key) -> PastRun:
    return PastRun(7, playbook, key, NOW - ago)


def situation(case: Case) -> Situation:
    playbook = replace(shipped(), when=case.when)
    playbook = replace(playbook, guardrails=case.rails) if case.rails else playbook
    order = Order(playbook, case.target, case.inputs if case.inputs is not None else {"add": 2}, mask("why"), "finding")
    facts = None if case.no_facts else {**FACTS, **(case.facts or {})}
    around = Surroundings(case.limits, case.mode, case.cluster, case.pause, case.runs, NOW)
    plan: Any = None
    if facts and case.target:
        try:
            plan = make(order, facts, Terms(case.limits.digest, NOW, "n"))
        except Refused as error:
            plan = error
    return Situation(around, order, facts, "" if case.no_facts else case.uid, plan, case.begun)


MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SELECTORS: dict[str, Any] = {"selector": {"matchLabels": {}, "matchExpressions": []}}
EXPRESSIONS: dict[str, Any] = {"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}

CASES = {
    "paused": Case("paused", True, pause="Ana: release"),
    "pause unreadable": Case("paused", True, "pause_unreadable", pause=None),
    "not paused": Case("paused", False),
    "observe": Case("mode", True, "observe", mode=Mode.OBSERVE),
    "propose": Case("mode", False, "approval_needed"),
    "act is not earned yet": Case("mode", False, "approval_needed", mode=Mode.ACT),
    "no target": Case("no_target", True, target=None),
    "a nameless target": Case("no_target", True, target=replace(BOUND, name="")),
    "a target": Case("no_target", False),
    "another cluster": Case("other_cluster", True, target=replace(BOUND, cluster="b"), cluster="a"),
    "a cluster, and ours has no name": Case("other_cluster", True, target=replace(BOUND, cluster="b")),
    "our cluster": Case("other_cluster", False, target=replace(BOUND, cluster="a"), cluster="a"),
    "a target that names no cluster": Case("other_cluster", False, cluster="a"),
    "never touch": Case("never_touch", True, target=replace(BOUND, namespace="kube-system")),
    "never touch, as configured": Case("never_touch", True, limits=Limits(never_touch=("agents",))),
    "may be touched": Case("never_touch", False),
    "another namespace": Case("namespaces", True, target=replace(BOUND, namespace="shop")),
    "no namespace": Case("namespaces", True, target=replace(BOUND, namespace=""), rails=Guardrails()),
    "its namespace": Case("namespaces", False),
    "any namespace": Case("namespaces", False, target=replace(BOUND, namespace="shop"), rails=Guardrails()),
    "another kind": Case("kinds", True, target=replace(BOUND, kind="DaemonSet")),
    "its kind": Case("kinds", False, target=replace(BOUND, kind="StatefulSet")),
    "gone": Case("target_gone", True, no_facts=True),
    "made anew": Case("target_gone", True, uid="u2"),
    "without a uid": Case("target_gone", True, uid=""),
    "there": Case("target_gone", False),
    "there, not bound yet": Case("target_gone", False, target=TARGET),
    "empty selector": Case("empty_selector", True, facts=SELECTORS),
    "no selector": Case("empty_selector", True, facts={"selector": {}}),
    "a selector": Case("empty_selector", False, facts=EXPRESSIONS),
    "autoscaled": Case("not_if", True, "hpa_owns_target", facts={"hpa_owns_target": True}),
    "not known whether autoscaled": Case("not_if", True, "hpa_owns_target", facts={"hpa_owns_target": None}),
    "rolling": Case("not_if", True, "rollout_in_progress", facts={"rollout_in_progress": True}),
    "rolling because of the run itself": Case("not_if", False, facts={"rollout_in_progress": True}, begun=True),
    "autoscaled since the run began": Case(
        "not_if", True, "hpa_owns_target", facts={"hpa_owns_target": True}, begun=True),
    "neither": Case("not_if", False),
    "both, which this playbook does not mind": Case(
        "not_if", False, facts={"hpa_owns_target": True, "rollout_in_progress": True}, rails=Guardrails()),
    "input out of bounds": Case("inputs", True, "bad_input", inputs={"add": 6}),
    "unknown input": Case("inputs", True, "bad_input", inputs={"more": 1}),
    "input of another type": Case("inputs", True, "bad_input", inputs={"add": "2"}),
    "a truth for a number": Case("inputs", True, "bad_input", inputs={"add": True}),
    "defaults": Case("inputs", False, inputs={}),
    "when not": Case("when", True, when="target.replicas > 4"),
    "when it cannot be judged": Case("when", True, "condition_field", when="target.labels.tier == 'a'"),
    "when it is no truth": Case("when", True, "condition_no_bool", when="target.replicas"),
    "when": Case("when", False, when="target.replicas == 4 && inputs.add == 2"),
    "when, in the middle": Case("when", False, when="target.replicas > 4", begun=True),
    "steps refused": Case("steps", True, "too_many", facts={"replicas": 2_147_483_646}),
    "steps planned": Case("steps", False),
    "above the ceiling": Case("max_replicas", True, facts={"replicas": 19}),
    "at the ceiling": Case("max_replicas", False, facts={"replicas": 18}),
    "no ceiling": Case("max_replicas", False, facts={"replicas": 500}, rails=Guardrails()),
    "a ceiling of 0": Case("max_replicas", True, rails=Guardrails(max_replicas=0)),
    "too soon": Case("cooldown", True, runs=(ran(9 * MINUTE),)),
    "just long enough ago": Case("cooldown", False, runs=(ran(10 * MINUTE),)),
    "another playbook ran": Case("cooldown", False, runs=(ran(MINUTE, playbook="other"),)),
    "it ran elsewhere": Case("cooldown", False, runs=(ran(MINUTE, key="/agents/Deployment/b"),)),
    "no cooldown": Case("cooldown", False, runs=(ran(timedelta()),), rails=Guardrails()),
    "third within the hour": Case("max_runs", True, runs=tuple(ran(n * MINUTE, key="k") for n in (11, 30, 59))),
    "second within the hour": Case("max_runs", False, runs=tuple(ran(n * MINUTE, key="k") for n in (11, 59, 61))),
    "no count": Case("max_runs", False, runs=(ran(MINUTE, key="k"),) * 9, rails=Guardrails()),
    "tenth change": Case("changes_per_hour", True, runs=(ran(MINUTE, "other", "k"),) * 10),
    "ninth change": Case("changes_per_hour", False, runs=(ran(MINUTE, "other", "k"),) * 9 + (ran(HOUR, "other", "k"),)),
    "no change allowed": Case("changes_per_hour", True, limits=Limits(changes_per_hour=0)),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_guardrail(case: Case) -> None:
    guardrail = getattr(guardrails, case.guardrail)
    ruling = guardrail(situation(case))
    assert ruling.guardrail == case.guardrail
    assert (ruling.verdict is Verdict.DENY) is case.denies
    assert ruling.reason == (case.reason or case.guardrail)
    assert bool(ruling.says) or not case.denies


@pytest.mark.parametrize("guardrail", GUARDRAILS, ids=lambda one: one.__name__)
def test_every_guardrail_trips_and_passes_in_some_case(guardrail: guardrails.Guardrail) -> None:
    assert {case.denies for case in CASES.values() if case.guardrail == guardrail.__name__} == {True, False}


@pytest.mark.parametrize("case", [c for c in CASES.values() if c.denies], ids=[n for n, c in CASES.items() if c.denies])
def test_a_situation_in_which_one_denies_is_denied(case: Case) -> None:
    rulings = judge(situation(case))
    assert rulings[-1].verdict is Verdict.DENY
    assert [ruling.verdict for ruling in rulings[:-1]].count(Verdict.DENY) == 0


def test_where_all_allow_a_human_is_asked() -> None:
    rulings = judge(situation(Case("", False)))
    assert [ruling.guardrail for ruling in rulings] == [guardrail.__name__ for guardrail in GUARDRAILS]
    assert [ruling.guardrail for ruling in rulings if ruling.verdict is Verdict.ASK] == ["mode"]
    assert denial(rulings) is None


def test_where_a_pushed_alert_did_not_say_its_cluster_a_human_is_asked() -> None:
    it = situation(Case("other_cluster", False, target=replace(BOUND, cluster="a"), cluster="a"))
    ruling = guardrails.other_cluster(replace(it, around=replace(it.around, cluster_said=False)))
    assert (ruling.verdict, ruling.reason) == (Verdict.ASK, "cluster_unsaid")


def test_nothing_known_denies_whatever_the_guardrail() -> None:
    """With nothing to judge by, every guardrail that looks at the target or the plan denies."""
    empty = Surroundings(Limits(), Mode.PROPOSE, "", None, (), NOW)
    nothing = Situation(empty, Order(shipped(), None, {}, mask(""), "finding"))
    allowing = {one.__name__ for one in GUARDRAILS if one(nothing).verdict is not Verdict.DENY}
    assert allowing == {"mode", "inputs", "max_replicas", "cooldown", "max_runs", "changes_per_hour"}
    assert guardrails.steps(nothing).verdict is Verdict.DENY  # which stands before max_replicas
