"""Whether a model is asked, and what comes of it: pure decisions, and a model that is passed in."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.diagnosis import Finding, Hypothesis, Proposal, thought_of
from opsbot.core.errors import Blind, Refused
from opsbot.core.evidence import Picture
from opsbot.core.target import Target
from opsbot.diagnose.analyze import Opinion, ask, needed
from opsbot.diagnose.case import Case, spelt
from opsbot.diagnose.diagnosis import diagnose
from opsbot.mask import mask
from opsbot.testing import FakeModel
from tests.diagnose.diagnosis_world import AGENTS, NOW, crash_loop, event, log, picture, pod

ALERT = Alert("r", "High", "f", "critical", {}, AlertState.FIRING, NOW)


def finding(fault: str, *explains: str, cause: bool = False, by: str | None = None, rule: str = "") -> Finding:
    return Finding(rule or fault, fault, AGENTS, mask("…"), 0.8, (), explains, cause=cause, explained_by=by)


OOM = finding("out_of_memory", "crash_loop", "restarts", cause=True)
LOOP = finding("crash_loop", by="out_of_memory")
SLOW = finding("high_latency")
NEEDED: dict[str, tuple[list[Finding], list[Alert], bool]] = {
    "nothing is wrong": ([], [], False),
    "an alert and nothing found": ([], [ALERT], True),
    "a symptom alone": ([SLOW], [], True),
    "a guess alone": ([finding("app_error")], [], True),
    "a cause alone": ([OOM], [ALERT], False),
    "a cause that explains all": ([OOM, LOOP], [ALERT], False),
    "a symptom more than the cause explains": ([OOM, LOOP, SLOW], [ALERT], True),
    "two causes, each half of it": (
        [OOM, LOOP, finding("overload", "high_latency", cause=True), replace(SLOW, explained_by="overload")], [], True,
    ),
    "two causes, one of them all": (
        [finding("overload", "high_latency", "crash_loop", cause=True), OOM, LOOP, SLOW], [], False,
    ),
    "explained over a step between": (
        [OOM, finding("app_crash", "pod_not_ready", by="out_of_memory"), finding("pod_not_ready", by="app_crash")],
        [], False,
    ),
    "a circle": ([OOM, finding("high_errors", by="high_latency"), finding("high_latency", by="high_errors")], [], True),
}  # fmt: skip


@pytest.mark.parametrize(("found", "alerts", "open_question"), NEEDED.values(), ids=NEEDED)
def test_a_question_is_open_where_no_cause_explains_it_all(
    found: list[Finding], alerts: list[Alert], open_question: bool
) -> None:
    assert needed(found, alerts) is open_question
    assert needed(found, alerts, always=True) is True


def test_on_real_findings() -> None:
    explained = diagnose(picture([crash_loop(137)]), [])
    assert {f.fault for f in explained.findings} > {"crash_loop"}
    assert needed(explained.findings) is not any(f.cause for f in explained.findings)
    assert needed(diagnose(picture([pod()]), []).findings) is False


# asking -------------------------------------------------------------------------------------------------------------

LINE = "2026-03-04T10:00:00Z worker stopped answering after lease 77"
GOOD = {
    "fault": "deadlock_or_hang", "object": "Deployment/agents/agents", "confidence": 0.7, "says": "It hangs.",
    "evidence": [{"id": "e1", "quote": "stopped answering"}], "playbook": "restart_workload",
}  # fmt: skip
CASE = Case(AGENTS, picture(logs=[log(f"{LINE}\n")]).evidence, playbooks={"restart_workload": "Restart it"})


def said(*items: Any) -> str:
    return json.dumps({"hypotheses": list(items)})


def test_an_opinion_is_what_was_checked() -> None:
    model = FakeModel(said(GOOD, {**GOOD, "fault": "gremlins"}))
    found = ask(model, CASE, 60_000)
    (thought,) = found.hypotheses
    assert (thought.fault, thought.target, thought.confidence) == ("deadlock_or_hang", AGENTS, 0.7)
    assert (thought.proposal, [quote.quote for quote in thought.evidence]) == (
        "restart_workload",
        ["stopped answering"],
    )
    assert (found.reason, found.dropped, found.tokens) == ("answered", {"unknown_fault": 1}, 1100)
    assert len(model.asked) == 1


@pytest.mark.parametrize(
    ("answer", "opinion"),
    [
        (said(), Opinion("nothing_to_add", tokens=1100)),
        (said("restart it"), Opinion("nothing_usable", dropped={"wrong_shape": 1}, tokens=1100)),
        ("garbage", Opinion("nothing_usable", dropped={"not_json": 1}, tokens=1100)),
        ("x" * 30_000, Opinion("nothing_usable", dropped={"over_long": 1}, tokens=1100)),
        (Blind("no answer from it"), Opinion("no_answer", why=mask("no answer from it"))),
        (Refused("over_budget", "no money left"), Opinion("over_budget", why=mask("no money left"))),
        (Refused("budget_unreadable", "who knows"), Opinion("budget_unreadable", why=mask("who knows"))),
    ],
    ids=["nothing", "shape", "garbage", "over-long", "none", "budget", "unreadable"],
)
def test_whatever_goes_wrong_has_a_name(answer: Any, opinion: Opinion) -> None:
    assert ask(FakeModel(answer), CASE, 60_000) == opinion


def test_without_evidence_there_is_nothing_to_ask() -> None:
    model = FakeModel(said(GOOD))
    assert ask(model, Case(AGENTS, ()), 60_000).reason == "no_evidence"
    assert model.asked == []


# what may be chosen from --------------------------------------------------------------------------------------------


def test_objects_are_those_of_the_picture_and_the_target_comes_first() -> None:
    seen: Picture = picture([pod()], events=[event("BackOff", "…", name="agents-gone-1")], logs=[log("x\n")])
    names = list(Case(AGENTS, seen.evidence).objects)
    assert names[0] == "Deployment/agents/agents"
    assert set(names) == {"Deployment/agents/agents", "Pod/agents/agents-5f6d-aaaaa", "Pod/agents/agents-gone-1"}


def test_what_is_in_no_namespace_is_spelt_without_one() -> None:
    assert spelt(Target("", "Node", "node-1")) == "Node/node-1"


def test_the_likeliest_thought_is_proposed_first_and_each_playbook_once() -> None:
    def thought(playbook: str | None, confidence: float, says: str) -> Hypothesis:
        return Hypothesis("overload", AGENTS, mask(says), confidence, (), playbook)

    thoughts = [
        thought("a", 0.2, "maybe"),
        thought(None, 0.9, "surely"),
        thought("b", 0.5, "well"),
        thought("a", 0.8, "so"),
    ]
    assert thought_of(thoughts) == (Proposal("a", mask("so"), "model"), Proposal("b", mask("well"), "model"))
    assert thought_of([]) == ()
