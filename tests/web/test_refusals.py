"""What is refused is told: in the log now and then, and as alerts that are lost where they are."""

from __future__ import annotations

import http.client
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.alert import AlertState
from opsbot.store import SqlStore
from opsbot.web.refusals import Refusals
from tests.monitor.receiving.payloads.payload_samples import alertmanager
from tests.web.web_world import JSON, NOW, Served

TOKEN = "correct-horse-battery-staple"
DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "opsbot.web"]


def test_one_line_a_minute_for_each_webhook_and_status(caplog: pytest.LogCaptureFixture) -> None:
    now = [NOW]
    found = Refusals(["a"], lambda: now[0])
    for seconds in (0, 1, 59):
        now[0] = NOW + timedelta(seconds=seconds)
        found.tell("webhook a", 413, "too long", "10.0.0.1")
    found.tell("webhook a", 401, "no token")
    found.tell("webhook b", 413, "too long")
    for seconds in (60, 200):
        now[0] = NOW + timedelta(seconds=seconds)
        found.tell("webhook a", 413, "too long")
    assert lines(caplog) == [
        "webhook a: 413: too long (from 10.0.0.1)", "webhook a: 401: no token", "webhook b: 413: too long",
        "webhook a: 413: too long; 2 more since the line before", "webhook a: 413: too long",
    ]  # fmt: skip


def test_a_reason_is_masked_and_short(caplog: pytest.LogCaptureFixture) -> None:
    Refusals([], lambda: NOW).tell("webhook a", 400, "password=hunter2hunter2 " + "x" * 500)
    (line,) = lines(caplog)
    assert "hunter2" not in line
    assert len(line) < 230


REFUSED = {
    "no token": ({}, b"{}", 401, "webhook alertmanager: 401: a bearer token is needed", False),
    "another token": ({"authorization": "Bearer xyzzy-xyzzy"}, b"{}", 401, "401: this is not the bearer token", False),
    "too long, without token": ({}, b" " * 200_001, 401, "webhook alertmanager: 401", False),
    "too long": ({"authorization": f"Bearer {TOKEN}"}, b" " * 200_001, 413, "413: the body is longer than", True),
    "no JSON": ({"authorization": f"Bearer {TOKEN}"}, b"x", 400, "400: a payload was refused: the body is no", True),
    "text": ({"authorization": f"Bearer {TOKEN}", "content-type": "text/plain"}, b"{}", 415, "415: the content", True),
    "good": ({"authorization": f"Bearer {TOKEN}"}, json.dumps(alertmanager()).encode(), 200, "", False),
}


@pytest.mark.parametrize(("headers", "body", "status", "says", "lost"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_refused_is_logged_and_what_is_lost_is_known(
    store: SqlStore, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    headers: dict[str, str], body: bytes, status: int, says: str, lost: bool,
) -> None:  # fmt: skip
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with Served(store, token_file=file) as served:
        assert served.ask("POST", "/webhooks/alertmanager", body, {**JSON, **headers}).status == status
        hearing = served.intake.refusals.hearing()
    assert {name: one.lost(NOW) for name, one in hearing.items()} == {
        "alertmanager": lost, "grafana": False, "sensors": False,
    }  # fmt: skip
    assert [says in line for line in lines(caplog)] == ([True] if says else [])
    assert "xyzzy" not in caplog.text


def test_figures_without_token_and_webhooks_of_strangers_are_logged(
    store: SqlStore, tmp_path: Path, caplog: Any
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    with Served(store, token_file=file) as served:
        served.ask("GET", "/metrics")
        served.post({}, "strange")
        served.post({}, "stranger")
    assert lines(caplog) == [
        "/metrics: 401: a bearer token is needed (from 127.0.0.1)",
        "webhook unknown: 401: a bearer token is needed (from 127.0.0.1)",
    ]


@pytest.mark.parametrize("size", [200_001, 700_000], ids=["somewhat", "much"])
@pytest.mark.parametrize("chunks", [False, True], ids=["a length", "chunks"])
def test_who_sends_too_much_sees_the_answer(served: Served, size: int, chunks: bool) -> None:
    body = iter([b" " * 50_000] * (size // 50_000 + 1)) if chunks else b" " * size
    assert served.ask("POST", "/webhooks/alertmanager", body, JSON).status == 413


def test_who_waits_to_be_asked_for_a_body_too_long_is_not_asked(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    try:
        connection.putrequest("POST", "/webhooks/alertmanager")
        for name, word in {**JSON, "expect": "100-continue", "content-length": "200001"}.items():
            connection.putheader(name, word)
        connection.endheaders()
        assert connection.getresponse().status == 413
    finally:
        connection.close()


def test_the_notice_of_the_manual_ends_an_alert(served: Served, store: SqlStore) -> None:
    (said,) = re.findall(r"-d '(.*?)'\n", DOCS.read_text(), re.DOTALL)
    notice = json.loads(said)
    firing = {**notice["alerts"][0], "status": "firing"}
    assert served.post({**notice, "alerts": [firing]}).json == {"taken": 1}
    assert served.post(notice).json == {"taken": 1}
    assert [one.state for one in store.alerts()] == [AlertState.RESOLVED]
