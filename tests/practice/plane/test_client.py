from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from opsbot.core.errors import PermanentError
from opsbot.practice import scene
from opsbot.practice.plane.client import Client, NoAnswer, Said
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.simulated import SimulatedPlane, simulated

WORKLOAD = "/apis/apps/v1/namespaces/agents/deployments/agents"


@pytest.fixture(scope="module")
def plane() -> Iterator[SimulatedPlane]:
    with simulated(scene.objects()) as made:
        yield made


@pytest.fixture(scope="module")
def writer(plane: SimulatedPlane) -> Client:
    return Client(Access(plane.url, plane.token("writer")))


def test_it_reads_and_writes(writer: Client) -> None:
    assert writer.get(WORKLOAD)["spec"]["replicas"] == scene.REPLICAS
    assert writer.patch(f"{WORKLOAD}?dryRun=All", {"spec": {"replicas": 6}})["spec"]["replicas"] == 6
    assert writer.get(WORKLOAD)["spec"]["replicas"] == scene.REPLICAS


def test_what_is_not_there_is_none_and_nothing_else_is(plane: SimulatedPlane, writer: Client) -> None:
    assert writer.find(f"{WORKLOAD}-2") is None
    with pytest.raises(Said) as refused:
        Client(Access(plane.url, "nobody's")).find(WORKLOAD)
    assert refused.value.status == 401


def test_a_refusal_comes_in_the_servers_words(writer: Client) -> None:
    with pytest.raises(Said, match=f'DELETE {WORKLOAD}: 403 .*User "writer" cannot delete resource') as refused:
        writer.delete(WORKLOAD)
    assert refused.value.status == 403
    with pytest.raises(Said, match="403"):
        writer.create("/api/v1/namespaces/agents/configmaps", {"kind": "ConfigMap", "metadata": {"name": "x"}})


# a server with moods --------------------------------------------------------------------------------------------------


class _Mood(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, bytes]]
    heard: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.heard.append((self.path, self.headers.get("Authorization")))
        status, body = self.answers[self.path]
        if not status:
            self.connection.close()
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


ANSWERS = {
    "/good": (200, b'{"a": 1}'), "/list": (200, b"[1]"), "/html": (200, b"<html>"), "/odd": (500, b"\xff oh \xfe"),
    "/status": (422, b'{"message": "no such field"}'), "/silent": (0, b""), "/nothing": (204, b""),
}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    heard: list[tuple[str, str | None]] = []
    made: Any = type("Mood", (_Mood,), {"answers": ANSWERS, "heard": heard})
    with ThreadingHTTPServer(("127.0.0.1", 0), made) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}", heard
        serving.shutdown()
        thread.join()


@pytest.mark.parametrize(("path", "error", "words"), [
    pytest.param("/list", NoAnswer, "no JSON object", id="another JSON"),
    pytest.param("/html", NoAnswer, "no JSON", id="no JSON"),
    pytest.param("/nothing", NoAnswer, "no JSON", id="nothing"),
    pytest.param("/silent", NoAnswer, "GET /silent: ", id="cut off"),
    pytest.param("/status", Said, "GET /status: 422 no such field", id="a Status"),
    pytest.param("/odd", Said, "500 \N{REPLACEMENT CHARACTER} oh", id="no Status"),
])  # fmt: skip
def test_odd_answers(
    server: tuple[str, list[tuple[str, str | None]]], path: str, error: type[PermanentError], words: str
) -> None:
    with pytest.raises(error, match=words):
        Client(Access(server[0], "t")).get(path)


def test_it_asks_once_and_through_no_proxy(
    server: tuple[str, list[tuple[str, str | None]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    url, heard = server
    heard.clear()
    assert Client(Access(url, "secret")).get("/good") == {"a": 1}
    assert heard == [("/good", "Bearer secret")]


def test_a_token_of_nobody_is_not_sent(server: tuple[str, list[tuple[str, str | None]]]) -> None:
    url, heard = server
    heard.clear()
    Client(Access(url, "")).get("/good")
    assert heard == [("/good", None)]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_nobody_there(url: str) -> None:
    with pytest.raises(NoAnswer, match="GET /x: "):
        Client(Access(url, "t")).get("/x")
