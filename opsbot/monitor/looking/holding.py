"""What holds alerts back now: silences, inhibitions, maintenance windows and alerts in; a named reason for one out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from opsbot.core.alert import QUIET, Alert
from opsbot.core.evidence import MaskedText
from opsbot.core.silence import Inhibition, Match, Matcher, Silence, Window
from opsbot.mask import mask
from opsbot.matchers import spell_all, table
from opsbot.monitor.looking import windows as times
from opsbot.monitor.looking.inhibition import Inhibitor

SEVERITY_NONE, SILENCED, INHIBITED, MAINTENANCE = "severity_none", "silenced", "inhibited", "maintenance"
SAYS = 300


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an alert is held back, in a name and in words; `until` is known of silences and windows."""

    reason: str
    says: MaskedText
    until: datetime | None = None


class Holding:
    """All that holds alerts back at one time, made once for many alerts; `alerts` are those that may inhibit others."""

    def __init__(
        self, *, silences: Sequence[Silence] = (), windows: Sequence[Window] = (),
        inhibitions: Sequence[Inhibition] = (), alerts: Iterable[Alert] = (), now: datetime,
    ) -> None:  # fmt: skip
        active = sorted((one for one in silences if one.holds(now)), key=_lasting)
        held = [(window, found) for window in windows if (found := times.span(window, now))]
        self._silences = (1 << len(active)) - 1
        self._table = table((*(one.matchers for one in active), *(window.matchers for window, _ in held)))
        self._holds = [*map(_silenced, active), *(_maintained(window, found) for window, found in held)]
        self._inhibitor = Inhibitor(inhibitions, alerts)
        self._inhibited: dict[tuple[str, int], Hold] = {}
        self.changes = _next(silences, windows, now)
        """When a silence or a window begins or ends next; None where none does."""

    def of(self, alert: Alert) -> Hold | None:
        """Why this alert is held back now; None where nothing does.

        In this order: its severity, the silence that lasts longest, the first inhibition, the first window.
        """
        if alert.severity == QUIET:
            return _quiet()
        bits = self._table.matching(alert.labels)
        if bits & self._silences:
            return self._first(bits)
        return self._inhibition(alert) or (self._first(bits) if bits else None)

    def _first(self, bits: int) -> Hold:
        return self._holds[(bits & -bits).bit_length() - 1]

    def _inhibition(self, alert: Alert) -> Hold | None:
        found = self._inhibitor.by(alert)
        if found is None:
            return None
        source, rule = found
        key = (source.fingerprint, id(rule))
        if key not in self._inhibited:
            self._inhibited[key] = _inhibited(source, rule)
        return self._inhibited[key]


def _lasting(silence: Silence) -> tuple[float, int]:
    return -silence.ends_at.timestamp(), silence.id


def _next(silences: Sequence[Silence], windows: Sequence[Window], now: datetime) -> datetime | None:
    edges = [at for one in silences if one.starts_at < one.ends_at for at in (one.starts_at, one.ends_at) if at > now]
    turns = [at for window in windows if (at := times.changes(window, now))]
    return min([*edges, *turns], default=None)


# in words -----------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _quiet() -> Hold:
    return Hold(SEVERITY_NONE, mask("it fires for ever by design: severity none"))


@lru_cache(maxsize=1024)
def _silenced(silence: Silence) -> Hold:
    words = f"silence {silence.id} of {silence.author} until {_utc(silence.ends_at)}: {silence.comment}"
    return Hold(SILENCED, mask(words).cut(SAYS), silence.ends_at)


@lru_cache(maxsize=1024)
def _maintained(window: Window, found: times.Span) -> Hold:
    return Hold(MAINTENANCE, mask(f"window {window.name} until {_utc(found.ends)}").cut(SAYS), found.ends)


def _inhibited(source: Alert, rule: Inhibition) -> Hold:
    labels = [Matcher(name, Match.IS, value) for name, value in sorted(source.labels.items()) if name != "alertname"]
    words = f"{source.name} is firing (rule {rule.name or 'without a name'}): {spell_all(labels)}"
    return Hold(INHIBITED, mask(words).cut(SAYS))


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
