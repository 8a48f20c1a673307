"""`diagnose`: gather evidence on a target now and say what is wrong, or have an incident diagnosed again."""

from __future__ import annotations

from argparse import Namespace

from opsbot.commands import shape
from opsbot.commands.desk import Answer, Desk
from opsbot.core import target as targets
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, PermanentError
from opsbot.core.incident import advance
from opsbot.core.target import Target
from opsbot.diagnose.collect import collect
from opsbot.diagnose.diagnosis import diagnose


def run(desk: Desk, person: str, args: Namespace) -> Answer:
    """{target, findings, hypotheses, gaps, proposals}, code 1 where a cause was found; or {incident: brief}."""
    if args.target.isdigit():
        return _again(desk, person, int(args.target))
    target = _target(desk, args)
    picture = collect(desk.reader, target, desk.now)
    if not picture.evidence:
        raise Blind("; ".join(f"{gap.source}: {gap.why}" for gap in picture.gaps) or "there is no evidence")
    found = diagnose(picture, desk.rules, tuple(desk.playbooks))
    data = {
        "target": shape.target(target),
        "says": found.says,
        "findings": [shape.finding(finding) for finding in found.findings],
        "hypotheses": [],
        "gaps": [shape.gap(gap) for gap in found.gaps],
        "proposals": [shape.proposal(proposal) for proposal in found.proposals],
    }
    return Answer(data, 1 if found.causes else 0)


def _target(desk: Desk, args: Namespace) -> Target:
    try:
        return targets.parse(args.target, args.namespace, desk.config.kubernetes.cluster)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _again(desk: Desk, person: str, number: int) -> Answer:
    incident = advance(shape.wanted(desk.store, number), "again", desk.now, reason="asked_by_human")
    note = Note(who=person, act="diagnose_again", reason="asked_by_human")
    return Answer({"incident": shape.brief(desk.store.save(incident, note, desk.now))})
