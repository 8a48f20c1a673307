"""A story of half a minute for alert rules: series that change as it goes, and the rules that watch them.

A step is half a second. Four parts of ten steps follow a calm beginning; what was wrong is well again in the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from opsbot.lab import series
from opsbot.lab.remote import Line, Point

STEP = 500
"""Milliseconds."""

PARTS = (4, 14, 24, 34)
"""The steps at which something changes for the next ten."""

STEPS = 46
REGION = {"region": "eu", "prometheus": "a"}
"""The external labels of this Prometheus; the second tells replicas apart, and no alerts."""

SERIES = {  # calm, first part, second, third, well again
    'cpu{pod="a"}': "10 95 95 10 10",
    'cpu{pod="b"}': "10 10 85 85 10",
    'cpu{pod="c"}': "10 85 96 85 10",
    'cpu{pod="d"}': "60 60 60 60 60",
    'maintenance{pod="d"}': "1 0 1 0 1",
    'mem{pod="a",node="n1"}': "10 70 70 10 10",
    'mem{pod="b",node="n1"}': "10 70 10 10 10",
    'mem{pod="c",node="n2"}': "10 10 190 190 10",
    'heartbeat{job="a"}': "1 gone 1 gone 1",
    'replica{pod="a"}': "1 1 1 1 1",
    'replica{pod="e"}': "gone 1 gone 1 gone",
    'flap{job="x"}': "0 1|0 1|0 0 0",
    'errors_total{job="x"}': "0 1+1 11 12+2 30",
    'requests_total{job="x"}': "0+2 8+2 28+2 48+2 68+2",
    'queue{q="1"}': "0 1 1 1 0",
    'queue{q="2"}': "0 1 1 1 0",
    'queue{q="3"}': "0 0 1 0 0",
    'lag{zone="z",shard="1"}': "0 1 1 1 0",
    'lag{zone="z",shard="2"}': "0 0 1 0 0",
    'limit{pod="a",from="x"}': "80 80 80 80 80",
    'limit{pod="a",from="y"}': "gone gone 80 gone gone",
    'odd{kind="nan"}': "gone NaN gone Inf gone",
    'odd{kind="minus"}': "gone -Inf -Inf gone gone",
}
"""A value for each part: `a+b` begins at a and grows by b with each step, `a|b` changes after six steps."""

RULES = """\
groups:
  - name: story
    interval: 500ms
    rules:
      - {record: story:tick, expr: vector(1)}
      - {record: 'story:mem:by_node', expr: sum by (node) (mem)}
      - {alert: Threshold, expr: cpu > 80, labels: {severity: critical}}
      - {alert: ForAWhile, expr: cpu > 80, for: 1200ms, labels: {severity: warning}}
      - {alert: KeptUp, expr: cpu > 80, keep_firing_for: 1700ms}
      - {alert: ForAndKept, expr: cpu > 80, for: 700ms, keep_firing_for: 1200ms}
      - alert: Level
        expr: cpu > 80
        labels:
          severity: '{{ if gt $value 90.0 }}critical{{ else }}warning{{ end }}'
          pod: '{{ $labels.pod | toUpper }}'
      - {alert: Gone, expr: 'absent(heartbeat{job="a"})'}
      - {alert: GoneForAWhile, expr: 'absent(heartbeat{job="a"})', for: 1200ms}
      - {alert: NodeFull, expr: sum by (node) (mem) > 100, labels: {team: '{{ $labels.node }}-owners'}}
      - {alert: NodeFullRecorded, expr: 'story:mem:by_node > 100', for: 700ms}
      - {alert: Errors, expr: 'rate(errors_total[2s]) / rate(requests_total[2s]) > 0.1'}
      - {alert: Flapping, expr: flap > 0}
      - {alert: FlappingForAWhile, expr: flap > 0, for: 1200ms}
      - {alert: FlappingKeptUp, expr: flap > 0, keep_firing_for: 3s}
      - {alert: TooMany, expr: count by (job) (replica) > 1}
      - {alert: Busy, expr: cpu > 50 unless on (pod) maintenance == 1}
      - {alert: Before, expr: cpu offset 1s > 80}
      - {alert: Odd, expr: odd}
      - {alert: Joined, expr: cpu > on (pod) group_left limit}
      - {alert: Doubled, expr: lag > 0, labels: {shard: all}}
      - {alert: Never, expr: cpu > 1000}
      - {alert: Meta, expr: 'count by (alertname) (ALERTS{alertname="Threshold", alertstate="firing"}) > 1'}
      - {alert: Emptied, expr: cpu > 90, labels: {pod: ''}}
      - {alert: Always, expr: vector(1), labels: {severity: none}}
  - name: limited
    interval: 500ms
    limit: 2
    rules:
      - {record: limited:tick, expr: vector(1)}
      - {alert: Limited, expr: queue > 0}
"""

FAILING = frozenset({"Joined", "Doubled", "Limited", "Emptied"})
"""Rules that cannot be evaluated in one part: two series on the one side, twice the same labels, too many alerts."""

FORGETS = frozenset({"Limited"})
"""Where the two differ on purpose: Prometheus forgets all alerts of a rule that has too many, opsbot leaves them up."""


def lines(begin: int) -> list[Line]:
    """All series from the time `begin` on, in milliseconds."""
    return [(series.labels(name), list(_points(words.split(), begin))) for name, words in SERIES.items()]


def _points(words: list[str], begin: int) -> Iterator[Point]:
    bounds = (0, *PARTS, STEPS)
    there = False
    for word, first, last in zip(words, bounds, bounds[1:], strict=False):
        if word == "gone":
            yield from [(begin + first * STEP, series.STALE)] if there else []
        else:
            for step in range(last - first):
                yield begin + (first + step) * STEP, _value(word, step)
        there = word != "gone"


def _value(word: str, step: int) -> float:
    if "+" in word:
        start, _, slope = word.partition("+")
        return float(start) + step * float(slope)
    before, _, after = word.partition("|")
    return float(after if after and step >= 6 else before)


def own(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The labels of an alert without those of its Prometheus."""
    return frozenset((name, value) for name, value in labels.items() if REGION.get(name) != value)
