"""What only a Prometheus can say of alert rules: rules and a server in, advice on metrics that it does not have out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from opsbot import promql
from opsbot.core.alert import AlertRule
from opsbot.core.errors import Problem
from opsbot.core.ports import Metrics

AT_ONCE = 100
PATIENCE = 5.0
"""Seconds for one question."""

_MADE = ("ALERTS", "ALERTS_FOR_STATE")
HINT = "is its name right, and is it scraped? a metric that comes up only in trouble is no fault"


def advice(rules: Sequence[AlertRule], metrics: Metrics, now: datetime) -> list[Problem]:
    """A warning for each metric that a rule names and that has no series now.

    Blind or PermanentError where the server cannot be read.
    """
    named = {rule.id: sorted(_named(rule)) for rule in rules}
    wanted = sorted({name for names in named.values() for name in names})
    there = {name for part in _parts(wanted) for name in _there(part, metrics, now)}
    return [
        Problem(rule.file, rule.line, 1, f"Prometheus has no series of the metric {name!r} now", HINT, rule.name)
        for rule in rules
        for name in named[rule.id]
        if name not in there
    ]


def _named(rule: AlertRule) -> frozenset[str]:
    try:
        return promql.metrics(rule.condition)[0] - frozenset(_MADE)
    except promql.PromqlError:
        return frozenset()


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE))


def _there(names: Iterable[str], metrics: Metrics, now: datetime) -> Iterator[str]:
    either = "|".join(re.escape(name).replace("\\", "\\\\") for name in names)
    for sample in metrics.query(f'count by (__name__) ({{__name__=~"{either}"}})', now, PATIENCE).samples:
        yield sample.labels.get("__name__", "")
