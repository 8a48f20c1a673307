"""Times in templates, as `toTime` makes them: a time and a layout in, text as Go's time package writes it.

Layouts follow https://pkg.go.dev/time#pkg-constants: whatever in them is no element is written as it is. Times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = "2006-01-02 15:04:05.999999999 -0700 MST"
"""How Go writes a time that is not asked for a layout."""


class Int64(int):
    """A whole number that Go calls int64, not int: only its type is written otherwise."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A time in UTC, of whole milliseconds."""

    at: datetime

    def __str__(self) -> str:
        """As it stands alone in a template."""
        return self.format(_PLAIN)

    def format(self, layout: str) -> str:
        """The time as a layout shows it, such as `2006-01-02 15:04:05`."""
        return _ELEMENT.sub(lambda found: _element(found[0], self.at), layout)

    def nanoseconds(self) -> int:
        """Since 1970."""
        return (self.at - _EPOCH) // timedelta(microseconds=1) * 1000


def of_nanoseconds(count: int) -> Moment:
    """The time so many nanoseconds after 1970, cut to milliseconds towards 1970 (prometheus/common, model.Time)."""
    return Moment(_EPOCH + timedelta(milliseconds=abs(count) // 10**6 * (1 if count >= 0 else -1)))


METHODS: dict[str, Callable[[Moment], Moment | str | int]] = {
    "UTC": lambda it: it, "String": str, "Unix": lambda it: Int64(it.nanoseconds() // 10**9),
    "UnixMilli": lambda it: Int64(it.nanoseconds() // 10**6), "UnixMicro": lambda it: Int64(it.nanoseconds() // 1000),
    "UnixNano": lambda it: Int64(it.nanoseconds()), "Year": lambda it: it.at.year, "Day": lambda it: it.at.day,
    "YearDay": lambda it: it.at.timetuple().tm_yday, "Hour": lambda it: it.at.hour, "Minute": lambda it: it.at.minute,
    "Second": lambda it: it.at.second, "Nanosecond": lambda it: it.at.microsecond * 1000,
}  # fmt: skip
"""Methods that take nothing; Go has more."""

FORMAT = "Format"
"""The one that takes a layout."""


# elements of layouts ------------------------------------------------------------------------------------------------


def _hour(at: datetime) -> int:
    return at.hour % 12 or 12


_WRITTEN: dict[str, Callable[[datetime], str]] = {
    "2006": lambda at: f"{at.year:04}", "06": lambda at: f"{at.year % 100:02}",
    "January": lambda at: _MONTHS[at.month - 1], "Jan": lambda at: _MONTHS[at.month - 1][:3],
    "01": lambda at: f"{at.month:02}", "1": lambda at: f"{at.month}",
    "Monday": lambda at: _DAYS[at.weekday()], "Mon": lambda at: _DAYS[at.weekday()][:3],
    "02": lambda at: f"{at.day:02}", "_2": lambda at: f"{at.day:2}", "2": lambda at: f"{at.day}",
    "002": lambda at: f"{at.timetuple().tm_yday:03}", "__2": lambda at: f"{at.timetuple().tm_yday:3}",
    "15": lambda at: f"{at.hour:02}", "03": lambda at: f"{_hour(at):02}", "3": lambda at: f"{_hour(at)}",
    "04": lambda at: f"{at.minute:02}", "4": lambda at: f"{at.minute}",
    "05": lambda at: f"{at.second:02}", "5": lambda at: f"{at.second}",
    "PM": lambda at: "PM" if at.hour >= 12 else "AM", "pm": lambda at: "pm" if at.hour >= 12 else "am",
    "MST": lambda _: "UTC",
    **{"-" + zone: lambda _, zone=zone: "+" + re.sub(r"\d", "0", zone)  # type: ignore[misc]
       for zone in ("070000", "07:00:00", "0700", "07:00", "07")},
    **{"Z" + zone: lambda _: "Z" for zone in ("070000", "07:00:00", "0700", "07:00", "07")},
}  # fmt: skip

_ELEMENT = re.compile(
    r"""January | Jan(?![a-z]) | Monday | Mon(?![a-z]) | MST | PM | pm
    | [-Z](?:070000|07:00:00|0700|07:00|07) | [.,](?:0+|9+)(?![0-9])
    | 0[1-6] | 002 | 15 | 1 | 2006 | 2 | __2 | _2(?!006) | [345]""",
    re.VERBOSE | re.ASCII,
)


def _element(element: str, at: datetime) -> str:
    return _fraction(element, at) if element[0] in ".," else _WRITTEN[element](at)


def _fraction(element: str, at: datetime) -> str:
    """The part of a second under `.000` or `.999`, which leaves out zeros at the end."""
    digits = f"{at.microsecond:06}000"[: len(element) - 1]
    if element[1] == "9":
        digits = digits.rstrip("0")
    return element[0] + digits if digits else ""
