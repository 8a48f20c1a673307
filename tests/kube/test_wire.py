"""Over real sockets: deadlines, byte caps, broken answers; nothing is sent twice, and the token goes nowhere else."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.errors import Blind, TemporaryError, Unknown
from opsbot.core.target import Target
from opsbot.kube.call import ask
from opsbot.kube.errors import NoAnswer, NotSent
from opsbot.kube.read import KubeReader
from opsbot.kube.session import Connection, connect
from opsbot.kube.write import KubeWriter
from opsbot.testing import FakeCluster
from opsbot.testing.cluster import faults
from tests.kube.rawserver import RawServer, Script

pytestmark = pytest.mark.real("kubernetes client")
Raw = Callable[[Script], tuple[Any, RawServer]]
WEB = Target("shop", "Deployment", "web")
BODY = {"metadata": {"uid": "u", "resourceVersion": "5"}, "spec": {"replicas": 3}}
AMPLE = 30.0  # far above what any of these needs: a test that takes as long has failed


def answering(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> Script:
    head = [b"HTTP/1.1 " + status, b"Content-Type: application/json", b"Connection: close", *headers]
    return lambda line: line.sendall(b"\r\n".join(head) + b"\r\n\r\n" + body)


def hanging(line: socket.socket) -> None:
    line.recv(1)


def dripping(head: bytes, drop: bytes) -> Script:
    def drip(line: socket.socket) -> None:
        line.sendall(head)
        while True:
            line.sendall(drop)
            time.sleep(0.02)

    return drip


def stopping(line: socket.socket) -> None:
    answering(b"{", b"Content-Length: 50")(line)
    hanging(line)


CLOSING = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
NEVER_WHOLE: dict[str, Script] = {
    "hangs": hanging,
    "drips its body": dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", b"x"),
    "drips chunks": dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "drips a size": dripping(CLOSING + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "drips until it closes": dripping(CLOSING + b"\r\n", b"x"),
    "drips a header": dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", b"x"),
    "drips headers": dripping(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "stops in its body": stopping,
}


@pytest.mark.parametrize("script", NEVER_WHOLE.values(), ids=NEVER_WHOLE)
def test_a_server_that_never_ends_is_left_at_the_deadline(raw: Raw, script: Script) -> None:
    api, server = raw(script)
    with pytest.raises(Blind, match=r"in time|broke off"):
        KubeReader(api).get("Deployment", "shop", "web", timeout=0.4)
    with pytest.raises(Unknown):
        KubeWriter(api).patch(WEB, BODY, timeout=0.4)
    assert sum(request.startswith(b"PATCH") for request in server.seen) == 1


BROKEN: dict[str, Script] = {
    "closes at once": lambda line: None,
    "no HTTP": lambda line: line.sendall(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "shorter than said": answering(b'{"metadata"', b"Content-Length: 5000"),
    "a broken chunk": answering(b"zz\r\n", b"Transfer-Encoding: chunked"),
    "no gzip": answering(b"not gzip", b"Content-Encoding: gzip", b"Content-Length: 8"),
    "invalid JSON": answering(b'{"a":', b"Content-Length: 5"),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_a_broken_answer_is_blind_for_reads_and_unknown_for_writes(raw: Raw, script: Script) -> None:
    api, server = raw(script)
    with pytest.raises(Blind):
        KubeReader(api).get("Deployment", "shop", "web", timeout=AMPLE)
    assert len(server.seen) in (1, 2)
    server.seen.clear()
    with pytest.raises(Unknown):
        KubeWriter(api).patch(WEB, BODY, timeout=AMPLE)
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [b"301 Moved", b"302 Found", b"307 Temporary", b"308 Permanent"])
def test_a_redirect_is_not_followed_and_the_token_stays(raw: Raw, status: bytes) -> None:
    _, elsewhere = raw(answering(b"{}", b"Content-Length: 2"))
    place = b"Location: " + elsewhere.url.encode() + b"/stolen"
    api, server = raw(answering(b"", place, b"Content-Length: 0", status=status))
    with pytest.raises(Blind, match="30"):
        KubeReader(api).get("Deployment", "shop", "web")
    with pytest.raises(Unknown):
        KubeWriter(api).patch(WEB, BODY)
    assert elsewhere.seen == []
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [b"429 Slow", b"500 Oops", b"503 Busy"])
def test_the_library_retries_nothing_of_its_own(raw: Raw, status: bytes) -> None:
    api, server = raw(answering(b"", b"Retry-After: 1", b"Content-Length: 0", status=status))
    for method in ("GET", "PUT", "DELETE", "POST", "PATCH"):
        ask(api, method, "/x", timeout=AMPLE, body={} if method != "GET" else None)
    assert len(server.seen) == 5


def test_a_huge_body_is_cut_at_the_cap(raw: Raw) -> None:
    def endless(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n")
        while True:
            line.sendall(b"x" * 65_536)

    api, _ = raw(endless)
    reply = ask(api, "GET", "/x", timeout=AMPLE, max_bytes=1_000_000)
    assert (len(reply.body), reply.cut) == (1_000_000, True)


def test_a_huge_object_is_blind(raw: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    body = b'{"metadata":{"name":"web"},"data":"' + b"x" * 40_000_000 + b'"}'
    api, _ = raw(answering(body, b"Content-Length: " + str(len(body)).encode()))
    with pytest.raises(Blind, match="larger than 33 MB"):
        KubeReader(api).get("Deployment", "shop", "web", timeout=AMPLE)


def test_what_unpacks_beyond_the_cap_is_cut_too(raw: Raw) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    api, _ = raw(answering(bomb, b"Content-Encoding: gzip", b"Content-Length: " + str(len(bomb)).encode()))
    reply = ask(api, "GET", "/x", timeout=AMPLE, max_bytes=1_000_000)
    assert (len(reply.body), reply.cut) == (1_000_000, True)


def test_a_write_trusts_no_connection_that_has_idled(raw: Raw) -> None:
    def once(line: socket.socket) -> None:
        body = b'{"metadata":{"name":"web","uid":"u"}}'
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)
        while line.recv(65_536):
            pass  # whatever else comes on this line is swallowed, as by a gateway that has forgotten it

    api, server = raw(once)
    writer = KubeWriter(api)
    assert writer.read(WEB) is not None
    assert writer.patch(WEB, BODY, timeout=AMPLE)["metadata"]["uid"] == "u"
    assert len(server.seen) == 2


def test_a_port_that_nobody_listens_on(token_file: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    api = connect(Connection(server=f"http://127.0.0.1:{port}", token_file=str(token_file)))
    with pytest.raises(Blind, match="no connection"):
        KubeReader(api).get("Deployment", "shop", "web")
    with pytest.raises(TemporaryError, match="no connection"):
        KubeWriter(api).patch(WEB, BODY)
    with pytest.raises(Blind):
        KubeReader(api).check()


def test_a_listener_that_does_not_speak_tls(raw: Raw, token_file: Path) -> None:
    _, server = raw(answering(b"{}"))
    for script in ("speaks http", "hangs"):
        _, server = raw(hanging if script == "hangs" else answering(b"{}", b"Content-Length: 2"))
        secure = server.url.replace("http://", "https://")
        api = connect(Connection(server=secure, token_file=str(token_file)))
        with pytest.raises(NotSent):
            ask(api, "PATCH", "/x", timeout=0.5, body={})
        assert not any(b"PATCH" in request for request in server.seen)


def test_the_token_is_in_no_message(raw: Raw) -> None:
    for script in (*NEVER_WHOLE.values(), *BROKEN.values()):
        api, server = raw(script)
        with pytest.raises((NoAnswer, Blind)) as told:
            KubeReader(api).get("Deployment", "shop", "web", timeout=0.2)
        assert b"authorization: bearer s3cr3t-t0ken" in server.seen[0].lower()
        error: BaseException | None = told.value
        while error is not None:
            assert "s3cr3t" not in str(error)
            error = error.__cause__


def test_a_new_token_in_the_file_is_used_at_once(raw: Raw, token_file: Path) -> None:
    api, server = raw(answering(b"{}", b"Content-Length: 2"))
    ask(api, "GET", "/x", timeout=AMPLE)
    token_file.write_text("another")
    ask(api, "GET", "/x", timeout=AMPLE)
    assert [b"Bearer another" in request for request in server.seen] == [False, True]


def test_a_token_file_that_is_gone_sends_nothing(raw: Raw, token_file: Path) -> None:
    api, server = raw(answering(b"{}", b"Content-Length: 2"))
    token_file.unlink()
    with pytest.raises(Blind, match="the credential cannot be read"):
        KubeReader(api).get("Deployment", "shop", "web")
    with pytest.raises(TemporaryError, match="the credential cannot be read"):
        KubeWriter(api).patch(WEB, BODY)
    assert server.seen == []


def test_many_threads_share_a_client(cluster: FakeCluster, token_file: Path) -> None:
    token_file.write_text(cluster.token("reader"))
    found: list[object] = []
    with cluster.serve() as url:
        api = connect(Connection(server=url, token_file=str(token_file)))
        reader = KubeReader(api)

        def read() -> None:
            found.extend(reader.get("Deployment", "shop", "web", timeout=AMPLE) for _ in range(20))

        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        api.close()
    assert len(found) == 160
    assert all(item == cluster.get("Deployment", "shop", "web") for item in found)


def test_a_deadline_that_has_passed_spoils_no_later_call(raw: Raw, cluster: FakeCluster, token_file: Path) -> None:
    token_file.write_text(cluster.token("reader"))
    with cluster.serve() as url:
        api = connect(Connection(server=url, token_file=str(token_file)))
        reader = KubeReader(api)
        for _ in range(10):
            assert reader.get("Deployment", "shop", "web", timeout=AMPLE) is not None
            cluster.fail_next(faults.hang(), path="deployments/late")  # may be over before it was even sent
            with pytest.raises(Blind):
                reader.get("Deployment", "shop", "late", timeout=0.03)
        api.close()
