"""Signed HTTP: bytes of anybody, and the few that are Slack's."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from opsbot.chat import http
from opsbot.chat.http import LARGEST, PATH, Listener, Reply
from opsbot.chat.signing import signed
from opsbot.chat.tokens import Token
from opsbot.core.errors import PermanentError
from opsbot.testing.clock import ManualClock

SECRET = "s3cr3t"


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def listener(clock: ManualClock, heard: list[str]) -> Iterator[Listener]:
    def handle(body: str, headers: Mapping[str, str]) -> Reply:
        heard.append(body)
        return Reply(200, json.dumps({"got": json.loads(body)}), "application/json")

    made = Listener("127.0.0.1:0", Token(SECRET), clock, handle)
    made.open()
    yield made
    made.close()


def stamps(clock: ManualClock, body: bytes, late: int = 0) -> dict[str, str]:
    stamp = str(int((clock() - timedelta(seconds=late)).timestamp()))
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signed(SECRET, stamp, body)}


def ask(
    listener: Listener, body: bytes, headers: Mapping[str, str], method: str = "POST", path: str = PATH
) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", listener.port, timeout=5)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def raw(listener: Listener, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as made:
        made.sendall(request)
        made.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: made.recv(4096), b""))


def test_what_slack_has_signed_is_heard(listener: Listener, clock: ManualClock, heard: list[str]) -> None:
    assert ask(listener, b'{"a": 1}', stamps(clock, b'{"a": 1}')) == (200, '{"got": {"a": 1}}')
    assert heard == ['{"a": 1}']


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"X-Slack-Request-Timestamp": "soon"}, 401),
        ({"X-Slack-Request-Timestamp": "\xb2"}, 401),
        ({"X-Slack-Signature": "v0=" + "0" * 64}, 401),
        ({"X-Slack-Signature": "\xe9"}, 401),
        ({"X-Slack-Signature": ""}, 401),
    ],
    ids=["words for a time", "odd digits for a time", "forged", "not ASCII", "none"],
)
def test_what_is_not_signed_is_refused(
    listener: Listener, clock: ManualClock, heard: list[str], change: dict[str, str], status: int
) -> None:
    assert ask(listener, b"{}", stamps(clock, b"{}") | change)[0] == status
    assert heard == []


def test_a_stale_one_is_refused(listener: Listener, clock: ManualClock, heard: list[str]) -> None:
    assert ask(listener, b"{}", stamps(clock, b"{}", late=301))[0] == 401
    assert heard == []


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"null garbage", b"[" * 200_000], ids=["half", "no UTF-8", "no JSON", "deep"]
)
def test_a_signed_body_that_cannot_be_read_gets_400(listener: Listener, clock: ManualClock, body: bytes) -> None:
    assert ask(listener, body, stamps(clock, body))[0] == 400


@pytest.mark.parametrize(
    ("request_line", "headers", "status"),
    [
        ("POST /other HTTP/1.1", "Content-Length: 2", b"404"),
        (f"POST {PATH} HTTP/1.1", "", b"411"),
        (f"POST {PATH} HTTP/1.1", "Content-Length: -1", b"411"),
        (f"POST {PATH} HTTP/1.1", "Content-Length: two", b"411"),
        (f"POST {PATH} HTTP/1.1", f"Content-Length: {LARGEST + 1}", b"413"),
        (f"POST {PATH} HTTP/1.1", "Content-Length: " + "9" * 40, b"411"),
        (f"POST {PATH} HTTP/1.1", "Transfer-Encoding: chunked", b"411"),
        (f"GET {PATH} HTTP/1.1", "", b"405"),
        (f"POST {PATH} HTTP/9.9", "Content-Length: 2", b"400"),
        (f"POST http://[::1{PATH} HTTP/1.1", "Content-Length: 2", b"400"),
        ("POST http://]/ HTTP/1.1", "Content-Length: 2", b"400"),
        ("POST http://[v1.x HTTP/1.1", "Content-Length: 2", b"400"),
        ("POST HTTP/1.1", "Content-Length: 2", b"400"),
    ],
    ids=["elsewhere", "no length", "negative", "no number", "too long", "endless", "chunked", "get", "version",
         "half an address", "a stray bracket", "a bracket of the future", "no target"],
)  # fmt: skip
def test_what_is_wrong_before_the_body(
    listener: Listener, heard: list[str], request_line: str, headers: str, status: bytes
) -> None:
    answer = raw(listener, f"{request_line}\r\nHost: x\r\n{headers}\r\n\r\n".encode())
    assert status in answer.split(b"\r\n")[0]
    assert heard == []


def test_a_slow_client_keeps_nobody_else_waiting(listener: Listener, clock: ManualClock) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as slow:
        slow.sendall(f"POST {PATH} HTTP/1.1\r\nContent-Length: 100\r\n\r\nx".encode())
        assert ask(listener, b"{}", stamps(clock, b"{}"))[0] == 200


def drip(line: socket.socket, request: bytes) -> bytes:
    """Sent a byte at a time until the other side hangs up; what it said."""
    line.settimeout(0.05)
    try:
        for place in range(len(request)):
            line.sendall(request[place : place + 1])
            try:
                return line.recv(4096)
            except TimeoutError:
                continue
    except OSError:
        return b""
    raise AssertionError("all of it was taken")


@pytest.mark.parametrize(
    "request_head",
    ["", f"POST {PATH} HTTP/1.1\r\nContent-Length: 2000\r\n\r\n", f"POST {PATH} HTTP/1.1\r\n"],
    ids=["from the first byte", "in the body", "in the headers"],
)
def test_who_drips_is_hung_up_on(
    listener: Listener, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, request_head: str
) -> None:
    monkeypatch.setattr(http, "DEADLINE", 0.5)
    with socket.create_connection(("127.0.0.1", listener.port), timeout=5) as slow:
        slow.sendall(request_head.encode())
        assert drip(slow, b"POST" + b"x" * 400) == b""
    monkeypatch.undo()
    assert ask(listener, b"{}", stamps(clock, b"{}"))[0] == 200


def test_of_too_many_at_once_some_are_turned_away(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "MOST", 3)
    made = Listener("127.0.0.1:0", Token(SECRET), clock, lambda *_: Reply(200))
    made.open()
    try:
        idle = [socket.create_connection(("127.0.0.1", made.port), timeout=5) for _ in range(3)]
        with socket.create_connection(("127.0.0.1", made.port), timeout=5) as refused:
            assert refused.recv(4096).startswith(b"HTTP/1.1 503 ")
        for line in idle:
            line.close()
        until = time.monotonic() + 5
        while (status := _status(made, clock)) != 200 and time.monotonic() < until:
            time.sleep(0.01)
        assert status == 200
    finally:
        made.close()


def _status(listener: Listener, clock: ManualClock) -> int:
    """503, or cut off, while there is no place yet."""
    try:
        return ask(listener, b"{}", stamps(clock, b"{}"))[0]
    except (OSError, HTTPException):
        return 503


@pytest.mark.parametrize("listen", ["nonsense", "127.0.0.1:notaport", "127.0.0.1:99999", "192.0.2.1:3000"])
def test_where_nobody_can_listen(listen: str, clock: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"slack\.listen"):
        Listener(listen, Token(SECRET), clock, lambda *_: Reply(200))
