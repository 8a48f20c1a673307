"""Annotations of a Prometheus rule that speak to opsbot: a rule's annotations in, its playbooks and target out.

`opsbot_actions: 'a, b'` names playbooks; `opsbot_target: 'KIND/NAMESPACE/NAME'` names the object, with
`{{ $labels.NAME }}` in any part. Prometheus itself passes them on as it does all annotations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from opsbot.core.alert import TargetSpec
from opsbot.core.target import NOTE, UNSPACED, kind_of

ACTIONS = "opsbot_actions"
TARGET = NOTE

_REFERENCE = re.compile(r"\{\{-?\s*(?:\$labels|\.Labels|\$\.Labels)\.([A-Za-z_]\w*)\s*-?\}\}", re.ASCII)
_PART = re.compile(r"(?:[A-Za-z0-9.-]|\{\{ labels\.\w+ \}\})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Extras:
    """What was said to opsbot, the annotations that are left, and what is wrong: (annotation, message, hint)."""

    given: Mapping[str, str]
    left: Mapping[str, str]
    actions: tuple[str, ...] = ()
    target: TargetSpec | None = None
    problems: tuple[tuple[str, str, str], ...] = ()


def read(annotations: Mapping[str, str]) -> Extras:
    """Take the extras out of the annotations."""
    given = {name: text for name, text in annotations.items() if name in (ACTIONS, TARGET)}
    left = {name: text for name, text in annotations.items() if name not in given}
    actions, problems = _actions(given.get(ACTIONS, ""))
    spec = None
    if TARGET in given:
        try:
            spec = target(given[TARGET])
        except ValueError as error:
            problems.append((TARGET, f"{TARGET}: {error}", "for example Deployment/{{ $labels.namespace }}/web"))
    return Extras(given, left, actions, spec, tuple(problems))


def misread(said: Extras, found: bool, playbooks: Collection[str]) -> dict[str, str]:
    """What of an alert's own extras cannot be followed, by annotation; `found` says whether it has a target."""
    wrong = {name: message for name, message, _ in said.problems if name == TARGET}
    if TARGET in said.given and not found:
        text = said.given[TARGET][:60]
        wrong.setdefault(TARGET, f"{TARGET}: {text!r} names no object that can be, with the labels of this alert")
    unknown = [f"{name[:60]!r}" for name in said.actions if name not in playbooks]
    if unknown:
        more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
        wrong[ACTIONS] = f"{ACTIONS}: there is no playbook {', '.join(unknown[:3])}{more}"
    return wrong


def written(actions: tuple[str, ...], spec: TargetSpec | None) -> dict[str, str]:
    """The annotations that say so; `read` reads them back."""
    made = {ACTIONS: ", ".join(actions)} if actions else {}
    if spec:
        parts = (spec.kind, spec.name) if spec.kind in UNSPACED else (spec.kind, spec.namespace, spec.name)
        made[TARGET] = re.sub(r"\{\{\s*labels\.", "{{ $labels.", "/".join(parts))
    return made


def target(text: str) -> TargetSpec:
    """KIND/NAMESPACE/NAME, or KIND/NAME for what is in no namespace; ValueError says what is wrong."""
    parts = _REFERENCE.sub(r"{{ labels.\1 }}", text.strip()).split("/")
    if len(parts) not in (2, 3) or not all(_PART.fullmatch(part) for part in (parts[0], parts[-1])):
        raise ValueError(f"{text[:60]!r} is no KIND/NAMESPACE/NAME; only {{{{ $labels.NAME }}}} can stand in it")
    kind = parts[0] if "{{" in parts[0] else kind_of(parts[0])
    spaced = kind not in UNSPACED and "{{" not in kind
    namespace = parts[1] if len(parts) == 3 else ""
    if (spaced or namespace) and not _PART.fullmatch(namespace):
        raise ValueError(f"{text[:60]!r} lacks a namespace: write KIND/NAMESPACE/NAME")
    return TargetSpec(kind, parts[-1], "" if kind in UNSPACED else namespace)


def _actions(text: str) -> tuple[tuple[str, ...], list[tuple[str, str, str]]]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    doubled = sorted({name for name in names if names.count(name) > 1})
    return tuple(dict.fromkeys(names)), [(ACTIONS, f"{ACTIONS}: {name[:60]!r} is given twice", "") for name in doubled]
