"""What a model is asked in these tests, and with which settings."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from opsbot.core.ports import Question
from opsbot.diagnose.answer import schema
from opsbot.diagnose.case import Case
from opsbot.llm import ChatModel
from opsbot.mask import mask

EMPTY = '{"hypotheses": []}'
SCHEMA = schema(Case(None, ()))


@dataclass(frozen=True, slots=True)
class Terms:
    """Settings, as config gives them."""

    base_url: str = "http://127.0.0.1:9/v1"
    name: str = "fake"
    api_key_file: Path | None = None
    timeout: timedelta = timedelta(seconds=30)
    tokens_per_incident: int = 60_000
    usd_per_day: float = 5.0
    usd_per_million_in: float = 0.0
    usd_per_million_out: float = 0.0
    cache_for: timedelta = timedelta(hours=1)


def question(text: str = "What is wrong?", timeout: float = 30.0) -> Question:
    return Question("You are asked.", mask(text), SCHEMA, 1500, timeout)


def model(url: str, key: Path | None = None) -> ChatModel:
    return ChatModel(Terms(f"{url}/v1", api_key_file=key))


@contextmanager
def listening(content: str) -> Iterator[tuple[str, list[bytes]]]:
    """A bare socket that says this once: its URL, and the bytes that it was sent."""
    heard: list[bytes] = []
    body = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            heard.append(_request(connection))
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        thread.join(10)


def _request(connection: socket.socket) -> bytes:
    got = b""
    while True:
        got += connection.recv(65_536)
        head, found, body = got.partition(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        if found and len(body) >= int(length[0].partition(b":")[2]):
            return got
