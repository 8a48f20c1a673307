"""Maintenance windows in wall time: a window and a time in, whether it holds and until when out.

Where clocks are put forward, what begins or ends in the hour that is left out does so as they jump. Where they are put
back, a time of the hour that comes twice begins at its first coming and ends at its second: no minute that the wall
clock calls maintenance is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from opsbot.core.silence import Window

DAY = timedelta(days=1)
AHEAD = 9
"""Days that are looked at from today on: a weekly window comes again within them."""


@dataclass(frozen=True, slots=True)
class Span:
    """One time of maintenance, aware UTC; the end is no part of it."""

    begins: datetime
    ends: datetime


def span(window: Window, now: datetime) -> Span | None:
    """The time of maintenance that is now, those that follow without a gap (within a week) included."""
    return next((found for found in spans(window, now) if found.begins <= now < found.ends), None)


def changes(window: Window, now: datetime) -> datetime | None:
    """When it begins or ends next; None where it never does again."""
    found = (at for one in spans(window, now) for at in (one.begins, one.ends) if at > now)
    return next(found, None)


def over(window: Window, now: datetime) -> bool:
    """Whether it never comes again."""
    return changes(window, now) is None


def spans(window: Window, now: datetime) -> Iterator[Span]:
    """Its times from yesterday on, in order; those that touch are one. Those of a dated window are one, however old."""
    last: Span | None = None
    for found in _spans(window, now):
        if last and found.begins > last.ends:
            yield last
            last = None
        last = Span(last.begins, max(last.ends, found.ends)) if last else found
    if last:
        yield last


def _spans(window: Window, now: datetime) -> Iterator[Span]:
    if window.first and window.last:
        yield _between(window.zone, window.first, window.begins, window.last, window.ends)
        return
    today = now.astimezone(ZoneInfo(window.zone)).date()
    for day in (today + DAY * ahead for ahead in range(-1, AHEAD)):
        if day.weekday() in window.weekdays:
            until = day if window.ends > window.begins else day + DAY
            yield _between(window.zone, day, window.begins, until, window.ends)


@lru_cache(maxsize=1024)
def _between(zone: str, first: date, begins: time, last: date, ends: time) -> Span:
    start = instant(datetime.combine(first, begins), zone, late=False)
    return Span(start, max(start, instant(datetime.combine(last, ends), zone, late=True)))


def instant(wall: datetime, zone: str, *, late: bool) -> datetime:
    """When the clocks of a zone show a time: `late` chooses the second of two, a jump over it stands for none."""
    place = ZoneInfo(zone)
    first, second = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return second if late else first
    return _jump(second, first, place)


def _jump(before: datetime, after: datetime, place: ZoneInfo) -> datetime:
    """When the clocks of a place are put forward between two times, to the second."""
    offset = before.astimezone(place).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if middle <= before:
            break
        if middle.astimezone(place).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
