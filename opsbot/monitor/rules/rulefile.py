"""alerts.yaml: its text in, alert rules and warnings out, or every problem at once.

Problems refuse the file, warnings advise. Nothing is asked of a server: conditions are only read.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field

from opsbot.core.alert import AlertRule, TargetSpec
from opsbot.core.errors import ConfigError, Problem
from opsbot.core.silence import Inhibition
from opsbot.monitor.rules import inhibitfile, vetting
from opsbot.monitor.rules.inhibitfile import InhibitModel
from opsbot.monitor.rules.vetting import Judge
from opsbot.yamlfile import Duration, Strict, Title, Where, fit, read_text, reading, sound

EVERY = timedelta(seconds=30)
SHORTEST = timedelta(seconds=1)


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
    inhibit: list[InhibitModel] = []


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
        found = Judge(document, playbooks)
        top = _top(found)
        items = top.get("alerts")
        entries = enumerate(items if isinstance(items, list) else [])
        rules = [(place, _rule(found, item, place, every)) for place, item in entries]
        whole = [(place, rule) for place, rule in rules if rule is not None]
        _unique(found, whole)
        inhibitfile.inhibitions(found, top.get(inhibitfile.KEY))
        return tuple(rule for _, rule in whole), tuple(found.warnings)


def patterns(text: str, file: str) -> tuple[str, ...]:
    """The patterns under `rule_files`; ConfigError where the text cannot be read."""
    with reading(text, file) as document:
        found = _top(Judge(document, None)).get("rule_files")
        return tuple(found) if isinstance(found, list) else ()


def inhibitions(text: str, file: str) -> tuple[Inhibition, ...]:
    """What stands under `inhibit`; ConfigError where the text cannot be read, or an entry is wrong."""
    with reading(text, file) as document:
        found = Judge(document, None)
        return inhibitfile.inhibitions(found, _top(found).get(inhibitfile.KEY))


def _top(found: Judge) -> dict[str, Any]:
    """The file's keys; what is wrong with them is noted."""
    document = found.document
    if not isinstance(document.value, dict):
        raise ConfigError([document.problem((), "must be a mapping with the key `alerts`")])
    try:
        fit(document, FileModel)
    except ConfigError as error:
        document.note(error.problems)
    return document.value


def _rule(found: Judge, item: Any, place: int, every: timedelta) -> AlertRule | None:
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
_BLANK = {"name": "?", "condition": "vector(1) > 0", "severity": "warning"}


def _vetted(found: Judge, model: AlertModel, where: Where, every: timedelta) -> AlertRule:
    rule = _made(found, model, where, every)
    vetting.condition(found, rule, where, "condition")
    if model.every is not None and model.every < SHORTEST:
        found.bad((*where, "every"), "every: must be 1s or longer")
    vetting.severity(found, model.severity, (*where, "severity"))
    vetting.actions(found, model.actions, (*where, "actions"))
    vetting.texts(found, "labels", model.labels, where)
    vetting.texts(found, "annotations", model.annotations, where)
    for name, why in (("severity", "it has a key of its own"), ("alertname", "it is the alert's name")):
        if name in model.labels:
            found.bad((*where, "labels", name), f"labels: {name!r} cannot be set here: {why}", key=True)
    vetting.target(found, rule, where)
    return rule


def _made(found: Judge, model: AlertModel, where: Where, every: timedelta) -> AlertRule:
    given = model.target
    spec = TargetSpec(vetting.kind(given.kind), given.name, given.namespace) if given else None
    return AlertRule(
        name=model.name, condition=model.condition, severity=model.severity, actions=tuple(model.actions),
        hold_for=model.hold_for, keep_firing_for=model.keep_firing_for, every=model.every or every,
        labels=model.labels, annotations=model.annotations, target=spec,
        file=found.document.file, line=found.document.at(where)[0],
    )  # fmt: skip


def _unique(found: Judge, rules: list[tuple[int, AlertRule]]) -> None:
    """Note alerts that say the same of the same; two of one name with other conditions are two (`core.alert.apart`)."""
    first: dict[tuple[str, str], AlertRule] = {}
    for place, rule in rules:
        before = first.setdefault((rule.id, rule.condition), rule)
        if before is not rule:
            found.name = rule.name
            found.bad(("alerts", place), f"{rule.name!r} is given twice", f"the first one is in line {before.line}")
