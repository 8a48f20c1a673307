"""A Prometheus that says what it was told to: expressions in, HTTP answers out, the spoilt ones included.

`FakePrometheus.handle` is the whole of it; `serve` puts it behind HTTP on loopback. `FakeMetrics` is the same idea
without HTTP, for what stands on the metrics port. Neither evaluates anything: an expression it was not told of is 501.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from opsbot.core.alert import Answer, Sample
from opsbot.core.errors import Blind, OpsbotError
from opsbot.testing.cluster.wire import Request
from opsbot.testing.loopback import Ending, Told, served

Series = tuple[Mapping[str, str], float]
ANY = ""
"""In place of an expression: what is said to all that nothing else is said to."""
PROBE = "vector(1)"
"""What is asked to learn whether there is a Prometheus at all: both know the answer, unless they are told another."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer in the making: `data` may hold `$time`, in whose place the time asked for (plus `late`) is put."""

    data: Any = None
    status: int = 200
    late: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)
    raw: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = Ending.WHOLE

    def but(self, **changes: Any) -> Said:
        """The same answer with something else about it."""
        return replace(self, **changes)


def vector(*series: Series) -> Said:
    """A vector of labels and values; none for an empty one."""
    return Said(
        {"resultType": "vector", "result": [{"metric": {**s}, "value": ["$time", _spelt(v)]} for s, v in series]}
    )


def scalar(value: float) -> Said:
    """A number without labels."""
    return Said({"resultType": "scalar", "result": ["$time", _spelt(value)]})


def refusal(status: int, kind: str, why: str) -> Said:
    """An error as Prometheus tells it."""
    return Said(status=status, more={"status": "error", "errorType": kind, "error": why})


def web_page(status: int = 200) -> Said:
    """What a proxy or a wrong address says."""
    return Said(status=status, raw=b"<!doctype html><title>sign in</title>", headers={"Content-Type": "text/html"})


WARNING = {"warnings": ["store-2: no answer, some series are missing"]}
PARTIAL = {"isPartial": True}
INFO = {"infos": ['PromQL info: metric might not be a counter: "queue" (1:6)']}


def _spelt(value: float) -> str:
    """As Go writes it: with an exponent only where it is very small or very large."""
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[repr(value)]
    if value and not 1e-6 <= abs(value) < 1e21:
        return repr(value)
    plain = f"{Decimal(repr(value)):f}"
    return plain.removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Question:
    """What it was asked; `at` in seconds since 1970, None where no time was given."""

    expression: str
    at: float | None
    token: str
    method: str


class FakePrometheus:
    """Programmable and HTTP-shaped. With a `token` it lets nobody in who does not bring it."""

    def __init__(self, version: str = "2.42.0", token: str = "") -> None:
        self.asked: list[Question] = []
        self._version = version
        self._token = token
        self._said: dict[str, list[Said]] = {PROBE: [vector(({}, 1.0))]}

    def says(self, expression: str, *said: Said) -> None:
        """Answer an expression (or ANY) with these in turn, and with the last one from then on."""
        if not said:
            raise ValueError("say something, `vector()` for instance")
        self._said[expression] = list(said)

    def handle(self, asked: Request) -> Told:
        """One request, answered."""
        if self._token and asked.token != self._token:
            return Told(401, b"Unauthorized", {"Content-Type": "text/plain"})
        if asked.path == "/api/v1/status/buildinfo" and asked.method == "GET":
            return self._made(Said({"version": self._version}), None)
        if asked.path == "/api/v1/query" and asked.method in ("GET", "POST"):
            return self._query(asked)
        return Told(404, b"404 page not found\n", {"Content-Type": "text/plain"})

    def _query(self, asked: Request) -> Told:
        given = {**asked.query, **dict(parse_qsl(asked.body.decode("utf-8", "replace"), keep_blank_values=True))}
        try:
            expression, at = given.get("query", ""), float(given["time"]) if "time" in given else None
        except ValueError:
            why = f"invalid parameter \"time\": Invalid time value for 'time': cannot parse {json.dumps(given['time'])}"
            return self._made(refusal(400, "bad_data", f"{why} to a valid timestamp"), None)
        self.asked.append(Question(expression, at, asked.token, asked.method))
        waiting = self._said.get(expression) or self._said.get(ANY)
        if not waiting:
            return self._made(refusal(501, "not_told", f"the fake was told nothing about {expression!r}"), at)
        return self._made(waiting.pop(0) if len(waiting) > 1 else waiting[0], at)

    def _made(self, said: Said, at: float | None) -> Told:
        envelope = {"status": "success", **({} if said.data is None else {"data": said.data}), **said.more}
        stamp = json.dumps(round((at or 0.0) + said.late, 3))
        body = json.dumps(envelope).replace('"$time"', stamp).encode() if said.raw is None else said.raw
        return Told(said.status, body, {"Content-Type": "application/json", **said.headers}, said.ending)

    def serve(self, port: int = 0) -> AbstractContextManager[str]:
        """Serve on loopback while the context lasts; its value is the URL."""
        return served(self.handle, port)


class FakeMetrics:
    """`core.ports.Metrics` in the process itself. An expression it was not told of is Blind."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, datetime]] = []
        self._said: dict[str, tuple[Series, ...] | OpsbotError] = {PROBE: (({}, 1.0),)}
        self._at: datetime | None = None

    def says(self, expression: str, *series: Series) -> None:
        """From now on this expression has these results; none for an empty answer."""
        self._said[expression] = series

    def fails(self, expression: str, error: OpsbotError) -> None:
        """From now on this expression cannot be answered."""
        self._said[expression] = error

    def answers_for(self, at: datetime | None) -> None:
        """Answer for this time whatever is asked (stale answers); None to answer for the time asked again."""
        self._at = at

    def query(self, expression: str, at: datetime, timeout: float = 10.0) -> Answer:  # noqa: ARG002
        """What was said, for the time asked."""
        self.asked.append((expression, at))
        joined = self._joined(expression)
        said = self._of(expression) if joined is None else joined
        stamp = self._at or at
        return Answer(tuple(Sample(labels, value, stamp) for labels, value in said), stamp)

    def _of(self, expression: str) -> tuple[Series, ...]:
        said = self._said.get(expression, Blind(f"the fake was told nothing about {expression!r}"))
        if isinstance(said, OpsbotError):
            raise said
        return said

    def _joined(self, expression: str) -> tuple[Series, ...] | None:
        """What it was told of the parts of `label_replace(…) or label_replace(…)`, each with its label."""
        parts = [(found["label"], found["value"], found["inner"]) for found in _PART.finditer(expression)]
        if expression in self._said or not parts:
            return None
        return tuple(
            ({**labels, label: f"{value} {labels.get(label, '')}"}, number)
            for label, value, inner in parts for labels, number in self._of(inner)
        )  # fmt: skip


_PART = re.compile(
    r'label_replace\((?:vector\()?(?P<inner>.*?)\n\)?, "(?P<label>\w+)", "(?P<value>\w+) \$1", "(?P=label)", "[^"]*"\)',
    re.DOTALL,
)
