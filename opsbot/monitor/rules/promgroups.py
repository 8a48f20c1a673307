"""Groups of Prometheus rules: a list of them as it stands in a file in, values out, with all that is wrong noted.

What is accepted and refused follows prometheus/model/rulefmt/rulefmt.go; beyond it, templates and conditions are looked
at as in alerts.yaml.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from opsbot.core.alert import AlertRule
from opsbot.monitor.rules import extras, vetting
from opsbot.monitor.rules.extras import Extras
from opsbot.monitor.rules.vetting import Judge
from opsbot.yamlfile import Document, Fields, Where, known_keys

GROUP = ("name", "interval", "query_offset", "limit", "labels", "rules")
RULE = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
OF_OBJECTS = ("partial_response_strategy",)
"""Keys of a group that the operator's objects may have, and Prometheus' own files may not."""

_INTEGER = re.compile(r"[-+]?(?:0x[\da-f]+|0b[01]+|0o?[0-7]+|[1-9]\d*|0)", re.ASCII | re.IGNORECASE)
_FLOAT = re.compile(r"[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:e[-+]?\d+)?", re.ASCII | re.IGNORECASE)
_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordRule:
    """A recording rule: the metric that it makes, of what, and with which labels."""

    name: str
    expression: str
    labels: Mapping[str, str]
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """An alerting rule, and the annotations of its file that speak to opsbot and are none of the alert's."""

    alert: AlertRule
    extras: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated one after the other at one time; `interval` is None where the server's own counts."""

    name: str
    rules: tuple[Entry | RecordRule, ...]
    interval: timedelta | None = None
    limit: int = 0
    query_offset: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Part:
    """A mapping with the key `groups`, where it stands, and whether it is the `spec` of an object."""

    document: Document
    value: Any
    where: Where
    of_object: bool


class Reading(Fields):
    """One list of groups being read: problems go to its document, rules come out."""

    def __init__(self, part: Part, judge: Judge, every: timedelta) -> None:
        super().__init__(part.document)
        self.part = part
        self.judge = judge
        self.every = every
        self.rules: list[tuple[Where, str]] = []

    def groups(self) -> list[Group]:
        """The groups that can be read; what is wrong with them or with the others is noted."""
        part = self.part
        if part.value is None:
            return []
        if not isinstance(part.value, dict):
            self.judge.bad(part.where, "must be a mapping with the key `groups`")
            return []
        if not part.of_object:
            self.keys(part.value, part.where, ("groups",))
        groups = [self.group(item, where) for item, where in self.listed(part.value, part.where, "groups")]
        self.unique(groups)
        return [group for group, _ in groups if group is not None]

    def unique(self, groups: list[tuple[Group | None, Where]]) -> None:
        """Note groups of one name."""
        first: dict[str, Where] = {}
        for group, where in groups:
            before = first.setdefault(group.name, where) if group and group.name else where
            if before is not where and group:
                line = self.document.at(before)[0]
                self.bad(
                    (*where, "name"), f"the group {group.name[:60]!r} is given twice", f"the first is in line {line}"
                )

    def bad(self, where: Where, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem with the name of the rule at hand."""
        self.judge.bad(where, message, hint, key=key)

    def keys(self, item: Mapping[str, Any], where: Where, known: Collection[str]) -> None:
        """Note the keys that are not known; of an object they are only advised against: Kubernetes drops them."""
        if not self.part.of_object:
            return super().keys(item, where, known)
        for key in item:
            if key not in known:
                message = f"{key[:60]}: is not a known key: Kubernetes drops it"
                self.judge.warn((*where, key), message, known_keys(key[:60], known), key=True)
        return None

    def listed(self, item: Mapping[str, Any], where: Where, key: str) -> list[tuple[Any, Where]]:
        """The items of a list, each with its place; one that is nothing at all is none, as in Go."""
        return [(one, at) for one, at in super().listed(item, where, key) if one is not None]

    def length(self, item: Mapping[str, Any], where: Where, key: str) -> timedelta | None:
        """A duration; None where there is none, or an empty one that the schema of an object allows."""
        if self.part.of_object and item.get(key) == "" and key != "keep_firing_for":
            return None
        return super().length(item, where, key)

    def group(self, item: Any, where: Where) -> tuple[Group | None, Where]:
        """One group, None where it is none, and its place."""
        self.judge.name = ""
        if not isinstance(item, dict):
            self.bad(where, "a group must be a mapping")
            return None, where
        self.keys(item, where, (*GROUP, *OF_OBJECTS) if self.part.of_object else GROUP)
        name = self.text(item, where, "name")
        if not name:
            self.bad((*where, "name"), "name: a group must have one")
        made = Group(
            name, (), self.length(item, where, "interval"), self.number(item, where, "limit"),
            self.length(item, where, "query_offset") or timedelta(),
        )  # fmt: skip
        labels = self.texts(item, where, "labels")
        vetting.texts(self.judge, "labels", labels, where, foreign=True)
        rules = [self.rule(rule, at, made, labels) for rule, at in self.listed(item, where, "rules")]
        return replace(made, rules=tuple(rule for rule in rules if rule is not None)), where

    def rule(self, item: Any, where: Where, group: Group, shared: Mapping[str, str]) -> Entry | RecordRule | None:
        """One rule, None where it cannot be read."""
        if not isinstance(item, dict):
            self.judge.name = ""
            self.bad(where, "a rule must be a mapping")
            return None
        named = item.get("alert") or item.get("record")
        self.judge.name = named[:200] if isinstance(named, str) else ""
        self.rules.append((where, self.judge.name))
        self.keys(item, where, RULE)
        alert, record = self.text(item, where, "alert"), self.text(item, where, "record")
        if bool(alert) == bool(record):
            named = where if alert else (*where, "record" if item.get("record") else "alert")
            self.bad(named, "a rule must have `alert` or `record`" + (", not both" if alert else ""))
            return None
        if not self.text(item, where, "expr"):
            self.bad((*where, "expr"), "expr: is missing")
            item = {**item, "expr": "vector(1) > 0"}
        if record:
            return self.recording(item, where, shared)
        return self.alerting(item, where, group, shared)

    def recording(self, item: dict[str, Any], where: Where, shared: Mapping[str, str]) -> RecordRule:
        """A recording rule, which has a name, an expression and labels alone."""
        given = {key: self.length(item, where, key) for key in ("for", "keep_firing_for")}
        for key, value in {**given, "annotations": item.get("annotations")}.items():
            if value:
                self.bad((*where, key), f"{key}: a recording rule has none", key=True)
        name = self.text(item, where, "record")
        if not _METRIC.fullmatch(name):
            self.bad(
                (*where, "record"), f"record: {name[:60]!r} is no name of a metric", "letters, digits, _ and : only"
            )
        expression = self.text(item, where, "expr")
        vetting.expression(self.judge, expression, (*where, "expr"), "expr")
        labels = self.texts(item, where, "labels")
        for label in labels:
            if not vetting.is_label(label) or label == "__name__":
                self.bad((*where, "labels", label), f"labels: {label[:60]!r} is no label name", key=True)
        document = self.document
        return RecordRule(name, expression, {**shared, **labels}, document.file, document.at(where)[0])

    def alerting(self, item: dict[str, Any], where: Where, group: Group, shared: Mapping[str, str]) -> Entry:
        """An alerting rule, with what its annotations say to opsbot."""
        own, annotations = self.texts(item, where, "labels"), self.texts(item, where, "annotations")
        labels = {**shared, **own}
        severity = labels.pop("severity", "") if labels.get("severity") else ""
        said = self.extras(annotations, (*where, "annotations"))
        rule = AlertRule(
            name=self.text(item, where, "alert"), condition=self.text(item, where, "expr"), severity=severity,
            actions=said.actions, hold_for=self.length(item, where, "for") or timedelta(),
            keep_firing_for=self.length(item, where, "keep_firing_for") or timedelta(),
            every=group.interval or self.every, labels=labels, annotations=said.left, target=said.target,
            file=self.document.file, line=self.document.at(where)[0], limit=group.limit,
            query_offset=group.query_offset,
        )  # fmt: skip
        vetting.texts(self.judge, "labels", own, where, foreign=True)
        vetting.texts(self.judge, "annotations", annotations, where, foreign=True)
        vetting.severity(self.judge, severity, (*where, "labels", "severity"))
        vetting.condition(self.judge, rule, where, "expr")
        return Entry(rule, said.given)

    def extras(self, annotations: Mapping[str, str], where: Where) -> Extras:
        """What `opsbot_actions` and `opsbot_target` say."""
        found = extras.read(annotations)
        for key, message, hint in found.problems:
            self.bad((*where, key), message, hint)
        known = self.judge.playbooks
        for name in found.actions:
            if known is not None and name not in known:
                self.bad((*where, extras.ACTIONS), f"{extras.ACTIONS}: there is no playbook {name[:60]!r}")
        if found.actions and not found.target:
            self.judge.warn(
                (*where, extras.ACTIONS), "there is no target: nothing will be proposed", f"add {extras.TARGET}"
            )
        return found

    def number(self, item: Mapping[str, Any], where: Where, key: str) -> int:
        """A whole number; 0 where there is none."""
        value = item.get(key)
        if value is None:
            return 0
        at = (*where, key)
        found = _whole(value) if isinstance(value, str) else None
        if found is None or self.document.at(at) in self.document.quoted:
            self.bad(at, f"{key}: must be a whole number" + (", without quotes" if found is not None else ""))
            return 0
        return found


def _whole(text: str) -> int | None:
    """A number as Go reads it from YAML (go.yaml.in/yaml, resolve.go), the part after its point cut off."""
    plain = text.replace("_", "") if len(text) <= 100 and not text.startswith("_") else ""
    if _INTEGER.fullmatch(plain):
        found = int(re.sub(r"^([-+]?)0(?=[0-7])", r"\g<1>0o", plain), 0)
    elif _FLOAT.fullmatch(plain) and math.isfinite(float(plain)):
        found = int(float(plain))
    else:
        return None
    return found if -(2**63) <= found < 2**63 else None
