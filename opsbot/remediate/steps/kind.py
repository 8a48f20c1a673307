"""What a step kind is: its schema, the verbs it needs, and how it is planned, written and recognised on an object."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from opsbot.core.playbook import PlannedStep
from opsbot.core.ports import Object
from opsbot.core.target import UNSPACED, Target
from opsbot.yamlfile import Strict

ACTION = "opsbot.io/action"

Facts = Mapping[str, Any]


class Look(StrEnum):
    """What an object says of a step: its effect is there, is not there yet, or something else happened to it."""

    DONE = "done"
    NOT_YET = "not_yet"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a step is planned or looked at, for kinds to which that matters: `began` is its own start."""

    now: datetime
    began: datetime


@dataclass(frozen=True, slots=True)
class Subject:
    """What a step is planned on: the object, the facts that the steps before it leave, and the plan's own time."""

    target: Target
    facts: Facts
    now: datetime
    timeout: timedelta


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step.

    `kinds` are the objects that it fits, `verbs` what the write account needs on them, `blast` what it touches at
    worst, in words for people. `reads` are the facts that its plan is made from. `plan` binds arguments to a subject
    (Refused where that makes no sense), `after` gives the facts that the planned step will leave, `body` the patch
    without its precondition (None: the step writes nothing), `look` compares an object with the planned step.
    """

    name: str
    schema: type[Strict]
    kinds: tuple[str, ...]
    verbs: tuple[str, ...]
    blast: str
    reversible: bool
    timeout: timedelta
    reads: tuple[str, ...]
    plan: Callable[[Any, Subject], PlannedStep]
    after: Callable[[PlannedStep, Facts], Facts]
    look: Callable[[Object, PlannedStep, str, Moment], Look]
    body: Callable[[PlannedStep], Object] | None = None

    @property
    def writes(self) -> bool:
        """Whether it changes the cluster."""
        return self.body is not None


def part(thing: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    """The mapping at a path of an object; an empty one where there is none, whatever stands there instead."""
    for name in path:
        found = thing.get(name)
        thing = found if isinstance(found, Mapping) else {}
    return thing


def count(thing: Mapping[str, Any], name: str, absent: int = 0) -> int:
    """The whole number of this name; `absent` where there is none."""
    found = thing.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else absent


def marked(thing: Object, action: str) -> bool:
    """Whether the last write that opsbot made to this object is this action."""
    return bool(part(thing, "metadata", "annotations").get(ACTION) == action)


def at(target: Target) -> str:
    """A target as kubectl takes it: `deployment/agents -n agents`."""
    place = "" if target.kind in UNSPACED else f" -n {target.namespace}"
    return f"{target.kind.lower()}/{target.name}{place}"
