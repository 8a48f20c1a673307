"""A unit-test file of promtool in, each of its cases judged out: what was expected, what came, and whether they agree.

promtool itself is never asked.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opsbot.core.alert import Sample
from opsbot.core.duration import spell
from opsbot.lab import promload, promrules, series
from opsbot.lab.promeval import EPOCH, MOST_POINTS, Evaluation, Firing, TestError, samples
from opsbot.lab.promrules import ordered
from opsbot.lab.promserver import Bench, PromServer, RefusedError, Servers, WrongError, serving
from opsbot.lab.promtests import AlertCase, ExprCase, PromTest, PromTests
from opsbot.monitor.rules.promgroups import Group

HISTOGRAMS = "it rests on native histograms, which are not supported"


@dataclass(frozen=True, slots=True)
class Judged:
    """One case; `expected` and `got` are lists of plain values, or a sentence where there is no answer."""

    name: str
    passed: bool
    expected: Any
    got: Any
    line: int = 0


def run(tests: PromTests, bench: Bench | None = None) -> list[Judged]:
    """All cases in the order of the file; ConfigError with the problems of its rule files.

    An entry of `tests` that cannot be carried out and has no case is one that failed.
    """
    if not tests.groups:
        return []
    groups = ordered(promload.groups(tests), tests.order)
    serves = [_asks(test, groups) for test in tests.groups]
    if not any(serves):
        return []
    judged: list[Judged] = []
    with serving((bench or Bench()).program, tests.every) as servers:
        for place, test in enumerate(tests.groups):
            if serves[place]:
                judged += _run(test, place + 1, groups, tests, servers, sum(serves[place + 1 :]))
    return judged


def _asks(test: PromTest, groups: Sequence[Group]) -> bool:
    """Whether there is anything to ask a server: a case, a series, or a rule that has a result without any."""
    return bool(
        test.alerts or test.expressions or test.series or any(not one.fed for one in promrules.running(groups))
    )  # fmt: skip


def _run(
    test: PromTest, place: int, groups: Sequence[Group], tests: PromTests, servers: Servers, more: int
) -> list[Judged]:  # fmt: skip
    """One entry of `tests`, the `place`th; so many `more` will be asked after it."""
    try:
        done = _evaluated(test, groups, tests.every, servers, more)
    except TestError as error:
        why = str(error)
        cases: list[AlertCase | ExprCase] = [*test.alerts, *test.expressions]
        failed = [_failed(test, case, why) for case in cases]
        return failed or [
            Judged(test.name or f"entry {place} of tests", passed=False, expected=[], got=why, line=test.line)
        ]
    alerts = [
        _failed(test, case, HISTOGRAMS)
        if case.alert in done.tainted
        else _alert_case(test, case, done.firing.get((case.alert, case.at // tests.every), []))
        for case in test.alerts
    ]
    expressions = [
        _failed(test, case, HISTOGRAMS)
        if case.histograms or promrules.touches(case.expression, done.tainted)
        else _expression_case(test, case, done.server, tests.fuzzy)
        for case in test.expressions
    ]
    return [*alerts, *expressions]


def _evaluated(
    test: PromTest, groups: Sequence[Group], every: timedelta, servers: Servers, more: int
) -> Evaluation:  # fmt: skip
    """The test carried out, in long strides where that is the same, else step by step."""
    done = Evaluation(test, groups, every, servers.next(more))
    try:
        if done.forward():
            done.run(MOST_POINTS)
            return done
    except RefusedError:  # two rules make one series in turn
        done = Evaluation(test, groups, every, servers.next(more))
    try:
        done.run(1)
    except RefusedError as error:
        raise TestError(str(error)) from error
    return done


# cases --------------------------------------------------------------------------------------------------------------


def _name(test: PromTest, case: AlertCase | ExprCase) -> str:
    lead = f"{test.name}: " if test.name else ""
    what = case.alert if isinstance(case, AlertCase) else " ".join(case.expression.split())[:80]
    return f"{lead}{what} at {spell(case.at)}"


def _failed(test: PromTest, case: AlertCase | ExprCase, why: str) -> Judged:
    if isinstance(case, AlertCase):
        return Judged(_name(test, case), passed=False, expected=_wanted(case), got=why, line=case.line)
    wanted = [{"labels": labels, "value": _plain(value)} for labels, value in case.samples]
    return Judged(_name(test, case), passed=False, expected=wanted, got=why, line=case.line)


def _wanted(case: AlertCase) -> list[dict[str, Any]]:
    """A label that is expected to be empty is never there, and so fails: promtool compares it as it is written."""
    return [
        {"labels": {**one.labels, "alertname": case.alert}, "annotations": dict(one.annotations)} for one in case.alerts
    ]  # fmt: skip


def _alert_case(test: PromTest, case: AlertCase, firing: Sequence[Firing]) -> Judged:
    wanted, got = _wanted(case), [_shape(one) for one in firing]
    return Judged(_name(test, case), _bag(wanted) == _bag(got), wanted, got, case.line)


def _shape(firing: Firing) -> dict[str, Any]:
    """Labels that are empty are none, as Prometheus has it."""
    return {
        "labels": {name: text for name, text in firing.labels.items() if text},
        "annotations": dict(firing.annotations),
    }


def _bag(alerts: Sequence[Mapping[str, Any]]) -> Counter[Any]:
    return Counter((tuple(sorted(one["labels"].items())), tuple(sorted(one["annotations"].items()))) for one in alerts)


def _expression_case(test: PromTest, case: ExprCase, server: PromServer, fuzzy: bool) -> Judged:
    at = round((test.start + case.at) / timedelta(milliseconds=1))
    try:
        wanted = [Sample(_labels(text), value, EPOCH) for text, value in case.samples]
        got = samples(server.instant(case.expression, at), at)
    except (ValueError, WrongError) as error:
        return _failed(test, case, str(error))
    same = _close if fuzzy else _equal
    return Judged(_name(test, case), _agree(wanted, got, same), _told(wanted), _told(got), case.line)


def _labels(text: str) -> dict[str, str]:
    return {name: value for name, value in series.labels(text or "{}").items() if value}


def _agree(wanted: Sequence[Sample], got: Sequence[Sample], same: Callable[[float, float], bool]) -> bool:
    """Whether each expected sample is there, and no other."""
    left = list(got)
    for sample in wanted:
        hit = next((one for one in left if one.labels == sample.labels and same(one.value, sample.value)), None)
        if hit is None:
            return False
        left.remove(hit)
    return not left


def _equal(one: float, other: float) -> bool:
    """Whether two values are the same; NaN is the same as nothing, not even for promtool (unittest.go)."""
    return one == other


def _close(one: float, other: float) -> bool:
    """Equal, or neighbours: no other number lies between them."""
    return _equal(one, other) or max(one, other) == math.nextafter(min(one, other), math.inf)


def _told(found: Sequence[Sample]) -> list[dict[str, Any]]:
    return [{"labels": dict(sample.labels), "value": _plain(sample.value)} for sample in found]


def _plain(value: float) -> float | str:
    """A number that JSON can write."""
    return value if math.isfinite(value) else str(value)
