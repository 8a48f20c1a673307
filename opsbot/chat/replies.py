"""What a verb said in, a private message out: all looks of answers are here. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from opsbot.chat import blocks, card, quiet
from opsbot.chat.blocks import Json, Part
from opsbot.chat.card import REJECT, STATES
from opsbot.chat.payload import REASON
from opsbot.core.diagnosis import Finding, Hypothesis, Quote
from opsbot.core.evidence import Citation
from opsbot.core.incident import State
from opsbot.core.target import Target
from opsbot.mask import mask

Data = Mapping[str, Any]
ROWS, FINDINGS = 20, 6
DECIDED = {"approve": "Your yes is counted.", "reject": "Your no is counted.", "ack": "Noted: you look into it.",
           "close": "Closed.", "diagnose": "It will be diagnosed again."}  # fmt: skip


def reply(words: str, data: Data) -> Json:
    """The answer of a verb, for the one who asked."""
    return _one(words, data) if "incident" in data else _REPLIES[words](data)


def trouble(sentence: str) -> Json:
    """Why it was not done."""
    return _message("Sorry, that was not done.", [f"Sorry, that was not done: {sentence}"])


def _message(text: str, paragraphs: list[str], more: str = "the same on a terminal") -> Json:
    return blocks.message(text, [Part(blocks.section(blocks.plain(words))) for words in paragraphs], more)


def _one(words: str, data: Data) -> Json:
    """What became of an incident."""
    row = data["incident"]
    line = f"{DECIDED[words]} {_line(row)}"
    return _message(line, [line])


def _line(row: Data) -> str:
    state = STATES[State(row["state"])]
    because = f" ({blocks.reason(row['reason'])})" if row["reason"] not in ("", row["state"]) else ""
    plan = f", plan {row['plan']}" if row["plan"] else ""
    taken = f", {blocks.one_line(row['acked_by'])} looks into it" if row["acked_by"] else ""
    flaps = ", flapping" if row["flapping"] else ""
    title = blocks.cut(blocks.one_line(row["title"]), 150)
    about = f"{title} on {_place(row['target'])} ({row['severity']}{plan}{taken}{flaps})"
    return f"Incident {row['id']}: {state}{because}: {about}"


def _target(value: Data | None) -> str:
    if not value:
        return "no target"
    return f"{value['kind']}/{value['name']}" + (f" -n {value['namespace']}" if value["namespace"] else "")


def _place(value: Data | None) -> str:
    return Target(**value).place if value else "no target"


def _help(data: Data) -> Json:
    lines = [f"/opsbot {row['usage']}: {blocks.one_line(row['summary'])}" for row in data["verbs"]]
    parts = [Part(blocks.section(blocks.plain("\n".join(lines))))]
    if len(data["verbs"]) == 1:
        row = data["verbs"][0]
        takes = [f"{argument['name']}: {argument['help']}" for argument in row["arguments"]]
        parts.append(Part(blocks.fence([*takes, f"for example: /{row['example']}"])))
    else:
        hint = "/opsbot help VERB says more. @opsbot VERB does the same, in threads too."
        parts.append(Part(blocks.context(blocks.plain(hint))))
    return blocks.message("What opsbot can be asked", parts, "opsbot help")


def _status(data: Data) -> Json:
    states = ", ".join(f"{count} {STATES[State(state)].lower()}" for state, count in data["states"].items())
    changes = data["changes"]
    first = (
        f"Mode {data['mode']}{' on ' + data['cluster'] if data['cluster'] else ''}. Open incidents: {data['open']}"
        f"{f' ({states})' if states else ''}. Runs in the last hour: {changes['last_hour']} of {changes['allowed']}."
        f"{quiet.status(data)}"
    )
    return _rows(first, "Waits for a human:", data["waiting"], False)


def _incidents(data: Data) -> Json:
    first = "Incidents, newest first:" if data["incidents"] else "No open incident."
    return _rows(first, "", data["incidents"], data["more"])


def _alerts(data: Data) -> Json:
    first = "Alerts that fire, the worst first:" if data["alerts"] else "No alert fires."
    parts = [Part(blocks.section(blocks.plain(first)))]
    for place, row in enumerate(data["alerts"][:ROWS]):
        parts.append(Part(blocks.section(blocks.plain(_alert_line(row), 500)), 1 + place))
    if data["more"] or len(data["alerts"]) > ROWS:
        parts.append(Part(blocks.context(blocks.plain("… and more: opsbot alerts --limit 100 on a terminal"))))
    return blocks.message(first, parts, "opsbot alerts")


def _alert_line(row: Data) -> str:
    last = row["why"]
    became = "not looked at yet" if row["state"] == "firing" else "-"
    if row["incident"]:
        became = f"incident {row['incident']}"
    if last and not row["incident"]:
        became = blocks.reason(last["reason"]) + (f": {blocks.one_line(last['says'])}" if last["says"] else "")
    since = f"{datetime.fromisoformat(row['since']):%Y-%m-%d %H:%M:%S} UTC"
    name = blocks.cut(blocks.one_line(row["name"]), 150)
    return f"{name} ({row['severity']}, {row['fingerprint'][:8]}): {row['state']} since {since}: {became}"


def _alert(data: Data) -> Json:
    """One alert, and what became of it."""
    first = _alert_line(data["alert"])
    lines = [
        f"{datetime.fromisoformat(row['at']):%H:%M:%S} {blocks.reason(row['reason'])}"
        + (f", incident {row['incident']}" if row["incident"] else "") + (f" ({row['says']})" if row["says"] else "")
        for row in data["why"][-12:]
    ]  # fmt: skip
    parts = [Part(blocks.section(blocks.plain(first, 500))), *([Part(blocks.fence(lines), 1)] if lines else [])]
    return blocks.message(first, parts, "opsbot show on a terminal")


def _rows(first: str, title: str, rows: list[Data], more: bool) -> Json:
    parts = [Part(blocks.section(blocks.plain(first)))]
    if rows and title:
        parts.append(Part(blocks.section(blocks.plain(title))))
    parts += [Part(blocks.section(blocks.plain(_line(row), 500)), 1 + place) for place, row in enumerate(rows[:ROWS])]
    if more or len(rows) > ROWS:
        parts.append(Part(blocks.context(blocks.plain("… and more: opsbot incidents --limit 100 on a terminal"))))
    return blocks.message(first, parts, "opsbot incidents")


def _diagnosis(data: Data) -> Json:
    if "prompt" in data:
        return _prompt(data)
    causes = [finding for finding in data["findings"] if finding["cause"]]
    found = f"{len(causes)} cause{'s' if len(causes) != 1 else ''} found" if causes else "no cause found"
    first = f"Diagnosis of {_target(data['target'])}: {found}."
    parts = [Part(blocks.section(blocks.plain(first)))]
    for place, finding in enumerate(data["findings"][:FINDINGS]):
        parts += card.cause(_finding(finding), data["origins"], place)
    if data["model"]:
        parts.append(
            Part(blocks.section(blocks.plain(f"Asked a model: {blocks.one_line(data['model']['says'])}", 500)), 2)
        )
    parts += card.guesses([_guess(guess) for guess in data["hypotheses"][: card.GUESSES]])
    gaps = [f"not seen: {gap['source']}: {gap['why']}" for gap in data["gaps"]]
    parts += [Part(blocks.fence(gaps, 800), 3)] if gaps else []
    thoughts = [f"proposed: {row['playbook']}: {blocks.one_line(row['why'])}" for row in data["proposals"]]
    parts += [Part(blocks.section(blocks.plain("\n".join(thoughts), 800)), 2)] if thoughts else []
    return blocks.message(first, parts, "opsbot diagnose on a terminal")


def _finding(data: Data) -> Finding:
    """What the verb tells of a finding, to be shown as cards show one."""
    lines = tuple(Citation(row["id"], row["source"], row["line"], mask(row["text"])) for row in data["evidence"])
    return Finding(
        data["rule"], data["fault"], Target(**data["target"]), mask(data["says"]), data["confidence"], lines,
        cause=data["cause"],
    )  # fmt: skip


def _guess(data: Data) -> Hypothesis:
    quotes = tuple(Quote(row["id"], mask(row["quote"])) for row in data["evidence"])
    return Hypothesis(
        data["fault"], Target(**data["target"]), mask(data["says"]), data["confidence"], quotes, data["proposal"]
    )


def _prompt(data: Data) -> Json:
    about = _target(data["target"])
    first = f"What a model would be sent about {about}, masked; nobody was asked."
    rest = f"opsbot diagnose {about} --prompt on a terminal shows all of it."
    lines = [line for name in ("system", "text") for line in str(data["prompt"][name]).split("\n")]
    parts = [Part(blocks.section(blocks.plain(f"{first} {rest}"))), Part(blocks.fence(lines), 1)]
    return blocks.message(first, parts, "the same on a terminal")


def shown(made: Json, entries: list[Data], number: int) -> Json:
    """An incident's card for one person, with the end of its history."""
    lines = [
        f"{datetime.fromisoformat(entry['at']):%H:%M:%S} {entry['who']}: {blocks.reason(entry['act'])}{_because(entry)}"
        for entry in entries[-12:]
    ]
    parts = [Part(block, -1) for block in made["blocks"]]
    history = [Part(blocks.section(blocks.words("*History* (UTC)")), 1), Part(blocks.fence(lines), 2)] if lines else []
    whole = blocks.message("", [*parts, *history], f"opsbot show {number}")
    return {"text": made["text"], "blocks": whole["blocks"]}


def _because(entry: Data) -> str:
    """The named reason of an audit entry, where it says more than the act: asking is not yet an answer."""
    return f" ({blocks.reason(entry['reason'])})" if entry["reason"] not in ("", entry["act"]) else ""


def form(approval: str, number: int, plan: str) -> Json:
    """The form that asks why a plan is rejected; it carries the approval's id and nothing else."""
    return {
        "type": "modal", "callback_id": REJECT, "private_metadata": blocks.cut(approval, blocks.METADATA),
        "title": blocks.plain("Reject the plan", blocks.MODAL_TITLE),
        "submit": blocks.plain("Reject", blocks.MODAL_TITLE), "close": blocks.plain("Cancel", blocks.MODAL_TITLE),
        "blocks": [
            blocks.section(blocks.plain(f"Incident {number}, plan {plan}: nothing will be changed.")),
            {
                "type": "input", "block_id": REASON, "label": blocks.plain("Why?", 100),
                "element": {
                    "type": "plain_text_input", "action_id": REASON, "multiline": True, "max_length": 500,
                    "placeholder": blocks.plain("for the record and for who looks at it next", blocks.HINT),
                },
            },
        ],
    }  # fmt: skip


_REPLIES: dict[str, Callable[[Data], Json]] = {
    "help": _help, "status": _status, "incidents": _incidents, "alerts": _alerts, "show": _alert,
    "diagnose": _diagnosis,
    "silence add": quiet.added, "silence list": quiet.listed, "silence expire": quiet.expired,
}  # fmt: skip
