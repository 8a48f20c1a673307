"""restart: replace all pods of a workload, a few at a time, by touching its pod template.

The value written is fixed in the plan, so that writing it twice is one restart. The annotation is the one that
`kubectl rollout restart` sets, so both show alike in `kubectl describe`.
"""

from __future__ import annotations

from datetime import UTC, timedelta

from opsbot.core.errors import Refused
from opsbot.core.playbook import PlannedStep
from opsbot.core.ports import Object
from opsbot.remediate.steps.kind import Facts, Look, Moment, StepKind, Subject, at, marked, part
from opsbot.yamlfile import Strict

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class Restart(Strict):
    """Nothing to choose but the target."""

    target: str = ""


def _plan(_: Restart, subject: Subject) -> PlannedStep:
    if subject.facts["paused"]:
        raise Refused("rollout_paused", "its rollout is paused, so a restart would not begin")
    before = subject.facts["restarted_at"]
    value = subject.now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if value == before:
        raise Refused("nothing_to_do", f"it was restarted at {value} already")
    key = f"spec.template.metadata.annotations[{RESTARTED_AT}]"
    return PlannedStep(
        "restart", {"from": before, "at": value}, "restart", subject.timeout,
        diff=((f"- {key}: {before}",) if before else ()) + (f"+ {key}: {value}",),
        kubectl=f"kubectl rollout restart {at(subject.target)}", reversible=False,
    )  # fmt: skip


def _after(step: PlannedStep, facts: Facts) -> Facts:
    return {**facts, "restarted_at": step.arguments["at"]}


def _body(step: PlannedStep) -> Object:
    return {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: step.arguments["at"]}}}}}


def restarted_at(thing: Object) -> str:
    """When the workload was last restarted this way, as written there; empty for never."""
    return str(part(thing, "spec", "template", "metadata", "annotations").get(RESTARTED_AT) or "")


def _look(thing: Object, step: PlannedStep, action: str, _: Moment) -> Look:
    value = restarted_at(thing)
    if marked(thing, action):
        return Look.DONE if value == step.arguments["at"] else Look.CHANGED
    return Look.NOT_YET if value == step.arguments["from"] else Look.CHANGED


KIND = StepKind(
    name="restart", schema=Restart, kinds=("Deployment", "StatefulSet", "DaemonSet"), verbs=("get", "patch"),
    blast="replaces every pod of one workload, at the pace of its update strategy", reversible=False,
    timeout=timedelta(seconds=30), reads=("restarted_at", "paused", "images"), plan=_plan, after=_after, look=_look,
    body=_body,
)  # fmt: skip
