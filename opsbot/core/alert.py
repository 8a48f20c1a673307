"""Alerts with the meanings of Prometheus: a rule, its samples, and what is pending, firing or resolved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from opsbot.core.canonical import digest
from opsbot.core.evidence import MaskedText
from opsbot.core.target import Target

SEVERITIES = ("critical", "warning", "info")
QUIET = "none"
"""The severity of alerts that fire for ever by design (Watchdog, InfoInhibitor): known, and never an incident."""
POLLED = "prometheus"
"""The source of alerts that polls have the say of; any other is the name of a webhook."""


class AlertState(StrEnum):
    """Inactive alerts are not kept: there is nothing to say of them."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """Where a rule says its target is; each field may hold `{{ labels.x }}`."""

    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True)  # no slots: its id is asked for again and again, and kept
class AlertRule:
    """One alerting rule. `condition` is PromQL; `actions` are playbook names in order of preference.

    `limit` is how many alerts it may have at once (0: any number); `query_offset` how far before the time of a poll it
    is asked. `twin` counts rules that are alike in all that makes an id, so that each has one of its own.
    """

    name: str
    condition: str
    severity: str
    actions: tuple[str, ...] = ()
    hold_for: timedelta = timedelta()
    keep_firing_for: timedelta = timedelta()
    every: timedelta = timedelta(seconds=30)
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    target: TargetSpec | None = None
    file: str = ""
    line: int = 0
    limit: int = 0
    query_offset: timedelta = timedelta()
    twin: int = 0

    @cached_property
    def id(self) -> str:
        """Which rule this is, whatever file it stands in: its name, severity and labels, and which of its twins it is.

        Its condition is no part of it: a rule whose condition is edited keeps its alerts, as in Prometheus
        (rules/group.go, CopyState).
        """
        alike = [self.name, self.severity, self.labels]
        return digest([*alike, self.twin] if self.twin else alike)[:16]


def apart(rules: Iterable[AlertRule]) -> list[AlertRule]:
    """The rules with twins counted: two that are alike, in one file or in two, are two rules all the same."""
    seen: Counter[str] = Counter()
    made = []
    for rule in rules:
        alone = replace(rule, twin=0)
        made.append(replace(rule, twin=seen[alone.id]))
        seen[alone.id] += 1
    return made


def rank(severity: str) -> int:
    """0 for the worst; an unknown severity ranks as warning."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else SEVERITIES.index("warning")


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of an instant vector; `at` is the time for which the server evaluated."""

    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer of Prometheus to an instant query; anything less is raised as Blind."""

    samples: tuple[Sample, ...]
    asked_at: datetime
    kind: str = "vector"


@dataclass(frozen=True, slots=True)
class Alert:
    """One active (or just resolved) alert of a rule.

    `labels` are the final ones (rule labels and alertname included), `fingerprint` their digest. `holds` says whether
    the condition itself held at the last complete answer: false while only keep_firing_for keeps the alert up.
    `holds_since` is when `holds` last changed, `held_at` the last complete answer at which the condition held.
    `value` is None when the last value was not finite. `cluster_said` is false where whoever pushed it did not say
    which cluster it is about, so that it is only taken to be this one.
    """

    rule: str
    name: str
    fingerprint: str
    severity: str
    labels: Mapping[str, str]
    state: AlertState
    active_at: datetime
    holds: bool = True
    value: float | None = None
    fired_at: datetime | None = None
    resolved_at: datetime | None = None
    held_at: datetime | None = None
    holds_since: datetime | None = None
    annotations: Mapping[str, MaskedText] = field(default_factory=dict)
    actions: tuple[str, ...] = ()
    target: Target | None = None
    source: str = POLLED
    cluster_said: bool = True


@dataclass(frozen=True, slots=True)
class Push:
    """One alert as somebody sent it, of Alertmanager or of anything else; nothing in it is masked yet.

    `source` names the webhook, `sent_at` is when it came in; `ends_at` is None while it fires and no end is known.
    """

    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    firing: bool
    starts_at: datetime
    sent_at: datetime
    source: str
    ends_at: datetime | None = None


def telling(labels: Sequence[Mapping[str, str]], most: int = 3) -> list[dict[str, str]]:
    """What tells each of some alerts from the others: of its labels that differ among them, the most telling ones.

    Telling is what has many values, and among equals what is short. Name and severity are not asked for: they are
    always shown.
    """
    names = {name for each in labels for name in each} - {"alertname", "severity"}
    values = {name: {each.get(name, "") for each in labels} for name in names}
    differ = [name for name in names if len(values[name]) > 1]
    differ.sort(key=lambda name: (-len(values[name]), max(map(len, values[name])), name))
    return [{name: each[name] for name in [one for one in differ if each.get(one)][:most]} for each in labels]


def fingerprint(rule: str, labels: Mapping[str, str]) -> str:
    """The identity of an alert: its rule and its final labels."""
    return digest([rule, labels])[:16]
