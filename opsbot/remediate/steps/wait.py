"""wait: until a rollout is complete, or for a while. It writes nothing and holds no worker: it is looked at again.

What complete means follows `kubectl rollout status`: first of all the controller must have seen the present
generation, else every count that it reports may be about the one before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from opsbot.core import duration
from opsbot.core.playbook import PlannedStep
from opsbot.core.ports import Object
from opsbot.remediate.steps.kind import Facts, Look, Moment, StepKind, Subject, at, count, part
from opsbot.yamlfile import Strict


class Wait(Strict):
    """`until: rollout_complete`, or `for: 30s`; one of them."""

    target: str = ""
    until: Literal["rollout_complete"] | None = None
    for_: str | None = Field(default=None, alias="for")

    @field_validator("for_")
    @classmethod
    def _length(cls, text: str | None) -> str | None:
        if text is not None and duration.parse(text) <= timedelta():
            raise ValueError("must be longer than 0s")
        return text

    @model_validator(mode="after")
    def _one(self) -> Wait:
        if (self.until is None) == (self.for_ is None):
            raise ValueError("give either `until` or `for`")
        return self


def _plan(wanted: Wait, subject: Subject) -> PlannedStep:
    if wanted.for_ is not None:
        length = duration.parse(wanted.for_)
        seconds = f"{length.total_seconds():g}"
        # The step may last as long as it is told to wait, whatever its timeout.
        limit = max(subject.timeout, length + timedelta(seconds=1))
        return PlannedStep("wait", {"for": wanted.for_}, f"wait for {wanted.for_}", limit, kubectl=f"sleep {seconds}")
    limit = subject.timeout
    status = f"kubectl rollout status {at(subject.target)} --timeout={limit.total_seconds():g}s"
    return PlannedStep("wait", {"until": wanted.until}, "wait until the rollout is complete", limit, kubectl=status)


def _after(_: PlannedStep, facts: Facts) -> Facts:
    return facts


def _look(thing: Object, step: PlannedStep, _: str, moment: Moment) -> Look:
    length = step.arguments.get("for")
    if length is not None:
        return Look.DONE if moment.now >= moment.began + duration.parse(length) else Look.NOT_YET
    return Look.DONE if complete(thing) else Look.NOT_YET


def complete(thing: Object) -> bool:
    """Whether the controller has seen the present spec and all pods are of it and up."""
    status, generation = part(thing, "status"), part(thing, "metadata").get("generation")
    if not isinstance(generation, int) or count(status, "observedGeneration") < generation:
        return False
    if thing.get("kind") == "DaemonSet":
        wanted = count(status, "desiredNumberScheduled")
        return count(status, "updatedNumberScheduled") >= wanted and count(status, "numberAvailable") >= wanted
    wanted = count(part(thing, "spec"), "replicas", 1)
    if thing.get("kind") == "StatefulSet":
        return _set_complete(status, wanted)
    return all(count(status, name) == wanted for name in ("updatedReplicas", "replicas", "availableReplicas"))


def _set_complete(status: Mapping[str, Any], wanted: int) -> bool:
    # A StatefulSet reports updateRevision only once it has rolled; scaled to 0 both revisions may lag for ever.
    rolled = wanted == 0 or status.get("updateRevision") in (None, status.get("currentRevision"))
    return rolled and count(status, "replicas") == count(status, "readyReplicas") == wanted


KIND = StepKind(
    name="wait", schema=Wait, kinds=("Deployment", "StatefulSet", "DaemonSet"), verbs=("get",), blast="nothing",
    reversible=True, timeout=timedelta(minutes=5), reads=(), plan=_plan, after=_after, look=_look,
)  # fmt: skip
