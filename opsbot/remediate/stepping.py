"""One step of a run, as far as it gets now: intent saved, looked at, written once, read back, saved as done.

Whatever stopped the process before, the way on is the same: an intent that stands means *look first*. The object bears
the id of the last action, so a look tells done from not done; a write carries the uid and the resourceVersion that
were just read, so a request that comes late or twice cannot take effect twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from opsbot.core.duration import spell
from opsbot.core.errors import Blind, Conflict, PermanentError, TemporaryError, Unknown
from opsbot.core.incident import Incident
from opsbot.core.playbook import Plan, PlannedStep, Run, StepRecord, StepState
from opsbot.core.ports import ClusterWriter, Object
from opsbot.remediate import facts
from opsbot.remediate.doubts import Doubt, done_steps, of_approval, of_target
from opsbot.remediate.drafting import Seen, situation
from opsbot.remediate.guardrails import denial, judge
from opsbot.remediate.means import Means
from opsbot.remediate.steps import ACTION, BY_NAME, Look, Moment, StepKind
from opsbot.remediate.steps.kind import part

TRIES = 5

# Words of outcomes with a meaning of their own; every other is the reason of a failure that left nothing done.
DONE, LATER, ASK, PAUSED = "done", "later", "ask", "paused"
UNSURE = ("step_unknown", "step_changed", "target_gone", "blind", "no_writer")


class Outcome(NamedTuple):
    """How far a step came, why in words, and for `later` when to look again."""

    word: str
    says: str = ""
    at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an incident's plan (or of its undo) at one time."""

    means: Means
    writer: ClusterWriter
    incident: Incident
    plan: Plan
    run: Run
    index: int
    undo: bool
    now: datetime

    @property
    def planned(self) -> PlannedStep:
        """The step as planned."""
        return (self.plan.undo if self.undo else self.plan.steps)[self.index]

    @property
    def kind(self) -> StepKind:
        """Its kind."""
        return BY_NAME[self.planned.do]

    @property
    def record(self) -> StepRecord | None:
        """What is saved of it."""
        return self.run.step(self.index, self.undo)

    @property
    def action(self) -> str:
        """The id that its write leaves on the object: the same however often it is tried."""
        return f"{self.plan.digest[:16]}.{'undo.' if self.undo else ''}{self.index}"

    @property
    def late(self) -> bool:
        """Whether its time is over."""
        return self.record is not None and self.now >= self.record.started_at + self.planned.timeout

    def later(self, seconds: float = 1.0) -> Outcome:
        """Look again in a while."""
        return Outcome(LATER, at=self.now + timedelta(seconds=max(seconds, 0.2)))

    def look(self, thing: Object) -> Look:
        """What an object says of it."""
        began = self.record.started_at if self.record else self.now
        return self.kind.look(thing, self.planned, self.action, Moment(self.now, began))

    def noted(self, state: StepState, act: str, **detail: str) -> Step:
        """The step with its record saved in this state."""
        began = self.record.started_at if self.record else self.now
        ended = self.now if state in (StepState.DONE, StepState.FAILED) else None
        record = StepRecord(self.index, self.undo, self.action, state, began, ended, self.planned.says)
        run = self.run.noted(record)
        told = {"step": self.planned.says, "action": self.action, **detail}
        saved = self.means.save(replace(self.incident, run=run), act, self.now, **told)
        return replace(self, incident=saved, run=run)


def take(step: Step) -> tuple[Step, Outcome]:
    """Take a step as far as it gets now. What it saved is in the step that comes back."""
    if not step.kind.writes:
        return _wait(step)
    try:
        thing = _read(step)
    except Blind as error:
        return step, _unseen(step, error)
    if thing is None:
        return step, _gone(step)
    if step.record is None:
        return _begin(step, thing)
    return _go_on(step, thing)


def _begin(step: Step, thing: Object) -> tuple[Step, Outcome]:
    stop = _may_not(step, thing)
    if stop is not None:
        return step, stop
    return _send(step.noted(StepState.INTENDED, "intends"), thing)


def _go_on(step: Step, thing: Object) -> tuple[Step, Outcome]:
    """An intent stands, so the write may have been sent: by an earlier call, or by a process that is no more."""
    look = step.look(thing)
    if look is Look.DONE:
        return _finish(step)
    if look is Look.CHANGED:
        return step, _changed(step)
    stop = _may_not(step, thing)
    return (step, stop) if stop is not None else _send(step, thing)


def _wait(step: Step) -> tuple[Step, Outcome]:
    step = step if step.record else step.noted(StepState.WAITING, "waits")
    try:
        thing = _read(step)
    except Blind as error:
        return step, Outcome(
            "blind", f"it could not be seen whether it is done: {error}"
        ) if step.late else step.later()
    if thing is None:
        return step, _gone(step)
    if step.look(thing) is Look.DONE:
        return _finish(step)
    if step.late:
        return step, Outcome("step_timeout", f"{step.planned.says}: not so after {spell(step.planned.timeout)}")
    return step, step.later()


def _may_not(step: Step, thing: Object) -> Outcome | None:
    """What stands against this write now: doubts about what was approved, changes of the target, guardrails."""
    try:
        seen = step.means.see_closely(thing, step.plan.target)
    except Blind as error:
        return _unseen(step, error)
    moved = list(of_target(step.plan, seen.facts, done_steps(step.incident, step.plan)))
    if not step.undo:
        moved += of_approval(step.means, step.incident, step.plan, step.now)
    denied = _guarded(step, seen)
    if denied is not None:
        # The kill switch comes first: while it is on nothing is asked either.
        return denied if denied.word == PAUSED or not moved else _asks(moved)
    return _asks(moved) if moved else None


def _asks(doubts: list[Doubt]) -> Outcome:
    return Outcome(ASK, "; ".join(says for _, says in doubts), reason=doubts[0][0])


def _guarded(step: Step, seen: Seen) -> Outcome | None:
    order = step.means.order(step.plan)
    if order is None:
        return Outcome("playbook_gone", f"there is no playbook {step.plan.playbook} any more")
    around = step.means.around(step.incident, step.now)
    begun = bool(done_steps(step.incident, step.plan)) or step.incident.begun
    denied = denial(judge(situation(order, seen, around, step.plan, begun=begun)))
    if denied is None:
        return None
    return Outcome(PAUSED if denied.guardrail == "paused" else denied.reason, denied.says)


def _send(step: Step, thing: Object) -> tuple[Step, Outcome]:
    outcome = _attempts(step, thing)
    if outcome.word == LATER and step.late:
        outcome = _timed_out(_last_look(step), outcome.says)
    return _finish(step) if outcome.word == DONE else (step, outcome)


def _attempts(step: Step, thing: Object) -> Outcome:
    """Write until it is done or the answer is no; a conflict is looked at, and written again if nothing bound moved."""
    for _ in range(TRIES):
        try:
            return _write(step, thing)
        except Conflict:
            again = _after_conflict(step)
        if isinstance(again, Outcome):
            return again
        thing = again
    return step.later()


def _write(step: Step, thing: Object) -> Outcome:
    target, body = step.plan.target, _body(step, thing)
    try:
        rehearsed = step.writer.patch(target, body, dry_run=True)
        if step.look(rehearsed) is not Look.DONE:
            return Outcome("dry_run_differs", "the server would make something else of it than what was planned")
        step.writer.patch(target, body)
        return _read_back(step)
    except TemporaryError as error:
        return step.later(error.retry_after)._replace(says=str(error))
    except PermanentError as error:
        return _refused(step, error)
    except (Unknown, Blind) as error:
        return step.later()._replace(says=str(error))


def _refused(step: Step, error: PermanentError) -> Outcome:
    """A no of the server; where the object is gone, that is what a human should read."""
    try:
        gone = _read(step) is None
    except Blind:
        gone = False
    return _gone(step) if gone else Outcome("step_failed", f"{step.planned.says} was refused: {error}")


def _body(step: Step, thing: Object) -> Object:
    """The patch: what the kind writes, the lock that it is bound to, and the mark by which it is known again."""
    lock = {"uid": step.plan.target.uid, "resourceVersion": part(thing, "metadata").get("resourceVersion")}
    patch = step.kind.body(step.planned) if step.kind.body else {}
    return {**patch, "metadata": {**lock, "annotations": {ACTION: step.action}}}


def _read_back(step: Step) -> Outcome:
    thing = _read(step)
    if thing is None:
        return _gone(step)
    look = step.look(thing)
    return Outcome(DONE) if look is Look.DONE else _changed(step)


def _after_conflict(step: Step) -> Object | Outcome:
    """The object to write to again; or what came of it, where it is not as the plan left it."""
    try:
        thing = _read(step)
        if thing is None:
            return _gone(step)
        if step.look(thing) is Look.DONE:
            return Outcome(DONE)
        seen = step.means.see_closely(thing, step.plan.target)
    except Blind:
        return step.later()
    moved = list(of_target(step.plan, seen.facts, done_steps(step.incident, step.plan)))
    return _asks(moved) if moved else thing


def _timed_out(outcome: Outcome, trouble: str) -> Outcome:
    """A step that was not done in time says what stood in its way at the last try."""
    known = outcome.word == "step_timeout" and trouble
    return outcome._replace(says=f"{outcome.says}; the last try: {trouble}") if known else outcome


def _last_look(step: Step) -> Outcome:
    try:
        thing = _read(step)
    except Blind as error:
        return _unseen(step, error)
    if thing is None:
        return _gone(step)
    look = step.look(thing)
    if look is Look.DONE:
        return Outcome(DONE)
    return _changed(step) if look is Look.CHANGED else Outcome("step_timeout", f"{step.planned.says}: not done in time")


def _finish(step: Step) -> tuple[Step, Outcome]:
    return step.noted(StepState.DONE, "did"), Outcome(DONE)


def _read(step: Step) -> Object | None:
    """The object under the write account; None where it is gone or another bears its name."""
    thing = step.writer.read(step.plan.target)
    return thing if thing is not None and facts.uid(thing) == step.plan.target.uid else None


def _unseen(step: Step, error: Blind) -> Outcome:
    """A read that failed: with an intent standing nobody knows what was done, without one nothing was."""
    if step.record is None:
        waited = step.now - _last_change(step) >= step.means.limits.blind_for
        return Outcome("blind", f"the cluster could not be read: {error}") if waited else step.later()
    if step.late:
        return Outcome("step_unknown", f"nobody knows whether `{step.planned.says}` was done: {error}")
    return step.later()


def _last_change(step: Step) -> datetime:
    ends = [record.ended_at for record in step.run.steps if record.ended_at]
    return max([step.incident.since, *ends])


def _gone(step: Step) -> Outcome:
    return Outcome("target_gone", f"{step.plan.target} is gone, or another object bears its name now")


def _changed(step: Step) -> Outcome:
    return Outcome("step_changed", f"{step.plan.target} was changed by somebody else during `{step.planned.says}`")
