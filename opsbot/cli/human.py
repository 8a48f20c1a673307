"""The human of the demo: one who types, one who clicks in the chat, or the demo itself in their place."""

from __future__ import annotations

import select
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from opsbot.access import Access
from opsbot.app import clock
from opsbot.config import os_user
from opsbot.core.approval import Decision
from opsbot.core.errors import PermanentError, Refused
from opsbot.core.incident import Incident, State
from opsbot.core.ports import Store
from opsbot.mask import mask
from opsbot.practice.scene import SLACK_USER
from opsbot.remediate import approvals

if TYPE_CHECKING:
    from opsbot.testing.slack import FakeSlack

GLANCE = 0.2
PATIENCE = 20.0
"""Seconds that the card may take to show its buttons."""

Say = Callable[..., None]


class Human(Protocol):
    """Whoever is asked about a plan."""

    def ask(self, say: Say, incident: Incident, store: Store) -> None:
        """Put the question; the answer, if one is given here, goes into the store."""

    def told(self, incident: Incident, store: Store) -> bool:
        """Whether all that there is to tell of the incident has reached them."""


class Played:
    """The demo decides in the human's place, and says so."""

    def __init__(self, access: Access) -> None:
        self._access = access

    def ask(self, say: Say, incident: Incident, store: Store) -> None:
        """Yes, at once."""
        say("approve?", "the demo plays the human itself and says yes")
        decide(say, incident, store, self._access, approves=True)

    def told(self, _incident: Incident, _store: Store) -> bool:
        """The story is told where they are."""
        return True


class AtTerminal:
    """Somebody who reads the story and types."""

    def __init__(self, access: Access, stopped: Callable[[], bool]) -> None:
        self._access, self._stopped = access, stopped

    def ask(self, say: Say, incident: Incident, store: Store) -> None:
        """Wait for a line; somebody else may answer elsewhere meanwhile."""
        say("", ("Approve? [y/N] ", "bold yellow"), end="")
        sys.stdout.flush()
        answer = self._answer(incident, store)
        if answer is not None:
            decide(say, incident, store, self._access, approves=answer.strip().lower() in ("y", "yes"))

    def _answer(self, incident: Incident, store: Store) -> str | None:
        while not self._stopped():
            if select.select([sys.stdin], [], [], GLANCE)[0]:
                return sys.stdin.readline()
            now = store.load(incident.id)
            if now is None or now.state is not State.AWAITING_APPROVAL:
                sys.stdout.write("\n")
                return None
        return None

    def told(self, _incident: Incident, _store: Store) -> bool:
        """The story is told where they are."""
        return True


class InChat:
    """Somebody at the chat's page, or the demo clicking there in their place."""

    def __init__(self, slack: FakeSlack, url: str, *, played: bool) -> None:
        self._slack, self._url, self._played = slack, url, played

    def ask(self, say: Say, incident: Incident, store: Store) -> None:
        """Point to the page, or click Approve on the card."""
        if not self._played:
            say("approve?", "decide in the chat: ", (self._url, "bold"))
            return
        say("approve?", "the demo plays the human itself and clicks Approve in the chat")
        self._slack.click(SLACK_USER, self._card(incident, store), "approve")

    def _card(self, incident: Incident, store: Store) -> str:
        """The time stamp of the card once it shows the plan that waits."""
        approval, until = incident.approval.id if incident.approval else "", time.monotonic() + PATIENCE
        while time.monotonic() < until:
            place = store.card(incident.id)
            if place and approval in str(self._slack.message(place.ts).blocks):
                return place.ts
            time.sleep(GLANCE / 4)
        raise PermanentError(f"the chat did not show the plan within {PATIENCE:.0f} s")

    def told(self, incident: Incident, store: Store) -> bool:
        """The last edit of the card and the report stand in the chat too."""
        return incident.told == incident.mark and not store.next_messages(clock())


def decide(say: Say, incident: Incident, store: Store, access: Access, *, approves: bool) -> None:
    """One person's word about the plan that waits, from the terminal."""
    digest = incident.plan.digest if incident.plan else ""
    word = Decision(os_user(), approves, clock(), "cli", None if approves else mask("the human said no"))
    try:
        approvals.decide(incident, word, digest, access, store)
    except Refused as refused:
        say("refused", f"{refused.reason}: {refused}")
