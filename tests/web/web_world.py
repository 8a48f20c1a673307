"""The server on a real store, over loopback: requests as clients make them, and bytes as nobody should."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from opsbot.config import Generic
from opsbot.core.alert import Push
from opsbot.core.errors import TemporaryError
from opsbot.core.ports import Store
from opsbot.monitor.receiving.payloads import alertmanager, generic, grafana
from opsbot.monitor.receiving.receiver import Receiver, Reception
from opsbot.web.bearer import Bearer
from opsbot.web.exposition import Family, family
from opsbot.web.intake import Intake, Read
from opsbot.web.listener import Listener
from opsbot.web.routes import Parts, app

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
JSON = {"content-type": "application/json"}
SENSORS = Generic(
    name="{{ alert.title }}", status="{{ alert.state }}", firing=("open",), resolved=("closed",), alerts="events",
    labels={"host": "{{ alert.host }}"},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A server of a test. `keep` may stand in for the receiver; with `reasons` it is not ready and has no figures."""

    store: Store
    token_file: Path | None = None
    keep: Callable[[Sequence[Push], datetime], Mapping[tuple[str, str], int]] | None = None
    most_bytes: int = 200_000
    reasons: list[str] = field(default_factory=list)
    news: list[int] = field(default_factory=list)

    def __enter__(self) -> Served:
        receiver = Receiver(self.store, Reception("prod"), tuple, tuple)
        readers: dict[str, Read] = {
            "alertmanager": alertmanager.read, "grafana": grafana.read,
            "sensors": partial(generic.read, source="sensors", how=SENSORS),
        }  # fmt: skip
        self.intake = Intake(readers, self.keep or receiver.receive, lambda: NOW, lambda: self.news.append(1))
        self._executor = ThreadPoolExecutor(1)
        parts = Parts(
            self.intake, Bearer(self.token_file), lambda: self.reasons, self.figures, self._executor, self.most_bytes
        )  # fmt: skip
        self._listener = Listener("127.0.0.1:0", app(parts))
        self.intake.start()
        self._listener.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.intake.stop()
        self._executor.shutdown()

    @property
    def port(self) -> int:
        return self._listener.port

    def figures(self) -> list[Family]:
        if self.reasons:
            raise TemporaryError("the store is busy")
        return [family("opsbot_test", "gauge", "A figure.", 1)]

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, dict(headers or {}))
            found = connection.getresponse()
            named = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, named, found.read().decode())
        finally:
            connection.close()

    def post(self, value: Any, name: str = "alertmanager", **headers: str) -> Answer:
        """A payload to a webhook."""
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.ask("POST", f"/webhooks/{name}", body, {**JSON, **headers})

    def raw(self, *pieces: bytes, end: bool = False) -> bytes:
        """Bytes as they are, and all that comes back until the server ends the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as client:
            try:
                for piece in pieces:
                    client.sendall(piece)
                if end:
                    client.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server has said enough
            return _all(client)


def _all(client: socket.socket) -> bytes:
    found = b""
    try:
        while piece := client.recv(65_536):
            found += piece
    except ConnectionResetError:
        pass
    return found
