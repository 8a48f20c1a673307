"""Bytes as nobody should send them: each ends in a refusal or a closed connection, and never in a 5xx of ours."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from opsbot.web import listener, routes
from tests.monitor.receiving.payloads.payload_samples import alertmanager
from tests.web.web_world import Served

BODY = json.dumps(alertmanager()).encode()
HEAD = b"POST /webhooks/alertmanager HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
END = b"connection: close\r\n"


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, served: Served) -> Served:
    """A server that waits for nobody for long."""
    monkeypatch.setattr(listener, "PATIENCE", 0.3)
    monkeypatch.setattr(routes, "PATIENCE", 0.3)
    return served


def length(count: int) -> bytes:
    return b"content-length: %d\r\n" % count


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def status(said: bytes) -> int:
    """The status of the first answer; 0 where the connection was closed without one."""
    return int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/1.1 ") else 0


GOOD = {
    "a length": (HEAD + END + length(len(BODY)) + b"\r\n" + BODY,),
    "chunks": (HEAD + END + b"transfer-encoding: chunked\r\n\r\n" + chunked(BODY[:9], BODY[9:]),),
    "byte by byte": tuple(bytes([one]) for one in HEAD + END + length(len(BODY)) + b"\r\n" + BODY),
    "chunks with a trailer": (
        HEAD + END + b"transfer-encoding: chunked\r\n\r\n" + chunked(BODY)[:-2] + b"x-odd: 1\r\n\r\n",),
    "HTTP/1.0": (HEAD.replace(b"1.1", b"1.0") + length(len(BODY)) + b"\r\n" + BODY,),
}  # fmt: skip


@pytest.mark.parametrize("pieces", GOOD.values(), ids=GOOD.keys())
def test_any_form_of_a_good_request_is_taken(hasty: Served, pieces: tuple[bytes, ...]) -> None:
    assert status(hasty.raw(*pieces)) == 200


BAD = {
    "no HTTP": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 500, {400}),
    "a line of nonsense": (b"HELLO\r\n\r\n", {400}),
    "no path": (b"GET  HTTP/1.1\r\n\r\n", {400, 404}),
    "a path of odd bytes": (b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n" + END + b"\r\n", {400, 404}),
    "a whole address": (b"GET http://x:y/z HTTP/1.1\r\nhost: x\r\n" + END + b"\r\n", {400, 404}),
    "CONNECT": (b"CONNECT x:443 HTTP/1.1\r\nhost: x\r\n\r\n", {400, 404, 405}),
    "two lengths": (HEAD + length(5) + length(6) + b"\r\n{}", {400}),
    "a negative length": (HEAD + b"content-length: -1\r\n\r\n{}", {400}),
    "no number as length": (HEAD + b"content-length: ten\r\n\r\n{}", {400}),
    "a huge length": (HEAD + b"content-length: 99999999999999999999999\r\n\r\n{}", {400, 413}),
    "length and chunks": (HEAD + length(4) + b"transfer-encoding: chunked\r\n\r\n" + chunked(b"{}"), {400}),
    "another transfer coding": (HEAD + b"transfer-encoding: gzip\r\n\r\n" + b"x" * 50, {400, 413}),
    "chunks that are none": (HEAD + END + b"transfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n", {400}),
    "a chunk of a huge size": (HEAD + END + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n", {400}),
    "a length said too large": (HEAD + length(200_001) + b"\r\n", {413}),
    "chunks without end": (
        HEAD + b"transfer-encoding: chunked\r\n\r\n" + (b"ffff\r\n" + b" " * 65_535 + b"\r\n") * 8, {413}),
    "a large head": (b"GET /healthz HTTP/1.1\r\n" + b"x-odd: " + b"y" * 100_000, {431}),
    "a head somewhat too large, whole": (
        b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + END + b"x-odd: " + b"y" * 33_000 + b"\r\n\r\n", {431}),
    "a head too large, whole, with a body": (
        HEAD + END + b"x-odd: " + b"y" * 60_000 + b"\r\n" + length(len(BODY)) + b"\r\n" + BODY, {431}),
    "an address too large": (b"GET /" + b"y" * 40_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n", {431}),
    "many headers, whole": (b"GET /healthz HTTP/1.1\r\n" + b"x: y\r\n" * 6_000 + b"\r\n", {431}),
    "many headers": (b"GET /healthz HTTP/1.1\r\n" + b"x: y\r\n" * 20_000, {431}),
    "a header of odd bytes": (b"GET /healthz HTTP/1.1\r\nhost: x\r\n\xff\xff: x\r\n\r\n", {400}),
    "an upgrade, which ends the reading": (
        HEAD + b"connection: upgrade, close\r\nupgrade: h2c\r\n" + length(2) + b"\r\n{}", {400}),
    "a body that has more than its length": (HEAD + length(2) + b"\r\n" + BODY, {400}),
    "a body of blanks": (HEAD + END + length(1000) + b"\r\n" + b" " * 1000, {400}),
    "a body of zeros": (HEAD + END + length(1000) + b"\r\n" + b"\0" * 1000, {400}),
}  # fmt: skip


@pytest.mark.parametrize("size", [100, 32_000], ids=["small", "nearly too large"])
def test_heads_that_are_taken(served: Served, size: int) -> None:
    assert status(served.raw(b"GET /healthz HTTP/1.1\r\n" + END + b"x: " + b"y" * size + b"\r\n\r\n")) == 200


@pytest.mark.parametrize("size", [33_000, 70_000, 200_000], ids=str)
def test_a_head_too_large_is_told_so(served: Served, size: int) -> None:
    """A piece that is whole is answered; nothing of it is left unread that would break the connection."""
    said = served.raw(b"GET /healthz HTTP/1.1\r\n" + END + b"x: " + b"y" * size + b"\r\n\r\n")
    assert status(said) in ({431} if size == 33_000 else {431, 0})


@pytest.mark.parametrize(("said", "statuses"), BAD.values(), ids=BAD.keys())
def test_hostile_bytes(hasty: Served, said: bytes, statuses: set[int]) -> None:
    assert status(hasty.raw(said)) in statuses | {0}
    assert hasty.ask("GET", "/healthz").status == 200


SLOW = {
    "says nothing": ((), {408}),
    "half a line": ((b"GET /hea",), {408}),
    "half a head": ((HEAD,), {408}),
    "no body": ((HEAD + length(100) + b"\r\n",), {408}),
    "half a body": ((HEAD + length(len(BODY)) + b"\r\n" + BODY[:20],), {408}),
    "half of the chunks": ((HEAD + b"transfer-encoding: chunked\r\n\r\n" + b"4\r\n{\"a\"\r\n",), {408}),
}  # fmt: skip


@pytest.mark.parametrize(("pieces", "statuses"), SLOW.values(), ids=SLOW.keys())
def test_who_lets_us_wait_is_sent_away(hasty: Served, pieces: tuple[bytes, ...], statuses: set[int]) -> None:
    assert status(hasty.raw(*pieces)) in statuses


def test_a_slow_second_request_on_a_connection_is_sent_away_too(hasty: Served) -> None:
    said = hasty.raw(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n", b"GET /hea")
    assert said.count(b"HTTP/1.1 ") == 2
    assert b"408 Request Timeout" in said


@pytest.mark.parametrize("piece", [HEAD + length(100) + b"\r\n{", HEAD], ids=["in the body", "in the head"])
def test_who_goes_away_early_leaves_nothing(hasty: Served, piece: bytes) -> None:
    hasty.raw(piece, end=True)
    assert hasty.post(alertmanager()).status == 200


def test_two_requests_in_one_piece_are_answered_both(served: Served) -> None:
    one = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"
    said = served.raw(one + one.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"))
    assert said.count(b"200 OK") == 2


def test_many_slow_clients_stop_nobody(hasty: Served) -> None:
    port = hasty._listener.port
    idle = [socket.create_connection(("127.0.0.1", port), timeout=5) for _ in range(50)]
    try:
        assert hasty.post(alertmanager()).status == 200
    finally:
        for client in idle:
            client.close()


def test_bodies_in_flight_are_bounded(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IN_FLIGHT", len(BODY) - 1)
    found = served.post(alertmanager())
    assert (found.status, found.headers["retry-after"]) == (503, "5")
    monkeypatch.undo()
    assert served.post(alertmanager()).status == 200


def test_what_was_refused_is_in_flight_no_more(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "IN_FLIGHT", 300_000)
    for _ in range(10):
        assert status(served.raw(HEAD + b"transfer-encoding: chunked\r\n\r\n" + chunked(b" " * 200_001))) in (413, 0)
        assert served.post(b" " * 100_000).status == 400
    assert served.post(alertmanager()).status == 200


def test_requests_side_by_side_are_all_kept(served: Served) -> None:
    answers: list[int] = []

    def send(number: int) -> None:
        answers.extend(served.post(alertmanager(_alert(number, one))).status for one in range(5))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 40
    assert len(served.store.alerts()) == 40


def _alert(number: int, one: int) -> dict[str, object]:
    labels = {"alertname": "Slow", "n": f"{number}", "m": f"{one}"}
    return {"status": "firing", "labels": labels}
