"""`diagnose`: gather evidence on a target now and say what is wrong, or have an incident diagnosed again."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core import target as targets
from opsbot.core.audit import Note
from opsbot.core.diagnosis import Hypothesis, thought_of
from opsbot.core.errors import Blind, PermanentError
from opsbot.core.target import Target
from opsbot.diagnose import case as cases
from opsbot.diagnose import opinion as opinions
from opsbot.diagnose.analyze import Opinion, ask, needed
from opsbot.diagnose.case import Case
from opsbot.diagnose.collect import collect
from opsbot.diagnose.diagnosis import Diagnosis, diagnose
from opsbot.diagnose.prompt import question

TOKENS = 60_000
"""What a question is cut to where no model is configured."""


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{target, says, findings, hypotheses, model, origins, gaps, proposals}, code 1 for a cause; or {incident: brief}.

    With `--prompt`: {target, prompt: {system, text, schema}}, and nobody is asked.
    """
    if args.target.isdecimal():
        return _incident(desk, person, args)
    target = _target(desk, args)
    picture = collect(desk.reader, target, desk.now)
    if not picture.evidence:
        raise Blind("; ".join(f"{gap.source}: {gap.why}" for gap in picture.gaps) or "there is no evidence")
    found = diagnose(picture, desk.rules, tuple(desk.playbooks))
    case = Case(target, picture.evidence, found.findings, found.gaps, (), _summaries(desk))
    if args.prompt:
        return Answer(_prompt(desk, case))
    opinion = _opinion(desk, args, case)
    thoughts = opinion.hypotheses if opinion else ()
    data = {
        "target": shape.target(target),
        "says": found.says,
        "findings": [shape.finding(finding) for finding in found.findings],
        "hypotheses": [shape.hypothesis(thought) for thought in thoughts],
        "model": _asked(opinion) if opinion else None,
        "origins": {piece.id: piece.origin for piece in picture.evidence if piece.id in _cited(found, thoughts)},
        "gaps": [shape.gap(gap) for gap in found.gaps],
        "proposals": [shape.proposal(proposal) for proposal in found.proposals or thought_of(thoughts)],
    }
    return Answer(data, 1 if found.causes else 0)


def _cited(found: Diagnosis, thoughts: Sequence[Hypothesis]) -> set[str]:
    """The pieces of evidence that something is said to rest on."""
    lines = [line.id for finding in found.findings for line in finding.evidence]
    return {*lines, *(quote.id for thought in thoughts for quote in thought.evidence)}


def _target(desk: Desk, args: Namespace) -> Target:
    try:
        return targets.parse(args.target, args.namespace, desk.config.kubernetes.cluster)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _incident(desk: Desk, person: str, args: Namespace) -> Answer:
    number = int(args.target)
    if args.ask_model or args.rules_only:
        raise PermanentError("--ask-model and --rules-only go with KIND/NAME: the config says it for incidents")
    if args.prompt:
        incident = shape.wanted(desk.record, number)
        evidence, _ = desk.record.evidence(number, incident.round)
        return Answer(_prompt(desk, cases.of(incident, evidence, _summaries(desk))))
    before = shape.wanted(desk.store, number)
    incident = shape.moved(before, "again", desk.now, "asked_by_human", "diagnosed again")
    note = Note(who=person, act="diagnose_again", reason="asked_by_human")
    return Answer({"incident": shape.brief(desk.store.save(incident, note, desk.now))})


# a model's part -----------------------------------------------------------------------------------------------------


def _summaries(desk: Desk) -> Mapping[str, str]:
    return {name: playbook.summary for name, playbook in desk.playbooks.items()}


def _prompt(desk: Desk, case: Case) -> dict[str, Any]:
    settings = desk.config.model
    asked = question(case, settings.tokens_per_incident if settings else TOKENS)
    prompt = {"system": asked.system, "text": asked.text, "schema": asked.schema}
    return {"target": shape.target(case.target), "prompt": prompt}


def _opinion(desk: Desk, args: Namespace, case: Case) -> Opinion | None:
    """What the model says; None where it is not to be asked or there is none."""
    settings = desk.config.model
    if settings is None and args.ask_model:
        raise PermanentError("there is no `model` in the config to be asked")
    if settings is None or args.rules_only:
        return None
    always = args.ask_model or settings.ask == "always"
    model = desk.model if needed(case.findings, always=always) else None
    return ask(model, case, settings.tokens_per_incident, settings.timeout.total_seconds()) if model else None


def _asked(opinion: Opinion) -> dict[str, Any]:
    says = opinions.sentence(opinion.reason, opinions.detail(opinion))
    return {"reason": opinion.reason, "says": says, "dropped": dict(opinion.dropped)}
