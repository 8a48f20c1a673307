"""The skill `run_playbook`: an approved plan, one move per call. Every move is saved before the next begins.

A plan that is not as it was approved any more is asked about again; a step that fails is undone where the playbook can;
what nobody can know goes to a human untouched.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan, Run, StepState
from opsbot.core.task import Again
from opsbot.remediate import stepping
from opsbot.remediate.asking import ask_again
from opsbot.remediate.doubts import Doubt, of_approval, of_target
from opsbot.remediate.drafting import situation
from opsbot.remediate.guardrails import denial, judge
from opsbot.remediate.means import SOON, Means, with_words
from opsbot.remediate.planning import told
from opsbot.remediate.stepping import Outcome, Step
from opsbot.remediate.undoing import NO_WRITER, backward, fail, next_step, recorded


def run_playbook(means: Means, incident: Incident, now: datetime) -> Again | None:
    """Take an approved, running or parked incident one move further."""
    if incident.state not in (State.APPROVED, State.PARKED, State.RUNNING):
        return None
    if means.writer is None:
        return means.give_up(incident, "no_writer", NO_WRITER, now)
    plan = incident.plan
    if plan is None or incident.approval is None:
        return means.give_up(incident, "no_plan", "there is no plan to run", now)
    if incident.state is State.PARKED:
        return _lift(means, incident, now)
    if incident.state is State.APPROVED:
        return _begin(means, incident, plan, now)
    return _forward(means, incident, plan, now)


def _begin(means: Means, incident: Incident, plan: Plan, now: datetime) -> Again | None:
    around = means.around(incident, now)
    if around.pause != "":
        return _park(means, incident, around.pause, now)
    try:
        seen = means.see(plan.target)
    except Blind as error:
        return means.patient(incident, incident.since, error, now)
    doubts = [*of_approval(means, incident, plan, now), *(of_target(plan, seen.facts, ()) if seen else ())]
    if doubts:
        return ask_again(means, incident, plan, doubts, now)
    unseen = means.unseen(incident, now)
    if unseen:
        return _await_sight(means, incident, unseen, now)
    order = means.order(plan)
    if order is None:
        return means.give_up(incident, "playbook_gone", f"there is no playbook {plan.playbook} any more", now)
    rulings = judge(situation(order, seen, around, plan, begun=incident.begun))
    denied = denial(rulings)
    if denied is not None:
        return means.give_up(replace(incident, rulings=rulings), denied.reason, denied.says, now)
    return _start(means, replace(incident, rulings=rulings), plan, now)


def _await_sight(means: Means, incident: Incident, alert: str, now: datetime) -> Again | None:
    """An alert that may have cleared since is no reason to change anything: wait for an answer, then tell a human."""
    if now - incident.since < means.limits.blind_for:
        return Again(now + SOON)
    return means.give_up(incident, "blind", f"no fresh answer tells whether {alert} still holds", now)


def _start(means: Means, incident: Incident, plan: Plan, now: datetime) -> Again | None:
    """A run that began under an earlier plan goes on as the same run: it is counted once."""
    about = {alert.fingerprint: alert.rule for alert in incident.alerts}
    run = incident.run or Run(plan.digest[:16], plan.digest, now, about=about)
    begun = replace(incident, run=replace(run, plan=plan.digest))
    means.save(advance(begun, "started", now), "started", now, **told(plan))
    return None


def _park(means: Means, incident: Incident, pause: str | None, now: datetime) -> Again | None:
    says = "the kill switch cannot be read" if pause is None else f"changes are paused: {pause}"
    means.save(with_words(advance(incident, "parked", now), says), "parked", now, says=says)
    return None


def _lift(means: Means, incident: Incident, now: datetime) -> Again | None:
    if means.pause() != "":
        return Again(now + 2 * SOON)
    event = "went_on" if incident.begun else "lifted"
    means.save(with_words(advance(incident, event, now), "changes are allowed again"), event, now)
    return None


def _forward(means: Means, incident: Incident, plan: Plan, now: datetime) -> Again | None:
    run = incident.run
    if run is None or means.writer is None:
        return means.give_up(incident, "no_plan", "there is no run to go on with", now)
    if any(record.state is StepState.FAILED and not record.undo for record in run.steps):
        return backward(means, incident, now)
    index = next_step(run, len(plan.steps), undo=False)
    if index is None:
        return _ran(means, incident, run, now)
    step, outcome = stepping.take(Step(means, means.writer, incident, plan, run, index, False, now))
    return _settle(step, outcome)


def _settle(step: Step, outcome: Outcome) -> Again | None:
    means, incident, now = step.means, step.incident, step.now
    match outcome.word:
        case stepping.DONE:
            return None
        case stepping.LATER:
            return Again(outcome.at or now + SOON)
        case stepping.PAUSED:
            return _park(means, incident, outcome.says, now)
        case stepping.ASK:
            return ask_again(means, incident, step.plan, [Doubt(outcome.reason, outcome.says)], now)
        case word if word in stepping.UNSURE:
            unsure = recorded(step, StepState.UNKNOWN if word == "step_unknown" else StepState.FAILED)
            return means.give_up(unsure, word, outcome.says, now)
        case _:
            return fail(means, recorded(step, StepState.FAILED), outcome, now)


def _ran(means: Means, incident: Incident, run: Run, now: datetime) -> Again | None:
    ran = advance(replace(incident, run=replace(run, ended_at=now)), "ran", now)
    means.save(with_words(ran, "all steps are done; waiting for proof that it helped"), "ran", now)
    return None
