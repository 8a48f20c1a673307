"""The skill `verify`: proof that a run helped, or that it did not; never a guess.

Proof is a complete answer later than the end of the run, in which none of the incident's alerts holds (and, where the
playbook states a condition of its own, that it held for a while). Blindness is no proof of harm: what was done is left
as it is, and a human is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from opsbot.core.alert import Alert, AlertState, rank
from opsbot.core.duration import spell
from opsbot.core.errors import Blind
from opsbot.core.incident import Incident, State, advance
from opsbot.core.playbook import Plan, Run, VerifySpec
from opsbot.core.task import Again
from opsbot.remediate.means import SOON, Means, with_words
from opsbot.remediate.undoing import backward, undo_for

UNDOING = ("worse", "not_better")
POINTS = 10
DEFAULT = timedelta(minutes=10)


class Proof(StrEnum):
    """What the outside world says of a run."""

    GOOD = "good"
    BAD = "bad"
    BLIND = "blind"


@dataclass(frozen=True, slots=True)
class Sight:
    """A proof, the time that it speaks of (None: there has been no answer at all), and words."""

    proof: Proof
    at: datetime | None
    says: str


def verify(means: Means, incident: Incident, now: datetime) -> Again | None:
    """Resolve, undo, wait, or hand to a human."""
    run, plan = incident.run, incident.plan
    if incident.state is not State.VERIFYING:
        return None
    if run is None or plan is None or run.ended_at is None:
        return means.give_up(incident, "no_plan", "there is no run to verify", now)
    if incident.reason in UNDOING:
        return backward(means, incident, now)
    worse = list(_worse(means, incident, run))
    if worse:
        names = ", ".join(sorted({alert.name for alert in worse}))
        return undo_for(means, incident, "worse", f"after the change began, {names} fired too", now)
    sights = list(_sights(means, incident, run, plan, run.ended_at, now))
    if not sights:
        return _taken_on_trust(means, incident, now)
    return _settle(means, incident, sights, _deadline(plan.verify, run.ended_at), now)


def _settle(means: Means, incident: Incident, sights: list[Sight], deadline: datetime, now: datetime) -> Again | None:
    bad = [sight for sight in sights if sight.proof is not Proof.GOOD]
    if not bad:
        says = "; ".join(sight.says for sight in sights)
        means.save(with_words(advance(incident, "verified", now), f"it helped: {says}"), "verified", now, says=says)
        return None
    if now < deadline:
        return Again(min(now + SOON, deadline))
    return _too_late(means, incident, bad, deadline, now)


def _too_late(means: Means, incident: Incident, bad: list[Sight], deadline: datetime, now: datetime) -> Again | None:
    """At the deadline: an answer from then on decides; an older one is waited out; none at all is blindness."""
    says = "; ".join(sight.says for sight in bad)
    if any(sight.proof is Proof.BAD and sight.at is not None and sight.at >= deadline for sight in bad):
        return undo_for(means, incident, "not_better", f"it did not help: {says}", now)
    unseen = any(sight.at is None for sight in bad)
    if unseen or now >= deadline + means.limits.blind_for:
        left = f"nobody can tell whether it helped: {says}; what was done is left as it is"
        return means.give_up(incident, "blind", left, now)
    return Again(now + SOON)


def _deadline(spec: VerifySpec, ended: datetime) -> datetime:
    return ended + (spec.alert_clears_within or spec.within or DEFAULT)


def _taken_on_trust(means: Means, incident: Incident, now: datetime) -> Again | None:
    says = "done, but not verified: no alert stands behind it, and the playbook states no condition"
    means.save(with_words(advance(incident, "verified", now, "not_verified"), says), "not_verified", now, says=says)
    return None


def _worse(means: Means, incident: Incident, run: Run) -> Iterator[Alert]:
    """Alerts of the same target that were not the incident's own, fired after the run began, and are as bad."""
    key = incident.target.key if incident.target else None
    for alert in means.store.alerts():
        since = alert.fired_at if alert.state is AlertState.FIRING else None
        new = since is not None and since > run.started_at and alert.fingerprint not in run.about
        if new and alert.target and alert.target.key == key and rank(alert.severity) <= rank(incident.severity):
            yield alert


# what is seen -------------------------------------------------------------------------------------------------------


def _sights(means: Means, incident: Incident, run: Run, plan: Plan, ended: datetime, now: datetime) -> Iterator[Sight]:
    if incident.origin != "manual" or run.about or incident.alerts:
        yield _alerts(means, incident, run, ended, now)
    if plan.verify.condition:
        yield _condition(means, plan.verify, ended, now)


def _alerts(means: Means, incident: Incident, run: Run, ended: datetime, now: datetime) -> Sight:
    """The times of the answers are read before the alerts: else an old state could pass for a new answer."""
    pushed = {alert.rule for alert in incident.alerts if alert.source != "prometheus"}
    rules = {*run.about.values(), *(alert.rule for alert in incident.alerts)} - pushed
    answers = {rule: means.store.answered(rule) for rule in rules}
    holding = _holding(means, incident, run)
    late = [at for at in answers.values() if at is not None and at > ended]
    if len(late) < len(rules) or not (rules or pushed):
        return Sight(Proof.BLIND, None, "there was no complete answer about its alerts since the run ended")
    if holding:
        names = ", ".join(sorted({alert.name for alert in holding}))
        asked = [answers[alert.rule] or ended for alert in holding if alert.rule in answers]
        return Sight(Proof.BAD, min(asked, default=now), f"{names} still holds")
    return Sight(Proof.GOOD, min(late, default=None), "none of its alerts holds any more")


def _holding(means: Means, incident: Incident, run: Run) -> list[Alert]:
    """The incident's own alerts that hold, wherever they are now: one that came back may belong to nobody yet."""
    fresh = means.store.load(incident.id)
    own = {alert.fingerprint: alert for alert in (fresh or incident).alerts}
    own |= {alert.fingerprint: alert for alert in means.store.alerts() if alert.fingerprint in run.about}
    return [alert for alert in own.values() if _holds(alert)]


def _holds(alert: Alert) -> bool:
    """For a pushed alert only its resolved notice counts."""
    if alert.state is AlertState.RESOLVED:
        return False
    return alert.holds or alert.source != "prometheus"


def _condition(means: Means, spec: VerifySpec, ended: datetime, now: datetime) -> Sight:
    """Whether the playbook's condition held at each of several times within `holds_for`, all after the run."""
    if means.metrics is None:
        return Sight(Proof.BLIND, None, "there is no Prometheus to ask about the playbook's condition")
    if now - spec.holds_for <= ended:
        return Sight(Proof.BAD, ended, f"its condition must hold for {spell(spec.holds_for)} after the run")
    try:
        held = all(means.metrics.query(spec.condition, at).samples for at in _times(now, spec.holds_for))
    except Blind as error:
        return Sight(Proof.BLIND, None, f"its condition could not be asked: {error}")
    return Sight(Proof.GOOD if held else Proof.BAD, now, f"its condition {'held' if held else 'does not hold'}")


def _times(now: datetime, span: timedelta) -> list[datetime]:
    """From the newest back, so that a condition that does not hold costs one question."""
    return [now - span * place / POINTS for place in range(POINTS + 1)] if span else [now]
