"""What the hand makes of a server's answers, the same from the fake and from the real Prometheus."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.prometheus import PrometheusClient
from opsbot.testing.prometheus import PARTIAL, FakePrometheus, vector
from tests.contracts.prometheus.conftest import Settings
from tests.contracts.prometheus.data import AT

INF, NAN, NEG, ONE = (
    ({"__name__": "odd", "k": key}, text)
    for key, text in (("inf", "inf"), ("nan", "nan"), ("neg", "-inf"), ("one", "1.5e-07"))
)


@pytest.mark.parametrize(
    ("expression", "kind", "want"),
    [
        ("1", "scalar", [({}, "1.0")]),
        ("1 / 0", "scalar", [({}, "inf")]),
        ("vector(1)", "vector", [({}, "1.0")]),
        ("vector(1) > 2", "vector", []),
        ("no_such_series", "vector", []),
        ("vector(0) / 0", "vector", [({}, "nan")]),
        ("vector(-1) / 0", "vector", [({}, "-inf")]),
        ("absent(up{job='a'})", "vector", [({"job": "a"}, "1.0")]),
        ('label_replace(vector(2.5), "pod", "a/ü\\"", "", "")', "vector", [({"pod": 'a/ü"'}, "2.5")]),
        ("odd > 0", "vector", [INF, ONE]),
        ("odd", "vector", [INF, NAN, NEG, ONE]),
        ("gone", "vector", []),
        ("gone offset 12s", "vector", [({"__name__": "gone"}, "1.0")]),
        ("absent(gone)", "vector", [({}, "1.0")]),
        ("old", "vector", []),
        ("old offset 400s", "vector", [({"__name__": "old"}, "1.0")]),
        ("quantile(2, queue)", "vector", [({}, "inf")]),
        ("rate(queue[1m]) > 9", "vector", []),
    ],
    ids=["scalar", "scalar infinity", "vector", "condition false", "no such series", "nan", "infinity", "absent",
         "labels", "infinity is above, nan is not", "odd numbers", "stale", "before it was stale", "absent since stale",
         "too old", "not yet too old", "a warning on the expression", "a note on the expression"],
)  # fmt: skip
def test_whole_answers(
    client: PrometheusClient, expression: str, kind: str, want: list[tuple[dict[str, str], str]]
) -> None:
    found = client.query(expression, AT)
    assert (found.kind, found.asked_at) == (kind, AT)
    assert [(dict(sample.labels), repr(sample.value)) for sample in found.samples] == want


@pytest.mark.parametrize(
    ("expression", "where"),
    [("up{", "1:4"), ("foo(1)", "1:1"), ("1 +", "1:4"), ("sum(\n  odd", "2:6"), ("rate(odd)", "1:6")],
    ids=["syntax", "function", "end", "second line", "type"],
)
def test_a_wrong_expression_is_refused_for_good_with_its_line_and_column(
    client: PrometheusClient, expression: str, where: str
) -> None:
    with pytest.raises(PermanentError, match=rf'refuses the expression: .*"query": {where}: parse error: '):
        client.query(expression, AT)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ('"text"', "type 'string'"), ("no_such_series[1m]", "type 'matrix'"),
        ('label_replace(vector(1), "a", "x", "b", "(")', "HTTP 422: execution: invalid regular expression"),
        ("odd / on() odd", "HTTP 422: execution: found duplicate series for the match group"),
        ("odd{store='far'}", "warns that its answer may not be whole: remote_read: error sending request"),
        ("count(odd{store='far'})", "warns that its answer may not be whole"),
    ],
    ids=["a text", "a range", "fails while it runs", "many to many", "a store did not answer", "counted from it"],
)  # fmt: skip
def test_what_is_no_whole_vector_is_blind(client: PrometheusClient, expression: str, why: str) -> None:
    with pytest.raises(Blind, match=re.escape(why)):
        client.query(expression, AT)


def test_a_partial_answer_is_blind() -> None:
    """No Prometheus says this of itself: it is a word of its relatives that ask many stores, so the fake says it."""
    fake = FakePrometheus()
    fake.says("odd", vector(({"k": "one"}, 1.0)).but(more=PARTIAL))
    with fake.serve() as url, pytest.raises(Blind, match="partial"):
        PrometheusClient(Settings(url)).query("odd", AT)


def test_check(client: PrometheusClient) -> None:
    assert re.fullmatch(r"Prometheus \d+\.\d+\.\S+ answers at http://127\.0\.0\.1:\d+", client.check())


@pytest.mark.parametrize("ago", [0.0, 0.0004, 3600.5], ids=["now", "a fraction of a millisecond", "the past"])
def test_the_real_server_evaluates_at_the_time_asked(a_real_url: str, ago: float) -> None:
    at = datetime.now(UTC).replace(microsecond=123456) - timedelta(seconds=ago)
    client = PrometheusClient(Settings(a_real_url))
    (found,) = client.query("time()", at).samples
    client.close()
    assert abs(found.value - at.timestamp()) < 0.001


def test_the_real_server_is_behind_a_time_that_has_not_come(a_real_url: str) -> None:
    client = PrometheusClient(Settings(a_real_url))
    with pytest.raises(Blind, match="clock of Prometheus is"):
        client.query("1", datetime.now(UTC) + timedelta(minutes=5))
    client.close()
