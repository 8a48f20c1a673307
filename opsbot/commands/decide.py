"""`approve` and `reject`: one person's word about the plan that waits."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.commands.person import refusal
from opsbot.core.approval import Decision
from opsbot.core.errors import Refused
from opsbot.mask import mask
from opsbot.remediate import approvals

OTHERS = ("same_person", "second_person")
"""Refusals that another person would not meet."""


def approve(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}; Refused names why the word does not count. PLAN must be what the person read."""
    return _decide(desk, person, args, approves=True)


def reject(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}; without PLAN the plan that waits now is rejected, whichever it is."""
    return _decide(desk, person, args, approves=False)


def _decide(desk: Desk, person: str, args: Namespace, *, approves: bool) -> Answer:
    incident = shape.wanted(desk.store, args.incident)
    prefix = args.plan or (incident.plan.digest if incident.plan and not approves else "")
    reason = mask(args.reason) if args.reason else None
    decision = Decision(person=person, approves=approves, at=desk.now, door=desk.door, reason=reason)
    try:
        decided = approvals.decide(incident, decision, prefix, desk.access, desk.store)
    except Refused as refused:
        raise _with_hint(desk, refused, person, incident.approval.permission if incident.approval else "") from refused
    return Answer({"incident": shape.brief(decided)})


def _with_hint(desk: Desk, refused: Refused, person: str, permission: str) -> Refused:
    """A refusal that somebody else can help with says who."""
    if refused.reason == "not_allowed":
        return refusal(desk.access, desk.door, person, permission)
    if refused.reason not in OTHERS:
        return refused
    return Refused(refused.reason, f"{refused}; {desk.access.whom_to_ask(permission, besides=person)}")
