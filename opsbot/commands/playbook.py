"""`playbook list|show|plan|run`: what there is, what it would do, and asking for it to be done."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from typing import Any

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core import target as targets
from opsbot.core.audit import Note
from opsbot.core.duration import spell
from opsbot.core.errors import Conflict, PermanentError, Refused
from opsbot.core.playbook import Guardrails, Input, Playbook, Scalar, StepSpec, VerifySpec
from opsbot.core.target import Target
from opsbot.core.task import Mode
from opsbot.mask import mask
from opsbot.remediate import manual


def list_all(desk: Desk, person: str, args: Namespace) -> Answer:
    """{playbooks: [{name, summary, permission, kinds, file}]}."""
    rows = [
        {"name": p.name, "summary": p.summary, "permission": p.approval.permission, "kinds": _kinds(p), "file": p.file}
        for p in desk.playbooks.values()
    ]
    return Answer({"playbooks": rows})


def show(desk: Desk, person: str, args: Namespace) -> Answer:
    """{playbook: all of it, in words}."""
    found = _named(desk, args.name)
    return Answer({"playbook": _in_words(found)})


def plan(desk: Desk, person: str, args: Namespace) -> Answer:
    """{plan, rulings}: what would be done now, and what guardrails say; code 1 where one denies. Changes nothing."""
    playbook, target, inputs = _order(desk, args)
    draft = manual.preview(playbook, target, inputs, desk.reader, desk.config.limits, desk.now)
    rulings = [shape.ruling(ruling) for ruling in draft.rulings]
    return Answer({"plan": shape.plan(draft.plan) if draft.plan else None, "rulings": rulings}, 0 if draft.plan else 1)


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{incident: brief}: a manual incident whose plan a human still approves; Refused where one is open there."""
    playbook, target, inputs = _order(desk, args)
    mode, why = desk.config.mode
    if mode is Mode.OBSERVE:
        raise Refused("observe", f"opsbot only observes here: {why}")
    incident = manual.incident(playbook, target, inputs, person, args.reason, desk.now)
    detail = {"playbook": playbook.name, "target": str(target), "why": mask(args.reason)}
    note = Note(who=person, act="asked", reason="manual_run", detail=detail)
    try:
        return Answer({"incident": shape.brief(desk.made_store.create(incident, note, desk.now))})
    except Conflict as error:
        raise Refused("incident_open", f"{target} has an unresolved incident; `opsbot incidents` shows it") from error


def _named(desk: Desk, name: str) -> Playbook:
    found = desk.playbooks.get(name)
    if found is None:
        raise PermanentError(f"there is no playbook {name!r}; there are: {', '.join(desk.playbooks) or 'none'}")
    return found


def _order(desk: Desk, args: Namespace) -> tuple[Playbook, Target, dict[str, Scalar]]:
    playbook = _named(desk, args.name)
    given = dict(pair.partition("=")[::2] for pair in args.set)
    try:
        target = targets.parse(args.target, args.namespace, desk.config.kubernetes.cluster)
    except ValueError as error:
        raise PermanentError(str(error)) from error
    return playbook, target, manual.read_inputs(playbook, given)


# in words -----------------------------------------------------------------------------------------------------------


def _kinds(playbook: Playbook) -> list[str]:
    return [kind for given in playbook.inputs for kind in given.kinds]


def _in_words(playbook: Playbook) -> dict[str, Any]:
    spec = playbook.approval
    people = f"{spec.quorum} person{'s' if spec.quorum > 1 else ''}"
    return {
        "name": playbook.name,
        "summary": playbook.summary,
        "file": playbook.file,
        "digest": playbook.digest,
        "when": playbook.when,
        "approval": f"{people} with {spec.permission}, within {spell(spec.expires_in)}",
        "inputs": [{"name": given.name, "says": _input(given)} for given in playbook.inputs],
        "guardrails": list(_guardrails(playbook.guardrails)),
        "steps": [_step(step) for step in playbook.steps],
        "undo": [_step(step) for step in playbook.undo],
        "verify": _verify(playbook.verify),
        "runbook": playbook.runbook,
    }


def _input(given: Input) -> str:
    parts = [given.type, *given.kinds]
    parts += [f"{name} {value}" for name, value in _bounds(given) if value is not None]
    return ", ".join(parts)


def _bounds(given: Input) -> list[tuple[str, Scalar]]:
    return [("default", given.default), ("at least", given.minimum), ("at most", given.maximum)]


def _guardrails(bounds: Guardrails) -> Iterator[str]:
    if bounds.namespaces:
        yield f"only in namespace {', '.join(bounds.namespaces)}"
    if bounds.max_replicas is not None:
        yield f"at most {bounds.max_replicas} replicas"
    if bounds.cooldown:
        yield f"not again within {spell(bounds.cooldown)}"
    if bounds.max_runs_count is not None:
        yield f"at most {bounds.max_runs_count} runs in {spell(bounds.max_runs_per)}"
    for reason in bounds.not_if:
        yield f"not if {reason}"


def _step(step: StepSpec) -> str:
    given = ", ".join(f"{name}: {value}" for name, value in step.arguments.items())
    return f"{step.do}  {given}  (within {spell(step.timeout)})"


def _verify(spec: VerifySpec) -> str:
    if spec.alert_clears_within:
        return f"the alert's condition clears within {spell(spec.alert_clears_within)}"
    return f"{spec.condition} holds for {spell(spec.holds_for)} within {spell(spec.within)}"
