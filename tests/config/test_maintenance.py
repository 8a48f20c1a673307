"""Maintenance windows in agent_config.yaml: what they become, what is wrong with them, and which are over."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from opsbot.config import holding
from opsbot.config.file import read
from opsbot.core.errors import ConfigError
from opsbot.core.silence import Window
from opsbot.matchers import parse

PATH = Path("/etc/opsbot/agent_config.yaml")
NIGHT = "name: n, from: '22:00', until: '06:00'"
ZURICH = "Europe/Zurich"


def config(*windows: str) -> str:
    return "maintenance:\n" + "".join(f"  - {{{window}}}\n" for window in windows)


GOOD: dict[str, tuple[str, Window]] = {
    "every day": (NIGHT, Window("n", time(22), time(6), weekdays=(0, 1, 2, 3, 4, 5, 6))),
    "some days": (
        f"{NIGHT}, weekdays: [sun, Saturday], time_zone: {ZURICH}",
        Window("n", time(22), time(6), ZURICH, (5, 6)),
    ),
    "the end of a day": (
        "name: n, from: '08:30', until: '24:00', weekdays: [mon]", Window("n", time(8, 30), time(), weekdays=(0,)),
    ),
    "with matchers": (
        f"{NIGHT}, weekdays: [mon], match: ['a=b', 'c=~\"d|e\",f!=g']",
        Window("n", time(22), time(6), weekdays=(0,), matchers=parse("a=b,c=~d|e,f!=g")),
    ),
    "with one text of matchers": (
        f"{NIGHT}, weekdays: [mon], match: '{{a=b, c=d}}'",
        Window("n", time(22), time(6), weekdays=(0,), matchers=parse("a=b,c=d")),
    ),
    "dated": (
        f"name: n, from: '2026-12-01 20:00', until: 2026-12-02T02:30, time_zone: {ZURICH}",
        Window("n", time(20), time(2, 30), ZURICH, first=date(2026, 12, 1), last=date(2026, 12, 2)),
    ),
    "dated within a day": (
        "name: n, from: '2026-12-01 20:00', until: '2026-12-01 20:01'",
        Window("n", time(20), time(20, 1), first=date(2026, 12, 1), last=date(2026, 12, 1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), GOOD.values(), ids=GOOD)
def test_windows(text: str, wanted: Window) -> None:
    assert read(config(text), PATH).maintenance == (wanted,)


def test_none() -> None:
    assert read("{}", PATH).maintenance == ()


BAD: dict[str, tuple[str, str, str]] = {
    "no name": ("from: '22:00', until: '06:00'", "name: is missing", ""),
    "no end": ("name: n, from: '22:00'", "until: is missing", ""),
    "a bare time": ("name: n, from: 22:00, until: '06:00'", "can be read in two ways", "in quotes"),
    "no time": ("name: n, from: ten, until: '06:00'", "from: 'ten' is no time", "'22:00'"),
    "no hour of a day": ("name: n, from: '25:00', until: '06:00'", "from: '25:00' is no time", "'22:00'"),
    "one digit": ("name: n, from: '22:00', until: '6:00'", "until: '6:00' is no time", "'22:00'"),
    "midnight at both ends": ("name: n, from: '24:00', until: '06:00'", "from: '24:00' is no time", "'22:00'"),
    "no day of a month": ("name: n, from: '2026-02-30 20:00', until: '2026-03-01 20:00'", "is no time", "'22:00'"),
    "long ago": ("name: n, from: '0001-01-01 00:00', until: '2026-03-01 20:00'", "is no time", "'22:00'"),
    "a date at the end": (f"{NIGHT.replace('06:00', '2026-12-02 06:00')}", "give both with a date, or both", ""),
    "a date and days": (
        "name: n, from: '2026-12-01 20:00', until: '2026-12-02 20:00', weekdays: [mon]", "comes once", "weekdays",
    ),
    "until before from": ("name: n, from: '2026-12-02 20:00', until: '2026-12-02 19:59'", "until: is not after", ""),
    "until is from": ("name: n, from: '2026-12-02 20:00', until: '2026-12-02 20:00'", "until: is not after", ""),
    "no weekday": (f"{NIGHT}, weekdays: [mon, sax]", "weekdays: 'sax' is no day", "known: mon, tue"),
    "a weekday twice": (f"{NIGHT}, weekdays: [monday, tue, Mon]", "weekdays: 'Mon' is there twice", ""),
    "no weekdays": (f"{NIGHT}, weekdays: []", "weekdays: is empty", "for every day"),
    "an empty list of matchers": (f"{NIGHT}, match: []", "match: is empty", "for all alerts"),
    "an empty matcher": (f"{NIGHT}, match: ''", "match: holds no matcher", "for all alerts"),
    "empty braces": (f"{NIGHT}, match: [a=b, '{{}}']", "match: holds no matcher", "for all alerts"),
    "an unknown zone": (f"{NIGHT}, time_zone: Europe/Zuerich", "time_zone: 'Europe/Zuerich'", "Europe/Zurich?"),
    "small letters": (f"{NIGHT}, time_zone: europe/zurich", "is not known here", "Europe/Zurich?"),
    "a folder of zones": (f"{NIGHT}, time_zone: America", "time_zone: 'America' is not", ""),
    "a way out": (f"{NIGHT}, time_zone: ../../etc/passwd", "is not known here", "an IANA name"),
    "an absolute way": (f"{NIGHT}, time_zone: /etc/passwd", "is not known here", "an IANA name"),
    "no zone": (f"{NIGHT}, time_zone: ''", "time_zone: ''", "an IANA name"),
    "a long zone": (f"{NIGHT}, time_zone: {'x' * 5000}", "is not known here", "an IANA name"),
    "a matcher": (f"{NIGHT}, match: [a=b, c]", "match: 'c': a name alone is no matcher", "NAME="),
    "a pattern": (f"{NIGHT}, match: ['a=~\"(\"']", "missing )", "RE2"),
    "an unknown key": (f"{NIGHT}, zone: UTC", "zone: is not a known key", "did you mean 'time_zone'?"),
    "the name of the field": ("name: n, begins: '22:00', until: '06:00'", "begins: is not a known key", ""),
    "a wrong type": (f"{NIGHT}, weekdays: mon", "weekdays: must be a list", ""),
}  # fmt: skip


@pytest.mark.parametrize(("text", "says", "hint"), BAD.values(), ids=BAD)
def test_wrong_ones_are_told_with_their_place(text: str, says: str, hint: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(config(NIGHT.replace("n,", "other,"), text), PATH)
    found = [problem for problem in error.value.problems if says in problem.message]
    assert found, error.value
    assert found[0].line == 3
    assert found[0].column > 3
    assert hint in found[0].hint


def test_a_name_is_given_once() -> None:
    with pytest.raises(ConfigError, match="3:12: window 'n' is there twice"):
        read(config(NIGHT, NIGHT), PATH)


def test_all_problems_come_at_once() -> None:
    with pytest.raises(ConfigError) as error:
        read(config(f"{NIGHT}, match: [a], weekdays: [x], time_zone: y, z: 1", "name: m, from: a, until: b"), PATH)
    assert [problem.line for problem in error.value.problems] == [2, 2, 2, 2, 3]


OVER: dict[str, tuple[str, datetime, bool]] = {
    "weekly": (NIGHT, datetime(2100, 1, 1, tzinfo=UTC), False),
    "to come": (f"{GOOD['dated'][0]}", datetime(2026, 12, 2, 1, 29, tzinfo=UTC), False),
    "over": (f"{GOOD['dated'][0]}", datetime(2026, 12, 2, 1, 30, tzinfo=UTC), True),
}


@pytest.mark.parametrize(("window", "now", "wanted"), OVER.values(), ids=OVER)
def test_what_never_comes_again_is_advised_upon(window: str, now: datetime, wanted: bool) -> None:
    text = config("name: other, from: '22:00', until: '06:00'", window)
    said = holding.outdated(text, str(PATH), read(text, PATH).maintenance, now)
    assert [(one.line, one.message) for one in said] == [(3, "window 'n' is over")] * wanted
