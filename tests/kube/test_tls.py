"""Over TLS: a server whose certificate is signed as configured is talked to, and no other one hears a word."""

from __future__ import annotations

import socket
import ssl
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsbot.core.errors import Blind, TemporaryError, Unknown
from opsbot.core.target import Target
from opsbot.kube.read import KubeReader
from opsbot.kube.session import Connection, connect
from opsbot.kube.write import KubeWriter
from tests.kube.rawserver import RawServer, Script

# A key pair for 127.0.0.1, made for these tests and used nowhere else; good from 2020 to 2120.
KEY = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgkh6RBVSYtT9NniDZWBBIC6EuXzgtQcmnIihpc2LmiKqhRANCAARE"
    "ptAb/ZA/CchG2nzq4rhzzN4XkAbiS1GL60DFTIQlxVuxEdDkVHt2+s1OfDaKEZAVxIghKYv6krUWh2NrvtE+"
)
CERTIFICATE = (
    "MIIBbzCCARagAwIBAgIBATAKBggqhkjOPQQDAjAWMRQwEgYDVQQDDAtvcHNib3QgdGVzdDAgFw0yMDAxMDEwMDAwMDBaGA8yMTIw"
    "MDEwMTAwMDAwMFowFjEUMBIGA1UEAwwLb3BzYm90IHRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAREptAb/ZA/CchG2nzq"
    "4rhzzN4XkAbiS1GL60DFTIQlxVuxEdDkVHt2+s1OfDaKEZAVxIghKYv6krUWh2NrvtE+o1MwUTAPBgNVHREECDAGhwR/AAABMA4G"
    "A1UdDwEB/wQEAwIChDAPBgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBR+Do5G8sfjRdRccWx+/ogwznVYiDAKBggqhkjOPQQDAgNH"
    "ADBEAiA7w1MuE9uUkug8OHpo1pnhvCk6+bv/7tIRRQzHgOQq6gIgMTzOO413J2wIjHYbmqzITBGfQp5sKlYxaNHG95jDLn0="
)
WEB = Target("shop", "Deployment", "web")
BODY = {"metadata": {"uid": "u", "resourceVersion": "5"}, "spec": {"replicas": 3}}
ANSWER = b'{"kind":"Deployment","metadata":{"name":"web","uid":"u"}}'

pytestmark = pytest.mark.real("kubernetes client")


def pem(kind: str, content: str) -> str:
    return "\n".join((f"-----BEGIN {kind}-----", *textwrap.wrap(content, 64), f"-----END {kind}-----", ""))


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    file = tmp_path / "ca.crt"
    file.write_text(pem("CERTIFICATE", CERTIFICATE))
    return file


class SecureServer(RawServer):
    """The raw server behind a TLS handshake."""

    def __init__(self, script: Script, folder: Path) -> None:
        chain = folder / "server.pem"
        chain.write_text(pem("PRIVATE KEY", KEY) + pem("CERTIFICATE", CERTIFICATE))
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(chain)
        super().__init__(script)
        self.url = self.url.replace("http://", "https://")

    def _serve(self, line: socket.socket) -> None:
        try:
            secure = self._tls.wrap_socket(line, server_side=True)
        except OSError:
            line.close()
            return
        super()._serve(secure)


def answering(body: bytes) -> Script:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return lambda line: line.sendall(head + body)


def hanging(line: socket.socket) -> None:
    line.recv(1)


@pytest.fixture
def client(tmp_path: Path, token_file: Path) -> Any:
    later: list[Any] = []

    def make(script: Script, ca_file: Path | None) -> tuple[Any, RawServer]:
        server = SecureServer(script, tmp_path)
        given = Connection(server=server.url, token_file=str(token_file), ca_file=str(ca_file or ""))
        api = connect(given)
        later.extend([api, server])
        return api, server

    yield make
    for item in later:
        item.close()


Make = Callable[[Script, Path | None], tuple[Any, RawServer]]


def test_a_server_that_is_trusted(client: Make, ca_file: Path) -> None:
    api, server = client(answering(ANSWER), ca_file)
    assert KubeReader(api).get("Deployment", "shop", "web") is not None
    assert KubeWriter(api).patch(WEB, BODY)["metadata"]["uid"] == "u"
    assert all(b"Bearer s3cr3t-t0ken" in request for request in server.seen)


def test_a_server_that_nobody_vouches_for_hears_nothing(client: Make) -> None:
    api, server = client(answering(ANSWER), None)
    with pytest.raises(Blind, match="certificate is not trusted"):
        KubeReader(api).get("Deployment", "shop", "web")
    with pytest.raises(TemporaryError, match="certificate is not trusted"):
        KubeWriter(api).patch(WEB, BODY)
    assert server.seen == []


def test_a_server_that_hangs_behind_tls(client: Make, ca_file: Path) -> None:
    api, server = client(hanging, ca_file)
    with pytest.raises(Unknown, match="no answer in time"):
        KubeWriter(api).patch(WEB, BODY, timeout=0.5)
    assert len(server.seen) == 1


def test_a_server_that_drips_behind_tls(client: Make, ca_file: Path) -> None:
    def drip(line: socket.socket) -> None:
        line.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while True:
            line.sendall(b"x")
            line.settimeout(0.02)
            try:
                if not line.recv(1):
                    return
            except TimeoutError:
                continue

    api, _ = client(drip, ca_file)
    with pytest.raises(Blind, match="in time"):
        KubeReader(api).get("Deployment", "shop", "web", timeout=0.5)
