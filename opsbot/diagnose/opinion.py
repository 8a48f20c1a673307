"""The skill `ask_model`: an incident whose rules left a question open in, hypotheses out, in rows of their own.

At most one question per incident, and only once the rules' result is out. It touches no finding, plan or state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsbot.core.audit import AuditEntry, Note
from opsbot.core.incident import Incident
from opsbot.core.ports import Model, Store
from opsbot.core.task import Again
from opsbot.diagnose import case
from opsbot.diagnose.analyze import Opinion, ask

WHO, ACT, ASKING, ROUND = "diagnostic", "ask_model", "asking", "round"


class ModelAgent:
    """`playbooks` are names with summaries; `tokens` bounds a question, `timeout` (seconds) the wait for its answer."""

    def __init__(
        self, store: Store, model: Model, playbooks: Mapping[str, str], tokens: int = 60_000, timeout: float = 60.0
    ) -> None:
        self._store, self._model, self._playbooks = store, model, playbooks
        self._tokens, self._timeout = tokens, timeout

    def ask_model(self, incident: Incident, now: datetime) -> Again | None:
        """Ask, and keep what came of it, even where that is nothing: the question counts as asked from now on."""
        if incident.asked or not incident.open_question or incident.diagnosed_at is None:
            return None
        begun = next((entry for entry in self._store.audit(incident.id) if entry.act == ACT), None)
        about = _round(begun) if begun else incident.round
        found = Opinion("interrupted") if begun else self._opinion(incident, now)
        note = Note(WHO, ACT, found.reason, {ROUND: str(about), **detail(found)})
        self._store.add_hypotheses(incident.id, about, found.hypotheses, note, now)
        return None

    def _opinion(self, incident: Incident, now: datetime) -> Opinion:
        """That a question is asked is kept before it is: one that was cut short is not asked again."""
        evidence, _ = self._store.evidence(incident.id, incident.round)
        self._store.note(incident.id, Note(WHO, ACT, ASKING, {ROUND: str(incident.round)}), now)
        return ask(self._model, case.of(incident, evidence, self._playbooks), self._tokens, self._timeout)


def detail(found: Opinion) -> dict[str, str]:
    """An opinion in the words of an audit entry; the hypotheses themselves are kept elsewhere."""
    dropped = ", ".join(f"{count} {reason}" for reason, count in found.dropped.items())
    given = {"hypotheses": str(len(found.hypotheses)), "dropped": dropped, "why": str(found.why or "")}
    return {name: text for name, text in {**given, "tokens": str(found.tokens or "")}.items() if text}


_SAID = {
    "answered": "The model gave hypotheses",
    "nothing_to_add": "The model had nothing to add",
    "nothing_usable": "The model's answer could not be used",
    "no_answer": "The model gave no answer",
    "over_budget": "The model was not asked: over budget",
    "budget_unreadable": "The model was not asked: what was spent so far cannot be read",
    "no_evidence": "The model was not asked",
    "interrupted": "The model was asked, but the answer was lost",
    "asked_before": "The model was asked in an earlier round: it is asked once about an incident",
    ASKING: "The model has been asked",
}


def sentence(reason: str, given: Mapping[str, str]) -> str:
    """What came of asking, for a person: `given` is the detail of the audit entry."""
    why = f": {given['why']}" if given.get("why") else ""
    dropped = f" (dropped: {given['dropped'].replace('_', ' ')})" if given.get("dropped") else ""
    return f"{_SAID.get(reason, reason)}{why}{dropped}."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking a model about one round, by its named reason and in a sentence."""

    reason: str
    says: str


def outcome(incident: Incident, entries: Sequence[AuditEntry]) -> Outcome | None:
    """That of the present round; None where no model was asked, nor would have been but for an earlier round."""
    asked = [entry for entry in entries if entry.act == ACT]
    now = [entry for entry in asked if _round(entry) == incident.round]
    if now:
        return Outcome(now[-1].reason, sentence(now[-1].reason, now[-1].detail))
    return Outcome("asked_before", sentence("asked_before", {})) if asked and incident.open_question else None


def _round(entry: AuditEntry) -> int:
    """Which round an entry is about; entries of before rounds were told of are about the first."""
    told = entry.detail.get(ROUND, "1")
    return int(told) if told.isdecimal() else 1
