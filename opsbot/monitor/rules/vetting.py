"""What is said of any alert rule, whatever file it stands in: a rule and its places in, problems and warnings out.

Problems refuse the file, warnings advise. Nothing is asked of a server: conditions are only read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from opsbot import promql
from opsbot.core import template
from opsbot.core.alert import QUIET, SEVERITIES, AlertRule
from opsbot.core.errors import Problem
from opsbot.core.target import UNSPACED, kind_of
from opsbot.monitor import gotemplate
from opsbot.yamlfile import Document, Step, Where

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
LONGEST_NAME = 200


@dataclass(slots=True)
class Judge:
    """A document under judgement: problems go to it, warnings stay here, both with the name of the rule at hand."""

    document: Document
    playbooks: Collection[str] | None
    warnings: list[Problem] = field(default_factory=list)
    name: str = ""

    def bad(self, where: Where, message: str, hint: str = "", *, key: bool = False, excerpt: str = "") -> None:
        """Note a problem at a place."""
        found = self.document.problem(where, message, hint, self.name, key=key)
        self.document.note([replace(found, excerpt=excerpt)])

    def warn(self, where: Where, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note an advice at a place."""
        self.warnings.append(self.document.problem(where, message, hint, self.name, key=key))


def expression(judge: Judge, text: str, at: Where, key: str) -> bool:
    """Whether a text is PromQL that a rule can have; a problem where it is not."""
    try:
        promql.condition(text)
    except promql.PromqlError as error:
        message = f"{key}: no PromQL that can be watched: {error}"
        judge.bad(at, message, excerpt=promql.excerpt(text, error.at))
        return False
    for what, flag in promql.flagged(text).items():
        judge.warn(at, f"{key}: Prometheus has {what} only under a flag", f"it needs --enable-feature={flag}")
    return True


def condition(judge: Judge, rule: AlertRule, where: Where, key: str) -> None:
    """The condition of an alert, and what the rule's other texts expect of its result."""
    at = (*where, key)
    if not expression(judge, rule.condition, at, key):
        return
    if rule.severity != QUIET and not promql.has_comparison(rule.condition):
        judge.warn(at, f"{key} has no comparison: it holds for every series, even at 0", "compare it, as in `> 0`")
    _vet_dropped(judge, rule, where, promql.kept_labels(rule.condition))


def kind(word: str) -> str:
    """The kind that a word means, or the word itself where it means none: that is said at its place."""
    try:
        return kind_of(word)
    except ValueError:
        return word


def is_label(name: str) -> bool:
    """Whether every Prometheus takes this for the name of a label, also before version 3."""
    return bool(_LABEL.fullmatch(name))


def _vet_dropped(judge: Judge, rule: AlertRule, where: Where, kept: promql.Labels) -> None:
    """Warn of templates that name a label which the result of the condition cannot have."""
    texts = [(step, name, text) for step in ("labels", "annotations") for name, text in getattr(rule, step).items()]
    for step, name, text in texts:
        for label in sorted(_named(text)):
            _vet_kept(judge, (*where, step, name), label, kept)
    own = {*rule.labels, "severity", "alertname"}
    for name, text in _target_texts(rule):
        for label in sorted(_target_labels(text) - own):
            _vet_kept(judge, (*where, "target", name), label, kept)


def _vet_kept(judge: Judge, at: Where, label: str, kept: promql.Labels) -> None:
    if label in kept:
        return
    taken = "`without`, `ignoring` or a function takes it away"
    judge.warn(
        at, f"the condition drops the label {label!r}: it will be empty",
        taken if kept.others or label == "le" else f"keep it: `by ({label})`",
    )  # fmt: skip


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


def severity(judge: Judge, word: str, at: Where) -> None:
    """A severity that opsbot does not know ranks as warning."""
    if word not in (*SEVERITIES, QUIET, "") and "{{" not in word:
        near = get_close_matches(word, SEVERITIES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(SEVERITIES)}"
        judge.warn(at, f"severity {word[:40]!r} is not known: it ranks as warning", hint)


def actions(judge: Judge, names: Sequence[str], where: Where) -> None:
    """Names of playbooks, each once."""
    for place, name in enumerate(names):
        at: Where = (*where, place)
        if name in names[:place]:
            judge.bad(at, f"actions: {name!r} is given twice")
        elif judge.playbooks is not None and name not in judge.playbooks:
            near = get_close_matches(name, sorted(judge.playbooks), n=1, cutoff=0.5)
            known = ", ".join(sorted(judge.playbooks)) or "none"
            hint = f"did you mean {near[0]!r}?" if near else f"known playbooks: {known}"
            judge.bad(at, f"actions: there is no playbook {name[:60]!r}", hint)


def texts(judge: Judge, step: Step, named: Mapping[str, str], where: Where, *, foreign: bool = False) -> None:
    """Labels or annotations: their names, and the templates in them.

    What can never be filled is only an advice in `foreign` files: Prometheus loads them all the same.
    """
    for name, text in named.items():
        at: Where = (*where, step, name)
        _vet_name(judge, step, name, at)
        if text == "" and ":" in name:
            judge.warn(at, f"{step}: the name {name[:60]!r} has no text", "a blank after the colon?", key=True)
        try:
            doubts = gotemplate.parse(text).doubts
        except ValueError as error:
            judge.bad(at, f"{step}.{name}: {error}")
            continue
        for doubt in doubts:
            said = f"{step}.{name}: {doubt}"
            if foreign:
                judge.warn(at, said)
            else:
                judge.bad(at, said)


def _vet_name(judge: Judge, step: Step, name: str, at: Where) -> None:
    """Prometheus 3 takes any letters; what nobody can read, webhooks do not take either."""
    if not name.isprintable() or not 0 < len(name) <= LONGEST_NAME or (step == "labels" and name == "__name__"):
        hint = f"1 to {LONGEST_NAME} characters that can be printed, and not __name__"
        judge.bad(at, f"{step}: {name[:60]!r} is no label name", hint, key=True)


def target(judge: Judge, rule: AlertRule, where: Where) -> None:
    """The object that an alert is about: words of the known kinds, and references to labels."""
    if rule.target is None:
        if rule.actions:
            judge.warn((*where, "actions"), "there is no target: nothing will be proposed", "name one under `target`")
        return
    for step, text in _target_texts(rule):
        _vet_reference(judge, text, (*where, "target", step), step)
    if "{{" in rule.target.kind:
        return
    try:
        spaced = kind_of(rule.target.kind) not in UNSPACED
    except ValueError as error:
        judge.bad((*where, "target", "kind"), f"target.kind: {error}")
        return
    if spaced and not rule.target.namespace:
        judge.bad((*where, "target"), "target.namespace: is missing")


def _vet_reference(judge: Judge, text: str, at: Where, step: Step) -> None:
    try:
        paths = list(template.references(text))
    except ValueError as error:
        judge.bad(at, f"target.{step}: {error}")
        return
    for path in paths:
        if not path.startswith("labels.") or path.count(".") != 1:
            judge.bad(at, f"target.{step}: {path!r} is not known here", "write {{ labels.NAME }}")
    if not paths and step != "kind" and text and not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", text, re.ASCII):
        judge.bad(at, f"target.{step}: {text[:60]!r} is no {step} of a Kubernetes object")
