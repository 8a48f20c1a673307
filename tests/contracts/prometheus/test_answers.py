"""What the hand makes of a server's answers, the same from the fake and from the real Prometheus."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.prometheus import PrometheusClient

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "kind", "want"),
    [
        ("1", "scalar", [({}, "1.0")]),
        ("vector(1)", "vector", [({}, "1.0")]),
        ("vector(1) > 2", "vector", []),
        ("no_such_series", "vector", []),
        ("vector(0) / 0", "vector", [({}, "nan")]),
        ("vector(-1) / 0", "vector", [({}, "-inf")]),
        ("absent(up{job='a'})", "vector", [({"job": "a"}, "1.0")]),
        ('label_replace(vector(2.5), "pod", "a/ü\\"", "", "")', "vector", [({"pod": 'a/ü"'}, "2.5")]),
    ],
    ids=["scalar", "vector", "condition false", "no such series", "nan", "infinity", "absent", "labels"],
)
def test_whole_answers(
    client: PrometheusClient, expression: str, kind: str, want: list[tuple[dict[str, str], str]]
) -> None:
    found = client.query(expression, AT)
    assert (found.kind, found.asked_at) == (kind, AT)
    assert [(dict(sample.labels), repr(sample.value)) for sample in found.samples] == want


@pytest.mark.parametrize("expression", ["up{", "foo(1)"], ids=["syntax", "function"])
def test_a_wrong_expression_is_refused_for_good(client: PrometheusClient, expression: str) -> None:
    with pytest.raises(PermanentError, match=r"refuses the expression: .*parse error"):
        client.query(expression, AT)


@pytest.mark.parametrize(
    ("expression", "why"),
    [('"text"', "type 'string'"), ('label_replace(vector(1), "a b", "x", "", "")', "HTTP 422: execution: ")],
    ids=["a text", "fails while it runs"],
)
def test_what_is_no_vector_is_blind(client: PrometheusClient, expression: str, why: str) -> None:
    with pytest.raises(Blind, match=re.escape(why)):
        client.query(expression, AT)


def test_check(client: PrometheusClient) -> None:
    assert re.fullmatch(r"Prometheus \d+\.\d+\.\S+ answers at http://127\.0\.0\.1:\d+", client.check())


@pytest.mark.real("prometheus")
@pytest.mark.parametrize("ago", [0.0, 0.0004, 3600.5], ids=["now", "a fraction of a millisecond", "the past"])
def test_the_real_server_evaluates_at_the_time_asked(real_url: str, ago: float) -> None:
    from tests.contracts.prometheus.conftest import Settings

    at = datetime.now(UTC).replace(microsecond=123456) - timedelta(seconds=ago)
    client = PrometheusClient(Settings(real_url))
    (found,) = client.query("time()", at).samples
    client.close()
    assert abs(found.value - at.timestamp()) < 0.001


@pytest.mark.real("prometheus")
def test_the_real_server_is_behind_a_time_that_has_not_come(real_url: str) -> None:
    from tests.contracts.prometheus.conftest import Settings

    client = PrometheusClient(Settings(real_url))
    with pytest.raises(Blind, match="clock of Prometheus is"):
        client.query("1", datetime.now(UTC) + timedelta(minutes=5))
    client.close()
