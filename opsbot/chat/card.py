"""An incident in, its card out: the one message that is edited in place as the incident moves. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from opsbot.chat import blocks
from opsbot.chat.blocks import Json, Part
from opsbot.core.alert import Alert, AlertState, rank, telling
from opsbot.core.approval import Approval, ApprovalState, Decision
from opsbot.core.diagnosis import Finding, Hypothesis
from opsbot.core.duration import spell
from opsbot.core.evidence import Citation
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import Plan, PlannedStep, StepRecord, StepState, Verdict
from opsbot.report import flapping, verdict

APPROVE, REJECT = "approve", "reject"
PREFIX = 8
CAUSES, LINES, GUESSES = 3, 3, 3

STATES = {
    State.OPEN: "Being diagnosed",
    State.DIAGNOSED: "Diagnosed",
    State.AWAITING_APPROVAL: "Waits for approval",
    State.APPROVED: "Approved, about to run",
    State.RUNNING: "Running",
    State.VERIFYING: "Done, checking that it helped",
    State.PARKED: "Paused",
    State.ESCALATED: "Needs a human",
    State.RESOLVED: "Resolved",
}
STEPS = {
    StepState.INTENDED: "being done",
    StepState.WAITING: "waiting for it to take effect",
    StepState.DONE: "done",
    StepState.FAILED: "FAILED",
    StepState.UNKNOWN: "UNKNOWN, look before doing anything",
}
ORDINARY = ("", "diagnosed", "proposed", "approval_needed", "approved", "started", "ran", "went_on")
"""Reasons that say no more than the state that they lead to."""
ENDED = (State.ESCALATED, State.RESOLVED)
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\S*Z ")

Origins = Mapping[str, str]
"""Where each piece of evidence comes from, by its id."""


def card(incident: Incident, origins: Origins, approvers: Sequence[str] = (), opinion: str = "") -> Json:
    """The card. `approvers` may approve the plan that waits, `opinion` says what came of asking a model."""
    why, plan = _why(incident, origins), _plan(incident, approvers)
    parts = [*_head(incident), *why, *plan, *_done(incident), *_thoughts(incident, opinion), *_foot(incident)]
    return blocks.message(summary(incident), parts, f"opsbot show {incident.id}")


def summary(incident: Incident) -> str:
    """The incident in one line."""
    target = f" on {incident.target}" if incident.target else ""
    return f"Incident {incident.id}: {STATES[incident.state]}: {incident.title}{target} ({incident.severity})"


def reason(incident: Incident) -> str:
    """Why the state is what it is, where that says more than the state."""
    return "" if incident.reason in (*ORDINARY, incident.state.value) else blocks.reason(incident.reason)


# what and why ---------------------------------------------------------------------------------------------------------


def _head(incident: Incident) -> Iterator[Part]:
    yield Part(blocks.header(f"Incident {incident.id}: {incident.title}"))
    told = reason(incident) if incident.state not in ENDED else ""  # what ended says it in a sentence of its own
    because = f" ({told})" if told else ""
    target = blocks.code(incident.target.place) if incident.target else "no target"
    yield Part(blocks.section(blocks.words(
        f"*{STATES[incident.state]}*{because} since {blocks.moment(incident.since)}\n"
        f"severity {blocks.code(incident.severity)}, target {target}, opened {blocks.moment(incident.opened_at)}"
    )))  # fmt: skip
    if incident.state in ENDED:
        yield Part(blocks.section(blocks.plain(ending(incident), 700)))
    if incident.state is State.PARKED and incident.says:
        yield Part(blocks.section(blocks.plain(blocks.one_line(incident.says), 700)))
    if incident.flapping and incident.unresolved:
        yield Part(blocks.context(blocks.plain(f"{flapping(incident).capitalize()}. Calm ends it.", 300)), 1)
    if incident.alerts:
        shown = sorted(incident.alerts, key=lambda alert: (alert.state is not AlertState.FIRING, rank(alert.severity)))
        more = [f"… and {len(shown) - 3} more alerts"] if len(shown) > 3 else []
        said = map(_alert, shown[:3], telling([alert.labels for alert in shown[:3]], 1))
        yield Part(blocks.context(blocks.words("\n".join([*said, *more]), 1000)), 3)
    if incident.acked_by and incident.unresolved:
        yield Part(blocks.context(blocks.plain(f"{blocks.one_line(incident.acked_by)} looks into it.", 300)), 1)


def _alert(alert: Alert, apart: Mapping[str, str]) -> str:
    value = "" if alert.value is None or alert.resolved_at else f" at {alert.value:g}"
    when = alert.resolved_at or alert.fired_at or alert.active_at
    which = "".join(f", {blocks.code(f'{name}={text}', 100)}" for name, text in apart.items())
    return f"Alert {blocks.code(alert.name, 200)}: {alert.state.value}{value} since {blocks.moment(when)}{which}"


def _why(incident: Incident, origins: Origins) -> Iterator[Part]:
    causes = [finding for finding in incident.findings if finding.cause]
    for place, finding in enumerate(causes[:CAUSES]):
        shown = replace(finding, evidence=()) if incident.state is State.RESOLVED else finding
        yield from cause(shown, origins, place)
    if len(causes) > CAUSES:
        yield Part(blocks.context(blocks.plain(f"… and {len(causes) - CAUSES} more causes, see the thread")), 4)
    if incident.diagnosed_at and not causes:
        yield Part(blocks.section(blocks.plain("No cause was found.")), 1)
    if incident.gaps:
        names = ", ".join(dict.fromkeys(blocks.one_line(gap.source) for gap in incident.gaps))
        yield Part(blocks.context(blocks.plain(f"Could not be seen: {names}", 500)), 4)


def _thoughts(incident: Incident, opinion: str) -> Iterator[Part]:
    """Below the plan: what a model would try must not be read as what is asked for. Why it has none is small print."""
    if incident.unresolved and incident.hypotheses:
        yield from guesses(incident.hypotheses[:GUESSES])
    elif incident.unresolved and opinion:
        yield Part(blocks.context(blocks.plain(blocks.one_line(opinion), 300)), 5)


def cause(finding: Finding, origins: Origins, place: int = 0) -> Iterator[Part]:
    """What was found, the lines that show it, and where those come from."""
    word = "Cause" if finding.cause else "Symptom"
    sure = f"{finding.confidence * 100:.0f} %"
    title = f"{word}: {blocks.one_line(finding.fault)} on {finding.target}, confidence {sure}"
    yield Part(blocks.section(blocks.plain(f"{title}\n{blocks.one_line(finding.says)}", 700)), 1 + place)
    if finding.evidence:
        yield Part(blocks.fence([cited(line) for line in finding.evidence[:LINES]]), 2 + place)
        yield Part(blocks.context(blocks.plain(from_where(finding.evidence, origins), 500)), 3 + place)


def cited(line: Citation) -> str:
    """A line of evidence with its place; of the kubelet's time stamp the time of day is kept."""
    return f"{line.id}:{line.line} {line.source}  {_short(line.text)}"


def _short(line: str) -> str:
    return _STAMP.sub(lambda found: found[1] + " ", line, count=1)


def from_where(lines: Sequence[Citation], origins: Origins) -> str:
    """Where the evidence behind these lines was read, and how many lines there are in all."""
    known = dict.fromkeys(f"{line.id}: {blocks.one_line(origins[line.id])}" for line in lines if line.id in origins)
    more = f"{len(lines)} lines in all" if len(lines) > LINES else ""
    said = "; ".join([*list(known)[:LINES], more] if more else list(known)[:LINES])
    return f"Evidence {said or 'of an origin that was not kept'}"


def guesses(hypotheses: Sequence[Hypothesis]) -> Iterator[Part]:
    """What a model thinks, marked as that."""
    for place, guess in enumerate(hypotheses):
        title = f"A model's hypothesis, not a finding: {blocks.one_line(guess.fault)} on {guess.target}"
        sure = f", by its own word {guess.confidence * 100:.0f} % sure"
        playbook = f"\nIt would try {blocks.one_line(guess.proposal)}." if guess.proposal else ""
        text = f"{title}{sure}\n{blocks.one_line(guess.says)}{playbook}"
        yield Part(blocks.section(blocks.plain(text, 700)), 5 + place)
        if guess.evidence:
            yield Part(
                blocks.fence([f"{quote.id}  {_short(quote.quote)}" for quote in guess.evidence[:2]], 800), 6 + place
            )


# the plan and what became of it ---------------------------------------------------------------------------------------


def _plan(incident: Incident, approvers: Sequence[str]) -> Iterator[Part]:
    plan, approval = incident.plan, incident.approval
    if plan is None:
        return
    waits = incident.state is State.AWAITING_APPROVAL and approval is not None
    yield Part({"type": "divider"}, 1)
    yield Part(blocks.section(blocks.words(
        f"*Plan* {blocks.code(plan.digest[:PREFIX])}: playbook {blocks.code(plan.playbook)} "
        f"on {blocks.code(str(plan.target))}"
    )))  # fmt: skip
    if incident.run is None:  # a run says itself what is done
        yield Part(blocks.section(blocks.plain(in_words(plan, because(plan, incident)), 1500)))
    if waits:
        yield from _details(plan)
    if approval is not None:
        yield from _question(incident.id, plan, approval, approvers) if waits else _answer(approval)


def because(plan: Plan, incident: Incident) -> str:
    """Why the plan is proposed, where that is not what a cause that is shown says already."""
    shown = [blocks.one_line(f"{f.fault}: {f.says}") for f in incident.findings if f.cause][:CAUSES]
    why = blocks.one_line(plan.why)
    return "" if why in shown else why


def in_words(plan: Plan, why: str) -> str:
    """What would be done, why (unless that is empty), and how it would be taken back."""
    lines = [f"Because {why}"] if why else []
    lines += [
        f"{number}. {blocks.one_line(step.says)} (within {spell(step.timeout)})"
        for number, step in enumerate(plan.steps, 1)
    ]
    irreversible = [str(number) for number, step in enumerate(plan.steps, 1) if not step.reversible]
    if irreversible:
        lines.append(f"Cannot be undone: step {', '.join(irreversible)}")
    if plan.undo:
        lines.append("Undo: " + "; ".join(blocks.one_line(step.says) for step in plan.undo))
    return "\n".join(lines)


def _details(plan: Plan) -> Iterator[Part]:
    changes = [line for step in plan.steps for line in step.diff]
    if changes:
        yield Part(blocks.fence(changes, 1200), 2)
    by_hand = [f"$ {step.kubectl}" for step in _with_kubectl(plan.steps)]
    if by_hand:
        yield Part(blocks.section(blocks.words("The same by hand:")), 2)
        yield Part(blocks.fence(by_hand, 1200), 2)


def _with_kubectl(steps: Sequence[PlannedStep]) -> list[PlannedStep]:
    return [step for step in steps if step.kubectl]


def _question(number: int, plan: Plan, approval: Approval, approvers: Sequence[str]) -> Iterator[Part]:
    typed = blocks.code(f"opsbot approve {number} {plan.digest[:PREFIX]}")
    people = "person" if approval.quorum == 1 else "different people"
    names = ", ".join(blocks.one_line(name) for name in approvers) or "nobody in access.people"
    other = ", but not who asked for it" if approval.second_person else ""
    yield from _answer(approval)
    yield Part(blocks.section(blocks.words(
        f"*Approve?* It takes {approval.quorum} {people} with {blocks.code(approval.permission)}: "
        f"{blocks.code(names)}{other}.\nThe question stands until {blocks.moment(approval.expires_at)}; "
        f"without an answer nothing is changed.\nOn a terminal: {typed}"
    )))  # fmt: skip
    yield Part(
        blocks.actions(
            f"decide.{approval.id}",
            blocks.button("Approve", APPROVE, approval.id, "primary"),
            blocks.button("Reject", REJECT, approval.id, "danger"),
        ),
        -1,
    )


def _answer(approval: Approval) -> Iterator[Part]:
    lines = [_decision(made) for made in approval.decisions]
    if approval.state in (ApprovalState.EXPIRED, ApprovalState.WITHDRAWN):
        lines.append(f"The question is {approval.state.value}: nothing was changed by this plan.")
    if lines:
        yield Part(blocks.section(blocks.words("\n".join(lines), 2000)), 1)


def _decision(made: Decision) -> str:
    word = "approved" if made.approves else "rejected"
    because = f": {blocks.code(made.reason)}" if made.reason else ""
    return f"{blocks.code(made.person)} {word} it {blocks.moment(made.at)} ({made.door}){because}"


def decisions(approval: Approval) -> Iterator[str]:
    """Who said what, a line each."""
    for made in approval.decisions:
        word = "approved" if made.approves else "rejected"
        because = f": {blocks.one_line(made.reason)}" if made.reason else ""
        yield f"{blocks.one_line(made.person)} {word} it at {blocks.utc(made.at)} ({made.door}){because}"


def _done(incident: Incident) -> Iterator[Part]:
    run = incident.run
    if run and run.steps:
        lines = [step_line(step) for step in run.steps]
        yield Part(blocks.section(blocks.plain("\n".join(lines), 1500)), 1)
    yield from _denied(incident)


def _denied(incident: Incident) -> Iterator[Part]:
    """What guardrails refused, where a human must know."""
    lines = [
        f"Refused by {ruling.guardrail} ({blocks.reason(ruling.reason)}): {blocks.one_line(ruling.says)}"
        for ruling in incident.rulings
        if ruling.verdict is Verdict.DENY
    ]
    if lines and incident.state in (State.ESCALATED, State.DIAGNOSED, State.PARKED):
        yield Part(blocks.section(blocks.plain("\n".join(lines), 700)), 2)


def ending(incident: Incident) -> str:
    """How it ended, in words."""
    says = blocks.one_line(incident.says) if incident.says else ""
    return f"{verdict(incident)} {says[:1].upper()}{says[1:]}".strip()


def step_line(step: StepRecord) -> str:
    """A step of a run and how it went."""
    name = "Undo" if step.undo else "Step"
    says = f": {blocks.one_line(step.says)}" if step.says else ""
    return f"{name} {step.index + 1}{says}: {STEPS[step.state]}"


def _foot(incident: Incident) -> Iterator[Part]:
    yield Part(blocks.context(blocks.plain(f"Details are in the thread. All of it: opsbot show {incident.id}")), 1)
