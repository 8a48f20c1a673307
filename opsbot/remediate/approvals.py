"""Approvals: the question put about a plan, and what humans answer, checked against their rights each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from opsbot.core.approval import Approval, ApprovalState, Decision, enough
from opsbot.core.approval import decide as decided
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, Refused
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan
from opsbot.core.ports import Store

ATTEMPTS = 3


class Access(Protocol):
    """Who may do what; `opsbot.access.Access` is one."""

    def may(self, person: str, permission: str) -> bool:
        """Whether this person has the permission."""


def ask(plan: Plan, asked_by: str = "") -> Approval:
    """The question about a plan, standing from when it was made until it expires."""
    return Approval(
        id=plan.digest[:16], plan=plan.digest, permission=plan.permission, quorum=plan.quorum, asked_at=plan.made_at,
        expires_at=plan.expires_at, asked_by=asked_by, second_person=plan.second_person,
    )  # fmt: skip


def decide(incident: Incident, decision: Decision, prefix: str, access: Access, store: Store) -> Incident:
    """Record one person's yes or no about the plan that waits, and come back with the incident as saved.

    `prefix` is what the person read of the plan's digest. Refused names why it does not count: not_waiting,
    not_allowed, approval_<state>, approval_expired, other_plan, same_person, second_person, gone. Nothing is saved
    then. Where somebody else saved first, the decision is judged again on what is there now.
    """
    for _ in range(ATTEMPTS):
        after = judged(incident, decision, prefix, access)
        try:
            return store.save(after, _note(after, decision), decision.at)
        except Conflict:
            incident = _again(store, incident.id)
    raise Refused("busy", "others keep changing this incident; look again, then try again")


def judged(incident: Incident, decision: Decision, prefix: str, access: Access) -> Incident:
    """The incident with the decision in it, not saved; Refused as in `decide`. Pure."""
    approval = incident.approval
    if approval is None or incident.state is not State.AWAITING_APPROVAL:
        said = f", its last question {approval.state.value}" if approval else ""
        now = f"incident {incident.id} is {incident.state.value.replace('_', ' ')}{said}"
        raise Refused("not_waiting", f"nothing waits for an answer there: {now}; `show {incident.id}` tells the rest")
    if not access.may(decision.person, approval.permission):
        raise Refused("not_allowed", f"{decision.person or 'an unknown person'} may not {approval.permission}")
    made = decided(approval, decision, prefix)
    new = replace(incident, approval=made)
    if made.state is ApprovalState.APPROVED:
        return advance(new, "approved", decision.at)
    return advance(new, "rejected", decision.at) if made.state is ApprovalState.REJECTED else new


def doubts(approval: Approval, access: Access) -> tuple[str, ...]:
    """Why an approval that was given does not stand any more, in words: its givers' rights; empty when it stands."""
    yes = {made.person for made in approval.decisions if made.approves}
    allowed = {person for person in yes if access.may(person, approval.permission)}
    if enough(approval, allowed):
        return ()
    lost = ", ".join(sorted(yes - allowed))
    return (f"{lost} may no longer {approval.permission}" if lost else "it was not approved by enough people",)


def _again(store: Store, incident: int) -> Incident:
    found = store.load(incident)
    if found is None:
        raise Refused("gone", f"there is no incident {incident} any more; `incidents --all` lists them")
    return found


def _note(incident: Incident, decision: Decision) -> Note:
    word = "approved" if decision.approves else "rejected"
    detail: Mapping[str, str] = {"plan": incident.approval.plan[:8] if incident.approval else "", "door": decision.door}
    said = {"says": decision.reason} if decision.reason else {}
    return Note(decision.person, word, incident.reason, {**detail, **said})
