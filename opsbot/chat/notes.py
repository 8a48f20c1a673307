"""An incident in, the notes of its thread out: one for each thing worth telling, each with a key of its own. Pure.

All notes that the incident as it stands gives rise to come out each time; the store leaves out those it has had. So
telling is harmless to repeat, and what was skipped while Slack was away costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.chat import blocks, card
from opsbot.chat.blocks import Part
from opsbot.chat.card import Origins
from opsbot.core.approval import ApprovalState
from opsbot.core.incident import Incident, State
from opsbot.core.message import Draft, Kind
from opsbot.core.playbook import StepState
from opsbot.report import times

FINDINGS = 8
ENDED = (StepState.DONE, StepState.FAILED, StepState.UNKNOWN)


def notes(incident: Incident, origins: Origins, opinion: str = "") -> Iterator[Draft]:
    """All notes, in the order in which things happen; `opinion` is what came of asking a model, in a sentence."""
    yield from _again(incident)
    yield from _diagnosed(incident, origins)
    yield from _model(incident, opinion)
    yield from _acked(incident)
    yield from _proposed(incident)
    yield from _decided(incident)
    yield from _steps(incident)
    yield from _parked(incident)
    yield from _ended(incident, origins)


def _note(incident: Incident, key: str, text: str, parts: list[Part] | None = None) -> Draft:
    shown = parts or [Part(blocks.section(blocks.plain(text)))]
    return Draft(Kind.NOTE, key, blocks.message(text, shown, f"opsbot show {incident.id}"))


def _again(incident: Incident) -> Iterator[Draft]:
    if incident.reopened:
        held = " It is flapping: it stays open now until it has been calm." if incident.flapping else ""
        text = f"It is back: the alert fires again (reopened {times(incident.reopened)}).{held}"
        yield _note(incident, f"reopened.{incident.round}", text)


def _diagnosed(incident: Incident, origins: Origins) -> Iterator[Draft]:
    if not incident.diagnosed_at:
        return
    causes = [blocks.one_line(finding.fault) for finding in incident.findings if finding.cause]
    text = f"Diagnosis: {', '.join(causes) or 'no cause found'}"
    parts = [Part(blocks.section(blocks.plain(text, 700)))]
    for place, finding in enumerate(incident.findings[:FINDINGS]):
        parts += card.cause(finding, origins, place)
    more = len(incident.findings) - FINDINGS
    if more > 0:
        parts.append(Part(blocks.context(blocks.plain(f"… and {more} more findings")), 9))
    if incident.gaps:
        parts.append(Part(blocks.fence([f"not seen: {gap.source}: {gap.why}" for gap in incident.gaps]), 3))
    yield _note(incident, f"diagnosed.{incident.round}", text, parts)


def _model(incident: Incident, opinion: str) -> Iterator[Draft]:
    """What came of asking a model about this round, where that is over, even where it is nothing."""
    if opinion:
        text = f"{blocks.one_line(opinion)} The diagnosis above stands as it is."
        parts = [Part(blocks.section(blocks.plain(text, 700))), *card.guesses(incident.hypotheses)]
        yield _note(incident, f"model.{incident.round}", text, parts)


def _acked(incident: Incident) -> Iterator[Draft]:
    if incident.acked_by:
        who = blocks.one_line(incident.acked_by)
        yield _note(incident, f"acked.{incident.round}.{who}", f"{who} looks into it.")


def _proposed(incident: Incident) -> Iterator[Draft]:
    plan, approval = incident.plan, incident.approval
    if plan is None or approval is None:
        return
    waits = approval.state is ApprovalState.WAITING
    until = f"\nThe question stands until {blocks.utc(approval.expires_at)}." if waits else ""
    title = f"Proposed: {blocks.one_line(plan.playbook)}, plan {plan.digest[: card.PREFIX]}"
    text = f"{title}\n{card.in_words(plan, blocks.one_line(plan.why))}{until}"
    yield _note(incident, f"proposed.{approval.id}", text)


def _decided(incident: Incident) -> Iterator[Draft]:
    approval = incident.approval
    if approval is None:
        return
    for place, line in enumerate(card.decisions(approval)):
        yield _note(incident, f"decided.{approval.id}.{place}", line)
    if approval.state is ApprovalState.EXPIRED:
        yield _note(incident, f"expired.{approval.id}", "Nobody answered in time: nothing was changed.")


def _steps(incident: Incident) -> Iterator[Draft]:
    run = incident.run
    for step in run.steps if run else ():
        if run and step.state in ENDED:
            key = f"step.{run.id}.{step.index}.{step.undo}.{step.state.value}"
            yield _note(incident, key, card.step_line(step))


def _parked(incident: Incident) -> Iterator[Draft]:
    if incident.state is State.PARKED:
        text = f"Paused ({card.reason(incident) or 'parked'}): {blocks.one_line(incident.says or 'nothing is changed')}"
        yield _note(incident, f"parked.{incident.since.isoformat()}", text)


def _ended(incident: Incident, origins: Origins) -> Iterator[Draft]:
    """The short report."""
    if incident.state not in card.ENDED:
        return
    text = card.ending(incident)
    yield _note(incident, f"ended.{incident.since.isoformat()}", text, list(_report(incident, text, origins)))


def _report(incident: Incident, text: str, origins: Origins) -> Iterator[Part]:
    yield Part(blocks.section(blocks.words("*Report*")))
    yield Part(blocks.section(blocks.plain(text, 700)))
    causes = [finding for finding in incident.findings if finding.cause]
    lines = [f"Why: {blocks.one_line(f.fault)} on {f.target}: {blocks.one_line(f.says)}" for f in causes[:3]]
    yield Part(blocks.section(blocks.plain("\n".join(lines) or "Why: no cause was found.", 1500)), 1)
    if causes and causes[0].evidence:
        yield Part(blocks.fence([card.cited(line) for line in causes[0].evidence[:2]]), 3)
        yield Part(blocks.context(blocks.plain(card.from_where(causes[0].evidence, origins), 500)), 4)
    yield Part(blocks.section(blocks.plain("\n".join(_what_was_done(incident)), 1500)), 1)
    yield Part(blocks.context(blocks.plain(f"The whole record: opsbot show {incident.id}")), 2)


def _what_was_done(incident: Incident) -> Iterator[str]:
    plan, run = incident.plan, incident.run
    if plan:
        why = card.because(plan, incident)
        yield f"Proposed: {blocks.one_line(plan.playbook)}{f', because {why}' if why else ''}"
    yield from card.decisions(incident.approval) if incident.approval else ()
    yield from (card.step_line(step) for step in run.steps) if run else ()
    if not run or not run.changed_something:
        yield "Nothing was changed in the cluster."
