"""Every route, every refusal, and when an answer is 200."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.alert import AlertState, Push
from opsbot.core.errors import PermanentError, TemporaryError
from opsbot.store import SqlStore
from tests.monitor.receiving.payloads.payload_samples import alertmanager, entry, grafana
from tests.web.web_world import JSON, Served

TOKEN = "correct-horse-battery-staple"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("alertmanager", alertmanager()),
        ("grafana", grafana()),
        ("sensors", {"events": [{"title": "Slow", "state": "open", "host": "h1"}]}),
    ],
    ids=["alertmanager", "grafana", "of config"],
)
def test_an_alert_is_in_the_store_once_the_answer_is_200(
    served: Served, store: SqlStore, name: str, value: Any
) -> None:
    found = served.post(value, name)
    assert (found.status, found.json) == (200, {"taken": 1})
    (alert,) = store.alerts()
    assert (alert.name, alert.state, alert.source) == ("Slow", AlertState.FIRING, name)
    assert served.news == [1]


def test_what_is_refused_of_a_payload_is_named_and_the_rest_is_kept(served: Served, store: SqlStore) -> None:
    bad = {**entry(), "labels": {"alertname": "x", "y": 1}}
    found = served.post(alertmanager(entry(), bad, truncatedAlerts=4))
    assert found.status == 200
    assert found.json == {
        "taken": 1, "refused": [{"place": "alerts[1].labels.y", "why": "must be text"}], "refused_count": 1,
    }  # fmt: skip
    assert len(store.alerts()) == 1


def test_of_many_refusals_the_first_are_named_and_all_are_counted(served: Served) -> None:
    found = served.post(alertmanager(entry(), *[None] * 500)).json
    assert (len(found["refused"]), found["refused_count"]) == (20, 500)


def post(path: str = "/webhooks/alertmanager", body: bytes = b"{}", **headers: str) -> tuple[Any, ...]:
    return "POST", path, body, {**JSON, **{name.replace("_", "-"): word for name, word in headers.items()}}


REFUSED = {
    "no JSON": (post(body=b"x"), 400, "the body is no JSON: line 1, column 1"),
    "no body": (post(body=b""), 400, "the body is no JSON"),
    "wrong schema": (post(), 400, "version: is missing"),
    "all alerts bad": (post(body=json.dumps(alertmanager(1)).encode()), 400, "alerts[0]: must be an object"),
    "unknown webhook": (post("/webhooks/x"), 404, "known: alertmanager, grafana, sensors"),
    "no webhook": (post("/webhooks/"), 404, "Not Found"),
    "a longer path": (post("/webhooks/alertmanager/x"), 404, "Not Found"),
    "a path out of it": (post("/webhooks/..%2f..%2fetc"), 404, "Not Found"),
    "a slash too many": (post("/webhooks/alertmanager//"), 404, "Not Found"),
    "an unknown webhook and a slash": (post("/webhooks/x/"), 404, "known: alertmanager, grafana, sensors"),
    "a slash after health": (("GET", "/healthz/"), 404, "Not Found"),
    "GET of a webhook and a slash": (("GET", "/webhooks/alertmanager/"), 405, "Method Not Allowed"),
    "unknown path": (("GET", "/nothing"), 404, "Not Found"),
    "the root": (("GET", "/"), 404, "Not Found"),
    "GET of a webhook": (("GET", "/webhooks/alertmanager"), 405, "Method Not Allowed"),
    "PUT": (("PUT", "/webhooks/alertmanager", b"{}", JSON), 405, "Method Not Allowed"),
    "POST of health": (("POST", "/healthz"), 405, "Method Not Allowed"),
    "text": (post(content_type="text/plain"), 415, "must be application/json"),
    "a form": (post(content_type="application/x-www-form-urlencoded"), 415, "must be application/json"),
    "no type": (("POST", "/webhooks/alertmanager", b"{}"), 415, "must be application/json"),
    "gzip": (post(body=gzip.compress(b"{}"), content_encoding="gzip"), 415, "compressed"),
    "two encodings": (post(content_encoding="identity, gzip"), 415, "compressed"),
    "another charset": (post(content_type="application/json; charset=latin-1"), 415, "the charset must be utf-8"),
    "another charset, quoted": (post(content_type='application/json;x=y; Charset="UTF-16"'), 415, "must be utf-8"),
    "too long": (post(body=b" " * 200_001), 413, "longer than 200000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "status", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_refusals(served: Served, request_: tuple[Any, ...], status: int, says: str) -> None:
    found = served.ask(*request_)
    assert found.status == status
    assert says in found.json["error"]


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/vnd.x+json",
        'application/json;charset="UTF8"; x=y',
    ],
    ids=str,
)
def test_other_spellings_of_json_are_taken(served: Served, kind: str) -> None:
    assert (
        served.ask("POST", "/webhooks/alertmanager", json.dumps(alertmanager()), {"content-type": kind}).status == 200
    )


def test_a_slash_at_the_end_is_the_same_webhook(served: Served) -> None:
    assert served.post(alertmanager(), "alertmanager/").json == {"taken": 1}


def test_wrong_methods_are_told_the_right_one(served: Served) -> None:
    assert served.ask("GET", "/webhooks/alertmanager").headers["allow"] == "POST"


# the token ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {TOKEN}", 200), (f"bearer  {TOKEN} ", 200), (TOKEN, 401), (f"Basic {TOKEN}", 401), ("Bearer", 401),
        ("Bearer ", 401), (f"Bearer {TOKEN}x", 401), (f"Bearer {TOKEN[:-1]}", 401), ("Bearer \xe9\xe9", 401),
        (None, 401),
    ],
    ids=["right", "spaced", "bare", "basic", "no token", "empty", "longer", "shorter", "odd bytes", "none"],
)  # fmt: skip
def test_webhooks_and_metrics_want_the_token(
    store: SqlStore, token_file: Path, header: str | None, status: int
) -> None:
    headers = {} if header is None else {"authorization": header}
    with Served(store, token_file) as served:
        assert served.post(alertmanager(), **headers).status == status
        assert served.ask("GET", "/metrics", headers=headers).status == status
        assert served.ask("GET", "/healthz").status == served.ask("GET", "/readyz").status == 200
    assert len(store.alerts()) == (status == 200)


def test_who_has_no_token_learns_nothing_of_names(store: SqlStore, token_file: Path) -> None:
    with Served(store, token_file) as served:
        known, unknown = served.post({}), served.post({}, "nothing")
    assert (known.status, known.body) == (unknown.status, unknown.body) == (401, '{"error":"a bearer token is needed"}')
    assert known.headers["www-authenticate"] == "Bearer"


# what the store cannot take ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error", [TemporaryError("the disk is full"), PermanentError("it can only be read")], ids=["temporary", "permanent"]
)
def test_what_cannot_be_kept_is_to_be_sent_again(store: SqlStore, error: Exception) -> None:
    def keep(pushes: Sequence[Push], now: datetime) -> Mapping[tuple[str, str], int]:
        raise error

    with Served(store, keep=keep) as served:
        found = served.post(alertmanager())
        assert (found.status, found.headers["retry-after"]) == (503, "5")
        assert served.post({}).status == 400
    assert served.news == []


def test_what_nobody_foresaw_is_an_answer_and_the_next_request_is_served(store: SqlStore, caplog: Any) -> None:
    said = iter([ZeroDivisionError("surprise")])

    def keep(pushes: Sequence[Push], now: datetime) -> Mapping[tuple[str, str], int]:
        for error in said:
            raise error
        return {}

    with Served(store, keep=keep) as served:
        assert served.post(alertmanager()).status == 500
        assert served.post(alertmanager()).status == 200
    assert "Traceback" not in caplog.text


# health --------------------------------------------------------------------------------------------------------------


def test_health(served: Served) -> None:
    assert served.ask("GET", "/healthz").body == "ok\n"
    assert served.ask("HEAD", "/healthz").status == 200
    served.intake.stop()
    assert served.ask("GET", "/healthz").status == 503


def test_readiness_says_why_not(served: Served) -> None:
    assert served.ask("GET", "/readyz").json == {"ready": True, "reasons": []}
    served.reasons.append("the workers do not run")
    found = served.ask("GET", "/readyz")
    assert (found.status, found.json) == (503, {"ready": False, "reasons": ["the workers do not run"]})


def test_metrics_count_what_became_of_pushes(served: Served) -> None:
    served.post(alertmanager(entry(), None, truncatedAlerts=3))
    served.post(alertmanager())
    served.post(b"x")
    found = served.ask("GET", "/metrics")
    assert found.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert set(found.body.splitlines()) >= {
        "opsbot_test 1",
        'opsbot_webhook_alerts_total{outcome="fired",source="alertmanager"} 1',
        'opsbot_webhook_alerts_total{outcome="duplicate",source="alertmanager"} 1',
        'opsbot_webhook_alerts_total{outcome="refused",source="alertmanager"} 2',
        'opsbot_webhook_alerts_total{outcome="cut_by_sender",source="alertmanager"} 3',
        'opsbot_webhook_requests_total{code="200",source="alertmanager"} 2',
        'opsbot_webhook_requests_total{code="400",source="alertmanager"} 1',
        'opsbot_webhook_ingest_seconds_count{source="alertmanager"} 3',
    }


def test_figures_that_cannot_be_had_are_asked_for_again(served: Served, caplog: Any) -> None:
    served.reasons.append("the store is busy")
    found = served.ask("GET", "/metrics")
    assert (found.status, found.headers["retry-after"]) == (503, "5")
    assert "Traceback" not in caplog.text


def test_names_of_strangers_make_no_metrics(served: Served) -> None:
    for name in ("a", "b", "c"):
        served.post({}, name)
    assert 'code="404",source="unknown"} 3' in served.ask("GET", "/metrics").body
