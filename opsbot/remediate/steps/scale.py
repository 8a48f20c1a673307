"""scale: set the number of replicas, by a difference or to a number; the plan holds the number itself."""

from __future__ import annotations

from datetime import timedelta

from pydantic import model_validator

from opsbot.core.errors import Refused
from opsbot.core.playbook import PlannedStep
from opsbot.core.ports import Object
from opsbot.remediate.steps.kind import Facts, Look, Moment, StepKind, Subject, at, marked, part
from opsbot.yamlfile import Strict

LARGEST = 2_147_483_647  # spec.replicas is an int32


class Scale(Strict):
    """`by` adds (a negative number takes away), `to` sets; one of them."""

    target: str = ""
    by: int | None = None
    to: int | None = None

    @model_validator(mode="after")
    def _one(self) -> Scale:
        if (self.by is None) == (self.to is None):
            raise ValueError("give either `by` or `to`")
        if self.to is not None and self.to < 0:
            raise ValueError("`to` must not be below 0")
        return self


def _plan(wanted: Scale, subject: Subject) -> PlannedStep:
    before = subject.facts["replicas"]
    to = wanted.to if wanted.to is not None else before + (wanted.by or 0)
    if to < 0:
        raise Refused("below_zero", f"{before} replicas and {wanted.by:+d} make {to}")
    if to > LARGEST:
        raise Refused("too_many", f"{to} replicas are more than a cluster can be told")
    if to == before:
        raise Refused("nothing_to_do", f"it has {to} replicas already")
    return PlannedStep(
        "scale", {"from": before, "to": to}, f"scale {before} -> {to}", subject.timeout,
        diff=(f"- spec.replicas: {before}", f"+ spec.replicas: {to}"),
        kubectl=f"kubectl scale {at(subject.target)} --current-replicas={before} --replicas={to}",
    )  # fmt: skip


def _after(step: PlannedStep, facts: Facts) -> Facts:
    return {**facts, "replicas": step.arguments["to"]}


def _body(step: PlannedStep) -> Object:
    return {"spec": {"replicas": step.arguments["to"]}}


def _look(thing: Object, step: PlannedStep, action: str, _: Moment) -> Look:
    # Without our mark even the right number is not our doing: somebody else scaled it.
    replicas = part(thing, "spec").get("replicas")
    if marked(thing, action):
        return Look.DONE if replicas == step.arguments["to"] else Look.CHANGED
    return Look.NOT_YET if replicas == step.arguments["from"] else Look.CHANGED


KIND = StepKind(
    name="scale", schema=Scale, kinds=("Deployment", "StatefulSet"), verbs=("get", "patch"),
    blast="starts or stops pods of one workload; stopped pods lose what they hold in memory", reversible=True,
    timeout=timedelta(seconds=30), reads=("replicas",), plan=_plan, after=_after, look=_look, body=_body,
)  # fmt: skip
