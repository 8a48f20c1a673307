"""Incidents as JSON values: the documented shapes that every door builds on. Keys may be added, never renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from opsbot.core.alert import Alert
from opsbot.core.approval import Approval
from opsbot.core.audit import AuditEntry
from opsbot.core.canonical import plain
from opsbot.core.diagnosis import Finding, Hypothesis, Proposal
from opsbot.core.duration import spell
from opsbot.core.errors import PermanentError, Refused
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan, PlannedStep, Ruling, Run
from opsbot.core.ports import Store
from opsbot.core.target import Target
from opsbot.diagnose import opinion
from opsbot.report import flapping

PREFIX = 8
LARGEST = 2**63 - 1
"""No store numbers its rows beyond this."""


def wanted(store: Store, number: int) -> Incident:
    """The incident of this number; PermanentError where there is none."""
    found = store.load(number) if 0 < number <= LARGEST else None
    if found is None:
        raise PermanentError(f"there is no incident {number}; `opsbot incidents --all` lists them")
    return found


def moved(incident: Incident, event: str, now: datetime, reason: str, called: str) -> Incident:
    """The incident after what a human asked for; Refused("no_such_edge") says what can be done instead."""
    try:
        return advance(incident, event, now, reason=reason)
    except Refused as refused:
        raise Refused(refused.reason, f"incident {incident.id} cannot be {called}: {_meanwhile(incident)}") from refused


def _meanwhile(incident: Incident) -> str:
    match incident.state:
        case State.RESOLVED:
            return f"it is resolved already; `show {incident.id}` tells how"
        case State.AWAITING_APPROVAL:
            return f"its plan waits for an answer; `reject {incident.id}` first"
        case State.OPEN:
            return "it is being diagnosed; ask again in a moment"
        case _:
            return f"a change is under way ({incident.state.value}); ask again when it has ended"


def target(value: Target | None) -> dict[str, str] | None:
    """A target by name."""
    if value is None:
        return None
    return {"kind": value.kind, "namespace": value.namespace, "name": value.name, "cluster": value.cluster}


def brief(incident: Incident) -> dict[str, Any]:
    """A line of `incidents`."""
    waiting = incident.plan if incident.state == "awaiting_approval" else None
    return {
        "id": incident.id,
        "state": incident.state.value,
        "reason": incident.reason,
        "severity": incident.severity,
        "title": incident.title,
        "target": target(incident.target),
        "origin": incident.origin,
        "opened_at": plain(incident.opened_at),
        "since": plain(incident.since),
        "resolved_at": plain(incident.resolved_at),
        "reopened": incident.reopened,
        "acked_by": incident.acked_by,
        "flapping": flapping(incident),
        "causes": [f.fault for f in incident.findings if f.cause],
        "plan": waiting.digest[:PREFIX] if waiting else None,
    }


def alert(value: Alert) -> dict[str, Any]:
    """An alert, without the fields that only the state machine needs."""
    return {
        "name": value.name, "state": value.state.value, "severity": value.severity, "labels": dict(value.labels),
        "value": value.value, "holds": value.holds, "active_at": plain(value.active_at),
        "fired_at": plain(value.fired_at), "resolved_at": plain(value.resolved_at),
        "annotations": dict(value.annotations), "fingerprint": value.fingerprint, "source": value.source,
        "target": target(value.target),
    }  # fmt: skip


def finding(value: Finding) -> dict[str, Any]:
    """A finding as `diagnose` prints it."""
    return {
        "rule": value.rule, "fault": value.fault, "target": target(value.target), "says": value.says,
        "confidence": value.confidence, "rank": value.rank, "cause": value.cause, "explained_by": value.explained_by,
        "evidence": [{"id": c.id, "source": c.source, "line": c.line, "text": c.text} for c in value.evidence],
    }  # fmt: skip


def gap(value: Gap) -> dict[str, str]:
    """A source that could not be read."""
    return {"source": value.source, "why": value.why}


def hypothesis(value: Hypothesis) -> dict[str, Any]:
    """What a model thinks, with the words that it takes from evidence; never a cause."""
    return {
        "fault": value.fault, "target": target(value.target), "says": value.says, "confidence": value.confidence,
        "evidence": [{"id": quote.id, "quote": quote.quote} for quote in value.evidence], "proposal": value.proposal,
    }  # fmt: skip


def asked(incident: Incident, entries: Sequence[AuditEntry]) -> dict[str, Any] | None:
    """What came of asking a model about the present round; None where none was asked."""
    found = opinion.outcome(incident, entries)
    return {"reason": found.reason, "says": found.says} if found else None


def proposal(value: Proposal) -> dict[str, str]:
    """What is proposed, and who thought of it."""
    return {"playbook": value.playbook, "why": value.why, "from": value.origin}


def ruling(value: Ruling) -> dict[str, str]:
    """A guardrail's verdict."""
    return {"guardrail": value.guardrail, "verdict": value.verdict.value, "reason": value.reason, "says": value.says}


def step(value: PlannedStep) -> dict[str, Any]:
    """A planned step in words, diff and kubectl."""
    return {
        "do": value.do, "says": value.says, "arguments": plain(value.arguments), "diff": list(value.diff),
        "kubectl": value.kubectl, "timeout": spell(value.timeout), "reversible": value.reversible,
    }  # fmt: skip


def plan(value: Plan) -> dict[str, Any]:
    """A plan with the digest that an approval binds."""
    return {
        "digest": value.digest, "prefix": value.digest[:PREFIX], "playbook": value.playbook,
        "target": {**(target(value.target) or {}), "uid": value.target.uid}, "inputs": dict(value.inputs),
        "why": value.why, "from": value.origin, "steps": [step(s) for s in value.steps],
        "undo": [step(s) for s in value.undo], "reads": plain(value.reads), "permission": value.permission,
        "quorum": value.quorum, "second_person": value.second_person, "expires_at": plain(value.expires_at),
    }  # fmt: skip


def approval(value: Approval) -> dict[str, Any]:
    """The question and what was said to it."""
    return {
        "id": value.id, "state": value.state.value, "permission": value.permission, "quorum": value.quorum,
        "asked_at": plain(value.asked_at), "expires_at": plain(value.expires_at),
        "decisions": [
            {"person": d.person, "approves": d.approves, "at": plain(d.at), "door": d.door, "reason": d.reason}
            for d in value.decisions
        ],
    }  # fmt: skip


def run(value: Run) -> dict[str, Any]:
    """What was done."""
    return {
        "id": value.id, "started_at": plain(value.started_at), "ended_at": plain(value.ended_at),
        "undone": value.undone,
        "steps": [
            {"index": s.index, "undo": s.undo, "state": s.state.value, "says": s.says, "action": s.action,
             "started_at": plain(s.started_at), "ended_at": plain(s.ended_at)}
            for s in value.steps
        ],
    }  # fmt: skip


def evidence(value: Evidence) -> dict[str, Any]:
    """A piece of evidence with all its text."""
    return {
        "id": value.id, "source": value.source, "about": target(value.about), "taken_at": plain(value.taken_at),
        "origin": value.origin, "truncated": value.truncated, "text": value.text,
    }  # fmt: skip


def entry(value: AuditEntry) -> dict[str, Any]:
    """An audit entry."""
    return {
        "seq": value.seq, "at": plain(value.at), "who": value.who, "act": value.act, "reason": value.reason,
        "detail": dict(value.detail), "digest": value.digest,
    }  # fmt: skip


def full(incident: Incident, pieces: Sequence[Evidence], entries: Sequence[AuditEntry]) -> dict[str, Any]:
    """All of an incident: the shape of `show`."""
    parts: Mapping[str, Any] = {
        "alerts": [alert(a) for a in incident.alerts],
        "findings": [finding(f) for f in incident.findings],
        "gaps": [gap(g) for g in incident.gaps],
        "hypotheses": [hypothesis(h) for h in incident.hypotheses],
        "model": asked(incident, entries),
        "proposals": [proposal(p) for p in incident.proposals],
        "rulings": [ruling(r) for r in incident.rulings],
        "plan": plan(incident.plan) if incident.plan else None,
        "approval": approval(incident.approval) if incident.approval else None,
        "run": run(incident.run) if incident.run else None,
        "evidence": [evidence(e) for e in pieces],
        "audit": [entry(e) for e in entries],
    }
    return {**brief(incident), "version": incident.version, "round": incident.round, "says": incident.says, **parts}
