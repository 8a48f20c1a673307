"""The section `maintenance` of agent_config.yaml: its form, what is wrong with it, and the windows that it means."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, Field

from opsbot import matchers
from opsbot.core.errors import Problem
from opsbot.core.silence import Matcher, Window
from opsbot.matchers import MatcherError
from opsbot.yamlfile import Document, Strict, Title, Where, parse

KEY = "maintenance"
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
YEARS = range(2000, 2200)
FORMS = "write '22:00', or '2026-12-01 20:00' for one time only"

_LEAVE_OUT = {"match": "leave it out for all alerts", "weekdays": "leave it out for every day"}

_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_DATED = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d)", re.ASCII)

Texts = Annotated[list[str], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class WindowModel(Strict):
    """One window: weekly or daily with times alone, dated with dates."""

    name: Title
    match: Texts = Field(default=[])
    weekdays: list[str] = Field(default=[])
    begins: str = Field(alias="from")
    until: str
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class _Point:
    """A wall time, of one day or of any."""

    at: time
    day: date | None = None


def problems(document: Document, found: Sequence[WindowModel]) -> Iterator[Problem]:
    """What the form alone cannot say, each at its place."""
    names = [window.name for window in found]
    for place, window in enumerate(found):
        where: Where = (KEY, place)
        if window.name in names[:place]:
            yield document.problem((*where, "name"), f"window {window.name[:60]!r} is there twice")
        for key, hint in _LEAVE_OUT.items():
            if key in window.model_fields_set and not getattr(window, key):
                yield document.problem((*where, key), f"{key}: is empty", hint)
        yield from _of_match(document, window, where)
        yield from _of_days(document, window, where)
        yield from _of_zone(document, window, where)
        yield from _of_times(document, window, where)


def windows(found: Sequence[WindowModel]) -> tuple[Window, ...]:
    """The windows of a section without problems."""
    return tuple(map(_window, found))


def outdated(text: str, file: str, windows: Sequence[Window], now: datetime) -> tuple[Problem, ...]:
    """An advice at each dated window of a file that never comes again."""
    document = parse(text, file)[0]
    return tuple(
        document.problem((KEY, place, "until"), f"window {window.name[:60]!r} is over", "take it out")
        for place, window in enumerate(windows)
        if window.last and datetime.combine(window.last, window.ends) <= _wall(now, window.zone)
    )


def _wall(now: datetime, zone: str) -> datetime:
    return now.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


# what is wrong ------------------------------------------------------------------------------------------------------


def _of_match(document: Document, window: WindowModel, where: Where) -> Iterator[Problem]:
    for place, text in enumerate(window.match):
        try:
            if not matchers.parse(text):
                yield document.problem((*where, "match", place), "match: holds no matcher", _LEAVE_OUT["match"])
        except MatcherError as error:
            yield document.problem((*where, "match", place), f"match: {error}", error.hint)


def _of_days(document: Document, window: WindowModel, where: Where) -> Iterator[Problem]:
    for place, word in enumerate(window.weekdays):
        day = _weekday(word)
        if day is not None and day in map(_weekday, window.weekdays[:place]):
            yield document.problem((*where, "weekdays", place), f"weekdays: {word[:40]!r} is there twice")
        elif day is None:
            hint = f"known: {', '.join(known[:3] for known in DAYS)}"
            yield document.problem((*where, "weekdays", place), f"weekdays: {word[:40]!r} is no day", hint)


def _of_zone(document: Document, window: WindowModel, where: Where) -> Iterator[Problem]:
    if not _is_zone(window.time_zone):
        near = get_close_matches(window.time_zone.title(), available_timezones(), n=1)
        hint = f"did you mean {near[0]}?" if near else "an IANA name, such as Europe/Zurich or UTC"
        name = window.time_zone[:60]
        yield document.problem((*where, "time_zone"), f"time_zone: {name!r} is not known here", hint)


def _of_times(document: Document, window: WindowModel, where: Where) -> Iterator[Problem]:
    begins, until = _point(window.begins), _point(window.until)
    for key, text, point in (("from", window.begins, begins), ("until", window.until, until)):
        if point is None or (key == "from" and text.endswith("24:00")):
            yield document.problem((*where, key), f"{key}: {text[:40]!r} is no time", FORMS)
            return
    assert begins
    assert until
    if bool(begins.day) != bool(until.day):
        yield document.problem((*where, "until"), "until: give both with a date, or both without")
    elif begins.day and window.weekdays:
        hint = "leave the dates out, or the weekdays"
        yield document.problem((*where, "weekdays"), "weekdays: a window with dates comes once", hint, key=True)
    elif begins.day and until.day and (until.day, until.at) <= (begins.day, begins.at):
        yield document.problem((*where, "until"), "until: is not after from")


def _weekday(word: str) -> int | None:
    known = [place for place, day in enumerate(DAYS) if word.lower() in (day, day[:3])]
    return known[0] if known else None


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):  # no such file, no such path, a folder
        return False
    return True


def _point(text: str) -> _Point | None:
    found = _DATED.fullmatch(text)
    clock = found[2] if found else text
    if not _TIME.fullmatch(clock) or (found and clock == "24:00"):
        return None
    try:
        day = date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None
    if day and day.year not in YEARS:
        return None
    return _Point(time() if clock == "24:00" else time.fromisoformat(clock), day)


# into plain values --------------------------------------------------------------------------------------------------


def _window(model: WindowModel) -> Window:
    begins, until = _point(model.begins), _point(model.until)
    assert begins
    assert until
    named = [day for day in map(_weekday, model.weekdays) if day is not None]
    made: tuple[Matcher, ...] = tuple(one for text in model.match for one in matchers.parse(text))
    return Window(
        name=model.name, begins=begins.at, ends=until.at, zone=model.time_zone,
        weekdays=() if begins.day else tuple(sorted(set(named))) or tuple(range(len(DAYS))),
        first=begins.day, last=until.day, matchers=made,
    )  # fmt: skip
