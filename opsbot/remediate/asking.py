"""Asking again: when what was approved is not what holds now, a new plan and a new question that says what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, advance
from opsbot.core.playbook import Plan, Run, StepState
from opsbot.core.task import Again
from opsbot.remediate.doubts import Doubt, done_steps
from opsbot.remediate.drafting import Draft, draft
from opsbot.remediate.guardrails import denial
from opsbot.remediate.means import SOON, Means, with_words
from opsbot.remediate.planning import asking, told
from opsbot.remediate.stepping import Outcome
from opsbot.remediate.undoing import fail, wrote_before

PATIENCE = timedelta(minutes=1)


def ask_again(means: Means, incident: Incident, plan: Plan, doubts: list[Doubt], now: datetime) -> Again | None:
    """A new plan for what is not done yet, and a new question that says what changed; old decisions are dropped."""
    order, says = means.order(plan), "; ".join(doubt.says for doubt in doubts)
    if order is None:
        return means.give_up(incident, "playbook_gone", f"there is no playbook {plan.playbook} any more", now)
    if incident.begun and order.playbook.digest != plan.playbook_digest:
        return fail(means, incident, Outcome("playbook_changed", says), now)
    try:
        seen = means.see(plan.target)
    except Blind as error:
        return means.patient(incident, incident.since, error, now)
    done = _done(incident)
    wrote = bool(done_steps(incident, plan)) or wrote_before(means, incident, plan)
    terms = replace(means.terms(now), skip=done, before=plan.before if wrote else None)
    made = draft(order, seen, means.around(incident, now), terms, begun=wrote)
    if made.plan is None and _passing(made) and now - incident.since < PATIENCE:
        return _wait(means, incident, says, now)
    if made.plan is None:
        return _not_asked(means, replace(incident, rulings=made.rulings), says, now)
    new = asking(replace(incident, run=_carried(incident), rulings=made.rulings), made.plan)
    words = with_words(advance(new, "asked_again", now, doubts[0].reason), f"asks again: {says}")
    means.save(words, "asked_again", now, says=says, **told(made.plan))
    return None


def _wait(means: Means, incident: Incident, says: str, now: datetime) -> Again:
    """An intent that is known not to be done is put away first: else it would be taken for one that may be."""
    run = incident.run
    kept = tuple(record for record in run.steps if record.state is StepState.DONE) if run else ()
    if run is not None and kept != run.steps:
        means.save(replace(incident, run=replace(run, steps=kept)), "puts_off", now, says=says)
    return Again(now + SOON)


def _passing(made: Draft) -> bool:
    """What somebody else has just changed is being rolled out: a moment later it can be planned on."""
    return made.denied is not None and made.denied.reason == "rollout_in_progress"


def _not_asked(means: Means, incident: Incident, says: str, now: datetime) -> Again | None:
    ruling = denial(incident.rulings)
    reason, why = (ruling.reason, ruling.says) if ruling else ("refused", "nothing could be planned")
    return means.give_up(incident, reason, f"{says}; a new plan is refused: {why}", now)


def _done(incident: Incident) -> int:
    """How many of the playbook's steps are done, under whichever plan."""
    steps = incident.run.steps if incident.run else ()
    return sum(not record.undo and record.state is StepState.DONE for record in steps)


def _carried(incident: Incident) -> Run | None:
    """The same run, its done steps moved before the first step of the plan to come, all other records dropped."""
    run = incident.run
    if run is None:
        return None
    kept = [record for record in run.steps if not record.undo and record.state is StepState.DONE]
    here = sum(record.index >= 0 for record in kept)
    return replace(run, steps=tuple(replace(record, index=record.index - here) for record in kept))
