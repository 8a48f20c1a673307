"""What counts as an answer: whole, successful, for the time asked, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.prometheus.envelope import Reply, answer, success

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
STAMP = 1777863721.123


def reply(data: Any = None, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> Reply:
    envelope = {"status": "success", "data": data, **more}
    return Reply(status, headers or {}, json.dumps(envelope).encode())


def vector(*result: Any, **more: Any) -> Reply:
    return reply({"resultType": "vector", "result": list(result)}, **more)


def series(value: Any = "1", stamp: Any = STAMP, **labels: Any) -> dict[str, Any]:
    return {"metric": labels, "value": [stamp, value]}


def test_samples_come_with_labels_value_and_the_time_asked() -> None:
    found = answer(vector(series("5.5", job="a"), series("-2e3", job="b")), AT)
    assert [(s.labels, s.value, s.at) for s in found.samples] == [({"job": "a"}, 5.5, AT), ({"job": "b"}, -2000.0, AT)]
    assert (found.asked_at, found.kind) == (AT, "vector")


def test_an_empty_vector_is_a_whole_answer() -> None:
    assert answer(vector(), AT).samples == ()


def test_a_scalar_is_one_sample_without_labels() -> None:
    found = answer(reply({"resultType": "scalar", "result": [STAMP, "3"]}), AT)
    assert [(dict(s.labels), s.value) for s in found.samples] == [({}, 3.0)]
    assert found.kind == "scalar"


@pytest.mark.parametrize(
    ("text", "check"),
    [("NaN", "nan"), ("+Inf", "inf"), ("-Inf", "-inf"), ("1e-3", "0.001")],
    ids=["nan", "inf", "-inf", "exponent"],
)
def test_values_that_are_no_plain_numbers_count(text: str, check: str) -> None:
    assert repr(answer(vector(series(text)), AT).samples[0].value) == check


def test_a_histogram_is_an_element_of_value_0_as_in_prometheus() -> None:
    found = answer(vector({"metric": {"a": "b"}, "histogram": [STAMP, {"count": "2", "sum": "3"}]}), AT)
    assert [(s.labels, s.value) for s in found.samples] == [({"a": "b"}, 0.0)]


@pytest.mark.parametrize(
    "more",
    [
        {"infos": ["PromQL info: metric might not be a counter"]},
        {"warnings": ['PromQL info: metric might not be a counter: "x" (1:6)']},
        {"warnings": ["PromQL warning: quantile value should be between 0 and 1, got 1.2 (1:10)"]},
        {"warnings": []},
        {"warnings": None},
        {"isPartial": False},
    ],
    ids=["infos", "info among warnings", "query warning", "no warnings", "null warnings", "not partial"],
)
def test_notes_on_the_expression_are_harmless(more: dict[str, Any]) -> None:
    assert len(answer(vector(series(), **more), AT).samples) == 1


BLIND: dict[str, tuple[Reply, str]] = {
    "warning": (vector(series(), warnings=["store 2 did not answer"]), "store 2 did not answer"),
    "warning that is a text": (vector(warnings="oops"), "oops"),
    "warning on an empty answer": (vector(warnings=["x"]), "may not be whole"),
    "partial": (vector(series(), isPartial=True), "partial"),
    "partial in data": (reply({"resultType": "vector", "result": [], "isPartial": True}), "partial"),
    "error with 200": (
        Reply(200, {}, b'{"status":"error","errorType":"timeout","error":"query timed out"}'), "query timed out"),
    "bad_data with 200": (Reply(200, {}, b'{"status":"error","errorType":"bad_data","error":"x"}'), "bad_data"),
    "422": (Reply(422, {}, b'{"status":"error","errorType":"execution","error":"many-to-many"}'), "many-to-many"),
    "waited in vain": (
        Reply(400, {}, b'{"status":"error","errorType":"bad_data",'
                       b'"error":"invalid parameter \\"query\\": context deadline exceeded"}'),
        "HTTP 400: bad_data: invalid parameter"),
    "503": (Reply(503, {}, b'{"status":"error","errorType":"unavailable"}'), "unavailable"),
    "500 page": (Reply(500, {}, b"<html>oops</html>"), "HTTP 500"),
    "404": (Reply(404, {}, b"404 page not found"), "HTTP 404"),
    "success with 500": (Reply(500, {}, vector().body), "HTTP 500"),
    "redirect": (Reply(302, {"location": "http://elsewhere/"}, b""), "redirects"),
    "401": (Reply(401, {}, b""), "HTTP 401"),
    "403": (Reply(403, {}, b""), "HTTP 403"),
    "no status": (Reply(200, {}, b'{"data":{"resultType":"vector","result":[]}}'), "no reason"),
    "web page": (Reply(200, {}, b"  <!doctype html>"), "a web page that is no whole JSON"),
    "empty body": (Reply(200, {}, b""), "something that is no whole JSON"),
    "cut JSON": (Reply(200, {}, vector(series()).body[:-5]), "no whole JSON"),
    "deep JSON": (Reply(200, {}, b"[" * 100_000), "no whole JSON"),
    "giant number": (Reply(200, {}, b"9" * 50_000), "no whole JSON"),
    "bad bytes": (Reply(200, {}, b"\xff\xfe\xfa"), "no whole JSON"),
    "JSON list": (Reply(200, {}, b"[]"), "JSON that is no answer"),
    "no data": (reply(None), "without data"),
    "data is a list": (reply([]), "without data"),
    "matrix": (reply({"resultType": "matrix", "result": []}), "'matrix'"),
    "string": (reply({"resultType": "string", "result": [STAMP, "x"]}), "'string'"),
    "no type": (reply({"result": []}), "'None'"),
    "vector is null": (reply({"resultType": "vector", "result": None}), "no list"),
    "scalar is null": (reply({"resultType": "scalar", "result": None}), "without a value"),
    "series is a text": (vector("x"), "without labels"),
    "labels are a list": (vector({"metric": [], "value": [STAMP, "1"]}), "without labels"),
    "label is a number": (vector(series(job=5)), "without labels"),
    "label is half a character": (vector(series(job="\ud800")), "without labels"),
    "label's name is half a character": (vector(series(**{"\udfff": "a"})), "without labels"),
    "no value": (vector({"metric": {}}), "without a value"),
    "value of three": (vector({"metric": {}, "value": [STAMP, "1", "2"]}), "without a value"),
    "value is a number": (vector(series(5)), "no number"),
    "value is words": (vector(series("five")), "no number"),
    "value with _": (vector(series("1_0")), "no number"),
    "value with a blank": (vector(series(" 1")), "no number"),
    "late": (vector(series(stamp=STAMP + 60)), "another time"),
    "15 minutes old": (vector(series(stamp=STAMP - 900)), "another time"),
    "one of two is old": (vector(series(), series(stamp=STAMP - 30)), "another time"),
    "stamp is a text": (vector(series(stamp="now")), "without a time"),
    "stamp is true": (vector(series(stamp=True)), "without a time"),
}  # fmt: skip


@pytest.mark.parametrize(("given", "why"), BLIND.values(), ids=BLIND.keys())
def test_everything_else_is_blind(given: Reply, why: str) -> None:
    with pytest.raises(Blind, match=why):
        answer(given, AT)


@pytest.mark.parametrize("stamp", [float("inf"), float("nan")], ids=["inf", "nan"])
def test_a_stamp_that_json_does_not_know_is_blind(stamp: float) -> None:
    with pytest.raises(Blind, match="without a time"):
        answer(vector(series(stamp=stamp)), AT)


def test_bad_data_says_that_the_rule_is_wrong() -> None:
    body = b'{"status":"error","errorType":"bad_data","error":"1:3: parse error:\\nunexpected end"}'
    with pytest.raises(PermanentError, match="1:3: parse error: unexpected end"):
        answer(Reply(400, {}, body), AT)


def test_what_the_server_says_is_cut() -> None:
    with pytest.raises(Blind) as caught:
        answer(Reply(422, {}, json.dumps({"status": "error", "error": "x" * 10_000}).encode()), AT)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    ("behind", "blind"),
    [(0, False), (59, False), (61, True), (86_400, True), (-86_400, False)],
    ids=["same", "a minute", "more", "a day", "a past time was asked for"],
)
def test_a_server_whose_clock_has_not_come_to_the_time_asked_says_nothing(behind: int, blind: bool) -> None:
    there = (AT - timedelta(seconds=behind)).replace(microsecond=0)
    given = vector(headers={"date": format_datetime(there, usegmt=True)})
    if blind:
        with pytest.raises(Blind, match="clock of Prometheus is"):
            answer(given, AT)
    else:
        assert answer(given, AT).samples == ()


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"], ids=["none", "words", "nonsense"])
def test_a_date_that_cannot_be_read_is_no_news(date: str) -> None:
    assert answer(vector(headers={"date": date}), AT).samples == ()


def test_success_hands_back_the_data() -> None:
    assert success(reply({"version": "2.42.0"})) == {"version": "2.42.0"}
