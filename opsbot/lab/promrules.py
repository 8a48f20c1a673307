"""The rules of one unit test: which of them matter to its cases, and what series Prometheus makes of their results.

Nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from opsbot import promql
from opsbot.core.alert import Alert, AlertRule, Sample
from opsbot.lab import series
from opsbot.lab.promtests import PromTest
from opsbot.lab.remote import Line, Point
from opsbot.monitor import gotemplate
from opsbot.monitor.rules.promgroups import Entry, Group, RecordRule
from opsbot.monitor.state import Words

ALERTS, FOR_STATE = "ALERTS", "ALERTS_FOR_STATE"
Key = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Running:
    """A rule on its way through time: the series that it made at the last step, and its alerts."""

    group: Group
    rule: AlertRule | RecordRule
    needed: bool
    made: dict[Key, int] = field(default_factory=dict)
    active: list[Alert] = field(default_factory=list)
    said: dict[str, Words] = field(default_factory=dict)

    @property
    def records(self) -> bool:
        """Whether it is a recording rule."""
        return isinstance(self.rule, RecordRule)

    @property
    def expression(self) -> str:
        """What is asked."""
        return self.rule.expression if isinstance(self.rule, RecordRule) else self.rule.condition

    @property
    def names(self) -> frozenset[str]:
        """The metrics that it makes."""
        return frozenset({self.rule.name} if isinstance(self.rule, RecordRule) else {ALERTS, FOR_STATE})


def ordered(groups: Iterable[Group], order: Sequence[str]) -> list[Group]:
    """Groups in the order of evaluation: as listed, those that are not listed beside the first."""
    places = {name: place for place, name in enumerate(order)}
    return sorted(groups, key=lambda group: places.get(group.name, 0))


def running(groups: Iterable[Group]) -> list[Running]:
    """All rules, in the order of evaluation."""
    return [Running(group, _whole(rule), needed=False) for group in groups for rule in group.rules]


def mark_needed(rules: Sequence[Running], test: PromTest) -> bool:
    """Mark the rules on whose results a case rests; whether one of these reads the alerts as series."""
    tested = {case.alert for case in test.alerts}
    waiting = [case.expression for case in test.expressions]
    for one in rules:
        if isinstance(one.rule, AlertRule) and one.rule.name in tested:
            one.needed = True
            waiting.append(one.expression)
    read: set[str] = set()
    while waiting:
        names, others = metrics(waiting.pop())
        for one in rules:
            if not one.needed and (others or one.names & names):
                one.needed = True
                waiting.append(one.expression)
        read |= names | ({ALERTS} if others else set())
    return bool(read & {ALERTS, FOR_STATE})


def tainted(rules: Sequence[Running], unread: Collection[str]) -> frozenset[str]:
    """The metrics that are other than they should be where those in `unread` are not there; alerts by their names."""
    found = set(unread)
    for _ in rules:
        touched = {name for one in rules if touches(one.expression, found) for name in (*one.names, one.rule.name)}
        if touched <= found:
            break
        found |= touched
    return frozenset(found)


def touches(expression: str, names: Collection[str]) -> bool:
    """Whether an expression may read one of these metrics."""
    read, others = metrics(expression)
    return bool(names) and (others or not read.isdisjoint(names))


def forward(rules: Sequence[Running], test: PromTest, alerts_read: bool) -> bool:
    """Whether no needed rule reads what it or a later one makes: then each can be asked for all steps at once."""
    needed = [one for one in rules if one.needed]
    for place, one in enumerate(needed):
        later = {name for other in needed[place:] for name in other.names if alerts_read or other.records}
        names, others = metrics(one.expression)
        if names & later or (others and later) or promql.looks_ahead(one.expression) or _queries(one.rule):
            return False
    return not any(_ahead(case.expression) for case in test.expressions)


def _ahead(expression: str) -> bool:
    try:
        return promql.looks_ahead(expression)
    except promql.PromqlError:
        return False


# series -----------------------------------------------------------------------------------------------------------


class Series:
    """What a rule makes, step by step; a series that ends is marked (rules/manager.go, Group.Eval)."""

    def __init__(self, one: Running) -> None:
        self.one = one
        self.points: dict[Key, list[Point]] = {}

    def step(self, at: int, labelled: Iterable[tuple[Mapping[str, str], float]]) -> None:
        """What the rule gives at a time: series with values."""
        there: dict[Key, int] = {}
        for labels, value in labelled:
            key = identity(labels)
            there[key] = at
            self.points.setdefault(key, []).append((at, value))
        for key in self.one.made:
            if key not in there:
                self.points.setdefault(key, []).append((at, series.STALE))
        self.one.made = there

    def lines(self) -> list[Line]:
        """All that was made, to be written."""
        return [(dict(key), points) for key, points in self.points.items()]


def recorded(rule: RecordRule, sample: Sample) -> Mapping[str, str]:
    """The labels of what a recording rule makes of a sample."""
    merged = {**sample.labels, "__name__": rule.name, **rule.labels}
    return {name: value for name, value in merged.items() if value}


def as_series(rule: AlertRule, alert: Alert, said: Words) -> Iterator[tuple[Mapping[str, str], float]]:
    """ALERTS and ALERTS_FOR_STATE of an alert (rules/alerting.go, sample and forStateSample)."""
    base = {**rule.labels, **({"severity": rule.severity} if rule.severity else {}), **said.labels}
    labels = {name: value for name, value in base.items() if value}
    yield {**labels, "__name__": ALERTS, "alertname": rule.name, "alertstate": alert.state.value}, 1.0
    yield {**labels, "__name__": FOR_STATE, "alertname": rule.name}, float(int(alert.active_at.timestamp()))


def identity(labels: Mapping[str, str]) -> Key:
    """One value for equal label sets."""
    return tuple(sorted(labels.items()))


def metrics(expression: str) -> tuple[frozenset[str], bool]:
    """As `promql.metrics`; an expression that cannot be read may be about anything."""
    try:
        return promql.metrics(expression)
    except promql.PromqlError:
        return frozenset(), True


def _whole(rule: Entry | RecordRule) -> AlertRule | RecordRule:
    """An alert with all annotations of its file: in a test, those for opsbot are as good as any."""
    if isinstance(rule, RecordRule):
        return rule
    return replace(rule.alert, annotations={**rule.alert.annotations, **rule.extras})


def _queries(rule: AlertRule | RecordRule) -> bool:
    if isinstance(rule, RecordRule):
        return False
    texts: Collection[str] = (*rule.labels.values(), rule.severity, *rule.annotations.values())
    return any(gotemplate.parse(text).queries for text in texts)
