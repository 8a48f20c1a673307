"""A real Prometheus with nothing in it, for one test: samples in by remote write, answers to queries out.

It runs on a free port of loopback, in a folder that goes with it, and keeps everything in memory at whatever time the
samples say, 1970 included: its blocks are so long that it never closes one.
"""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from opsbot.config import cache_folder
from opsbot.core import duration
from opsbot.core.errors import PermanentError
from opsbot.lab import remote
from opsbot.lab.remote import Line, Point
from opsbot.practice import prometheus
from opsbot.practice.processes import Keeper, keeping

PATIENCE = 60.0
"""Seconds for one answer, and for it to come up."""

AT_ONCE = 100_000
"""Points in one write."""


AHEAD = 2
"""Servers that come up while another works: most of the time goes into their start, which one core does each."""

FUTURE = "its times lie after now: Prometheus 3 takes no samples of the future by remote write, so it cannot be asked"

_SPARING = ("env", "GOGC=400")
"""A server is thrown away after a second: collecting garbage is a third of the work of its start."""


class RefusedError(Exception):
    """Prometheus does not take these samples: out of order, two values at one time, or of the future."""


class WrongError(Exception):
    """Prometheus cannot evaluate an expression; what it says."""


@dataclass(frozen=True, slots=True)
class Result:
    """What an expression gives: its kind, and series with their points."""

    kind: str
    series: tuple[tuple[Mapping[str, str], tuple[Point, ...]], ...]


class PromServer:
    """One of them, ready."""

    def __init__(self, port: int) -> None:
        self._line = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def write(self, lines: Iterable[Line]) -> None:
        """Keep samples; a series that has some must get later ones. RefusedError where they are not taken."""
        for part in _parts(lines):
            status, said = self._ask("POST", "/api/v1/write", remote.body(part), remote.HEADERS)
            if status // 100 != 2:
                why = said.decode("utf-8", "replace").strip()[:300]
                raise RefusedError(FUTURE if "too far in the future" in why else why)

    def range(self, expression: str, first: int, last: int, every: int) -> Result:
        """The values of an expression at each step; times in milliseconds."""
        when = {"start": _time(first), "end": _time(last), "step": _time(every)}
        return self._query("query_range", {"query": expression, **when})

    def instant(self, expression: str, at: int) -> Result:
        """The values of an expression at one time."""
        return self._query("query", {"query": expression, "time": _time(at)})

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            return self._ask("GET", "/-/ready")[0] == 200
        except (OSError, http.client.HTTPException):
            self.close()
            return False

    def close(self) -> None:
        """Hang up."""
        self._line.close()

    def _query(self, path: str, form: Mapping[str, str]) -> Result:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, said = self._ask("POST", f"/api/v1/{path}", urlencode(form).encode(), kind)
        answer = json.loads(said)
        if answer.get("status") != "success":
            raise WrongError(str(answer.get("error"))[:300])
        return _result(answer["data"])

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        self._line.request(method, path, body, dict(headers or {}))
        answer = self._line.getresponse()
        return answer.status, answer.read()


def _time(milliseconds: int) -> str:
    sign, whole = ("-" if milliseconds < 0 else ""), abs(milliseconds)
    return f"{sign}{whole // 1000}.{whole % 1000:03}"


def _parts(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Writes of a bounded size; a long series is spread over several."""
    part: list[Line] = []
    count = 0
    for labels, points in lines:
        for at in range(0, len(points), AT_ONCE):
            piece = points[at : at + AT_ONCE]
            part, count = [*part, (labels, piece)] if count else [(labels, piece)], count + len(piece)
            if count >= AT_ONCE:
                yield part
                part, count = [], 0
    if part:
        yield part


def _result(data: Mapping[str, Any]) -> Result:
    kind, found = str(data["resultType"]), data["result"]
    if kind in ("scalar", "string"):
        return Result(kind, (({}, (_point(found),)) if kind == "scalar" else (({}, ())),))
    if any("histogram" in one or "histograms" in one for one in found):
        raise WrongError("the answer holds native histograms, which are not supported")
    pairs = ((one["metric"], one.get("values") or [one["value"]]) for one in found)
    return Result(kind, tuple((labels, tuple(map(_point, values))) for labels, values in pairs))


def _point(pair: Any) -> Point:
    return round(float(pair[0]) * 1000), float(pair[1])


# raising one --------------------------------------------------------------------------------------------------------


class Bench:
    """The Prometheus that is asked: the one given, else what is at hand, looked for when it is wanted first."""

    def __init__(self, program: Path | None = None) -> None:
        self._program = program

    @property
    def program(self) -> Path:
        """Where it is; PermanentError where there is none and none can be had."""
        self._program = self._program or prometheus.newest(cache_folder(), lambda _said: None)
        return self._program

    @property
    def asked(self) -> dict[str, str] | None:
        """Which version was asked, and where it is; None where it was never wanted."""
        return {"version": prometheus.version(self._program), "path": str(self._program)} if self._program else None


class Servers:
    """Fresh ones, one at a time: the next come up while one works, and one that is done with ends at once."""

    def __init__(self, program: Path, every: timedelta, keeper: Keeper) -> None:
        self._program = program
        self._keeper = keeper
        self._config = keeper.folder / "prometheus.yml"
        self._config.write_text(f"global: {{evaluation_interval: {duration.spell(every)}}}\n")
        self._coming: deque[tuple[str, PromServer]] = deque()
        self._working: tuple[str, PromServer] | None = None
        self._ports: set[int] = set()

    def next(self, more: int = 0) -> PromServer:
        """One that is ready; so many `more` will surely be asked for. PermanentError where it does not come up."""
        self.end()
        while len(self._coming) < 1 + min(more, AHEAD):
            self._coming.append(self._start())
        self._working = name, server = self._coming.popleft()
        until = time.monotonic() + PATIENCE
        while not server.ready():
            self._keeper.check()
            if time.monotonic() > until:
                raise PermanentError(f"prometheus did not come up: {self._keeper.last_words(name)}")
            time.sleep(0.005)
        return server

    def end(self) -> None:
        """Be done with the one that works."""
        if self._working:
            name, server = self._working
            server.close()
            self._keeper.stop(name)
            self._working = None

    def _start(self) -> tuple[str, PromServer]:
        port = next(port for port in iter(_free_port, 0) if port not in self._ports)  # the last may not listen yet
        self._ports.add(port)
        name = f"prometheus{len(self._ports)}"
        self._keeper.start(name, _command(self._program, self._keeper.folder / name, self._config, port))
        return name, PromServer(port)


@contextmanager
def serving(program: Path, every: timedelta) -> Iterator[Servers]:
    """Servers of this program; `every` is the step of subqueries that name none. All end with the context."""
    with keeping() as keeper:
        servers = Servers(program, every, keeper)
        try:
            yield servers
        finally:
            servers.end()


def _command(program: Path, folder: Path, config: Path, port: int) -> list[str]:
    return [
        *_SPARING, str(program), f"--config.file={config}", f"--storage.tsdb.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error",
        "--storage.tsdb.min-block-duration=100000d", "--storage.tsdb.max-block-duration=100000d",
    ]  # fmt: skip


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
