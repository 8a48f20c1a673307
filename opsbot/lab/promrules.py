"""The rules of one unit test: which of them matter to its cases, and what series Prometheus makes of their results.

Nothing is asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
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
ANYTHING = '{__name__=~".+"}'
"""Stands for a query that a template puts together: it may read any series."""

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
        return _expression(self.rule)

    @property
    def fed(self) -> bool:
        """Whether it gives something only where one of its metrics has series."""
        return _never_alone(self.expression)

    @property
    def questions(self) -> tuple[str, ...]:
        """All that is asked for it: its expression, and what its templates ask."""
        return (self.expression, *_queries(self.rule))

    @property
    def names(self) -> frozenset[str]:
        """The metrics that it makes."""
        return _makes(self.rule)


def ordered(groups: Sequence[Group], order: Sequence[str]) -> list[Group]:
    """Groups in the order of evaluation: as listed, those that are not listed beside the first.

    promtool evaluates what stands beside the first in any order, as its maps have it (orderedGroups in unittest.go):
    here who makes a series comes before who reads it, and the order of the files counts where that says nothing.
    """
    places = {name: place for place, name in enumerate(order)}
    free = [group for group in groups if not places.get(group.name)]
    listed = sorted((group for group in groups if places.get(group.name)), key=lambda group: places[group.name])
    return [*_makers_first(free), *listed]


def _makers_first(groups: Sequence[Group]) -> Iterator[Group]:
    """Each group after those that make what it reads; where they go round in a circle, the first of them begins."""
    made = [frozenset(name for rule in group.rules for name in _makes(rule)) for group in groups]
    read = [[metrics(text) for rule in group.rules for text in _asked(rule)] for group in groups]
    waits = {
        place: {
            other
            for other in range(len(groups))
            if other != place and any(names & made[other] or (others and made[other]) for names, others in read[place])
        }
        for place in range(len(groups))
    }
    while waits:
        place = next((place for place, on in waits.items() if waits.keys().isdisjoint(on)), next(iter(waits)))
        del waits[place]
        yield groups[place]


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
            waiting += one.questions
    read: set[str] = set()
    while waiting:
        names, others = metrics(waiting.pop())
        for one in rules:
            if not one.needed and (others or one.names & names):
                one.needed = True
                waiting += one.questions
        read |= names | ({ALERTS} if others else set())
    return bool(read & {ALERTS, FOR_STATE})


def tainted(rules: Sequence[Running], unread: Collection[str]) -> frozenset[str]:
    """The metrics that are other than they should be where those in `unread` are not there; alerts by their names."""
    found = set(unread)
    for _ in rules:
        hit = (one for one in rules if any(touches(text, found) for text in one.questions))
        touched = {name for one in hit for name in (*one.names, one.rule.name)}
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
        for text in one.questions:
            names, others = metrics(text)
            if names & later or (others and later) or _ahead(text):
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


def _never_alone(expression: str) -> bool:
    try:
        return promql.never_alone(expression)
    except promql.PromqlError:
        return False


def _whole(rule: Entry | RecordRule) -> AlertRule | RecordRule:
    """An alert with all annotations of its file: in a test, those for opsbot are as good as any."""
    if isinstance(rule, RecordRule):
        return rule
    return replace(rule.alert, annotations={**rule.alert.annotations, **rule.extras})


def _makes(rule: Entry | AlertRule | RecordRule) -> frozenset[str]:
    """The metrics of what becomes of a rule."""
    return frozenset({rule.name} if isinstance(rule, RecordRule) else {ALERTS, FOR_STATE})


def _asked(rule: Entry | RecordRule) -> tuple[str, ...]:
    whole = _whole(rule)
    return (_expression(whole), *_queries(whole))


def _expression(rule: AlertRule | RecordRule) -> str:
    return rule.expression if isinstance(rule, RecordRule) else rule.condition


def _queries(rule: AlertRule | RecordRule) -> Iterator[str]:
    """What the templates of an alert ask; a template that cannot be read asks nothing."""
    if isinstance(rule, RecordRule):
        return
    for text in (*rule.labels.values(), rule.severity, *rule.annotations.values()):
        with suppress(ValueError):
            yield from (ANYTHING if one is None else one for one in gotemplate.parse(text).asked)
