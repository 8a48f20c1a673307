"""What is told in chat and what people say there: rows that outlive every connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The card is one message per incident, edited in place; notes go into its thread."""

    CARD = "card"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Draft:
    """Something to tell about an incident. `body` is what the chat's own API takes (text, blocks), as plain JSON.

    `key` makes telling harmless to repeat: of drafts of one incident with one key the first counts. A card's newest
    draft replaces one that was not sent yet.
    """

    kind: Kind
    key: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands in chat."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True)
class Message:
    """A draft as kept, until it is sent; `place` is that of the incident's card, None while it has none."""

    id: int
    incident: int
    kind: Kind
    key: str
    body: Mapping[str, Any]
    tries: int = 0
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """Something that a person said or clicked, kept before it is acknowledged.

    `id` is the chat's own for this delivery: the same one twice is a replay. `what` is plain JSON of the door's making.
    """

    id: str
    what: Mapping[str, Any]
    at: datetime
