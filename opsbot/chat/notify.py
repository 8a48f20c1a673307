"""An incident that has changed in, messages for its card and thread out: kept in the store, sent by the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from opsbot.access import Access
from opsbot.chat import blocks
from opsbot.chat.card import card
from opsbot.chat.notes import notes
from opsbot.core.incident import Incident
from opsbot.core.message import Draft, Kind
from opsbot.core.ports import Store
from opsbot.core.task import Again
from opsbot.diagnose import opinion as opinions


class Notifier:
    """Skill `notify`."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store, self._access = store, access

    def notify(self, incident: Incident, now: datetime) -> Again | None:
        """Draft the card as it should be now and the notes that are new; doing it twice is harmless."""
        sources, said = origins(self._store, incident), opinion(self._store, incident)
        shown = Draft(Kind.CARD, "card", card(incident, sources, approvers(self._access, incident), said))
        told = notes(incident, sources, said)
        self._store.add_messages(incident.id, (shown, *told), incident.mark, now)
        return None


def origins(store: Store, incident: Incident) -> Mapping[str, str]:
    """Where each piece of evidence of the present round was read."""
    pieces, _ = store.evidence(incident.id, incident.round)
    return {piece.id: blocks.cut(piece.origin, 200) for piece in pieces}


def opinion(store: Store, incident: Incident) -> str:
    """What came of asking a model about the present round, in a sentence; nothing while that is not over."""
    found = opinions.outcome(incident, store.audit(incident.id)) if incident.asked else None
    return found.says if found and found.reason != opinions.ASKING else ""


def approvers(access: Access, incident: Incident) -> list[str]:
    """The names of those who may approve the plan that waits."""
    return access.who_may(incident.approval.permission) if incident.approval else []
