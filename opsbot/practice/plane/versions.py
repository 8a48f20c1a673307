"""Which versions run in a plane that is up: asked of the servers, each in its own way."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from opsbot.core.errors import PermanentError
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.programs import CERTIFICATE, SOCKET

SILENT = "does not answer"
PATIENCE = 20.0
"""Seconds for one answer: the metrics of a controller manager are long, and a machine may be busy."""


def versions(folder: Path, there: Path, client: Client) -> Mapping[str, str]:
    """By program; "does not answer" for a server that does not.

    kwok serves no version, so its program is asked, and so is kubectl, which is no server.
    """
    return {
        "etcd": _etcd(folder),
        "kube-apiserver": _apiserver(client),
        "kube-controller-manager": _built_as(folder, "kube-controller-manager"),
        "kube-scheduler": _built_as(folder, "kube-scheduler"),
        "kwok": _printed([str(there / "kwok"), "--version"]) if answers(folder, "kwok") else SILENT,
        "kubectl": _printed([str(there / "kubectl"), "version", "--client"]),
    }


def _apiserver(client: Client) -> str:
    try:
        return str(client.get("/version")["gitVersion"])
    except (PermanentError, KeyError):
        return SILENT


class _Local(http.client.HTTPConnection):
    """HTTP over a socket in the file system."""

    def __init__(self, file: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE)
        self._file = file

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        # The address of a socket is at most 107 bytes (unix(7)), and a folder for temporary files may be deep.
        folder = os.open(self._file.parent, os.O_PATH)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/{self._file.name}")
        finally:
            os.close(folder)


def _etcd(folder: Path) -> str:
    connection = _Local(folder / SOCKET)
    try:
        connection.request("GET", "/version")
        return f"v{json.loads(connection.getresponse().read())['etcdserver']}"
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return SILENT
    finally:
        connection.close()


def _served(folder: Path, name: str, path: str) -> str:
    """What one of the servers beside the API server tells everybody; nothing where it does not answer."""
    try:
        port = int((folder / f"{name}.port").read_text())
        access = Access(f"https://127.0.0.1:{port}", "", str(folder / CERTIFICATE))
        return Client(access, timeout=PATIENCE).raw("GET", path).decode()
    except (OSError, ValueError, PermanentError):
        return ""


def _built_as(folder: Path, name: str) -> str:
    """The version in the metric kubernetes_build_info (k8s.io/component-base/metrics)."""
    said = _served(folder, name, "/metrics")
    found = re.search(r'^kubernetes_build_info\{.*git_version="([^"]+)"', said, re.MULTILINE)
    return found[1] if found else SILENT


def answers(folder: Path, name: str) -> bool:
    """Whether one of the servers beside the API server says that it is well."""
    return _served(folder, name, "/healthz").strip() == "ok"


def _printed(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return SILENT
    found = re.search(r"\bv\d+\.\d+\.\d+\S*", done.stdout.decode("utf-8", "replace"))
    return found[0] if found else SILENT
