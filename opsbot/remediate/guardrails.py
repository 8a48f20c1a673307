"""Guardrails: each a pure function of a situation that gives a named ruling; their order is one literal list.

The first that denies ends the row, so each may rely on what stands before it. A guardrail that lacks what it judges by
denies: none passes because its input was empty. Bounds refuse; they never bend a plan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsbot.config import Limits
from opsbot.core.duration import spell
from opsbot.core.errors import Refused
from opsbot.core.playbook import Plan, Playbook, Ruling, Verdict
from opsbot.core.ports import PastRun
from opsbot.core.target import Target
from opsbot.core.task import Mode
from opsbot.remediate import condition
from opsbot.remediate.plan import Order, settle
from opsbot.remediate.steps import BY_NAME, Facts

PAUSED = "paused"
"""The key of the store's kill switch: its value says who paused and why; empty or absent means that it is off."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds around every change: limits, mode, this cluster's name, the kill switch, and runs of the past.

    `pause` is what the kill switch says, None where it cannot be read. `runs` leaves out the run in question.
    `cluster_said` is false where an alert was pushed by somebody who did not say which cluster it is about.
    """

    limits: Limits
    mode: Mode
    cluster: str
    pause: str | None
    runs: tuple[PastRun, ...]
    now: datetime
    cluster_said: bool = True


@dataclass(frozen=True, slots=True)
class Situation:
    """What a guardrail judges: an order, the facts of its target, and the plan made from them.

    `uid` is that of the object which bears the name now. `plan` is Refused where the steps could not be planned.
    `begun` is true once the run has written: what it has itself set going is then no reason to stop it.
    """

    around: Surroundings
    order: Order
    facts: Facts | None = None
    uid: str = ""
    plan: Plan | Refused | None = None
    begun: bool = False

    @property
    def playbook(self) -> Playbook:
        """The playbook that was ordered."""
        return self.order.playbook

    @property
    def target(self) -> Target | None:
        """The target that was ordered, if any."""
        return self.order.target


Guardrail = Callable[[Situation], Ruling]


def judge(situation: Situation) -> tuple[Ruling, ...]:
    """The rulings in order, up to and including the first that denies."""
    rulings: list[Ruling] = []
    for guardrail in GUARDRAILS:
        rulings.append(guardrail(situation))
        if rulings[-1].verdict is Verdict.DENY:
            break
    return tuple(rulings)


def denial(rulings: tuple[Ruling, ...]) -> Ruling | None:
    """The ruling that denies, if one does."""
    return next((ruling for ruling in rulings if ruling.verdict is Verdict.DENY), None)


def paused(it: Situation) -> Ruling:
    """The kill switch: on denies, and so does one that cannot be read."""
    if it.around.pause is None:
        return _deny("paused", "the kill switch cannot be read, which counts as on", "pause_unreadable")
    return _deny("paused", f"changes are paused: {it.around.pause}") if it.around.pause else _allow("paused")


def mode(it: Situation) -> Ruling:
    """Observe changes nothing; propose (and, until a playbook has earned trust, act) asks a human."""
    if it.around.mode is Mode.OBSERVE:
        return _deny("mode", "mode observe changes nothing", "observe")
    return Ruling("mode", Verdict.ASK, "approval_needed", f"needs {it.playbook.approval.permission}")


def no_target(it: Situation) -> Ruling:
    """Nothing is done to an unnamed object."""
    named = it.target is not None and it.target.name and it.target.kind
    return _allow("no_target") if named else _deny("no_target", "the alert names no target")


def other_cluster(it: Situation) -> Ruling:
    """A target of another cluster is not ours to change, whatever is called so here; where none is said, ask."""
    theirs = it.target.cluster if it.target else ""
    if it.target is None or (theirs and theirs != it.around.cluster):
        return _deny("other_cluster", f"the target is in cluster {theirs!r}, this is {it.around.cluster!r}")
    if not it.around.cluster_said:
        says = "a pushed alert does not say its cluster: it is taken to be this one"
        return Ruling("other_cluster", Verdict.ASK, "cluster_unsaid", says)
    return _allow("other_cluster")


def never_touch(it: Situation) -> Ruling:
    """Namespaces that the limits forbid."""
    if it.target is None or it.target.namespace in it.around.limits.never_touch:
        return _deny("never_touch", f"limits.never_touch names {it.target.namespace if it.target else ''}")
    return _allow("never_touch")


def namespaces(it: Situation) -> Ruling:
    """Namespaces that the playbook allows; with none named, all that limits allow, but never the empty one."""
    place, allowed = it.target.namespace if it.target else "", it.playbook.guardrails.namespaces
    if not place or (allowed and place not in allowed):
        return _deny(
            "namespaces", f"{it.playbook.name} may be used in {', '.join(allowed) or 'a namespace'}, not {place!r}"
        )
    return _allow("namespaces")


def kinds(it: Situation) -> Ruling:
    """Kinds that the playbook's target and every one of its steps allow."""
    kind = it.target.kind if it.target else ""
    if kind not in allowed_kinds(it.playbook):
        return _deny("kinds", f"{it.playbook.name} is for {', '.join(allowed_kinds(it.playbook))}, not {kind}")
    return _allow("kinds")


def allowed_kinds(playbook: Playbook) -> tuple[str, ...]:
    """The kinds of object that a playbook is for: those of its target that all its steps can handle."""
    asked = next((item.kinds for item in playbook.inputs if item.type == "target"), ())
    handled = [BY_NAME[step.do].kinds for step in (*playbook.steps, *playbook.undo)]
    return tuple(kind for kind in asked if all(kind in some for some in handled))


def target_gone(it: Situation) -> Ruling:
    """The object must exist, and be the one that the plan is bound to."""
    if it.facts is None or not it.uid:
        return _deny("target_gone", f"there is no {it.target} in the cluster")
    if it.target is not None and it.target.uid and it.target.uid != it.uid:
        return _deny("target_gone", f"{it.target} was deleted and made anew: it is another object now")
    return _allow("target_gone")


def empty_selector(it: Situation) -> Ruling:
    """A workload whose selector is empty would mean every pod there is."""
    selector = (it.facts or {}).get("selector") or {}
    if not any(selector.get(part) for part in ("matchLabels", "matchExpressions")):
        return _deny("empty_selector", "the target's selector is empty, so it would mean every pod")
    return _allow("empty_selector")


def not_if(it: Situation) -> Ruling:
    """States of the target in which the playbook is not to be used; one that is not known counts as given."""
    for name in it.playbook.guardrails.not_if:
        if it.begun and name == "rollout_in_progress":
            continue
        if it.facts is None or it.facts.get(name) is not False:
            return _deny("not_if", NOT_IF[name], name)
    return _allow("not_if")


NOT_IF = {
    "hpa_owns_target": "an autoscaler sets the replicas of the target and would undo the change",
    "rollout_in_progress": "a rollout of the target is in progress",
}


def inputs(it: Situation) -> Ruling:
    """Every input has a value within its bounds."""
    try:
        settle(it.playbook, it.order.inputs)
    except Refused as error:
        return _deny("inputs", str(error), error.reason)
    return _allow("inputs")


def when(it: Situation) -> Ruling:
    """The playbook's own condition over the facts. In the middle of a run it has been answered."""
    if it.begun:
        return _allow("when")
    try:
        met = condition.holds(it.playbook.when, {"target": it.facts or {}, "inputs": it.order.inputs})
    except Refused as error:
        return _deny("when", f"its condition `{it.playbook.when}` cannot be judged: {error}", error.reason)
    return _allow("when") if met else _deny("when", f"its condition `{it.playbook.when}` does not hold")


def steps(it: Situation) -> Ruling:
    """The steps must make sense on this object; the reason is the step's own."""
    if isinstance(it.plan, Refused):
        return _deny("steps", str(it.plan), it.plan.reason)
    return _allow("steps") if it.plan else _deny("steps", "nothing could be planned")


def max_replicas(it: Situation) -> Ruling:
    """No step may lead to more replicas than the playbook allows: refused, never clamped."""
    most = it.playbook.guardrails.max_replicas
    planned = it.plan.steps if isinstance(it.plan, Plan) else ()
    highest = max((step.arguments["to"] for step in planned if step.do == "scale"), default=0)
    if most is not None and highest > most:
        return _deny("max_replicas", f"{highest} replicas are more than {most}")
    return _allow("max_replicas")


def cooldown(it: Situation) -> Ruling:
    """The same playbook on the same target not again within its cooldown."""
    since = it.around.now - it.playbook.guardrails.cooldown
    last = [run for run in _runs(it, since) if it.target and run.key == it.target.key]
    if last and it.playbook.guardrails.cooldown:
        length = spell(it.playbook.guardrails.cooldown)
        return _deny(
            "cooldown", f"{it.playbook.name} ran on this target less than {length} ago (incident {last[0].incident})"
        )
    return _allow("cooldown")


def max_runs(it: Situation) -> Ruling:
    """So many runs of this playbook in so much time, whatever the target."""
    rails = it.playbook.guardrails
    if rails.max_runs_count is None:
        return _allow("max_runs")
    count = len(_runs(it, it.around.now - rails.max_runs_per))
    if count >= rails.max_runs_count:
        return _deny("max_runs", f"{it.playbook.name} ran {count} times within {spell(rails.max_runs_per)}")
    return _allow("max_runs")


def changes_per_hour(it: Situation) -> Ruling:
    """So many runs of any playbook in an hour."""
    most = it.around.limits.changes_per_hour
    count = sum(run.started_at > it.around.now - timedelta(hours=1) for run in it.around.runs)
    if count >= most:
        return _deny("changes_per_hour", f"{count} changes within the hour; limits.changes_per_hour is {most}")
    return _allow("changes_per_hour")


GUARDRAILS: tuple[Guardrail, ...] = (
    paused, mode, no_target, other_cluster, never_touch, namespaces, kinds, target_gone, empty_selector, not_if,
    inputs, when, steps, max_replicas, cooldown, max_runs, changes_per_hour,
)  # fmt: skip


def _runs(it: Situation, since: datetime) -> list[PastRun]:
    return [run for run in it.around.runs if run.playbook == it.playbook.name and run.started_at > since]


def _allow(name: str) -> Ruling:
    return Ruling(name, Verdict.ALLOW, name)


def _deny(name: str, says: str, reason: str = "") -> Ruling:
    return Ruling(name, Verdict.DENY, reason or name, says)
