"""Stores under contract, and values to put into them. A further store is one more row of STORES."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import Approval, Decision
from opsbot.core.diagnosis import Finding, Proposal
from opsbot.core.evidence import Citation, Evidence, Gap
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Plan, PlannedStep, Ruling, Run, StepRecord, StepState, Verdict, VerifySpec
from opsbot.core.target import Target
from opsbot.mask import mask
from opsbot.store import SqlStore, open_store

NOW = datetime(2026, 5, 4, 3, 2, 1, 987654, tzinfo=UTC)
AGENTS = Target("agents", "Deployment", "agents", cluster="prod-1", uid="u-1")
STORES: dict[str, Callable[[Path], str]] = {
    "sqlite file": lambda folder: f"sqlite:///{folder / 'opsbot.db'}",
    "sqlite memory": lambda _: "sqlite://",
}


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    opened = open_store(request.param(tmp_path), NOW)
    yield opened
    opened.close()


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def incident() -> Callable[..., Incident]:
    """A new incident; any field may be given."""

    def make(**given: Any) -> Incident:
        plain: dict[str, Any] = {
            "id": 0, "key": AGENTS.key, "version": 0, "state": State.OPEN, "severity": "critical",
            "title": mask("High Task Latency"), "opened_at": NOW, "since": NOW, "target": AGENTS,
        }  # fmt: skip
        return Incident(**(plain | given))

    return make


@pytest.fixture
def alert() -> Callable[..., Alert]:
    def make(name: str = "a1", **given: Any) -> Alert:
        plain: dict[str, Any] = {
            "rule": "rule-1", "name": "High Task Latency", "fingerprint": name, "severity": "critical",
            "labels": {"alertname": "High Task Latency", "pod": name}, "state": AlertState.FIRING, "active_at": NOW,
            "value": 5123.5, "fired_at": NOW, "annotations": {"summary": mask("p95 is 5123 ms")},
            "actions": ("scale_up_agents",), "target": AGENTS,
        }  # fmt: skip
        return Alert(**(plain | given))

    return make


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    def make(name: str = "e1", text: str = "timed out\nagain", **given: Any) -> Evidence:
        return Evidence(name, "pod_logs", AGENTS, NOW, mask(text), mask("pod agents-1"), **given)

    return make


@pytest.fixture
def gap() -> Gap:
    return Gap("events", mask("403: may not list events"))


@pytest.fixture
def full(incident: Callable[..., Incident]) -> Incident:
    """An incident with something in every field of its record."""
    steps = (PlannedStep("scale", {"replicas": 6, "by": 2.5, "why": None}, "scale 4 -> 6", timedelta(seconds=90),
                         ("- 4", "+ 6"), "kubectl scale"),)  # fmt: skip
    plan = Plan(
        playbook="scale_up_agents", playbook_digest="d" * 64, target=AGENTS, inputs={"add": 2, "fast": True, "x": 1.5},
        steps=steps, undo=steps, reads={"spec": {"replicas": 4, "paused": False}, "hpa": None},
        before={"replicas": 4}, permission="approve:scale", quorum=1, second_person=False, limits="l" * 64,
        made_at=NOW, expires_at=NOW + timedelta(minutes=15), nonce="n1", why=mask("overload"), origin="finding",
        verify=VerifySpec(alert_clears_within=timedelta(minutes=10)),
    )  # fmt: skip
    finding = Finding("overload", "overload", AGENTS, mask("too much work"), 0.8,
                      (Citation("e1", "pod_logs", 1, mask("timed out")),), ("high_latency",), ("scale_up_agents",), 1,
                      cause=True, groups={"what": mask("timeout")})  # fmt: skip
    approval = Approval("ap1", plan.digest, "approve:scale", 1, NOW, NOW + timedelta(minutes=15), "ana",
                        decisions=(Decision("ben", True, NOW, "cli", mask("go")),))  # fmt: skip
    ruling = Ruling("namespaces", Verdict.ALLOW, "ok", "fine")
    run = Run("run-1", plan.digest, NOW, (StepRecord(0, False, "act-1", StepState.DONE, NOW, NOW, "scaled"),), NOW)
    return incident(
        state=State.VERIFYING, reason="ran", asked_by="ana", acked_by="ben", open_question=True, round=2, reopened=1,
        flaps=(NOW,), flapping=True, collected_at=NOW, diagnosed_at=NOW,
        findings=(finding,), gaps=(Gap("rollouts", mask("timed out")),), rulings=(ruling,),
        proposals=(Proposal("scale_up_agents", mask("overload"), "finding"),), plan=plan, approval=approval, run=run,
        says=mask("overload on agents"),
    )  # fmt: skip
