"""The skill `plan`: from a diagnosed incident to a question, or to a human who is told why nothing is asked.

Proposals are tried in their order, and the first whose condition and guardrails hold becomes the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from opsbot.core.diagnosis import Proposal, thought_of
from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan, Ruling, Verdict
from opsbot.core.task import Again, Mode
from opsbot.remediate import approvals
from opsbot.remediate.drafting import Draft, Seen, draft, first
from opsbot.remediate.guardrails import Surroundings
from opsbot.remediate.means import SOON, Means, with_words
from opsbot.remediate.plan import Order

WAITED_OUT = ("paused", "pause_unreadable")


def plan(means: Means, incident: Incident, now: datetime) -> Again | None:
    """Propose the first playbook that may be; put away a question that has expired."""
    if incident.state is State.AWAITING_APPROVAL:
        return _put_away(means, incident, now)
    if incident.state is not State.DIAGNOSED or means.mode is Mode.OBSERVE:
        return None
    if incident.target is None:
        what = "the alert names no known target" if incident.alerts else "no alert is behind it, it is opsbot's own"
        return means.give_up(incident, "no_target", f"{what}, so nothing is proposed", now)
    if not incident.proposals:
        return _without_proposals(means, incident, now)
    if means.reader is None:
        return means.give_up(incident, "no_cluster", "there is no account to read the cluster with", now)
    try:
        seen, around = means.see(incident.target), means.around(incident, now)
    except Blind as error:
        return means.patient(incident, incident.since, error, now)
    chosen, tried = first(_drafts(means, incident, seen, around))
    judged = replace(incident, rulings=tuple(ruling for made in tried for ruling in _named(made)))
    if chosen is not None and chosen.plan is not None:
        return _propose(means, judged, chosen.plan, now)
    return _stuck(means, judged, tried, now)


def asking(incident: Incident, plan: Plan) -> Incident:
    """The incident with a new plan and the question about it."""
    return replace(incident, plan=plan, approval=approvals.ask(plan, incident.asked_by))


def told(plan: Plan) -> dict[str, str]:
    """A plan in the words of an audit entry."""
    steps = "; ".join(step.says for step in plan.steps)
    return {"playbook": plan.playbook, "plan": plan.digest[:8], "target": str(plan.target), "steps": steps}


def _put_away(means: Means, incident: Incident, now: datetime) -> Again | None:
    approval = incident.approval
    if approval is not None and not approval.expired(now):
        return None
    put = with_words(advance(incident, "expired", now), "nobody decided in time; the question has expired")
    means.save(put, "expired", now)
    return None


def _without_proposals(means: Means, incident: Incident, now: datetime) -> Again | None:
    """Go on with what a model would do, which is waited for while it is being asked; else tell a human."""
    asking = incident.open_question and not incident.asked
    if asking and now < incident.since + means.opinion_within:
        return Again(now + SOON)
    guesses = thought_of(incident.hypotheses)
    if not guesses:
        return means.give_up(incident, "nothing_to_propose", "no playbook is known to help here", now)
    return plan(means, replace(incident, proposals=guesses), now)


def _drafts(means: Means, incident: Incident, seen: Seen | None, around: Surroundings) -> Iterator[Draft]:
    for proposal in incident.proposals:
        yield _draft(means, incident, proposal, seen, around)


def _draft(means: Means, incident: Incident, proposal: Proposal, seen: Seen | None, around: Surroundings) -> Draft:
    playbook = means.playbooks.get(proposal.playbook)
    if playbook is None:
        said = f"there is no playbook {proposal.playbook!r}"
        return Draft(proposal.playbook, None, (Ruling("playbook", Verdict.DENY, "unknown_playbook", said),))
    inputs = incident.inputs if proposal.origin == "human" else {}
    order = Order(playbook, incident.target, inputs, proposal.why, proposal.origin)
    return draft(order, seen, around, means.terms(around.now))


def _named(made: Draft) -> Iterator[Ruling]:
    """A draft's rulings, each saying which playbook it is about."""
    for ruling in made.rulings:
        yield replace(ruling, says=f"{made.playbook}: {ruling.says}".rstrip(": "))


def _propose(means: Means, incident: Incident, plan: Plan, now: datetime) -> Again | None:
    steps = "; ".join(step.says for step in plan.steps)
    asked = advance(asking(incident, plan), "proposed", now, "approval_needed")
    means.save(with_words(asked, f"proposes {plan.playbook} on {plan.target}: {steps}"), "proposed", now, **told(plan))
    return None


def _stuck(means: Means, incident: Incident, tried: list[Draft], now: datetime) -> Again | None:
    denials = [(made.playbook, made.denied) for made in tried if made.denied]
    reason = next(ruling.reason for _, ruling in denials if ruling)
    if reason in WAITED_OUT and now - incident.since < means.limits.blind_for:
        return Again(now + 5 * SOON)
    says = "; ".join(f"{name}: {ruling.says}" for name, ruling in denials if ruling)
    return means.give_up(incident, reason, f"nothing safe to propose: {says}", now)
