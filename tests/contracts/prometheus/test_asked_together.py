"""Conditions asked together say the same as each asked alone, on a Prometheus 2 and a 3, however odd they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import pytest

from opsbot.core.alert import AlertRule, Answer
from opsbot.core.errors import Blind, PermanentError
from opsbot.monitor.polling import batches
from opsbot.monitor.polling.asking import Asking
from opsbot.prometheus import PrometheusClient
from tests.contracts.prometheus.conftest import Settings
from tests.contracts.prometheus.data import AT
from tests.contracts.prometheus.remote_write import Series, write

_NOW = int(AT.timestamp() * 1000) - 1_000

SERIES: tuple[Series, ...] = (
    ({"__name__": "twin_a", "k": "1"}, [(_NOW, 1.0)]),
    ({"__name__": "twin_b", "k": "1"}, [(_NOW, 2.0)]),
    ({"__name__": "marked", "opsbot_rule": "mine"}, [(_NOW, 3.0)]),
    ({"__name__": "marked", "opsbot_rule": "two\nlines $1"}, [(_NOW, 4.0)]),
    ({"__name__": "marked", "opsbot_rule": "r3 steals"}, [(_NOW, 5.0)]),
    ({"__name__": "wide", "k": 'a "quote" \\ and ü'}, [(_NOW, 6.0)]),
    ({"__name__": "left", "k": "1", "side": "l"}, [(_NOW, 7.0)]),
    ({"__name__": "right", "k": "1", "side": "r"}, [(_NOW, 8.0)]),
    ({"__name__": "steps_total", "k": "1"}, [(_NOW - 60_000, 1.0), (_NOW - 30_000, 11.0), (_NOW, 21.0)]),
    ({"__name__": "steps_total", "k": "2"}, [(_NOW - 60_000, 1.0), (_NOW - 30_000, math.nan), (_NOW, 21.0)]),
    *(({"__name__": "b_bucket", "le": le}, [(_NOW - 60_000, 1.0), (_NOW, n)]) for le, n in
      (("1", 2.0), ("2", 5.0), ("+Inf", 9.0))),
    ({"__name__": "went"}, [(_NOW - 20_000, 1.0), (_NOW - 10_000, None)]),
)  # fmt: skip

CONDITIONS = {
    "a series": "wide",
    "a threshold": "wide > 5",
    "nothing": "wide > 100",
    "no such series": "no_such_series > 0",
    "a number": "1",
    "a negative number": "-(2)",
    "time": "time()",
    "scalar of a vector": "scalar(wide)",
    "scalar of nothing is NaN": "scalar(no_such_series)",
    "numbers compared": "1 > bool 2",
    "a number in brackets": "((3))",
    "infinity": "1 / 0",
    "vector of a number": "vector(1)",
    "vector that is NaN": "vector(0) / 0",
    "odd values": '{__name__="odd"}',
    "NaN is not above": "odd > 0",
    "bool": "wide > bool 100",
    "names apart": '{__name__=~"twin_.", k="1"}',
    "names apart, filtered": '{__name__=~"twin_.", k="1"} > 1',
    "or of like labels": "twin_a or twin_b or right",
    "or with on": "left or on(k) right",
    "or with ignoring": "left or ignoring(side) right",
    "or of empty sides": "no_such_series or no_such_either",
    "and, unless": "left and on(k) right unless on(k) no_such_series",
    "a join": "left * on(k) group_left(side) right",
    "rate": "rate(steps_total[5m]) > 0",
    "increase with NaN": "increase(steps_total[5m])",
    "sum": "sum by (k) (rate(steps_total[5m]))",
    "sum without labels": "sum(wide)",
    "count_values": 'count_values("opsbot_rule", twin_a)',
    "topk": 'topk(1, {__name__=~"twin_.", k="1"})',
    "quantile": "histogram_quantile(0.9, rate(b_bucket[5m]))",
    "absent": 'absent(up{job="a", opsbot_rule="x"})',
    "absent of what went": "absent(went)",
    "went stale": "went",
    "before it went": "went offset 12s",
    "at": f"steps_total @ {_NOW / 1000 - 30}",
    "at the end": "steps_total @ end()",
    "subquery": "max_over_time(steps_total[1m:10s])",
    "its own label": "marked",
    "its own label, picked": 'marked{opsbot_rule="mine"}',
    "its own label made": 'label_replace(wide, "opsbot_rule", "r3 x", "", "")',
    "its own label joined": "sum by (opsbot_rule) (marked) * on(opsbot_rule) marked",
    "the name replaced": 'label_replace(wide, "__name__", "other", "", "")',
    "a name made again": 'label_replace(rate(steps_total[5m]), "__name__", "again", "", "")',
    "a comment at the end": "wide > 1 # or not)",
    "comments and lines": "# first\nwide\n  > # second\n 1\n",
    "brackets in text": 'wide{k!=")) or ((", k!~"[)]"}',
    "raw text": "wide{k!=`\\`}",
    "quotes": """wide{k!='"', k!="'"}""",
    "sorted": "sort_desc(odd)",
    "hour": "hour() >= 0",
    "unary minus": "-wide",
    "timestamp": "timestamp(steps_total)",
}

BAD = {
    "no such function": "no_such_function(1)",
    "does not end": "up{",
    "closes too early": "wide) or (wide",
    "many to many": "odd / on() odd",
    "bad expression at run time": 'label_replace(wide, "a", "x", "k", "(")',
    "like series after a function": 'rate({__name__=~"steps_total|b_bucket", k=""}[5m]) + 0 * {__name__=~"twin_."}',
    "two of one name": '-{__name__=~"twin_."}',
    "a text": '"text"',
    "a range": "wide[1m]",
    "a store that does not answer": "odd{store='far'}",
}


@pytest.fixture(scope="module")
def written() -> set[str]:
    """The servers that have the series: they take each sample once."""
    return set()


@pytest.fixture
def client(a_real_url: str, written: set[str]) -> Iterator[PrometheusClient]:
    if a_real_url not in written:
        write(a_real_url, SERIES)
        written.add(a_real_url)
    made = PrometheusClient(Settings(a_real_url))
    yield made
    made.close()


def told(samples: object) -> list[tuple[list[tuple[str, str]], str]]:
    return sorted((sorted(s.labels.items()), repr(s.value)) for s in samples)  # type: ignore[attr-defined]


def alone(client: PrometheusClient, condition: str) -> list[tuple[list[tuple[str, str]], str]]:
    return told(client.query(condition, AT).samples)


def rule(name: str, condition: str) -> AlertRule:
    return AlertRule(name, condition, "warning", every=timedelta(minutes=1))


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS.keys())
def test_one_among_others_says_what_it_says_alone(client: PrometheusClient, condition: str) -> None:
    assert batches.fits(condition)
    asked = {"r1": "twin_a > 0", "r2": condition, "r3": condition, "r4": "no_such_series", "r5": "7"}
    parts = batches.parted(client.query(batches.joined(asked), AT).samples, asked)
    assert {name: told(samples) for name, samples in parts.items()} == {
        name: alone(client, text) for name, text in asked.items()
    }


def test_all_of_them_in_one_question(client: PrometheusClient) -> None:
    asked = {f"r{at}": condition for at, condition in enumerate(CONDITIONS.values())}
    parts = batches.parted(client.query(batches.joined(asked), AT).samples, asked)
    assert {name: told(samples) for name, samples in parts.items()} == {
        name: alone(client, text) for name, text in asked.items()
    }


def test_as_many_as_there_may_be_in_one_question(client: PrometheusClient) -> None:
    """Deep enough to see that nothing nests too deeply, and of the greatest length."""
    asked = {f"r{at}": f'wide{{k!="{"x" * 60}"}} > {at % 7}' for at in range(350)}
    (whole,) = batches.packed(asked, 1, 1000)
    assert len(batches.joined(whole)) > batches.MOST_TEXT * 0.8
    parts = batches.parted(client.query(batches.joined(whole), AT).samples, whole)
    assert [len(parts[f"r{at}"]) for at in range(7)] == [1, 1, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("condition", BAD.values(), ids=BAD.keys())
def test_one_that_is_bad_hides_no_other(client: PrometheusClient, condition: str) -> None:
    good = [rule(name, text) for name, text in CONDITIONS.items()]
    bad = rule("bad", condition)
    with pytest.raises((Blind, PermanentError)) as want:
        client.query(condition, AT)
    found = Asking(client).ask([*good, bad], AT, 10.0).outcomes
    assert str(found[bad.id]).partition(":")[0] == str(want.value).partition(":")[0]
    for one in good:
        answer = found[one.id]
        assert isinstance(answer, Answer), (one.name, answer)
        assert told(answer.samples) == alone(client, one.condition), one.name
