"""Undo: what a failed or useless run has done is taken back, step by step, where its playbook says how.

Each step back is saved, looked at and written as any other. Where something is not as the run left it, nothing is taken
back: somebody else has the object in hand, and a human is told.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from opsbot.core.incident import Incident
from opsbot.core.playbook import Plan, Run, StepRecord, StepState
from opsbot.core.task import Again
from opsbot.remediate import stepping
from opsbot.remediate.doubts import done_steps
from opsbot.remediate.means import SOON, Means, with_words
from opsbot.remediate.stepping import Outcome, Step
from opsbot.remediate.steps import BY_NAME

NO_WRITER = "there is no account to change the cluster with (kubernetes.write)"


def fail(means: Means, incident: Incident, outcome: Outcome, now: datetime) -> Again | None:
    """A step failed, and is known not to be done: undo what was, else tell a human at once."""
    if incident.plan is None or not _undoable(means, incident, incident.plan):
        return means.give_up(incident, outcome.word, outcome.says, now)
    marked = replace(incident, run=_with_failure(incident, now), reason=outcome.word)
    means.save(with_words(marked, outcome.says), "step_failed", now, says=outcome.says)
    return None


def undo_for(means: Means, incident: Incident, reason: str, says: str, now: datetime) -> Again | None:
    """After a run that did not help: undo it where the playbook can, else tell a human at once."""
    if incident.plan is None or not _undoable(means, incident, incident.plan):
        return means.give_up(incident, reason, f"{says}; this playbook has no undo", now)
    means.save(with_words(replace(incident, reason=reason), says), "undoes", now, says=says)
    return None


def backward(means: Means, incident: Incident, now: datetime) -> Again | None:
    """One move of the undo; at its end, or where it cannot go on, a human is told with the reason of the failure."""
    run, plan, says = incident.run, incident.plan, incident.says or ""
    if run is None or plan is None:
        return means.give_up(incident, incident.reason, says, now)
    if means.writer is None:
        return means.give_up(incident, incident.reason, f"{says}; not undone: {NO_WRITER}", now)
    index = next_step(run, len(plan.undo), undo=True)
    if index is None:
        return means.give_up(replace(incident, run=replace(run, undone=True)), incident.reason, f"{says}; undone", now)
    step, outcome = stepping.take(Step(means, means.writer, incident, plan, run, index, True, now))
    if outcome.word == stepping.DONE:
        return None
    if outcome.word == stepping.LATER:
        return Again(outcome.at or now + SOON)
    state = StepState.UNKNOWN if outcome.word == "step_unknown" else StepState.FAILED
    means.give_up(recorded(step, state), incident.reason, f"{says}; not undone: {outcome.says}", now)
    return None


def recorded(step: Step, state: StepState) -> Incident:
    """The incident with the step's record in a last state, where it was begun."""
    record = step.record
    if record is None:
        return step.incident
    return replace(step.incident, run=step.run.noted(replace(record, state=state, ended_at=step.now)))


def next_step(run: Run, count: int, *, undo: bool) -> int | None:
    """The first step that is not done."""
    for index in range(count):
        record = run.step(index, undo)
        if record is None or record.state is not StepState.DONE:
            return index
    return None


def _undoable(means: Means, incident: Incident, plan: Plan) -> bool:
    return bool(plan.undo) and (bool(done_steps(incident, plan)) or wrote_before(means, incident, plan))


def wrote_before(means: Means, incident: Incident, plan: Plan) -> bool:
    """Whether a step that was done under an earlier plan of this run changed something; where unknown, it did."""
    count = sum(record.index < 0 for record in incident.run.steps) if incident.run else 0
    playbook = means.playbooks.get(plan.playbook)
    if playbook is None or playbook.digest != plan.playbook_digest:
        return count > 0
    return any(BY_NAME[step.do].writes for step in playbook.steps[:count])


def _with_failure(incident: Incident, now: datetime) -> Run | None:
    """A run that has a failed step is being undone: a step that failed before it was begun gets its record here."""
    run, plan = incident.run, incident.plan
    if run is None or plan is None or any(r.state is StepState.FAILED and not r.undo for r in run.steps):
        return run
    index = next_step(run, len(plan.steps), undo=False) or 0
    return run.noted(StepRecord(index, False, "", StepState.FAILED, now, now, plan.steps[index].says))
