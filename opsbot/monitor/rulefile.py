"""alerts.yaml: its text in, alert rules and warnings out, or every problem at once.

Problems refuse the file, warnings advise. Nothing is asked of a server: conditions are only read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import Field

from opsbot import promql
from opsbot.core import template
from opsbot.core.alert import SEVERITIES, AlertRule, TargetSpec
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.target import UNSPACED, kind_of
from opsbot.monitor import gotemplate
from opsbot.monitor.incidents import QUIET
from opsbot.yamlfile import Document, Duration, Step, Strict, Title, Where, fit, read_text, reading, sound

EVERY = timedelta(seconds=30)
SHORTEST = timedelta(seconds=1)

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


class TargetModel(Strict):
    """What an alert is about."""

    kind: str
    name: str
    namespace: str = ""


class AlertModel(Strict):
    """One entry of `alerts`."""

    name: Title
    condition: str = Field(min_length=1)
    severity: str = Field(min_length=1)
    actions: list[str] = []
    hold_for: Duration = Field(default=timedelta(), alias="for")
    keep_firing_for: Duration = timedelta()
    every: Duration | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    target: TargetModel | None = None


class FileModel(Strict):
    """alerts.yaml as a whole; the entries of `alerts` are read one by one, so that one's faults hide no other's."""

    alerts: list[dict[str, Any]] = []
    rule_files: list[str] = []
    inhibit: list[Any] = []


@dataclass(slots=True)
class _Found:
    document: Document
    playbooks: Collection[str] | None
    warnings: list[Problem] = field(default_factory=list)
    name: str = ""

    def bad(self, where: Where, message: str, hint: str = "", *, key: bool = False) -> None:
        self.document.note([self.document.problem(where, message, hint, self.name, key=key)])

    def warn(self, where: Where, message: str, hint: str = "") -> None:
        self.warnings.append(self.document.problem(where, message, hint, self.name))


def load(
    path: Path, playbooks: Collection[str] | None = None, every: timedelta = EVERY
) -> tuple[tuple[AlertRule, ...], tuple[Problem, ...]]:
    """The rules of a file and the warnings about it; ConfigError with every problem, an unreadable file included."""
    return parse(read_text(path), str(path), playbooks, every)


def parse(
    text: str, file: str, playbooks: Collection[str] | None = None, every: timedelta = EVERY
) -> tuple[tuple[AlertRule, ...], tuple[Problem, ...]]:
    """The rules in a text and the warnings; `playbooks` are the names that `actions` may use (None: not checked).

    `every` is how often a rule is asked that does not say so itself.
    """
    with reading(text, file) as document:
        found = _Found(document, playbooks)
        items = _top(found).get("alerts")
        entries = enumerate(items if isinstance(items, list) else [])
        rules = [(place, _rule(found, item, place, every)) for place, item in entries]
        whole = [(place, rule) for place, rule in rules if rule is not None]
        _unique(found, whole)
        return tuple(rule for _, rule in whole), tuple(found.warnings)


def _top(found: _Found) -> dict[str, Any]:
    """The file's keys; what is wrong with them is noted."""
    document = found.document
    if not isinstance(document.value, dict):
        raise ConfigError([document.problem((), "must be a mapping with the key `alerts`")])
    for key in ("rule_files", "inhibit"):
        if isinstance(document.value.get(key), list) and document.value[key]:
            found.bad((key,), f"{key}: is not supported yet", "leave it out", key=True)
    try:
        fit(document, FileModel)
    except ConfigError as error:
        document.note(error.problems)
    return document.value


def _rule(found: _Found, item: Any, place: int, every: timedelta) -> AlertRule | None:
    """One entry as a rule, or None where its form is wrong; every complaint is noted on the way."""
    if not isinstance(item, dict):
        return None  # said already, by the model of the file
    where: Where = ("alerts", place)
    found.name = str(item.get("name", ""))[:60]
    try:
        whole = bool(fit(found.document, AlertModel, item, where))
    except ConfigError as error:
        found.document.note(replace(problem, rule=found.name) for problem in error.problems)
        whole = False
    good = sound(found.document, AlertModel, item, where, _BLANK)
    if not good:
        return None
    rule = _vetted(replace(found, document=good[0]), good[1], where, every)
    return rule if whole else None


# What stands for a key that is missing or wrong while the others are looked at; nothing is said of these.
_BLANK = {"name": "?", "condition": "1 > 0", "severity": "warning"}


def _vetted(found: _Found, model: AlertModel, where: Where, every: timedelta) -> AlertRule:
    rule = _made(found, model, where, every)
    _vet_condition(found, rule, where)
    _vet_words(found, model, where)
    _vet_actions(found, model, where)
    _vet_labels(found, model, where)
    _vet_target(found, rule, where)
    return rule


def _made(found: _Found, model: AlertModel, where: Where, every: timedelta) -> AlertRule:
    given = model.target
    spec = TargetSpec(_kind(given.kind), given.name, given.namespace) if given else None
    return AlertRule(
        name=model.name, condition=model.condition, severity=model.severity, actions=tuple(model.actions),
        hold_for=model.hold_for, keep_firing_for=model.keep_firing_for, every=model.every or every,
        labels=model.labels, annotations=model.annotations, target=spec,
        file=found.document.file, line=found.document.at(where)[0],
    )  # fmt: skip


def _kind(word: str) -> str:
    try:
        return kind_of(word)
    except ValueError:
        return word


def _unique(found: _Found, rules: list[tuple[int, AlertRule]]) -> None:
    first: dict[str, AlertRule] = {}
    for place, rule in rules:
        before = first.setdefault(rule.id, rule)
        if before is not rule:
            found.name = rule.name
            found.bad(("alerts", place), f"{rule.name!r} is given twice", f"the first one is in line {before.line}")


# one entry ----------------------------------------------------------------------------------------------------------


def _vet_condition(found: _Found, rule: AlertRule, where: Where) -> None:
    at = (*where, "condition")
    try:
        promql.condition(rule.condition)
    except ValueError as error:
        found.bad(at, f"condition: no PromQL that can be watched: {error}")
        return
    if not promql.has_comparison(rule.condition):
        found.warn(at, "condition has no comparison: it holds for every series, even at 0", "compare it, as in `> 0`")
    kept = promql.kept_labels(rule.condition)
    if kept is not None:
        _vet_dropped(found, rule, where, kept)


def _vet_dropped(found: _Found, rule: AlertRule, where: Where, kept: frozenset[str]) -> None:
    """Warn of templates that name a label which the result of the condition cannot have."""
    texts = [(step, name, text) for step in ("labels", "annotations") for name, text in getattr(rule, step).items()]
    for step, name, text in texts:
        for label in sorted(_named(text) - kept):
            _dropped(found, (*where, step, name), label)
    final = kept | rule.labels.keys() | {"severity", "alertname"}
    for name, text in _target_texts(rule):
        for label in sorted(_target_labels(text) - final):
            _dropped(found, (*where, "target", name), label)


def _dropped(found: _Found, at: Where, label: str) -> None:
    found.warn(at, f"the condition drops the label {label!r}: it will be empty", f"keep it: `by ({label})`")


def _named(text: str) -> frozenset[str]:
    try:
        return gotemplate.parse(text).labels
    except ValueError:
        return frozenset()


def _target_texts(rule: AlertRule) -> Iterator[tuple[str, str]]:
    if rule.target:
        yield from (("kind", rule.target.kind), ("namespace", rule.target.namespace), ("name", rule.target.name))


def _target_labels(text: str) -> frozenset[str]:
    try:
        return frozenset(path.removeprefix("labels.") for path in template.references(text))
    except ValueError:
        return frozenset()


def _vet_words(found: _Found, model: AlertModel, where: Where) -> None:
    if model.every is not None and model.every < SHORTEST:
        found.bad((*where, "every"), "every: must be 1s or longer")
    if model.severity not in (*SEVERITIES, QUIET):
        near = get_close_matches(model.severity, SEVERITIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(SEVERITIES)}"
        found.warn((*where, "severity"), f"severity {model.severity[:40]!r} is not known: it ranks as warning", hint)


def _vet_actions(found: _Found, model: AlertModel, where: Where) -> None:
    for place, name in enumerate(model.actions):
        at: Where = (*where, "actions", place)
        if name in model.actions[:place]:
            found.bad(at, f"actions: {name!r} is given twice")
        elif found.playbooks is not None and name not in found.playbooks:
            near = get_close_matches(name, sorted(found.playbooks), n=1, cutoff=0.5)
            known = ", ".join(sorted(found.playbooks)) or "none"
            hint = f"did you mean {near[0]!r}?" if near else f"known playbooks: {known}"
            found.bad(at, f"actions: there is no playbook {name[:60]!r}", hint)


def _vet_labels(found: _Found, model: AlertModel, where: Where) -> None:
    for step, texts in (("labels", model.labels), ("annotations", model.annotations)):
        for name, text in texts.items():
            at: Where = (*where, step, name)
            if not _LABEL.fullmatch(name) or (step == "labels" and name == "__name__"):
                found.bad(at, f"{step}: {name[:60]!r} is no label name", "letters, digits and _ only", key=True)
            try:
                gotemplate.parse(text)
            except ValueError as error:
                found.bad(at, f"{step}.{name}: {error}")
    for name, why in (("severity", "it has a key of its own"), ("alertname", "it is the alert's name")):
        if name in model.labels:
            found.bad((*where, "labels", name), f"labels: {name!r} cannot be set here: {why}", key=True)


def _vet_target(found: _Found, rule: AlertRule, where: Where) -> None:
    if rule.target is None:
        if rule.actions:
            found.warn((*where, "actions"), "there is no target: nothing will be proposed", "name one under `target`")
        return
    for step, text in _target_texts(rule):
        _vet_reference(found, text, (*where, "target", step), step)
    if "{{" in rule.target.kind:
        return
    try:
        spaced = kind_of(rule.target.kind) not in UNSPACED
    except ValueError as error:
        found.bad((*where, "target", "kind"), f"target.kind: {error}")
        return
    if spaced and not rule.target.namespace:
        found.bad((*where, "target"), "target.namespace: is missing")


def _vet_reference(found: _Found, text: str, at: Where, step: Step) -> None:
    try:
        paths = list(template.references(text))
    except ValueError as error:
        found.bad(at, f"target.{step}: {error}")
        return
    for path in paths:
        if not path.startswith("labels.") or path.count(".") != 1:
            found.bad(at, f"target.{step}: {path!r} is not known here", "write {{ labels.NAME }}")
    if not paths and step != "kind" and text and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", text, re.ASCII):
        found.bad(at, f"target.{step}: {text[:60]!r} is no {step} of a Kubernetes object")
