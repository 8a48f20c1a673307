"""Advice of a Prometheus on metrics that it does not have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from opsbot.core.alert import AlertRule
from opsbot.core.errors import Blind
from opsbot.lab import online
from opsbot.testing.prometheus import FakeMetrics

NOW = datetime(2026, 5, 4, tzinfo=UTC)
RULES = [
    AlertRule("A", "rate(a:b_total[5m]) > on() group_left() other", "info", file="f", line=3),
    AlertRule("B", 'ALERTS{x="y"} and {__name__=~"z.*"} > 0', "info", file="f", line=9),
    AlertRule("C", "other > 5", "info", file="g", line=1),
]
ASKED = 'count by (__name__) ({__name__=~"a:b_total|other"})'


def test_what_is_not_there_is_told_at_the_rule() -> None:
    metrics = FakeMetrics()
    metrics.says(ASKED, ({"__name__": "other"}, 5.0))
    (found,) = online.advice(RULES, metrics, NOW)
    assert (found.file, found.line, found.rule) == ("f", 3, "A")
    assert "no series of the metric 'a:b_total'" in found.message


def test_a_server_that_cannot_be_read_is_no_advice() -> None:
    metrics = FakeMetrics()
    metrics.fails(ASKED, Blind("refused"))
    with pytest.raises(Blind, match="refused"):
        online.advice(RULES, metrics, NOW)


@pytest.mark.parametrize("count", [0, online.AT_ONCE, online.AT_ONCE + 1], ids=["none", "one question", "two"])
def test_many_metrics_are_asked_for_in_parts(count: int) -> None:
    metrics = FakeMetrics()
    names = [f"m{number:04}" for number in range(count)]
    for at in range(0, count, online.AT_ONCE):
        part = "|".join(names[at : at + online.AT_ONCE])
        metrics.says(f'count by (__name__) ({{__name__=~"{part}"}})')
    rules = [AlertRule(name, f"{name} > 1", "info") for name in names]
    assert len(online.advice(rules, metrics, NOW)) == count
