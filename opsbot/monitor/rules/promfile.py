"""Prometheus' own rule files and PrometheusRule objects: their text in, groups of rules out, or every problem at once.

Several documents and lists of objects are read as one. Recording rules are judged too, and are for others to evaluate.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from opsbot.core.alert import AlertRule
from opsbot.core.errors import ConfigError, Problem
from opsbot.monitor.rules.promgroups import Entry, Group, Part, Reading, RecordRule
from opsbot.monitor.rules.rulefile import EVERY
from opsbot.monitor.rules.vetting import Judge
from opsbot.yamlfile import Document, Where, read_text
from opsbot.yamlfile import parse as documents

RECORDED = "is a recording rule: Prometheus evaluates it, opsbot does not"


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something in a file that opsbot does not watch, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class PromFile:
    """A rule file without problems."""

    groups: tuple[Group, ...]
    ignored: tuple[Ignored, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def alerts(self) -> tuple[AlertRule, ...]:
        """Its alerting rules, in order."""
        return tuple(rule.alert for group in self.groups for rule in group.rules if isinstance(rule, Entry))


def load(path: Path, playbooks: Collection[str] | None = None, every: timedelta = EVERY) -> PromFile:
    """The rules of a file; ConfigError with every problem, an unreadable file included."""
    return parse(read_text(path), str(path), playbooks, every)


def parse(text: str, file: str, playbooks: Collection[str] | None = None, every: timedelta = EVERY) -> PromFile:
    """The rules in a text, which may hold several documents and lists of objects, as kubectl prints them.

    `playbooks` are the names that `opsbot_actions` may use (None: not checked), `every` how often a rule is asked whose
    group does not say.
    """
    found = documents(text, file, foreign=True)
    parts = [part for document in found for part in _parts(document)]
    read = [Reading(part, Judge(part.document, playbooks), every) for part in parts]
    groups = tuple(group for one in read for group in one.groups())
    problems = [problem for one in found for problem in _named(one, read)]
    if problems:
        raise ConfigError(problems)
    recorded = [
        Ignored(rule.name, RECORDED) for group in groups for rule in group.rules if isinstance(rule, RecordRule)
    ]
    others = [other for document in found for other in _others(document)]
    return PromFile(groups, (*recorded, *others), tuple(warning for one in read for warning in one.judge.warnings))


def is_rules(value: Any) -> bool:
    """Whether a document is one of these, by its top-level keys."""
    if not isinstance(value, dict):
        return False
    return "groups" in value or _is_object(value) or any(_is_object(item) for item in _items(value))


# documents ----------------------------------------------------------------------------------------------------------


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and value.get("kind") == "PrometheusRule"


def _items(value: Any) -> list[Any]:
    listed = isinstance(value, dict) and str(value.get("kind", "")).endswith("List")
    return value["items"] if listed and isinstance(value.get("items"), list) else []


def _parts(document: Document) -> Iterator[Part]:
    value = document.value
    if _is_object(value):
        yield Part(document, value.get("spec"), ("spec",), of_object=True)
    elif _items(value):
        for place, item in enumerate(value["items"]):
            if _is_object(item):
                yield Part(document, item.get("spec"), ("items", place, "spec"), of_object=True)
    elif not (isinstance(value, dict) and "kind" in value and "apiVersion" in value):
        yield Part(document, value, (), of_object=False)


def _others(document: Document) -> Iterator[Ignored]:
    """Objects of other kinds that were printed along."""
    value = document.value
    whole = [value] if isinstance(value, dict) and "kind" in value and not _items(value) else _items(value)
    for item in whole:
        if isinstance(item, dict) and not _is_object(item):
            meta = item.get("metadata")
            name = meta.get("name", "") if isinstance(meta, dict) else ""
            yield Ignored(f"{str(item.get('kind', '?'))[:60]}/{str(name)[:253]}", "is no PrometheusRule")


def _named(document: Document, read: list[Reading]) -> Iterator[Problem]:
    """The problems of a document, each with the rule in which it stands, also where only its form is wrong."""
    told = document.told()
    rules = [rule for one in read if told and one.part.document is document for rule in one.rules]
    spans = _spans(document, rules)
    starts = [first for first, _, _ in spans]
    for problem in told:
        place = bisect_right(starts, problem.line) - 1
        around = spans[place][2] if place >= 0 and problem.line <= spans[place][1] else ""
        yield replace(problem, rule=problem.rule or around)


def _spans(document: Document, rules: Sequence[tuple[Where, str]]) -> list[tuple[int, int, str]]:
    """The first and the last line on which something of each rule begins, and its name, in the order of the file."""
    found = {where: [document.at(where)[0]] * 2 for where, _ in rules}
    depths = {len(where) for where in found}
    for path, (line, _) in (*document.marks.items(), *document.keys.items()):
        for depth in depths:
            span = found.get(path[:depth])
            if span is not None and len(path) >= depth:
                span[1] = max(span[1], line)
    return sorted((first, last, name) for (first, last), (_, name) in zip(found.values(), rules, strict=True))
