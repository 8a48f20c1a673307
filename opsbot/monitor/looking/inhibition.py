"""Inhibition rules and the alerts that fire in, which of them keeps another back out.

As Alertmanager's `inhibit.go` decides: a label that is missing equals an empty one; an alert that matches both sides
of a rule is not kept back by alerts that match both sides too; whether a source is silenced or inhibited itself plays
no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsbot.core.alert import Alert, AlertState
from opsbot.core.silence import Inhibition
from opsbot.matchers import table

Agreement = tuple[str, ...]


@dataclass(slots=True)
class _Sources:
    """Alerts that fire and match one rule's source under one agreement: the first of all, and of the one-sided."""

    any: Alert
    one_sided: Alert | None = None


class Inhibitor:
    """Rules over alerts that fire now, ordered by agreement, so that asking costs the same however many there are."""

    def __init__(self, rules: Sequence[Inhibition], alerts: Iterable[Alert]) -> None:
        self._rules = rules
        self._table = table((*(rule.source for rule in rules), *(rule.target for rule in rules)))
        self._sources: list[dict[Agreement, _Sources]] = [{} for _ in rules]
        self._known: dict[str, int] = {}
        firing = (alert for alert in alerts if alert.state is AlertState.FIRING) if rules else ()
        for alert in sorted(self._with_a_side(firing), key=_age):
            self._add(alert, self._known[alert.fingerprint])

    def by(self, alert: Alert) -> tuple[Alert, Inhibition] | None:
        """The alert that keeps this one back, and the rule that says so: the first rule, and its oldest alert."""
        bits = self._known.get(alert.fingerprint)
        bits = self._table.matching(alert.labels) if bits is None else bits
        targets = bits >> len(self._rules)
        while targets:
            number = (targets & -targets).bit_length() - 1
            targets &= targets - 1
            found = self._sources[number].get(_agreement(self._rules[number], alert.labels))
            source = found and (found.one_sided if bits >> number & 1 else found.any)
            if source:
                return source, self._rules[number]
        return None

    def _with_a_side(self, firing: Iterable[Alert]) -> list[Alert]:
        """Those that match the source of a rule; what each alert matches is kept."""
        found, sources = [], (1 << len(self._rules)) - 1
        for alert in firing:
            bits = self._known[alert.fingerprint] = self._table.matching(alert.labels)
            if bits & sources:
                found.append(alert)
        return found

    def _add(self, alert: Alert, bits: int) -> None:
        for number, rule in enumerate(self._rules):
            if bits >> number & 1:
                found = self._sources[number].setdefault(_agreement(rule, alert.labels), _Sources(alert))
                if not (found.one_sided or bits >> len(self._rules) + number & 1):
                    found.one_sided = alert


def _agreement(rule: Inhibition, labels: Mapping[str, str]) -> Agreement:
    return tuple(labels.get(name, "") for name in rule.equal)


def _age(alert: Alert) -> tuple[float, str]:
    """Oldest first, so that what is said of an alert that is kept back stays the same while its source fires."""
    return (alert.fired_at or alert.active_at).timestamp(), alert.fingerprint
