"""What a verb said, told to a person on a terminal. All looks of this door are here; meaning never hangs on colour."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from rich.text import Text

from opsbot.cli import alerted, exported, judged, members, overview, quiet
from opsbot.cli.lines import STYLES, Data, Line, clock, day_and_time, line, moment, place, table, target, zone
from opsbot.cli.terminal import console
from opsbot.report import times


def tell(words: str, data: Data) -> None:
    """Print the answer of a verb."""
    out = console()
    for said in _TELLERS[words](data):
        out.print(said)


# incidents ----------------------------------------------------------------------------------------------------------


def show(data: Data) -> Iterator[Line]:
    """One incident, whole, or one alert."""
    if "alert" in data:
        yield from alerted.alert(data)
        return
    incident = data["incident"]
    yield from heading(incident)
    yield from members.alerts(incident)
    yield from causes(incident)
    yield from hypotheses(incident)
    yield from plan(incident)
    yield from done(incident)
    names = {alert["fingerprint"]: alert["name"] for alert in incident["alerts"]}
    yield from alerted.why(incident["why"], names, incident["why_more"])
    yield from history(incident)


def heading(incident: Data) -> Iterator[Line]:
    """Number, title, state, target."""
    yield line((f"Incident {incident['id']}  {incident['title']}", "bold"))
    state = [incident["state"], f" ({incident['reason']})" if incident["reason"] != incident["state"] else ""]
    yield line("  state    ", *state, f" since {clock(incident['since'])}, severity ", incident["severity"])
    yield line("  target   ", place(incident["target"]))
    opened = incident["opened_at"]
    yield line("  opened   ", f"{day_and_time(opened)} {zone([opened])}", _again(incident))
    if incident["flapping"]:
        yield line("  ", (incident["flapping"], "yellow"))
    if incident["acked_by"]:
        yield line("  taken by ", incident["acked_by"])


def _again(incident: Data) -> str:
    return f", reopened {times(incident['reopened'])}" if incident["reopened"] else ""


def causes(incident: Data) -> Iterator[Line]:
    """What was found: causes first, then what they explain, then what could not be seen."""
    if incident["findings"]:
        yield line("")
        yield line(("Findings", "bold"))
    for finding in incident["findings"]:
        yield from _finding(finding)
    for gap in incident["gaps"]:
        yield line("  not seen: ", gap["source"], ": ", gap["why"])


def _finding(finding: Data) -> Iterator[Line]:
    word = "cause" if finding["cause"] else "symptom"
    because = f", explained by {finding['explained_by']}" if finding["explained_by"] else ""
    sure = f"{finding['confidence'] * 100:.0f} %"
    yield line(
        f"  {finding['rank']}. ",
        (finding["fault"], "bold"),
        f" ({word}, {sure}{because}) on {target(finding['target'])}",
    )
    yield line("     ", finding["says"])
    for cited in finding["evidence"][:3]:
        yield line("     ", (f"{cited['id']}:{cited['line']} {cited['source']}  ", "dim"), moment(cited["text"])[:200])
    more = len(finding["evidence"]) - 3
    if more > 0:
        yield line(f"     … and {more} more lines")


def hypotheses(incident: Data) -> Iterator[Line]:
    """What a model thinks, and what came of asking it."""
    if not incident["model"]:
        return
    yield line("")
    yield line(("Guesses of a model", "bold"), f"  {incident['model']['says']}")
    for thought in incident["hypotheses"]:
        sure = f"{thought['confidence'] * 100:.0f} %"
        yield line("  ? ", (thought["fault"], "bold"), f" ({sure}) on {target(thought['target'])}")
        yield line("     ", thought["says"])
        for quote in thought["evidence"]:
            yield line("     ", (f"{quote['id']}  ", "dim"), quote["quote"][:200])
        if thought["proposal"]:
            yield line("     it would run ", (thought["proposal"], "bold"), ", which needs a human's yes")


def plan(incident: Data) -> Iterator[Line]:
    """The plan, with what each step changes and the same in kubectl."""
    found, asked = incident["plan"], incident["approval"]
    for ruling in incident["rulings"]:
        if ruling["verdict"] == "deny":
            yield line("  denied by ", ruling["guardrail"], f" ({ruling['reason']}): {ruling['says']}")
    if not found:
        return
    yield line("")
    yield line((f"Plan {found['prefix']}  {found['playbook']}", "bold"), f", because {found['why']}")
    yield from steps(found)
    if asked and asked["state"] == "waiting":
        need = f"{asked['quorum']} person{'s' if asked['quorum'] > 1 else ''} with {asked['permission']}"
        yield line(f"  waits for {need}, until {clock(asked['expires_at'])}:")
        yield line((f"  opsbot approve {incident['id']} {found['prefix']}", "bold"))
    elif asked:
        yield line("  approval ", asked["state"], _decisions(asked))


def steps(found: Data) -> Iterator[Text]:
    """The steps of a plan."""
    for number, step in enumerate(found["steps"], 1):
        yield line(f"  {number}. {step['says']}  (within {step['timeout']})")
        for change in step["diff"]:
            yield line("       ", (change, {"-": "red", "+": "green"}.get(change[:1], "")))
        if step["kubectl"]:
            yield line("       $ ", (step["kubectl"], "cyan"))
    for step in found["undo"]:
        yield line(f"  undo: {step['says']}")


def _decisions(asked: Data) -> str:
    words = [
        f"{d['person']} {'approved' if d['approves'] else 'rejected'} at {clock(d['at'])} ({d['door']})"
        + (f": {d['reason']}" if d["reason"] else "")
        for d in asked["decisions"]
    ]
    return f" ({'; '.join(words)})" if words else ""


def done(incident: Data) -> Iterator[Line]:
    """What a run did."""
    run = incident["run"]
    if not run:
        return
    yield line("")
    yield line(("Run", "bold"), f" from {clock(run['started_at'])} to {clock(run['ended_at'])}")
    for step in run["steps"]:
        name = "undo" if step["undo"] else "step"
        yield line(f"  {name} {step['index'] + 1}: ", step["state"], f"  {step['says']}")
    if incident["says"]:
        yield line("  ", incident["says"])


def history(incident: Data) -> Iterator[Line]:
    """The audit, an entry a line."""
    yield line("")
    yield line(("History", "bold"))
    for entry in incident["audit"]:
        reason = f" ({entry['reason']})" if entry["reason"] and entry["reason"] != entry["act"] else ""
        detail = ", ".join(f"{key}: {value}" for key, value in entry["detail"].items() if value)
        yield line(f"  {clock(entry['at'])}  {entry['who']}: {entry['act']}{reason}", (f"  {detail}"[:240], "dim"))


def one(data: Data) -> Iterator[Line]:
    """What became of an incident after a decision."""
    incident = data["incident"]
    yield line(f"incident {incident['id']} is ", *_state(incident))


def _state(incident: Data) -> tuple[str, str]:
    return incident["state"], f" ({incident['reason']})"


def acked(data: Data) -> Iterator[Line]:
    """Who looks into an incident from now on, or did already."""
    incident = data["incident"]
    yield line(f"incident {incident['id']} is acknowledged by {incident['acked_by']}; it is ", *_state(incident))


# the other verbs ----------------------------------------------------------------------------------------------------


def diagnosis(data: Data) -> Iterator[Line]:
    """An answer of `diagnose`."""
    if "incident" in data:
        yield from one(data)
        return
    if "prompt" in data:
        yield from prompt(data["prompt"])
        return
    yield line((f"Diagnosis of {target(data['target'])}", "bold"))
    if not any(finding["cause"] for finding in data["findings"]):
        yield line("  no cause found")
    yield from causes(data)
    yield from hypotheses(data)
    for proposal in data["proposals"]:
        yield line("  proposed: ", (proposal["playbook"], "bold"), f", because {proposal['why']}")


def prompt(asked: Data) -> Iterator[Line]:
    """What a model would be sent."""
    for name in ("system", "text", "schema"):
        yield line((f"--- {name}", "bold"))
        yield line(asked[name] if isinstance(asked[name], str) else json.dumps(asked[name]))


def check(data: Data) -> Iterator[Line]:
    """Problems as file:line:col, then whether metrics were looked up, if they should have been, and a count."""
    for file in data["files"]:
        for kind in ("problems", "warnings"):
            for item in file[kind]:
                hint = f" ({item['hint']})" if item["hint"] else ""
                word = "warning: " if kind == "warnings" else ""
                rule = f"{item['rule']}: " if item["rule"] else ""
                yield line(f"{file['path']}:{item['line']}:{item['column']}: {word}{rule}{item['message']}{hint}")
                yield from (line(f"    {shown}") for shown in item["excerpt"].split("\n") if shown)
        if file["ignored"]:
            yield line(f"{file['path']}: {_ignored(file['ignored'])}")
    if data["unasked"]:
        yield line(f"metrics were not looked up: {data['unasked']}")
    yield line(f"{_count(len(data['files']), 'file')} read, {_count(data['problems'], 'problem')}")


def _ignored(found: list[Data]) -> str:
    """How many things of a file are not watched, by why."""
    whys = Counter(item["why"] for item in found)
    return "; ".join(f"{number} ignored, as each {why}" for why, number in whys.items())


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def playbooks(data: Data) -> Iterator[Line]:
    """A table of playbooks."""
    rows = table("name", "what it does", "approval", "runs on")
    for row in data["playbooks"]:
        rows.add_row(
            *(line(cell) for cell in (row["name"], row["summary"], row["permission"], ", ".join(row["kinds"])))
        )
    yield rows


def playbook(data: Data) -> Iterator[Line]:
    """One playbook."""
    found = data["playbook"]
    yield line((found["name"], "bold"), f"  {found['summary']}")
    for name in ("file", "digest", "when", "verify"):
        yield line(f"  {name:<9}{found[name]}")
    yield line(f"  {'approval':<9}{found['approval']}")
    for given in found["inputs"]:
        yield line(f"  {'input':<9}{given['name']}: {given['says']}")
    for rule in found["guardrails"]:
        yield line(f"  {'guard':<9}{rule}")
    for name in ("steps", "undo"):
        for number, step in enumerate(found[name], 1):
            yield line(f"  {name.removesuffix('s'):<5}{number:>2}  {step}")


def planned(data: Data) -> Iterator[Line]:
    """A plan that nobody asked to run, or why there is none."""
    for ruling in data["rulings"]:
        if ruling["verdict"] != "allow":
            yield line(ruling["verdict"], f": {ruling['guardrail']} ({ruling['reason']}) {ruling['says']}")
    if data["plan"]:
        yield line((f"{data['plan']['playbook']} on {target(data['plan']['target'])}", "bold"))
        yield from steps(data["plan"])
        yield line("nothing was changed: `opsbot playbook run` asks for it to be run")


def audit(data: Data) -> Iterator[Line]:
    """Whether the chains hold."""
    for problem in data["problems"]:
        yield line(("BROKEN ", "bold red"), problem)
    verdict = ("does not hold", "bold red") if data["problems"] else ("holds", "green")
    yield line("the record ", verdict, f": {data['entries']} entries of {data['incidents']} incidents")


def doctor(data: Data) -> Iterator[Line]:
    """A line a probe."""
    for probe in data["probes"]:
        mark = {"good": "ok  ", "warn": "warn", "bad": "FAIL"}[probe["state"]]
        yield line((mark, STYLES[probe["state"]]), f"  {probe['name']:<12}{probe['says']}")


def status(data: Data) -> Iterator[Line]:
    """How things stand, what waits for a human first."""
    changes = data["changes"]
    states = ", ".join(f"{count} {state}" for state, count in data["states"].items())
    yield line("opsbot in mode ", (data["mode"], "bold"), f" on {data['cluster'] or 'the cluster of the kubeconfig'}")
    yield line(f"  {_count(data['open'], 'open incident')}", f": {states}" if states else "")
    yield line(f"  {_count(changes['last_hour'], 'run')} in the last hour, {changes['allowed']} allowed")
    yield from quiet.status(data)
    for row in data["waiting"]:
        plan = f", plan {row['plan']}" if row["plan"] else ""
        taken = f", {row['acked_by']} looks into it" if row["acked_by"] else ""
        flaps = ", flapping" if row["flapping"] else ""
        words = f": {row['title']} on {place(row['target'])} ({row['severity']}{plan}{taken}{flaps})"
        yield line(f"  waits for a human: incident {row['id']} ", row["state"], words)


def verbs(data: Data) -> Iterator[Line]:
    """The verbs; a single one with its arguments and an example."""
    width = max(len(row["words"]) for row in data["verbs"]) + 2
    for row in data["verbs"]:
        yield line((f"{row['words']:<{width}}", "bold"), row["summary"])
    if len(data["verbs"]) == 1:
        row = data["verbs"][0]
        for argument in row["arguments"]:
            yield line(f"  {argument['name']:<18}{argument['help']}")
        yield line("  example: ", row["example"])


_TELLERS: dict[str, Callable[[Data], Iterable[Line]]] = {
    "help": verbs, "status": status, "ack": acked, "incidents": overview.incidents, "show": show,
    "approve": one, "reject": one, "close": one, "diagnose": diagnosis,
    "check": check, "test": judged.test, "playbook list": playbooks, "playbook show": playbook,
    "playbook plan": planned, "playbook run": one, "audit verify": audit, "doctor": doctor,
    "export prometheus": exported.prometheus, "alerts": alerted.alerts,
    "silence add": quiet.added, "silence list": quiet.listed, "silence expire": quiet.expired,
}  # fmt: skip
