"""Polls over HTTP: what each spoilt answer comes to for alerts that fire, and how many connections polls take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any
from urllib.parse import parse_qs

import pytest

from opsbot.config import Prometheus
from opsbot.core.alert import AlertRule, AlertState
from opsbot.monitor.polling.poller import Poller
from opsbot.prometheus import PrometheusClient
from opsbot.store import SqlStore, open_store
from opsbot.testing.loopback import Ending
from opsbot.testing.prometheus import ANY, PARTIAL, PROBE, WARNING, FakePrometheus, Said, refusal, vector, web_page

START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def rules(count: int) -> list[AlertRule]:
    return [AlertRule(f"r{at}", f"m{at} > 0", "warning", every=timedelta(seconds=1)) for at in range(count)]


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store("sqlite://", START)
    yield opened
    opened.close()


SPOILT: dict[str, Said] = {
    "warning": vector().but(more=WARNING),
    "partial": vector().but(more=PARTIAL),
    "partial with series": vector(({"pod": "a"}, 1.0)).but(more=PARTIAL),
    "15 minutes old": vector(({"pod": "a"}, 1.0)).but(late=-900),
    "from the future": vector(({"pod": "a"}, 1.0)).but(late=60),
    "a matrix": Said({"resultType": "matrix", "result": []}),
    "a text": Said({"resultType": "string", "result": ["$time", "x"]}),
    "no type": Said({"result": []}),
    "a web page": web_page(),
    "a web page, 502": web_page(502),
    "nothing": Said(raw=b""),
    "no content": Said(status=204, raw=b""),
    "JSON cut off": Said(raw=b'{"status":"success","data":{"resultType":"vector","result":['),
    "cut on the way": vector(({"pod": "a"}, 1.0)).but(ending=Ending.CUT),
    "dropped": vector().but(ending=Ending.DROPPED),
    "hangs": vector().but(ending=Ending.HANGS),
    "drips": vector().but(ending=Ending.DRIPS),
    "error with 200": refusal(200, "execution", "no"),
    "refused for good": refusal(400, "bad_data", "parse error"),
    "422": refusal(422, "execution", "too many samples"),
    "429": refusal(429, "too_many_requests", "slow down"),
    "503": refusal(503, "unavailable", "starting"),
    "503 with an answer": vector().but(status=503),
    "a redirect": Said(status=302, raw=b"", headers={"Location": "/elsewhere"}),
    "401": Said(status=401, raw=b""),
    "packed": vector().but(headers={"Content-Encoding": "gzip"}),
    "too large": Said(raw=b'{"status":"success","data":{"resultType":"vector","result":[' + b" " * 200_000),
    "value is a number": Said({"resultType": "vector", "result": [{"metric": {}, "value": ["$time", 1]}]}),
    "labels are a list": Said({"resultType": "vector", "result": [{"metric": [], "value": ["$time", "1"]}]}),
}


@pytest.mark.parametrize("count", [1, 6], ids=["one rule", "many rules"])
@pytest.mark.parametrize("said", SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_answer_resolves_nothing_and_fires_nothing(store: SqlStore, said: Said, count: int) -> None:
    fake, watched = FakePrometheus(), rules(count)
    for rule in watched:
        fake.says(rule.condition, vector(({"pod": "a"}, 1.0)))
    with fake.serve() as url:
        client = PrometheusClient(Prometheus(url, timeout=timedelta(seconds=0.5)), most_bytes=100_000)
        poller = Poller(rules=watched, metrics=client, store=store, cluster="")
        poller.poll(watched, START)
        before = store.alerts()
        assert [alert.state for alert in before] == [AlertState.FIRING] * count
        for rule in watched:
            fake.says(rule.condition, said)
        fake.says(ANY, said)
        fake.says(PROBE, said)
        poller.poll(watched, START + timedelta(seconds=30))
        client.close()
    assert store.alerts() == before
    assert {store.answered(rule.id) for rule in watched} == {START}
    assert len(poller.blindness()) == count


@pytest.mark.parametrize("count", [2, 3, 12])
def test_a_rule_that_hangs_holds_up_no_other(store: SqlStore, count: int) -> None:
    fake, watched = FakePrometheus(), rules(count)
    for rule in watched:
        fake.says(rule.condition, vector(({"pod": "a"}, 1.0)))
    fake.says(watched[0].condition, vector().but(ending=Ending.HANGS))
    fake.says(ANY, vector().but(ending=Ending.HANGS))
    with fake.serve() as url:
        client = PrometheusClient(Prometheus(url))
        poller = Poller(rules=watched, metrics=client, store=store, cluster="")
        poller.poll(watched, START)
        client.close()
    assert list(poller.blindness()) == [watched[0].id]
    assert {rule.id for rule in watched[1:]} == {alert.rule for alert in store.alerts()}


class Counted(ThreadingHTTPServer):
    """Answers every question with nothing, two at a time where it can, and counts connections and questions."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.connections = 0
        self.questions: list[tuple[str, str]] = []
        self.pair = Barrier(2, timeout=5)


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Counted

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.questions.append((form["query"][0], self.headers["Accept-Encoding"]))
        if "label_replace" in form["query"][0]:
            try:
                self.server.pair.wait()  # the two questions of a poll are under way at once
            except BrokenBarrierError:
                self.server.pair.reset()
        body = json.dumps({"status": "success", "data": {"resultType": "vector", "result": []}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_said: Any) -> None:
        """It is quiet."""


@contextmanager
def counted() -> Iterator[Counted]:
    server = Counted()
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def test_polls_take_one_connection_for_each_question_under_way_and_keep_it(store: SqlStore) -> None:
    with counted() as server:
        client = PrometheusClient(Prometheus(f"http://127.0.0.1:{server.server_address[1]}"))
        watched = rules(40)
        poller = Poller(rules=watched, metrics=client, store=store, cluster="")
        for cycle in range(10):
            poller.poll(watched, START + timedelta(seconds=cycle))
        assert poller.blindness() == {}
        client.close()
    assert len(server.questions) == 20
    assert server.connections == 2
    assert {packing for _, packing in server.questions} == {"identity"}
