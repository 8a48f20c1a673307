"""The two faces of FakeCluster: under the official client, and over HTTP; both act out what `handle` says."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Request, faults

MAP = {"metadata": {"name": "c", "namespace": "shop"}, "data": {"a": "1"}}
MAPS = "/api/v1/namespaces/shop/configmaps"


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add({"kind": "ConfigMap", **MAP})
    return made


# under the client ---------------------------------------------------------------------------------------------------


def get(api: Any, timeout: Any = (1, 2)) -> Any:
    auth = api.param_serialize("GET", f"{MAPS}/c", auth_settings=["BearerToken"])
    return api.call_api(*auth, _request_timeout=timeout)


@pytest.mark.real("kubernetes client")
def test_the_client_talks_to_it_without_a_socket(cluster: FakeCluster) -> None:
    reply = get(cluster.connect("reader"))
    assert (reply.status, json.loads(reply.read())["data"]) == (200, {"a": "1"})
    assert cluster.requests[-1] == Request("GET", f"{MAPS}/c", {}, b"", "", "reader-token")


def test_faults_are_errors_of_urllib3_at_once(cluster: FakeCluster) -> None:
    from urllib3 import exceptions

    api = cluster.connect()
    for fault, error in (
        (faults.hang(), exceptions.ReadTimeoutError), (faults.lost_answer(), exceptions.ProtocolError),
        (faults.refused(), exceptions.NewConnectionError),
    ):  # fmt: skip
        cluster.fail_next(fault)
        with pytest.raises(error):
            get(api)


def test_a_call_without_a_timeout_that_would_hang_for_ever_is_a_bug_of_the_caller(cluster: FakeCluster) -> None:
    cluster.fail_next(faults.hang())
    with pytest.raises(AssertionError, match="without a timeout"):
        get(cluster.connect(), timeout=None)


def test_a_body_ends_for_those_who_stream_it(cluster: FakeCluster) -> None:
    response = get(cluster.connect()).response
    assert json.loads(b"".join(response.stream(10)))["data"] == {"a": "1"}
    assert response.closed


# over HTTP ----------------------------------------------------------------------------------------------------------


def until(holds: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to be")


@contextmanager
def connected(cluster: FakeCluster) -> Iterator[http.client.HTTPConnection]:
    with cluster.serve() as url:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        line = http.client.HTTPConnection(parts.hostname, parts.port or 0, timeout=10)
        try:
            yield line
        finally:
            line.close()


def test_several_requests_share_a_connection(cluster: FakeCluster) -> None:
    headers = {"Authorization": f"Bearer {cluster.token('admin')}", "Content-Type": "application/json"}
    with connected(cluster) as line:
        for name in ("d", "e"):
            line.request("POST", MAPS, json.dumps({"metadata": {"name": name}}), headers)
            answer = line.getresponse()
            assert (answer.status, json.load(answer)["metadata"]["name"]) == (201, name)
        line.request("GET", f"{MAPS}?limit=2&labelSelector=%21x", headers=headers)
        answer = line.getresponse()
        assert answer.headers["Content-Length"]
        assert len(json.load(answer)["items"]) == 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401), ({"Authorization": "Basic YTpi"}, 401), ({"Authorization": "Bearer nobody"}, 401),
        ({"Authorization": "bearer admin-token"}, 200), ({"Authorization": "Bearer admin-token"}, 200),
    ],
    ids=["none", "basic", "nobody", "small", "good"],
)  # fmt: skip
def test_who_asks(cluster: FakeCluster, headers: dict[str, str], status: int) -> None:
    with connected(cluster) as line:
        line.request("GET", MAPS, headers=headers)
        assert line.getresponse().status == status


@pytest.mark.parametrize(
    "header",
    [b"Content-Length: x", b"Content-Length: 99999999999", b"Transfer-Encoding: chunked", b"Content-Length: -1"],
    ids=["no number", "too much", "chunked", "negative"],
)  # fmt: skip
def test_a_length_that_cannot_be_is_refused(cluster: FakeCluster, header: bytes) -> None:
    with connected(cluster) as line:
        line.connect()
        line.sock.sendall(b"POST " + MAPS.encode() + b" HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n\r\n")
        assert line.sock.recv(100).startswith(b"HTTP/1.1 413")
    assert cluster.writes == []


def test_a_client_that_goes_away_half_way_harms_nobody(cluster: FakeCluster) -> None:
    with connected(cluster) as line:
        line.connect()
        line.sock.sendall(b"POST " + MAPS.encode() + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf")
        line.sock.close()
        with suppress(OSError):
            line.close()
        line.request("GET", "/readyz")
        assert line.getresponse().read() == b"ok"
    assert cluster.writes == []


def test_a_lost_answer_closes_the_connection_after_the_deed(cluster: FakeCluster) -> None:
    cluster.fail_next(faults.lost_answer())
    with connected(cluster) as line:
        line.request("DELETE", f"{MAPS}/c", headers={"Authorization": "Bearer admin-token"})
        with pytest.raises(http.client.RemoteDisconnected):
            line.getresponse()
    assert cluster.get("ConfigMap", "shop", "c") is None


def test_the_end_of_the_server_wakes_those_who_hang(cluster: FakeCluster) -> None:
    cluster.fail_next(faults.hang())
    with cluster.serve() as url:
        parts = urlsplit(url)
        line = socket.create_connection((str(parts.hostname), parts.port or 0), timeout=10)
        line.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: bool(cluster.requests))
    with line, suppress(ConnectionResetError):
        assert line.recv(10) == b""


def test_the_port_is_free_again_afterwards(cluster: FakeCluster) -> None:
    with cluster.serve() as url:
        port = urlsplit(url).port or 0
    with cluster.serve(port=port) as again:
        assert again == url


def test_controllers_run_beside_the_server_when_asked(cluster: FakeCluster) -> None:
    cluster.add({"kind": "Pod", "metadata": {"name": "p", "namespace": "shop"},
                 "spec": {"containers": [{"name": "main", "image": "x:1"}]}})  # fmt: skip
    with connected(cluster) as line:
        line.request("GET", "/readyz")
        assert line.getresponse().read() == b"ok"
    assert not (cluster.get("Pod", "shop", "p") or {})["spec"].get("nodeName")
    with cluster.serve(tick_every=0.01):
        until(lambda: ((cluster.get("Pod", "shop", "p") or {}).get("status") or {}).get("phase") == "Running")
