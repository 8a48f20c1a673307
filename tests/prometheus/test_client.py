"""The client against a server that answers well, badly, slowly or never: only a whole answer comes through."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opsbot.core.errors import Blind, PermanentError
from opsbot.prometheus import PrometheusClient
from opsbot.prometheus.client import MOST_AT_ONCE
from opsbot.testing.loopback import Ending
from opsbot.testing.prometheus import (
    ANY,
    INFO,
    PARTIAL,
    WARNING,
    FakePrometheus,
    Said,
    refusal,
    scalar,
    vector,
    web_page,
)

AT = datetime(2026, 5, 4, 3, 2, 1, 123456, tzinfo=UTC)
SECRET = "s3cr3t-t0ken-of-prometheus"


@dataclass(frozen=True)
class Settings:
    url: str
    timeout: timedelta = timedelta(seconds=5)
    token_file: Path | None = None
    username: str = ""
    password_file: Path | None = None
    ca_file: Path | None = None
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def fake() -> FakePrometheus:
    return FakePrometheus()


@pytest.fixture
def url(fake: FakePrometheus) -> Iterator[str]:
    with fake.serve() as at:
        yield at


@pytest.fixture
def client(url: str) -> Iterator[PrometheusClient]:
    made = PrometheusClient(Settings(url))
    yield made
    made.close()


def test_it_posts_the_expression_for_the_time_asked(fake: FakePrometheus, client: PrometheusClient) -> None:
    fake.says("avg(x) > 5", vector(({"job": "ä/…"}, 7.5)))
    found = client.query("avg(x) > 5", AT)
    assert [(s.labels, s.value, s.at) for s in found.samples] == [({"job": "ä/…"}, 7.5, AT)]
    assert [(q.expression, q.at, q.method) for q in fake.asked] == [("avg(x) > 5", 1777863721.123, "POST")]


def test_a_scalar_nan_and_empty_come_through(fake: FakePrometheus, client: PrometheusClient) -> None:
    fake.says("s", scalar(math.nan))
    fake.says("e", vector().but(more=INFO))
    assert math.isnan(client.query("s", AT).samples[0].value)
    assert client.query("e", AT).samples == ()


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (vector().but(more=WARNING), "store-2"),
        (vector(({}, 1.0)).but(more=PARTIAL), "partial"),
        (vector(({}, 1.0)).but(late=-900), "another time"),
        (refusal(422, "execution", "many-to-many matching not allowed"), "many-to-many"),
        (web_page(), "web page"),
        (web_page(500), "HTTP 500"),
        (vector().but(ending=Ending.CUT), "broke the connection off"),
        (vector().but(ending=Ending.DROPPED), "broke the connection off"),
        (Said(status=302, raw=b"", headers={"Location": "http://127.0.0.1:9/"}), "redirects"),
        (Said(raw=b"\x1f\x8b\x08", headers={"Content-Encoding": "gzip"}), "packed"),
        (Said(raw=b"[" * 200_000), "no whole JSON"),
    ],
    ids=["warning", "partial", "stale", "422", "html", "html 500", "cut", "dropped", "redirect", "gzip", "deep"],
)
def test_what_is_not_whole_and_fresh_is_blind(
    fake: FakePrometheus, client: PrometheusClient, said: Said, why: str
) -> None:
    fake.says("x", said)
    with pytest.raises(Blind, match=why):
        client.query("x", AT)


def test_a_wrong_expression_is_for_good(fake: FakePrometheus, client: PrometheusClient) -> None:
    fake.says("up{", refusal(400, "bad_data", 'invalid parameter "query": 1:4: parse error: unexpected end of input'))
    with pytest.raises(PermanentError, match="1:4: parse error"):
        client.query("up{", AT)
    assert len(fake.asked) == 1


def test_an_answer_without_end_is_cut_off_at_the_cap(fake: FakePrometheus, url: str) -> None:
    fake.says("x", vector(*(({"n": str(n)}, 1.0) for n in range(5000))))
    with pytest.raises(Blind, match="more than 100000 bytes"):
        PrometheusClient(Settings(url), most_bytes=100_000).query("x", AT)


# time ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [Ending.HANGS, Ending.DRIPS], ids=["hangs", "drips"])
def test_a_server_that_does_not_come_to_an_end_costs_the_time_given_and_no_more(
    fake: FakePrometheus, client: PrometheusClient, ending: Ending
) -> None:
    fake.says("x", vector(*(({"n": str(n)}, 1.0) for n in range(100))).but(ending=ending))
    began = time.monotonic()
    with pytest.raises(Blind, match="whole answer"):
        client.query("x", AT, timeout=0.4)
    assert time.monotonic() - began < 3


def test_the_configured_time_bounds_the_callers(fake: FakePrometheus, url: str) -> None:
    fake.says("x", vector().but(ending=Ending.HANGS))
    with pytest.raises(Blind, match=r"within 0\.3s|in time"):
        PrometheusClient(Settings(url, timeout=timedelta(seconds=0.3))).query("x", AT, timeout=30)


@contextmanager
def _endless_headers() -> Iterator[str]:
    """A server that accepts and then sends one byte of a header now and then, for ever."""
    over = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        taken: list[socket.socket] = []
        listening.settimeout(0.02)
        while not over.is_set():
            try:
                taken.append(listening.accept()[0])
                taken[-1].sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            except TimeoutError:
                for one in taken:
                    one.sendall(b"a")
        for one in [*taken, listening]:
            one.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        over.set()
        thread.join(5)


def test_headers_that_never_end_hold_no_caller_and_only_a_few_threads() -> None:
    with _endless_headers() as url:
        client = PrometheusClient(Settings(url))
        for _ in range(MOST_AT_ONCE):
            with pytest.raises(Blind, match="no whole answer"):
                client.query("x", AT, timeout=0.15)
        with pytest.raises(Blind, match="still hang"):
            client.query("x", AT, timeout=0.15)


# trying again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first",
    [vector().but(ending=Ending.DROPPED), refusal(503, "unavailable", "starting"), web_page(502), web_page(504)],
    ids=["dropped", "503", "502", "504"],
)
def test_it_tries_once_more_after_a_hiccup(fake: FakePrometheus, client: PrometheusClient, first: Said) -> None:
    fake.says("x", first, vector(({}, 1.0)))
    assert len(client.query("x", AT).samples) == 1
    assert len(fake.asked) == 2


@pytest.mark.parametrize(
    ("said", "times"),
    [
        (vector().but(ending=Ending.DROPPED), 2),
        (web_page(503), 2),
        (web_page(500), 1),
        (web_page(429), 1),
        (vector().but(more=WARNING), 1),
        (refusal(422, "execution", "no"), 1),
    ],
    ids=["dropped", "503", "500", "429", "warning", "422"],
)
def test_it_asks_twice_at_most(fake: FakePrometheus, client: PrometheusClient, said: Said, times: int) -> None:
    fake.says("x", said)
    with pytest.raises(Blind):
        client.query("x", AT)
    assert len(fake.asked) == times


def test_a_server_that_was_restarted_is_asked_on_a_new_connection(fake: FakePrometheus) -> None:
    fake.says("x", vector(({}, 1.0)))
    with fake.serve() as url:
        client = PrometheusClient(Settings(url))
        client.query("x", AT)
    with fake.serve(int(url.rpartition(":")[2])):
        assert len(client.query("x", AT).samples) == 1
    client.close()


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:9", "refuses the connection"),
        ("http://no-such-host.invalid:9090", "name that is not known|could not be asked"),
        ("https://{}", "certificate that is not trusted, or speaks no TLS"),
    ],
    ids=["refused", "no such name", "no TLS there"],
)
def test_a_server_that_is_not_there_is_blind(fake: FakePrometheus, url: str, why: str) -> None:
    with fake.serve() as real, pytest.raises(Blind, match=why):
        PrometheusClient(Settings(url.format(real.removeprefix("http://")))).query("x", AT, timeout=3)


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://prometheus", "http://", ""])
def test_an_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(PermanentError, match="no http address"):
        PrometheusClient(Settings(url))


# who asks -----------------------------------------------------------------------------------------------------------


def test_the_token_is_read_anew_for_each_question(tmp_path: Path) -> None:
    file = tmp_path / "token"
    fake = FakePrometheus(token=SECRET)
    fake.says(ANY, vector())
    with fake.serve() as url:
        client = PrometheusClient(Settings(url, token_file=file))
        file.write_text("old\n")
        with pytest.raises(Blind, match="HTTP 401"):
            client.query("x", AT)
        file.write_text(SECRET + "\n")
        client.query("x", AT)
        client.close()
    assert [q.token for q in fake.asked] == [SECRET]


def test_basic_auth_and_headers_are_sent(tmp_path: Path) -> None:
    got: list[bytes] = []
    password = tmp_path / "password"
    password.write_text(SECRET)
    with _one_answer(got) as url:
        settings = Settings(url, username="ana", password_file=password, headers={"X-Scope-OrgID": "team-a"})
        with pytest.raises(Blind):
            PrometheusClient(settings).query("x", AT, timeout=1)
    assert b"\r\nX-Scope-OrgID: team-a\r\n" in got[0]
    assert b"\r\nAuthorization: Basic YW5hOnMzY3IzdC10MGtlbi1vZi1wcm9tZXRoZXVz\r\n" in got[0]
    assert b"\r\nAccept-Encoding: identity\r\n" in got[0]


@contextmanager
def _one_answer(got: list[bytes]) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        got.append(connection.recv(65_536))
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    thread.join(5)
    listening.close()


@pytest.mark.parametrize(
    "content", [None, b"", b"two\nlines", b"\xff\xfe", "tökén".encode()],
    ids=["no file", "empty", "two lines", "bytes", "not ascii"],
)  # fmt: skip
def test_a_token_that_cannot_be_used_is_blind_and_never_told(tmp_path: Path, url: str, content: bytes | None) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Blind, match=r"prometheus\.token_file") as caught:
        PrometheusClient(Settings(url, token_file=file)).query("x", AT)
    assert "lines" not in str(caught.value)


def test_no_message_tells_a_secret(tmp_path: Path, fake: FakePrometheus, url: str) -> None:
    file = tmp_path / "token"
    file.write_text(SECRET)
    host = url.removeprefix("http://")
    told = []
    for said in (
        web_page(500),
        vector().but(ending=Ending.DROPPED),
        Said(status=401),
        vector().but(ending=Ending.HANGS),
    ):
        fake.says("x", said)
        for settings in (Settings(url, token_file=file), Settings(f"http://ana:{SECRET}@{host}")):
            with pytest.raises(Blind) as caught:
                PrometheusClient(settings).query("x", AT, timeout=0.5)
            told.append(f"{caught.value} {caught.value.__cause__}")
    assert len(told) == 8
    assert not [text for text in told if SECRET in text]


def test_the_environment_names_no_proxy_and_no_account(
    fake: FakePrometheus, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login ana password {SECRET}\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fake.says("x", vector())
    assert PrometheusClient(Settings(url)).query("x", AT).samples == ()


# doctor -------------------------------------------------------------------------------------------------------------


def test_check_says_which_version_answers_where(fake: FakePrometheus, url: str, client: PrometheusClient) -> None:
    fake.says("1", scalar(1))
    assert client.check() == f"Prometheus 2.42.0 answers at {url}"


def test_check_of_a_relative_that_tells_no_version() -> None:
    class Plain(FakePrometheus):
        def handle(self, asked):  # type: ignore[no-untyped-def]
            return super().handle(asked if "query" in asked.path else type(asked)("GET", "/nowhere"))

    fake = Plain()
    fake.says("1", scalar(1))
    with fake.serve() as url:
        assert PrometheusClient(Settings(url)).check() == f"Prometheus (version not told) answers at {url}"


def test_check_is_blind_where_questions_fail(fake: FakePrometheus, client: PrometheusClient) -> None:
    fake.says("1", scalar(1).but(more=PARTIAL))
    with pytest.raises(Blind, match="partial"):
        client.check()


def test_threads_share_a_client(fake: FakePrometheus, client: PrometheusClient) -> None:
    for n in range(20):
        fake.says(f"x{n}", vector(({"n": str(n)}, float(n))))
    got: dict[int, float] = {}

    def ask(n: int) -> None:
        got[n] = client.query(f"x{n}", AT).samples[0].value

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert got == {n: float(n) for n in range(20)}
