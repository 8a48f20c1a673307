"""The fakes of Prometheus themselves: they say what they were told, in turn, and nothing that they were not told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot.core.errors import Blind
from opsbot.testing.cluster.wire import Request
from opsbot.testing.prometheus import ANY, PARTIAL, FakeMetrics, FakePrometheus, refusal, scalar, vector

AT = datetime(2026, 5, 4, tzinfo=UTC)


def asked(fake: FakePrometheus, expression: str, time: str = "5.5", method: str = "POST") -> tuple[int, Any]:
    told = fake.handle(Request(method, "/api/v1/query", {"query": expression, "time": time}))
    return told.status, json.loads(told.body)


def test_answers_come_in_turn_and_the_last_one_stays() -> None:
    fake = FakePrometheus()
    fake.says(
        "x", refusal(503, "unavailable", "starting"), vector(({"a": "b"}, 1.5)), scalar(float("nan")).but(late=-60)
    )
    assert asked(fake, "x") == (503, {"status": "error", "errorType": "unavailable", "error": "starting"})
    assert asked(fake, "x")[1]["data"] == {
        "resultType": "vector", "result": [{"metric": {"a": "b"}, "value": [5.5, "1.5"]}]
    }  # fmt: skip
    for _ in range(2):
        assert asked(fake, "x")[1]["data"] == {"resultType": "scalar", "result": [-54.5, "NaN"]}
    assert [(q.expression, q.at) for q in fake.asked] == [("x", 5.5)] * 4


def test_what_it_was_not_told_is_501() -> None:
    fake = FakePrometheus()
    status, said = asked(fake, "up")
    assert (status, said["errorType"], "'up'" in said["error"]) == (501, "not_told", True)
    fake.says(ANY, vector().but(more=PARTIAL))
    assert asked(fake, "up")[1]["isPartial"] is True


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/v1/status/buildinfo", 200), ("GET", "/graph", 404), ("DELETE", "/api/v1/query", 404)],
)
def test_paths(method: str, path: str, status: int) -> None:
    assert FakePrometheus().handle(Request(method, path)).status == status


@pytest.mark.parametrize(
    ("value", "text"),
    [(5.0, "5"), (-0.5, "-0.5"), (123456789.0, "123456789"), (17222222222222225000.0, "17222222222222225000"),
     (1e21, "1e+21"), (0.00001, "0.00001"), (1.5e-7, "1.5e-07"), (0.0, "0"), (float("-inf"), "-Inf")],
    ids=["whole", "part", "large", "larger", "very large", "small", "very small", "nothing", "infinite"],
)  # fmt: skip
def test_numbers_are_spelt_as_go_does(value: float, text: str) -> None:
    fake = FakePrometheus()
    fake.says("x", scalar(value))
    assert asked(fake, "x")[1]["data"]["result"] == [5.5, text]


@pytest.mark.parametrize(("token", "status"), [("", 401), ("b", 401), ("a", 200)], ids=["none", "wrong", "right"])
def test_a_token_is_asked_for(token: str, status: int) -> None:
    fake = FakePrometheus(token="a")
    assert fake.handle(Request("GET", "/api/v1/status/buildinfo", token=token)).status == status


def test_nothing_said_is_a_mistake_of_the_test() -> None:
    with pytest.raises(ValueError, match="say something"):
        FakePrometheus().says("x")


def test_metrics_without_http() -> None:
    fake = FakeMetrics()
    fake.says("x", ({"a": "b"}, 2.0))
    found = fake.query("x", AT)
    assert [(s.labels, s.value, s.at) for s in found.samples] == [({"a": "b"}, 2.0, AT)]
    with pytest.raises(Blind, match="told nothing"):
        fake.query("y", AT)
    fake.fails("x", Blind("no"))
    with pytest.raises(Blind, match="no"):
        fake.query("x", AT)
    assert [expression for expression, _ in fake.asked] == ["x", "y", "x"]
