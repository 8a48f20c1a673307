"""The demo's story: a store that changes in, lines for a reader out, and the human's answer back into the store."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from opsbot.cli.lines import line, moment
from opsbot.cli.tell import steps
from opsbot.commands import shape
from opsbot.core.alert import Alert, AlertState
from opsbot.core.approval import ApprovalState
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident, State
from opsbot.core.playbook import StepState
from opsbot.core.ports import Store
from opsbot.core.task import Mode

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from opsbot.cli.human import Human
    from opsbot.practice.ground import Ground

PATIENCE = 120.0
"""Seconds without any news, the human's thinking aside, after which the story gives up."""
GLANCE = 0.1
INDENT = 21
PAUSE = 5.0
"""Seconds between two lines about one long task."""
ENDS = (State.RESOLVED, State.ESCALATED)


class Story:
    """Tells each event once, in the order in which things happen, and has the human asked."""

    def __init__(self, out: Console, begun: float) -> None:
        self._out, self._begun = out, begun
        self._told: set[str] = set()
        self._phase = ""
        self._replicas: tuple[int, int] | None = None
        self._news_at = begun
        self.config = ""
        self.stopped: Callable[[], bool] = lambda: False
        self.human: Human | None = None

    def say(self, what: str, *words: str | tuple[str, str], end: str = "\n") -> None:
        """One line with the time since the start."""
        self._news_at = time.monotonic()
        when = (f"{self._news_at - self._begun:5.1f} s  ", "dim")
        self._out.print(line(when, (f"{what:<12}", "bold"), *words), end=end)

    def more(self, text: Text) -> None:
        """A line that belongs to the one before."""
        self._out.print(line(" " * INDENT).append_text(text))

    def title(self) -> None:
        """What will be seen."""
        self._out.print(
            line(("opsbot demo", "bold"), ": an app gets slow. opsbot finds out why and proposes a change;")
        )
        self._out.print(line("a human decides; the change is made, and the alert clears because of it."))
        self._out.print()

    def progress(self, text: str, what: str = "setting up") -> None:
        """What is being made ready; the same thing further on is told again after a while only."""
        phase = text.split(",", maxsplit=1)[0]
        if phase != self._phase or time.monotonic() - self._news_at > PAUSE:
            self._phase = phase
            self.say(what, (text, "dim"))

    def farewell(self, text: str) -> None:
        """What is being taken down."""
        self.progress(text, "taking down")

    def scene(self, ground: Ground, mode: Mode) -> None:
        """What there is when the curtain rises."""
        wanted, ready = self._replicas = ground.replicas()
        self.config = str(ground.config)
        first, *others = ground.simulated.splitlines()
        self.say("cluster", first)
        for text in others:
            self.more(line(text))
        self.say("prometheus", f"{ground.prometheus_version}, the real one, at {ground.prometheus}")
        where = f"Deployment/agents -n {ground.namespace}"
        self.say("app", f"{where}: {ready} of {wanted} replicas ready, tasks are done in good time")
        self.say("opsbot", f"watches, mode {mode.value}: it may change nothing without a human's word")

    def follow(self, store: Store, ground: Ground) -> int:
        """Tell what happens until the incident ends; the demo's exit code."""
        while not self.stopped():
            ground.check()
            self._alerts(store.alerts())
            incident = next(iter(store.incidents(limit=1)), None)
            if incident:
                self._incident(incident, store)
                self._scaled(ground)
                if incident.state in ENDS and not self._after(incident, store):
                    return self._end(incident, store)
            if time.monotonic() - self._news_at > PATIENCE:
                raise PermanentError(f"nothing happened for {PATIENCE:.0f} s: the scene is stuck")
            time.sleep(GLANCE)
        self.say("stopped", "taking everything down")
        return 130

    def linger(self, url: str) -> None:
        """Leave the chat's page up until somebody has seen enough."""
        self.say("chat", "the page stays until Ctrl-C: ", (url, "bold"))
        while not self.stopped():
            time.sleep(GLANCE)

    def _after(self, incident: Incident, store: Store) -> bool:
        """Whether the report is still to come, or to reach the human."""
        told = self.human is None or self.human.told(incident, store)
        return incident.reported < incident.version or not told

    def _once(self, name: str) -> bool:
        """Whether this was not told before; it counts as told from now on."""
        new = name not in self._told
        self._told.add(name)
        return new

    # what happens ---------------------------------------------------------------------------------------------------

    def _alerts(self, found: tuple[Alert, ...]) -> None:
        for alert in found:
            value = f"{alert.value:.0f} ms" if alert.value is not None else "no value"
            if alert.state is AlertState.PENDING and self._once("pending"):
                self.say("pending", f"{alert.name}: avg(response_time) > 5000 holds ({value}); it must for 10 s")
            if alert.state is AlertState.FIRING and self._once("firing"):
                self.say("firing", (alert.name, "bold red"), f": {value}, {alert.severity}")
            if not alert.holds and "firing" in self._told and self._once("cleared"):
                self.say("cleared", f"{alert.name}: the condition holds no more")

    def _incident(self, incident: Incident, store: Store) -> None:
        if self._once("opened"):
            self.say("incident", f"{incident.id} opened for {incident.target}: {incident.title}")
        if incident.diagnosed_at and self._once("diagnosed"):
            self._diagnosis(incident)
        self._opinion(incident, store)
        if incident.plan and incident.approval and self._once(incident.plan.digest):
            self._proposal(incident)
        if incident.state is State.AWAITING_APPROVAL:
            self._ask(incident, store)
        self._decisions(incident)
        self._steps(incident)
        if incident.state is State.VERIFYING and self._once("verifying"):
            self.say("verifying", "waiting for an answer of Prometheus, later than the change, without the alert")

    def _opinion(self, incident: Incident, store: Store) -> None:
        for place, thought in enumerate(incident.hypotheses, 1):
            if self._once(f"hypothesis {place}"):
                self.say("model", f"thinks of {thought.fault} ({thought.confidence * 100:.0f} %): {thought.says}")
        if incident.asked and not incident.hypotheses and self._once("no hypothesis"):
            asked = shape.asked(incident, store.audit(incident.id))
            self.say("model", asked["says"] if asked else "was asked")

    def _diagnosis(self, incident: Incident) -> None:
        causes = [shape.finding(finding) for finding in incident.findings if finding.cause]
        if not causes:
            self.say("diagnosed", "no cause found")
        for finding in causes:
            self.say("diagnosed", (finding["fault"], "bold"), f": {finding['says']}")
            for cited in finding["evidence"][:3]:
                place = f"{cited['source']} {cited['id']}:{cited['line']}  "
                self.more(line((place, "dim"), moment(cited["text"])[:110]))

    def _proposal(self, incident: Incident) -> None:
        plan = shape.plan(incident.plan) if incident.plan else {}
        self.say("proposed", (f"{plan['playbook']}", "bold"), f", because {plan['why']}")
        for text in steps(plan):
            self.more(text)
        command = f"opsbot approve {incident.id} {plan['prefix']} --config {self.config}"
        self.more(line("from another terminal:"))
        self._out.print(line((command, "bold")), soft_wrap=True)  # in one piece, to be copied

    def _ask(self, incident: Incident, store: Store) -> None:
        """Put the question once; however long the human thinks, the story is not stuck."""
        self._news_at = time.monotonic()
        if self.human and incident.approval and self._once(f"asked {incident.approval.id}"):
            self.human.ask(self.say, incident, store)

    def _decisions(self, incident: Incident) -> None:
        for made in incident.approval.decisions if incident.approval else ():
            word = "approved" if made.approves else "rejected"
            if self._once(f"{word} {made.person} {made.at}"):
                self.say(word, f"by {made.person} ({made.door})")
        if incident.approval and incident.approval.state is ApprovalState.EXPIRED and self._once("expired"):
            self.say("expired", "nobody answered in time")

    def _steps(self, incident: Incident) -> None:
        for step in incident.run.steps if incident.run else ():
            ended = step.state not in (StepState.INTENDED, StepState.WAITING)
            name = "undo" if step.undo else "step"
            if ended and self._once(f"{name} {step.index} {step.state}"):
                self.say(name, step.says, ": ", step.state.value)

    def _scaled(self, ground: Ground) -> None:
        now = ground.replicas()
        if now != self._replicas:
            self._replicas = now
            self.say("cluster", f"{now[1]} of {now[0]} replicas ready")

    # the end --------------------------------------------------------------------------------------------------------

    def _end(self, incident: Incident, store: Store) -> int:
        good = incident.state is State.RESOLVED
        self.say(incident.state.value, *self._outcome(incident))
        problems = store.verify()
        entries = len(store.audit(incident.id))
        self.say("audit", f"{entries} entries, the chain holds" if not problems else problems[0])
        self._out.print()
        for text in _where_next():
            self._out.print(text)
        return 0 if good or incident.reason == "rejected" else 1

    @staticmethod
    def _outcome(incident: Incident) -> Iterator[str]:
        yield incident.reason.replace("_", " ")
        if incident.says:
            yield f": {incident.says}"


def _where_next() -> Iterator[Text]:
    program = _program()
    yield line(("Where to look next", "bold"))
    for what, why in (
        (f"{program} check", "the alerts, rules and playbooks that just worked; `test` runs their cases"),
        ("docs/start.md", f"the same on your own Prometheus and cluster: {program} serve"),
        ("docs/safety.md", "what opsbot promises, and how it is held"),
    ):
        yield line(f"  {what:<27} {why}")


def _program() -> str:
    """How to start opsbot again: the way that it was started, where it is on no path."""
    if shutil.which("opsbot"):
        return "opsbot"
    module = Path(sys.argv[0]).name == "__main__.py"
    return "python -m opsbot" if module else os.path.relpath(sys.argv[0])
