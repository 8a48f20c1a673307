"""Durations in Prometheus spelling: `1h30m` in, timedelta out, and back.

Units and their order follow the time durations of the Prometheus query language: y (365 d), w, d, h, m, s, ms.
"""

from __future__ import annotations

import re
from datetime import timedelta

_UNITS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_FORM = re.compile(r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII)
_LONGEST = timedelta(microseconds=(2**63 - 1) // 1000)  # what Prometheus can count in nanoseconds


def parse(text: str) -> timedelta:
    """Read a duration such as `30s`, `1h30m` or `0`; ValueError says what a right one looks like."""
    found = _FORM.fullmatch(text)
    if text == "0":
        return timedelta()
    if not text or len(text) > 40 or not found:
        raise ValueError(f"{text[:40]!r} is no duration: write 30s, 5m, 1h30m or 2d")
    whole = sum(int(count or 0) * size for count, size in zip(found.groups(), _UNITS.values(), strict=True))
    if whole > _LONGEST.total_seconds() * 1000:
        raise ValueError(f"{text!r} is longer than 292 years")
    return timedelta(milliseconds=whole)


def spell(length: timedelta) -> str:
    """Write a duration as Prometheus does, largest unit first; a negative one gets a leading minus."""
    left = round(length.total_seconds() * 1000)
    if left == 0:
        return "0s"
    sign, left, parts = ("-" if left < 0 else ""), abs(left), []
    for unit, size in _UNITS.items():
        if unit in ("y", "w") and left % size:
            continue
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)
