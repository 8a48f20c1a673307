"""Answers that are not of Slack's form: a proxy's page, half a body, nonsense. None of them ends the telling."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator

import pytest

from opsbot.chat import sender, tokens
from opsbot.core.errors import TemporaryError

Answer = tuple[int, str, bytes]

ODD: dict[str, Answer] = {
    "a page of a proxy": (200, "text/html", b"<html>please log in</html>"),
    "a list": (200, "application/json", b"[]"),
    "a text": (200, "application/json", b'"x"'),
    "null": (200, "application/json", b"null"),
    "nothing": (200, "application/json", b""),
    "no UTF-8": (200, "application/json", b"\xff\xfe"),
    "packed, it says": (200, "application/gzip", b"\x1f\x8bxx"),
    "nested without end": (200, "application/json", b"[" * 100_000),
    "no place": (200, "application/json", b'{"ok":true}'),
    "a place of numbers": (200, "application/json", b'{"ok":true,"channel":1,"ts":2}'),
    "a list of a broken server": (500, "application/json", b"[]"),
    "a page of a broken server": (502, "text/html", b"<html>bad gateway</html>"),
    "packed and not found": (404, "application/gzip", b"\x1f\x8b"),
}


@pytest.fixture
def slack(request: pytest.FixtureRequest) -> Iterator[sender.Sender]:
    status, kind, body = request.param

    class Odd(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    web = sender.client(tokens.Token("xoxb-1-2-abc"), f"http://127.0.0.1:{server.server_port}/api/")
    yield sender.Sender(web, "C1")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("slack", ODD.values(), ids=ODD.keys(), indirect=True)
def test_an_odd_answer_is_trouble_that_may_pass(slack: sender.Sender) -> None:
    with pytest.raises(TemporaryError, match="Slack"):
        slack.post({"text": "x"})
