"""All that opsbot says in Slack, by name, each with its golden file. `python -m tests.chat.golden` writes them anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsbot.chat import notes, replies
from opsbot.chat.card import card
from opsbot.commands import shape, silence
from opsbot.core.approval import ApprovalState, Decision
from opsbot.core.audit import AuditEntry
from opsbot.core.canonical import plain
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Ruling, StepState, Verdict
from opsbot.core.silence import Silence
from opsbot.mask import mask
from opsbot.matchers import parse
from tests.chat.chat_world import (
    ALERT,
    CAUSE,
    GUESS,
    NOW,
    ORIGINS,
    PLAN,
    SYMPTOM,
    approval_of,
    awaiting,
    help_data,
    incident_in,
    made_plan,
    run_of,
)  # fmt: skip

FOLDER = Path(__file__).parent.parent / "golden" / "slack"
Body = dict[str, Any]
OPINION = "The model gave hypotheses (dropped: 2 quote not found)."
SILENT = "The model gave no answer: the model m at http://m:8000 refuses the connection."
LATER = NOW + timedelta(minutes=3)
CALM = {
    "open": 0, "states": {}, "waiting": [], "silences": {"active": 0, "pending": 0, "next": None}, "maintenance": [],
}  # fmt: skip
HUSHED = Silence(
    3, parse('namespace=~"shop-.*", severity!="critical"'), "Ana", "load test\nuntil two", NOW, NOW,
    NOW + timedelta(hours=2), "Ben",
)  # fmt: skip
YES = Decision("Ana", True, NOW + timedelta(minutes=1), "slack")
NO = Decision("Ana", False, NOW + timedelta(minutes=1), "slack", mask("wrong hour, the release is still running"))
DENIED = Ruling("max_replicas", Verdict.DENY, "max_replicas", "scale_up_agents: 22 replicas are more than 20")


def approved(state: State, **given: Any) -> Incident:
    used = approval_of(PLAN, state=ApprovalState.USED, decisions=(YES,))
    return incident_in(state, **({"plan": PLAN, "approval": used, "since": LATER} | given))


def two_of_two() -> Incident:
    plan = made_plan(quorum=2, second_person=True)
    return awaiting(plan, approval=approval_of(plan, second_person=True, decisions=(YES,)))


INCIDENTS: dict[str, Incident] = {
    "open": incident_in(),
    "open without target": incident_in(target=None, severity="warning"),
    "diagnosed": incident_in(State.DIAGNOSED),
    "diagnosed with hypotheses": incident_in(State.DIAGNOSED, hypotheses=(GUESS,), asked=True, open_question=True),
    "diagnosed with no answer of a model": incident_in(State.DIAGNOSED, asked=True, open_question=True),
    "diagnosed without cause": incident_in(State.DIAGNOSED, findings=(), says=mask("no cause found")),
    "waiting": awaiting(acked_by="Ben", alerts=(ALERT,)),
    "waiting for a second": two_of_two(),
    "approved": approved(State.APPROVED, approval=approval_of(PLAN, state=ApprovalState.APPROVED, decisions=(YES,))),
    "running": approved(State.RUNNING, run=replace(run_of(StepState.DONE, StepState.WAITING), ended_at=None)),
    "verifying": approved(State.VERIFYING, run=run_of(StepState.DONE, StepState.DONE), reason="ran"),
    "parked": approved(State.PARKED, reason="kill_switch", says=mask("the kill switch is on")),
    "rejected": incident_in(
        State.ESCALATED, plan=PLAN, approval=approval_of(PLAN, state=ApprovalState.REJECTED, decisions=(NO,)),
        reason="rejected", says=mask("Ana said no"),
    ),
    "expired": incident_in(
        State.ESCALATED, plan=PLAN, approval=approval_of(PLAN, state=ApprovalState.EXPIRED), reason="expired",
    ),
    "nothing safe": incident_in(
        State.ESCALATED, rulings=(DENIED,), reason="nothing_safe", says=mask("no playbook may run"),
    ),
    "failed": approved(
        State.ESCALATED, run=run_of(StepState.DONE, StepState.FAILED), reason="step_failed",
        says=mask("the rollout did not end within 5m"),
    ),
    "resolved": approved(
        State.RESOLVED, run=run_of(StepState.DONE, StepState.DONE), reason="verified", resolved_at=LATER,
        says=mask("it helped: High Task Latency holds no more"),
    ),
    "cleared": incident_in(State.RESOLVED, reason="cleared", resolved_at=LATER, findings=(SYMPTOM,), since=LATER),
    "reopened": incident_in(reopened=1, round=2),
}  # fmt: skip


def cards() -> Iterator[tuple[str, Body]]:
    for name, incident in INCIDENTS.items():
        yield f"card {name}", card(incident, ORIGINS, ["Ana"], _opinion(incident))


THREADS = (
    "waiting", "diagnosed with hypotheses", "diagnosed with no answer of a model", "rejected", "failed", "resolved",
    "parked", "reopened",
)  # fmt: skip


def threads() -> Iterator[tuple[str, Body]]:
    """The notes of some incidents, in one file each."""
    for name in THREADS:
        incident = INCIDENTS[name]
        yield f"thread {name}", {draft.key: draft.body for draft in notes.notes(incident, ORIGINS, _opinion(incident))}


def _opinion(incident: Incident) -> str:
    """What came of asking a model, where it was asked."""
    return (OPINION if incident.hypotheses else SILENT) if incident.asked else ""


def answers() -> Iterator[tuple[str, Body]]:
    brief = {"incident": shape.brief(INCIDENTS["waiting"])}
    rows = [shape.brief(INCIDENTS[name]) for name in ("waiting", "failed", "open without target")]
    found = {
        "target": shape.target(CAUSE.target), "findings": [shape.finding(CAUSE), shape.finding(SYMPTOM)],
        "hypotheses": [shape.hypothesis(GUESS)], "model": {"reason": "answered", "says": OPINION},
        "origins": ORIGINS,
        "gaps": [{"source": "events", "why": "403: may not list events"}],
        "proposals": [{"playbook": "scale_up_agents", "why": "overload", "from": "finding"}],
    }  # fmt: skip
    status = {
        "cluster": "prod-1", "mode": "propose", "open": 3,
        "states": {"awaiting_approval": 1, "escalated": 1, "open": 1},
        "waiting": rows[:2], "changes": {"last_hour": 1, "allowed": 10},
        "silences": {"active": 2, "pending": 1, "next": {"id": 3, "ends_at": plain(LATER)}},
        "maintenance": [{"name": "night", "ends_at": plain(LATER)}],
    }  # fmt: skip
    entry = AuditEntry(42, 1, NOW, "Ana", "diagnose_again", "asked_by_human", {}, "", "")
    yield "reply approve", replies.reply("approve", brief)
    yield "reply status", replies.reply("status", status)
    yield "reply status quiet", replies.reply("status", {**status, **CALM})
    yield "reply incidents", replies.reply("incidents", {"incidents": rows, "more": True})
    yield "reply incidents none", replies.reply("incidents", {"incidents": [], "more": False})
    yield "reply diagnose", replies.reply("diagnose", found)
    prompt = {"system": "You look at an incident.", "text": "evidence e1\nqueue is full", "schema": {}}
    yield "reply diagnose prompt", replies.reply("diagnose", {"target": found["target"], "prompt": prompt})
    yield "reply help", replies.reply("help", help_data(""))
    yield "reply help approve", replies.reply("help", help_data("approve"))
    shown = card(INCIDENTS["waiting"], ORIGINS, ["Ana"])
    yield from silences()
    yield "reply show", replies.shown(shown, [shape.entry(entry)], 42)
    yield "reply trouble", replies.trouble("Ben may not approve:scale; ask Ana (sre)")
    yield "form reject", replies.form(approval_of(PLAN).id, 42, PLAN.digest[:8])


def silences() -> Iterator[tuple[str, Body]]:
    made = {
        "silence": silence.silence(HUSHED, NOW), "matchers": silence.silence(HUSHED, NOW)["matchers"],
        "alerts": [{**shape.alert(ALERT), "incident": 42}], "more": True, "firing": 120, "incidents": [42],
        "overlaps": [1, 2],
    }  # fmt: skip
    nothing: Body = {"silence": None, "alerts": [], "more": False, "firing": 0, "incidents": [], "overlaps": []}
    listed = [silence.silence(HUSHED, at) for at in (NOW, NOW - timedelta(hours=1), NOW + timedelta(days=1))]
    yield "reply silence add", replies.reply("silence add", made)
    yield "reply silence preview", replies.reply("silence add", {**made, "silence": None, "firing": 1, "overlaps": []})
    yield "reply silence preview nothing", replies.reply("silence add", {**made, **nothing})
    yield "reply silence list", replies.reply("silence list", {"silences": listed, "more": True})
    yield "reply silence list none", replies.reply("silence list", {"silences": [], "more": False})
    yield "reply silence expire", replies.reply("silence expire", {"silence": listed[2]})


def bodies() -> dict[str, Body]:
    return {name: body for part in (cards, threads, answers) for name, body in part()}


def file_of(name: str) -> Path:
    return FOLDER / f"{name.replace(' ', '_')}.json"


def text_of(body: Body) -> str:
    return json.dumps(body, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, body in bodies().items():
        file_of(name).write_text(text_of(body), encoding="utf-8")


if __name__ == "__main__":
    write()
