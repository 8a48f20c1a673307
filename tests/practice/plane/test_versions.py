from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.programs import SOCKET
from opsbot.practice.plane.versions import SILENT, versions

NOBODY = Client(Access("http://127.0.0.1:1", ""))


def test_servers_that_are_not_there_do_not_answer(tmp_path: Path) -> None:
    found = versions(tmp_path, tmp_path / "bin", NOBODY)
    assert set(found.values()) == {SILENT}
    assert list(found) == ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok", "kubectl"]


@pytest.mark.parametrize("port", ["", "x", "1", "70000", "-1"])
def test_a_port_that_leads_nowhere(tmp_path: Path, port: str) -> None:
    (tmp_path / "kube-scheduler.port").write_text(port)
    assert versions(tmp_path, tmp_path, NOBODY)["kube-scheduler"] == SILENT


class _Server(BaseHTTPRequestHandler):
    body: bytes

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.body)

    def address_string(self) -> str:
        return "local"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


class _Local(ThreadingHTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "local", 0


@pytest.fixture(params=[(b'{"etcdserver": "3.6.11"}', "v3.6.11"), (b'{"etcd": 1}', SILENT), (b"<html>", SILENT)],
                ids=["a version", "none", "no JSON"])  # fmt: skip
def etcd(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    deep = tmp_path / ("d" * 108)  # more than an address of a socket may have
    deep.mkdir()
    monkeypatch.chdir(deep)
    body, version = request.param
    made: Any = type("Server", (_Server,), {"body": body})
    with _Local(SOCKET, made) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield version
        server.shutdown()
        thread.join()


def test_etcd_is_asked_through_its_socket_however_deep_its_folder(etcd: str, tmp_path: Path) -> None:
    assert versions(Path.cwd(), tmp_path, NOBODY)["etcd"] == etcd


@pytest.mark.parametrize(("text", "version"), [
    pytest.param("echo 'Client Version: v1.36.3'; echo 'Kustomize Version: v5.8.1'", "v1.36.3", id="the first one"),
    pytest.param("echo nothing", SILENT, id="none"),
    pytest.param("printf '\\377'", SILENT, id="no text"),
    pytest.param("exit 1", SILENT, id="fails"),
])  # fmt: skip
def test_kubectl_is_asked_as_a_program(tmp_path: Path, text: str, version: str) -> None:
    program = tmp_path / "kubectl"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    assert versions(tmp_path, tmp_path, NOBODY)["kubectl"] == version
