"""Maintenance windows in wall time: weeks, midnight, dates, and clocks that are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from opsbot.core.silence import Window
from opsbot.monitor.looking import windows

ZURICH = "Europe/Zurich"
MON, TUE, SAT, SUN = 0, 1, 5, 6
ALL = tuple(range(7))


def weekly(begins: str, ends: str, *days: int, zone: str = ZURICH) -> Window:
    return Window("w", time.fromisoformat(begins), time.fromisoformat(ends), zone, days or ALL)


def dated(begins: str, ends: str, zone: str = ZURICH) -> Window:
    first, last = datetime.fromisoformat(begins), datetime.fromisoformat(ends)
    return Window("d", first.time(), last.time(), zone, first=first.date(), last=last.date())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(begins: str, ends: str) -> windows.Span:
    return windows.Span(utc(begins), utc(ends))


# In Zurich it is UTC+1 in winter and UTC+2 from 29 March until 25 October 2026. 23 November 2026 is a Monday.
SPANS: dict[str, tuple[Window, str, windows.Span | None]] = {
    "inside": (weekly("09:00", "17:00", MON), "2026-11-23 12:00", span("2026-11-23 08:00", "2026-11-23 16:00")),
    "before": (weekly("09:00", "17:00", MON), "2026-11-23 07:59:59", None),
    "as it begins": (weekly("09:00", "17:00", MON), "2026-11-23 08:00", span("2026-11-23 08:00", "2026-11-23 16:00")),
    "as it ends": (weekly("09:00", "17:00", MON), "2026-11-23 16:00", None),
    "another day": (weekly("09:00", "17:00", TUE), "2026-11-23 12:00", None),
    "in summer": (weekly("09:00", "17:00", MON), "2026-07-06 07:00", span("2026-07-06 07:00", "2026-07-06 15:00")),
    "before midnight": (
        weekly("22:00", "06:00", SAT), "2026-11-28 22:30", span("2026-11-28 21:00", "2026-11-29 05:00"),
    ),
    "after midnight": (weekly("22:00", "06:00", SAT), "2026-11-29 04:59", span("2026-11-28 21:00", "2026-11-29 05:00")),
    "after midnight of a day without": (weekly("22:00", "06:00", SAT), "2026-11-28 04:00", None),
    "two nights are two": (
        weekly("22:00", "06:00", SAT, SUN), "2026-11-30 04:00", span("2026-11-29 21:00", "2026-11-30 05:00"),
    ),
    "every day": (weekly("22:00", "06:00"), "2026-11-25 23:00", span("2026-11-25 21:00", "2026-11-26 05:00")),
    "a whole day": (weekly("00:00", "00:00", SAT), "2026-11-28 12:00", span("2026-11-27 23:00", "2026-11-28 23:00")),
    "days that touch are one": (
        weekly("00:00", "00:00", SAT, SUN), "2026-11-28 12:00", span("2026-11-27 23:00", "2026-11-29 23:00"),
    ),
    "a whole day from some time": (
        weekly("08:00", "08:00", SAT), "2026-11-29 06:59", span("2026-11-28 07:00", "2026-11-29 07:00"),
    ),
    "far from Greenwich in the east": (
        weekly("00:00", "01:00", TUE, zone="Pacific/Auckland"), "2026-11-23 11:30",
        span("2026-11-23 11:00", "2026-11-23 12:00"),
    ),
    "far from Greenwich in the west": (
        weekly("23:00", "00:00", MON, zone="Pacific/Honolulu"), "2026-11-24 09:30",
        span("2026-11-24 09:00", "2026-11-24 10:00"),
    ),
    "dated": (
        dated("2026-12-01 20:00", "2026-12-02 02:00"), "2026-12-01 19:00", span("2026-12-01 19:00", "2026-12-02 01:00"),
    ),
    "dated and over": (dated("2026-12-01 20:00", "2026-12-02 02:00"), "2026-12-02 01:00", None),
    "dated over months": (
        dated("2026-09-01 00:00", "2026-12-01 00:00"), "2026-11-11 11:11", span("2026-08-31 22:00", "2026-11-30 23:00"),
    ),
    # 29 March 2026: at 01:00 UTC the clocks go from 02:00 to 03:00.
    "begins in the hour left out": (
        weekly("02:30", "05:00", SUN), "2026-03-29 01:00", span("2026-03-29 01:00", "2026-03-29 03:00"),
    ),
    "not before the clocks jump": (weekly("02:30", "05:00", SUN), "2026-03-29 00:59:59", None),
    "ends in the hour left out": (
        weekly("01:00", "02:30", SUN), "2026-03-29 00:59:59", span("2026-03-29 00:00", "2026-03-29 01:00"),
    ),
    "not after the clocks jump": (weekly("01:00", "02:30", SUN), "2026-03-29 01:00", None),
    "all in the hour left out": (weekly("02:10", "02:50", SUN), "2026-03-29 01:00", None),
    "over the hour left out": (
        weekly("01:00", "04:00", SUN), "2026-03-29 01:30", span("2026-03-29 00:00", "2026-03-29 02:00"),
    ),
    "over midnight into the hour left out": (
        weekly("22:00", "02:30", SAT), "2026-03-29 00:30", span("2026-03-28 21:00", "2026-03-29 01:00"),
    ),
    # 25 October 2026: at 01:00 UTC the clocks go from 03:00 back to 02:00.
    "ends in the hour that comes twice": (
        weekly("01:00", "02:30", SUN), "2026-10-25 01:29", span("2026-10-24 23:00", "2026-10-25 01:30"),
    ),
    "begins in the hour that comes twice": (
        weekly("02:30", "04:00", SUN), "2026-10-25 00:30", span("2026-10-25 00:30", "2026-10-25 03:00"),
    ),
    "all in the hour that comes twice": (
        weekly("02:10", "02:50", SUN), "2026-10-25 01:00", span("2026-10-25 00:10", "2026-10-25 01:50"),
    ),
    "over the hour that comes twice": (
        weekly("01:00", "04:00", SUN), "2026-10-25 01:30", span("2026-10-24 23:00", "2026-10-25 03:00"),
    ),
    "a dated one over the autumn night": (
        dated("2026-10-24 22:00", "2026-10-25 06:00"), "2026-10-25 02:00", span("2026-10-24 20:00", "2026-10-25 05:00"),
    ),
    # Lord Howe Island changes its clocks by half an hour: on 4 October 2026 from 02:00 to 02:30, at 15:30 UTC before.
    "half an hour left out": (
        weekly("02:15", "03:00", SUN, zone="Australia/Lord_Howe"), "2026-10-03 15:30",
        span("2026-10-03 15:30", "2026-10-03 16:00"),
    ),
    # Samoa had no 30 December 2011, a Friday.
    "a day left out": (
        weekly("10:00", "11:00", 4, zone="Pacific/Apia"), "2011-12-30 10:00", None,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("window", "now", "wanted"), SPANS.values(), ids=SPANS)
def test_the_time_of_maintenance_that_is_now(window: Window, now: str, wanted: windows.Span | None) -> None:
    assert windows.span(window, utc(now)) == wanted


CHANGES: dict[str, tuple[Window, str, str | None]] = {
    "begins today": (weekly("09:00", "17:00", MON), "2026-11-23 07:00", "2026-11-23 08:00"),
    "ends today": (weekly("09:00", "17:00", MON), "2026-11-23 08:00", "2026-11-23 16:00"),
    "begins next week": (weekly("09:00", "17:00", MON), "2026-11-23 16:00", "2026-11-30 08:00"),
    "begins next week over the change of clocks": (
        weekly("09:00", "17:00", SAT),
        "2026-10-24 16:00",
        "2026-10-31 08:00",
    ),
    "the next night": (weekly("22:00", "06:00", SAT, SUN), "2026-11-29 05:00", "2026-11-29 21:00"),
    "a dated one begins": (dated("2027-12-01 20:00", "2027-12-02 02:00"), "2026-11-23 00:00", "2027-12-01 19:00"),
    "a dated one ends": (dated("2026-12-01 20:00", "2026-12-02 02:00"), "2026-12-01 19:00", "2026-12-02 01:00"),
    "never again": (dated("2026-12-01 20:00", "2026-12-02 02:00"), "2026-12-02 01:00", None),
}


@pytest.mark.parametrize(("window", "now", "wanted"), CHANGES.values(), ids=CHANGES)
def test_when_it_changes_next(window: Window, now: str, wanted: str | None) -> None:
    assert windows.changes(window, utc(now)) == (utc(wanted) if wanted else None)
    assert windows.over(window, utc(now)) is (wanted is None)


@pytest.mark.parametrize("zone", [ZURICH, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"], ids=str)
@pytest.mark.parametrize(("begins", "ends"), [("02:15", "05:00"), ("23:30", "02:15"), ("01:10", "01:50")], ids=str)
def test_each_minute_that_the_clocks_call_maintenance_is_in_it(zone: str, begins: str, ends: str) -> None:
    """Quarters of an hour of spring and autumn against a clock on the wall: it may only be longer, in autumn nights."""
    window = weekly(begins, ends, zone=zone)
    more = 0
    for quarter in [*range(60 * 96, 100 * 96), *range(265 * 96, 310 * 96)]:
        now = utc("2026-01-01") + timedelta(minutes=15) * quarter
        wall = now.astimezone(ZoneInfo(zone)).time()
        shown = window.begins <= wall < window.ends
        if window.ends < window.begins:
            shown = wall >= window.begins or wall < window.ends
        held = windows.span(window, now) is not None
        assert held or not shown, now
        more += held and not shown
    assert more <= 4


def test_windows_of_long_ago_and_far_ahead_are_computed() -> None:
    old, far = dated("2000-01-01 00:00", "2000-01-01 01:00"), dated("2199-12-31 00:00", "2199-12-31 23:00")
    assert windows.over(old, utc("2026-11-23"))
    assert not windows.over(far, utc("2026-11-23"))
    assert far.first == date(2199, 12, 31)
