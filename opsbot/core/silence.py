"""What holds alerts back: matchers over labels, silences, inhibitions and maintenance windows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum


class Match(StrEnum):
    """How a matcher compares; a label that is not there is empty, and a regular expression must match all of it."""

    IS = "="
    IS_NOT = "!="
    LIKE = "=~"
    NOT_LIKE = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label."""

    name: str
    match: Match
    value: str


@dataclass(frozen=True, slots=True)
class Silence:
    """Alerts that match all of it open no incident from `starts_at` until `ends_at`; `id` is given by the store."""

    id: int
    matchers: tuple[Matcher, ...]
    author: str
    comment: str
    made_at: datetime
    starts_at: datetime
    ends_at: datetime
    expired_by: str = ""

    def holds(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.starts_at <= now < self.ends_at


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While an alert that matches `source` is firing, alerts that match `target` and agree in `equal` are held back."""

    source: tuple[Matcher, ...]
    target: tuple[Matcher, ...]
    equal: tuple[str, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Window:
    """A time of maintenance, in the wall time of `zone` (an IANA name).

    Weekly where `weekdays` (0 is Monday) are given: from `begins` until `ends` of each, over midnight where `ends` is
    not later. Dated otherwise: from `first` at `begins` until `last` at `ends`. Without matchers it is for all alerts.
    """

    name: str
    begins: time
    ends: time
    zone: str = "UTC"
    weekdays: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None
    matchers: tuple[Matcher, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an alert, from `at` on: a yes or a no with its named reason.

    Reasons of yes: `opened`, `joined`, `raised`, `reopened`, `folded`. Of no: `severity_none`, `heartbeat` (it is good
    that it fires), `silenced`, `inhibited`, `maintenance`, `closed_by_human`, `waiting` (for a storm to settle). After
    it: `flapping` (it has cleared, and its incident waits for calm), `heartbeat_missing` (it has cleared and should
    not have), `cleared`. `says` names what decided, such as the silence.
    """

    fingerprint: str
    at: datetime
    reason: str
    says: str = ""
    incident: int | None = None
