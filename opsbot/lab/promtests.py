"""promtool's unit-test files: their text in, test groups and their cases out, or every problem at once.

The keys are those of prometheus/cmd/promtool/unittest.go. Nothing is evaluated here; what is wrong with one series is
told by the cases of its group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, TypeVar

from opsbot.core.errors import ConfigError, Problem
from opsbot.lab import goyaml, series
from opsbot.yamlfile import Document, Fields, Where
from opsbot.yamlfile import parse as documents

KEYS = frozenset({"rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"})
GROUP = (
    "name", "interval", "start_timestamp", "input_series", "alert_rule_test", "promql_expr_test", "external_labels",
    "external_url",
)  # fmt: skip
EVERY = timedelta(minutes=1)
MOST_STEPS = 1_000_000

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[-+]\d\d:\d\d)", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class InputSeries:
    """A series as it is written."""

    series: str
    values: str


@dataclass(frozen=True, slots=True)
class Expected:
    """An alert that should fire."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AlertCase:
    """Which alerts of a name should fire at a time."""

    at: timedelta
    alert: str
    alerts: tuple[Expected, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class ExprCase:
    """What an expression should give at a time: (series as written, value)."""

    at: timedelta
    expression: str
    samples: tuple[tuple[str, float], ...]
    histograms: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class PromTest:
    """One entry of `tests`: series, and what should come of them."""

    name: str
    interval: timedelta
    series: tuple[InputSeries, ...]
    alerts: tuple[AlertCase, ...]
    expressions: tuple[ExprCase, ...]
    external_labels: Mapping[str, str] = field(default_factory=dict)
    external_url: str = ""
    start: timedelta = timedelta()
    """When its time begins, counted from 1970."""
    line: int = 0

    @property
    def until(self) -> timedelta:
        """The last time that a case asks for."""
        times = [*(case.at for case in self.alerts), *(case.at for case in self.expressions)]
        return max(times, default=timedelta())


@dataclass(frozen=True, slots=True)
class PromTests:
    """A unit-test file without problems."""

    file: str
    rule_files: tuple[str, ...]
    every: timedelta
    order: tuple[str, ...]
    groups: tuple[PromTest, ...]
    fuzzy: bool = False
    warnings: tuple[Problem, ...] = ()
    """What is hardly meant so, and no error for promtool either."""


def parse(text: str, file: str) -> PromTests:
    """Read a unit-test file, of which the first document counts; ConfigError with every problem in that."""
    document = next(iter(documents(text, file, foreign=True)), Document(file))
    tests = _Reading(document).file()
    if document.problems:
        raise ConfigError(document.told())
    return tests


class _Reading(Fields):
    """The document being read."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.warnings: list[Problem] = []

    def file(self) -> PromTests:
        value = self.mapping(self.document.value, (), KEYS)
        every = self.length(value, (), "evaluation_interval") or EVERY
        tests = self.each(value, (), "tests", lambda item, where: self.group(item, where, every))
        order = self.strings(value, "group_eval_order")
        for place, name in enumerate(order):
            if name in order[:place]:
                self.bad(("group_eval_order", place), f"group_eval_order: {name[:60]!r} is given twice")
        return PromTests(
            self.document.file, self.strings(value, "rule_files"), every, order, tests,
            self.truth(value, (), "fuzzy_compare"), tuple(self.warnings),
        )  # fmt: skip

    def group(self, item: Any, where: Where, every: timedelta) -> PromTest:
        value = self.mapping(item, where, GROUP)
        made = PromTest(
            self.text(value, where, "name"),
            self.length(value, where, "interval") or every,
            tuple(self.loaded(value, where)),
            self.each(value, where, "alert_rule_test", self.alert),
            self.each(value, where, "promql_expr_test", self.expression),
            self.texts(value, where, "external_labels"),
            self.text(value, where, "external_url"),
            self.moment(value, where, "start_timestamp"),
            self.document.at(where)[0],
        )
        if made.until / every > MOST_STEPS:
            self.bad(where, f"asks for more than {MOST_STEPS} evaluations")
        return made

    def loaded(self, item: Mapping[str, Any], where: Where) -> Iterator[InputSeries]:
        """The series as promtool loads them: as lines of one text, which ends at the first that is empty or a comment.

        So a value that ends with a line break (`values: |`) takes the series after it away; promtool is silent there.
        """
        written = [
            (line.strip(), at) for text, at in self.each(item, where, "input_series", self.lines) for line in text
        ]
        read = list(takewhile(lambda line: line[0] and line[0][0] != "#", written))
        for line, _ in read:
            yield InputSeries(*series.split(line))
        lost = next((at for line, at in written[len(read) :] if line and line[0] != "#"), None)
        if lost:
            why = "is not loaded, nor is any series after it: an empty line stands before it, and promtool stops there"
            self.warnings.append(
                self.document.problem(lost, why, "write `values: |-` or `>-` for one without line end")
            )

    def lines(self, item: Any, where: Where) -> tuple[list[str], Where]:
        value = self.mapping(item, where, ("series", "values"))
        return f"{self.text(value, where, 'series')} {self.text(value, where, 'values')}".split("\n"), where

    def alert(self, item: Any, where: Where) -> AlertCase:
        value = self.mapping(item, where, ("eval_time", "alertname", "exp_alerts"))
        name, at = self.needed(value, where, "alertname"), self.length(value, where, "eval_time") or timedelta()
        return AlertCase(at, name, self.each(value, where, "exp_alerts", self.expected), self.document.at(where)[0])

    def expected(self, item: Any, where: Where) -> Expected:
        value = self.mapping(item, where, ("exp_labels", "exp_annotations"))
        return Expected(self.texts(value, where, "exp_labels"), self.texts(value, where, "exp_annotations"))

    def expression(self, item: Any, where: Where) -> ExprCase:
        value = self.mapping(item, where, ("expr", "eval_time", "exp_samples"))
        samples = self.each(value, where, "exp_samples", self.sample)
        at = self.length(value, where, "eval_time") or timedelta()
        histograms = any(histogram for _, histogram in samples)
        wanted, line = tuple(sample for sample, _ in samples), self.document.at(where)[0]
        return ExprCase(at, self.needed(value, where, "expr"), wanted, histograms, line)

    def sample(self, item: Any, where: Where) -> tuple[tuple[str, float], bool]:
        value = self.mapping(item, where, ("labels", "value", "histogram"))
        return (self.text(value, where, "labels"), self.number(value, where, "value")), bool(value.get("histogram"))

    def moment(self, item: Mapping[str, Any], where: Where, key: str) -> timedelta:
        """A time as seconds since 1970, or as RFC 3339 writes it; 1970 where there is none."""
        text = self.text(item, where, key) or "0"
        try:
            return timedelta(seconds=float(text))
        except (ValueError, OverflowError):
            pass
        try:
            if not _MOMENT.fullmatch(text):
                raise ValueError(text)
            return datetime.fromisoformat(text.upper()) - datetime(1970, 1, 1, tzinfo=UTC)
        except ValueError:
            self.bad((*where, key), f"{key}: {text[:40]!r} is no time: write 2024-01-01T00:00:00Z")
            return timedelta()

    # values ---------------------------------------------------------------------------------------------------------

    def mapping(self, item: Any, where: Where, known: Collection[str]) -> dict[str, Any]:
        if not isinstance(item, dict):
            if item is not None:  # nothing written is an empty mapping, as there
                self.bad(where, "must be a mapping")
            return {}
        self.keys(item, where, known)
        return item

    def each(
        self, item: Mapping[str, Any], where: Where, key: str, read: Callable[[Any, Where], T]
    ) -> tuple[T, ...]:  # fmt: skip
        return tuple(read(one, at) for one, at in self.listed(item, where, key))

    def needed(self, item: Mapping[str, Any], where: Where, key: str) -> str:
        if not item.get(key):
            self.bad(where, f"{key}: is missing")
        return self.text(item, where, key)

    def strings(self, item: Mapping[str, Any], key: str) -> tuple[str, ...]:
        return self.each(item, (), key, lambda one, where: self.text({"": one}, where[:-1], ""))

    def number(self, item: Mapping[str, Any], where: Where, key: str) -> float:
        return self.word(item, where, key, goyaml.number) or 0.0

    def truth(self, item: Mapping[str, Any], where: Where, key: str) -> bool:
        return self.word(item, where, key, goyaml.truth) or False

    def word(self, item: Mapping[str, Any], where: Where, key: str, read: Callable[[str], T]) -> T | None:
        """A bare word as something else than text; None where there is none, and in quotes it is none."""
        text, quoted = self.text(item, where, key), self.document.at((*where, key)) in self.document.quoted
        if not text and not quoted:
            return None
        try:
            if quoted:
                raise ValueError(f"{text[:40]!r} is text: write it without quotes")
            return read(text)
        except ValueError as error:
            self.bad((*where, key), f"{key}: {error}")
            return None
