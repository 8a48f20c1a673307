"""What a pushed alert changes about what is known: a push and the alert so far in, a named outcome and the alert out.

Pure. Pushes come late, twice and in any order; whatever is older than what is known changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from opsbot.core.alert import POLLED, Alert, AlertState, Push

RENEW = timedelta(minutes=1)
"""How often a repetition is worth a write: when the alert was heard of last, and what its annotations say now."""

KEEP = timedelta(hours=6)
"""How long a resolved alert is remembered, so that an older notice of it is known for what it is."""


class Outcome(StrEnum):
    """What became of a push; the first four change the alert."""

    FIRED = "fired"
    REFIRED = "refired"
    RESOLVED = "resolved"
    RENEWED = "renewed"
    DUPLICATE = "duplicate"
    OLDER = "older"
    LEFT_TO_POLLS = "left_to_polls"
    OTHER_SOURCE = "other_source"

    @property
    def writes(self) -> bool:
        """Whether the store has to be told."""
        return self in (Outcome.FIRED, Outcome.REFIRED, Outcome.RESOLVED, Outcome.RENEWED)


def decide(known: Alert | None, push: Push, now: datetime, *, polls_see: bool) -> Outcome:
    """What a push means for the alert as known; `polls_see` says that its rule is watched and can be read now.

    Who has the say of an alert is its source: polls, once they have seen it, as long as they can see; else the webhook
    that it came by, whose resolved notice alone ends it.
    """
    if known is None:
        return Outcome.FIRED if push.firing else Outcome.RESOLVED
    if known.source == POLLED and polls_see:
        return Outcome.LEFT_TO_POLLS
    if known.source not in (POLLED, push.source):
        return Outcome.OTHER_SOURCE
    return _of_firing(known, push, now) if push.firing else _of_resolved(known, push, now)


def _of_firing(known: Alert, push: Push, now: datetime) -> Outcome:
    if known.state is AlertState.PENDING:
        return Outcome.FIRED
    if known.state is AlertState.RESOLVED:
        return Outcome.REFIRED if begun(push, now) > (known.resolved_at or known.active_at) else Outcome.OLDER
    heard = known.held_at or known.active_at
    since = heard if known.source == POLLED else known.fired_at or known.active_at
    if said_start(push) and begun(push, now) > since:  # the notice that it had ended was lost, or is still to come
        return Outcome.REFIRED
    return Outcome.RENEWED if now - heard >= RENEW else Outcome.DUPLICATE


def _of_resolved(known: Alert, push: Push, now: datetime) -> Outcome:
    if known.state is AlertState.RESOLVED:
        later = begun(push, now) > (known.resolved_at or known.active_at) and said_start(push)
        return Outcome.RESOLVED if later else Outcome.DUPLICATE
    return Outcome.OLDER if ended(push, now) < (known.fired_at or known.active_at) else Outcome.RESOLVED


def said_start(push: Push) -> bool:
    """Whether the sender said when it began; where it did not, each repetition seems to begin anew."""
    return push.starts_at < push.sent_at


def begun(push: Push, now: datetime) -> datetime:
    """Since when it fires, as far as that can be: a sender's clock may be ahead of ours."""
    return min(push.starts_at, now)


def ended(push: Push, now: datetime) -> datetime:
    """When it ended."""
    return min(push.ends_at or push.sent_at, now)


def merged(known: Alert | None, push: Push, outcome: Outcome, new: Alert, now: datetime) -> Alert:
    """The alert afterwards; `new` is what the push alone would make, firing."""
    if outcome is Outcome.RENEWED and known is not None:
        return replace(known, held_at=now, annotations=new.annotations)
    if outcome is Outcome.RESOLVED:
        before = replace(known, source=push.source) if known and known.state is not AlertState.RESOLVED else new
        at = max(ended(push, now), before.active_at)
        return replace(before, state=AlertState.RESOLVED, holds=False, holds_since=at, resolved_at=at)
    return new


def normal(labels: Mapping[str, str], ignored: frozenset[str], external: Mapping[str, str]) -> dict[str, str]:
    """The labels that tell alerts apart: without ignored ones, a Prometheus' own external ones, and empty ones."""
    return {
        name: word
        for name, word in labels.items()
        if word and name not in ignored and external.get(name) != word and name != "__name__"
    }
