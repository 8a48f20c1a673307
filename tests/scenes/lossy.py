"""A proxy on loopback before a real API server: it hands everything on, and keeps the answer to one write to itself."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from opsbot.practice.plane.programs import CERTIFICATE, KEY
from opsbot.practice.plane.real import RealPlane


class Lossy:
    """`swallow` says what becomes of the answer to the next real PATCH: `lost` (the line breaks) or `held` back.

    `swallowed` is set once the server has done such a write and its answer is gone.
    """

    def __init__(self, plane: RealPlane) -> None:
        self.plane = plane
        self.url = ""
        self.swallow = ""
        self.swallowed = threading.Event()
        self.over = threading.Event()

    def ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, str]:
        """The server's own answer."""
        to = urlsplit(self.plane.url)
        trusting = ssl.create_default_context(cafile=self.plane.ca_file)
        line = http.client.HTTPSConnection(to.hostname or "", to.port, timeout=30, context=trusting)
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            return answer.status, answer.read(), answer.getheader("Content-Type", "")
        finally:
            line.close()

    def takes(self, method: str, path: str) -> bool:
        """Whether the answer to this request, which the server has given, is kept from the one who asked."""
        if method != "PATCH" or "dryRun" in path or not self.swallow:
            return False
        how, self.swallow = self.swallow, ""
        self.swallowed.set()
        if how == "held":
            self.over.wait(60)
        return True


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    lossy: Lossy

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        passed = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        status, said, kind = self.lossy.ask(self.command, self.path, body, passed)
        if self.lossy.takes(self.command, self.path):
            self.close_connection = True
            return
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - names of http.server

    def log_message(self, *_args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_args: Any) -> None:
        """Somebody who was killed in the middle of a request is no news."""


@contextmanager
def lossy(plane: RealPlane) -> Iterator[Lossy]:
    """The proxy, up; it shows the plane's own certificate."""
    found = Lossy(plane)
    server = _Server(("127.0.0.1", 0), type("Door", (_Door,), {"lossy": found}))
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(plane.folder / CERTIFICATE, plane.folder / KEY)
    server.socket = shown.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.url = f"https://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
