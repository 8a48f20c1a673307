"""An incident in, its report out: what happened, why, what was done by whom, and whether it helped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from opsbot.core.audit import AuditEntry
from opsbot.core.duration import spell
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import StepRecord
from opsbot.core.ports import Store
from opsbot.core.task import Again
from opsbot.diagnose import opinion


class Reporter:
    """Writes the report of an incident that has come to an end, or to a human."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def report(self, incident: Incident, now: datetime) -> Again | None:
        """Keep the report of this version of the incident; writing it twice is harmless."""
        text = write(incident, self._store.audit(incident.id))
        self._store.add_report(incident.id, incident.version, text, now)
        return None


def write(incident: Incident, entries: Sequence[AuditEntry]) -> str:
    """The report as Markdown."""
    return (
        "\n".join(
            [*_head(incident), *_causes(incident), *_guesses(incident, entries), *_done(incident), *_time_line(entries)]
        )
        + "\n"
    )


def verdict(incident: Incident) -> str:
    """How it stands, in one sentence."""
    state, reason = incident.state, incident.reason.replace("_", " ")
    if state is State.RESOLVED:
        lasted = spell(_whole((incident.resolved_at or incident.since) - incident.opened_at))
        return f"Resolved after {lasted}: {reason}."
    if state is State.ESCALATED:
        return f"Handed to a human: {reason}."
    return f"Not ended: {state.value.replace('_', ' ')}."


def flapping(incident: Incident) -> str:
    """How often its alerts fired again within what time; empty where it is not flapping."""
    if not incident.flapping:
        return ""
    count, lasted = len(incident.flaps), spell(_whole(incident.flaps[-1] - incident.flaps[0]))
    return f"flapping: fired again {count} times in {lasted}" if count > 1 else "flapping: fired again"


def times(count: int) -> str:
    """How often, for a sentence."""
    return "once" if count == 1 else f"{count} times"


def _head(incident: Incident) -> Iterator[str]:
    yield f"# Incident {incident.id}: {incident.title}"
    yield ""
    about = f"target {incident.target or 'none'}, opened {_at(incident.opened_at)}"
    yield f"{verdict(incident)} Severity {incident.severity}, {about}."
    if incident.flapping:
        yield f"It was {flapping(incident)}."
    if incident.says:
        yield ""
        yield str(incident.says)


def _causes(incident: Incident) -> Iterator[str]:
    yield from ("", "## Why", "")
    causes = [finding for finding in incident.findings if finding.cause]
    for finding in causes:
        yield f"- **{finding.fault}** on {finding.target}: {finding.says}"
        for cited in finding.evidence[:2]:
            yield f"  - {cited.source} {cited.id}:{cited.line}: `{cited.text.cut(160)}`"
    if not causes:
        yield "No cause was found."
    for gap in incident.gaps:
        yield f"- not seen: {gap.source}: {gap.why}"


def _guesses(incident: Incident, entries: Sequence[AuditEntry]) -> Iterator[str]:
    """What a model thinks, and what came of asking it; nothing where none was asked."""
    asked = opinion.outcome(incident, entries)
    if asked is None:
        return
    yield from ("", "## Guesses of a model", "", asked.says)
    for thought in incident.hypotheses:
        yield f"- {thought.fault} on {thought.target} ({thought.confidence * 100:.0f} %): {thought.says}"
        for quote in thought.evidence[:2]:
            yield f"  - {quote.id}: `{quote.quote.cut(160)}`"


def _done(incident: Incident) -> Iterator[str]:
    yield from ("", "## What was done", "")
    plan, run = incident.plan, incident.run
    if not plan:
        yield "Nothing was changed."
        return
    yield f"`{plan.playbook}` was proposed because {plan.why}."
    for decision in incident.approval.decisions if incident.approval else ():
        word = "approved" if decision.approves else "rejected"
        because = f": {decision.reason}" if decision.reason else ""
        yield f"- {decision.person} {word} it at {_at(decision.at)}{because}"
    for step in run.steps if run else ():
        yield f"- {_step(step)}"
    if not run:
        yield "Nothing was changed."


def _step(step: StepRecord) -> str:
    name = "undo" if step.undo else "step"
    return f"{name} {step.index + 1}: {step.says}: {step.state.value} at {_at(step.ended_at or step.started_at)}"


def _time_line(entries: Sequence[AuditEntry]) -> Iterator[str]:
    yield from ("", "## Time line", "")
    for entry in entries:
        reason = f" ({entry.reason.replace('_', ' ')})" if entry.reason and entry.reason != entry.act else ""
        yield f"- {_at(entry.at)} {entry.who}: {entry.act.replace('_', ' ')}{reason}"


def _at(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def _whole(length: timedelta) -> timedelta:
    return timedelta(seconds=round(length.total_seconds()))
