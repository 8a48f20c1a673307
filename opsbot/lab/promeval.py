"""The rules of one unit test, evaluated as `promtool` times them: groups, series and a server in, firing alerts out.

Prometheus answers the expressions; what becomes of the answers is opsbot's own: states and templates are those of
`opsbot.monitor`. Time is a number that is counted up from 1970.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsbot import promql
from opsbot.core.alert import AlertRule, AlertState, Sample
from opsbot.core.duration import spell
from opsbot.core.errors import PermanentError
from opsbot.lab import promrules, series
from opsbot.lab.promrules import Running, Series, as_series, identity, metrics, recorded
from opsbot.lab.promserver import PromServer, RefusedError, Result, WrongError
from opsbot.lab.promtests import PromTest
from opsbot.lab.remote import Line, Point
from opsbot.monitor import state
from opsbot.monitor.gotemplate import Server, TemplateError
from opsbot.monitor.rules.promgroups import Group, RecordRule

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Labelled = tuple[Mapping[str, str], float]
"""A series at one time."""

MOST_POINTS = 10_000
"""Steps that one question may ask for; Prometheus takes 11,000."""


class TestError(Exception):
    """The test cannot be carried out, or Prometheus would say so: nothing in it holds."""

    __test__ = False


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that fires: what people are told."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class Evaluation:
    """One test on a server of its own. `stride` is how many steps are asked at once; 1 is always right."""

    def __init__(self, test: PromTest, groups: Sequence[Group], every: timedelta, server: PromServer) -> None:
        self.test = test
        self.server = server
        self.every = _milliseconds(every)
        self.start = _milliseconds(test.start)
        self.steps = _milliseconds(test.until) // self.every + 1
        self.rules = promrules.running(groups)
        self.firing: dict[tuple[str, int], list[Firing]] = {}
        self.asked = {(case.alert, _milliseconds(case.at) // self.every) for case in test.alerts}
        self.alerts_read = promrules.mark_needed(self.rules, test)
        self.present: set[str] = set()
        given = [one for one in test.series if not series.is_histogram(one.values)]
        pairs = [(_input(one.series), _values(one.series, one.values)) for one in given]
        self.lines = list({identity(labels): (labels, values) for labels, values in pairs}.values())
        unread = [_input(one.series).get("__name__", "") for one in test.series if one not in given]
        self.tainted = promrules.tainted(self.rules, unread) if unread else frozenset[str]()

    def forward(self) -> bool:
        """Whether each rule may be asked for all steps at once."""
        return promrules.forward(self.rules, self.test, self.alerts_read)

    # time -----------------------------------------------------------------------------------------------------------

    def run(self, stride: int) -> None:
        """Walk through time; TestError where a rule cannot be evaluated, RefusedError where the stride was too long."""
        interval, at = _milliseconds(self.test.interval), 0
        for first in range(0, self.steps, stride):
            times = self.times(first, stride)
            upto = (times[-1] - self.start) // interval + 1
            self.write((labels, _points(values, at, upto, interval, self.start)) for labels, values in self.lines)
            at = upto
            for one in self.rules:
                if one.needed:
                    self.evaluate(one, times)
        for first in range(0, self.steps, MOST_POINTS):
            times = self.times(first, MOST_POINTS)
            for one in self.rules:
                if not one.needed:
                    self.evaluate(one, times)

    def times(self, first: int, stride: int) -> range:
        """The times of some steps."""
        last = min(first + stride, self.steps)
        return range(self.start + first * self.every, self.start + last * self.every, self.every)

    def write(self, lines: Iterable[Line]) -> None:
        """Keep samples, and the names of their metrics."""
        there = [(labels, points) for labels, points in lines if points]
        self.server.write(there)
        self.present |= {labels.get("__name__", "") for labels, _ in there}

    def evaluate(self, one: Running, times: range) -> None:
        """One rule at each of these times."""
        if not self._may_give(one):
            found: dict[int, list[Sample]] = {}
        else:
            found = self._answers(one, times)
        if not found and not one.made and not one.active:
            return
        lines = self._made(one, one.rule, found, times)
        if one.needed and (one.records or self.alerts_read):
            try:
                self.write(lines)
            except RefusedError as error:
                raise RefusedError(self._of(one, times[-1], error)) from error

    def _may_give(self, one: Running) -> bool:
        """Whether it may have a result: an expression over metrics of which there is not a single series has none."""
        names, others = metrics(one.expression)
        return others or bool(names & self.present) or not promql.never_alone(one.expression)

    def _answers(self, one: Running, times: range) -> dict[int, list[Sample]]:
        late = _milliseconds(one.group.query_offset)
        try:
            found = self._range(one, times)
        except WrongError as error:
            at, why = self._first_wrong(one, times, error)
            raise TestError(self._of(one, at, why)) from error
        samples: dict[int, list[Sample]] = {}
        for labels, points in found.series:
            for at, value in points:
                samples.setdefault(at + late, []).append(Sample(labels, value, _moment(at + late)))
        return samples

    def _range(self, one: Running, times: range) -> Result:
        late = _milliseconds(one.group.query_offset)
        return self.server.range(one.expression, times[0] - late, times[-1] - late, self.every)

    def _first_wrong(self, one: Running, times: range, why: WrongError) -> tuple[int, WrongError]:
        """The first time at which a rule cannot be evaluated, found by halves: the answer to many steps names none."""
        first, last = 0, len(times) - 1
        while first < last:
            middle = (first + last) // 2
            try:
                self._range(one, times[first : middle + 1])
                first = middle + 1
            except WrongError as error:
                last, why = middle, error
        return times[first], why

    def _of(self, one: Running, at: int, why: Exception) -> str:
        when = timedelta(milliseconds=at - self.start)
        return f"rule {one.rule.name!r} at {spell(when)}: {why}"

    def _made(
        self, one: Running, rule: AlertRule | RecordRule, found: Mapping[int, Sequence[Sample]], times: range
    ) -> list[Line]:  # fmt: skip
        made = Series(one)
        for at in times:
            try:
                if isinstance(rule, RecordRule):
                    labelled = self.record(one, rule, found.get(at, ()))
                else:
                    labelled = self.alert(one, rule, found.get(at, ()), at)
            except PermanentError as error:
                raise TestError(self._of(one, at, error)) from error
            made.step(at - _milliseconds(one.group.query_offset), labelled)
        return made.lines()

    # rules ----------------------------------------------------------------------------------------------------------

    def record(self, one: Running, rule: RecordRule, found: Sequence[Sample]) -> list[Labelled]:
        """What a recording rule makes of an answer (rules/recording.go, Eval)."""
        labelled = [(recorded(rule, sample), sample.value) for sample in found]
        if len({identity(labels) for labels, _ in labelled}) < len(labelled):
            raise PermanentError("two results have the same labels after the rule's own are applied")
        if 0 < one.group.limit < len(labelled):
            raise PermanentError(f"{len(labelled)} series are more than the limit of {one.group.limit}")
        return labelled

    def alert(self, one: Running, rule: AlertRule, found: Sequence[Sample], at: int) -> list[Labelled]:
        """The alerts of a rule at a time, kept where a case asks; and what Prometheus makes of them."""
        said = state.words(rule, found, self._server(at))
        one.said |= said
        one.active = state.walk(rule, said, one.active, _moment(at))
        alive = [alert for alert in one.active if alert.state is not AlertState.RESOLVED]
        step = (at - self.start) // self.every
        if (rule.name, step) in self.asked:
            fires = [one.said[alert.fingerprint] for alert in alive if alert.state is AlertState.FIRING]
            kept = self.firing.setdefault((rule.name, step), [])
            kept += [Firing(words.labels, words.annotations) for words in fires]
        return [pair for alert in alive for pair in as_series(rule, alert, one.said[alert.fingerprint])]

    def _server(self, at: int) -> Server:
        def query(text: str) -> list[Sample]:
            try:
                return samples(self.server.instant(text, at), at)
            except WrongError as error:
                raise TemplateError(f"query: {error}") from error

        return Server(self.test.external_labels, self.test.external_url, query)


def samples(found: Result, at: int) -> list[Sample]:
    """An instant answer as a vector; WrongError where it is none."""
    if found.kind not in ("vector", "scalar"):
        raise WrongError(f"the result is a {found.kind}, not a vector")
    return [Sample(labels, points[0][1], _moment(at)) for labels, points in found.series]


# pieces -------------------------------------------------------------------------------------------------------------


def _input(text: str) -> Mapping[str, str]:
    try:
        return {name: value for name, value in series.labels(text).items() if value}
    except ValueError as error:
        raise TestError(f"input_series: {error}") from error


def _values(name: str, text: str) -> list[float | None]:
    try:
        return series.values(text)
    except ValueError as error:
        raise TestError(f"input_series {name[:60]!r}: {error}") from error


def _points(values: Sequence[float | None], first: int, upto: int, interval: int, start: int) -> list[Point]:
    part = enumerate(values[first:upto], first)
    return [(start + place * interval, value) for place, value in part if value is not None]


def _moment(milliseconds: int) -> datetime:
    return EPOCH + timedelta(milliseconds=milliseconds)


def _milliseconds(length: timedelta) -> int:
    return round(length / timedelta(milliseconds=1))
