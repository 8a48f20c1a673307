"""The audit: one hash chain per incident, each entry over the digest of the record as saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from opsbot.core.canonical import digest

START = "0" * 64


@dataclass(frozen=True, slots=True)
class Note:
    """What is about to be recorded: who did what, the named reason, and the details worth keeping (all masked)."""

    who: str
    act: str
    reason: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A note as recorded.

    `record` is the digest of the incident as saved (`version` is then its version), or of the row that was added to it
    (`version` is then 0). A bare note has neither.
    """

    incident: int
    seq: int
    at: datetime
    who: str
    act: str
    reason: str
    detail: Mapping[str, str]
    record: str
    previous: str
    version: int = 0
    digest: str = ""


def sealed(entry: AuditEntry) -> AuditEntry:
    """The entry with the digest of everything else in it."""
    return replace(entry, digest=digest(replace(entry, digest="")))


def broken(entries: Sequence[AuditEntry]) -> str:
    """What is wrong with a chain of one incident, in one sentence; empty when nothing is."""
    previous = START
    for place, entry in enumerate(entries, 1):
        if entry.seq != place:
            return f"entry {place} is missing"
        if entry.previous != previous:
            return f"entry {place} does not follow the one before it"
        if sealed(entry).digest != entry.digest:
            return f"entry {place} was changed after it was written"
        previous = entry.digest
    return ""
