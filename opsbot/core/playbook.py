"""Playbooks as written, plans as frozen, runs as done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from opsbot.core.canonical import digest
from opsbot.core.evidence import MaskedText
from opsbot.core.target import Target

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a playbook: a type of `target`, `integer`, `number`, `string` or `boolean`, and its bounds."""

    name: str
    type: str
    kinds: tuple[str, ...] = ()
    default: Scalar = None
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    one_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSpec:
    """A step as written: its kind, its arguments (with references) and how long it may take."""

    do: str
    arguments: Mapping[str, Any]
    timeout: timedelta
    line: int = 0


@dataclass(frozen=True, slots=True)
class ApprovalSpec:
    """Who must say yes, how many of them, and how long the question stands."""

    permission: str
    quorum: int = 1
    expires_in: timedelta = timedelta(minutes=15)
    second_person: bool | None = None
    auto_after_verified_runs: int | None = None


@dataclass(frozen=True, slots=True)
class Guardrails:
    """Bounds that a plan must keep; an empty list of namespaces allows all that limits allow."""

    namespaces: tuple[str, ...] = ()
    max_replicas: int | None = None
    cooldown: timedelta = timedelta()
    max_runs_count: int | None = None
    max_runs_per: timedelta = timedelta()
    not_if: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifySpec:
    """How a run proves that it helped: the alert's condition clears within a time, or a PromQL condition holds."""

    alert_clears_within: timedelta | None = None
    condition: str = ""
    holds_for: timedelta = timedelta()
    within: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class PlaybookCase:
    """A case that ships with its playbook: cluster facts, and the plan's steps in words or the refusal's name."""

    name: str
    cluster: Mapping[str, Any]
    plans: tuple[str, ...] | None = None
    refuses: str = ""
    inputs: Mapping[str, Any] = field(default_factory=dict)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Playbook:
    """An executable answer to a kind of incident. `digest` is of its content, wherever the file lies."""

    name: str
    summary: str
    inputs: tuple[Input, ...]
    approval: ApprovalSpec
    steps: tuple[StepSpec, ...]
    verify: VerifySpec
    cases: tuple[PlaybookCase, ...]
    guardrails: Guardrails = Guardrails()
    when: str = "true"
    undo: tuple[StepSpec, ...] = ()
    runbook: str = ""
    file: str = ""
    line: int = 0

    @property
    def digest(self) -> str:
        """Of all that decides what a run does; not of the place in a file, nor of the cases."""
        bare = replace(self, file="", line=0, cases=(), steps=_unplaced(self.steps), undo=_unplaced(self.undo))
        return digest(bare)


def _unplaced(steps: tuple[StepSpec, ...]) -> tuple[StepSpec, ...]:
    return tuple(replace(step, line=0) for step in steps)


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with nothing left to decide: `arguments` are absolute, `says` is the step in words (`scale 4 -> 6`)."""

    do: str
    arguments: Mapping[str, Any]
    says: str
    timeout: timedelta
    diff: tuple[str, ...] = ()
    kubectl: str = ""
    reversible: bool = True


@dataclass(frozen=True, slots=True)
class Plan:
    """A playbook bound to one object. What is approved is `digest`, so nothing here may change afterwards.

    `reads` are the fields that the plan was made from (never status, never resourceVersion): the run compares them
    with the cluster before it writes. `before` are facts kept for undo. `limits` is the digest of the limits in force.
    """

    playbook: str
    playbook_digest: str
    target: Target
    inputs: Mapping[str, Scalar]
    steps: tuple[PlannedStep, ...]
    undo: tuple[PlannedStep, ...]
    reads: Mapping[str, Any]
    before: Mapping[str, Any]
    permission: str
    quorum: int
    second_person: bool
    limits: str
    made_at: datetime
    expires_at: datetime
    nonce: str
    why: MaskedText
    origin: str
    verify: VerifySpec = VerifySpec()

    @property
    def digest(self) -> str:
        """The digest that an approval binds; its first 8 characters are what a human types."""
        return digest(self)


class StepState(StrEnum):
    """What is known of a step. Intended means: about to be sent, perhaps sent."""

    INTENDED = "intended"
    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StepRecord:
    """One step of a run (`undo` true: of the undo). The action id is on the object too, so that a look can tell."""

    index: int
    undo: bool
    action: str
    state: StepState
    started_at: datetime
    ended_at: datetime | None = None
    says: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A plan being done. `ended_at` is the end of the steps, from which verification counts.

    `about` holds the incident's alerts when the run began: fingerprint and rule. After a new plan in the middle, steps
    done under the one before keep their records with indexes below 0.
    """

    id: str
    plan: str
    started_at: datetime
    steps: tuple[StepRecord, ...] = ()
    ended_at: datetime | None = None
    undone: bool = False
    about: Mapping[str, str] = field(default_factory=dict)

    def step(self, index: int, undo: bool = False) -> StepRecord | None:
        """The record of a step, where it was begun."""
        return next((step for step in self.steps if (step.index, step.undo) == (index, undo)), None)

    def noted(self, record: StepRecord) -> Run:
        """The run with this record in place of an older one of the same step."""
        kept = tuple(s for s in self.steps if (s.index, s.undo) != (record.index, record.undo))
        return replace(self, steps=(*kept, record))

    @property
    def changed_something(self) -> bool:
        """Whether any step was done, or may have been."""
        return any(s.state in (StepState.DONE, StepState.UNKNOWN, StepState.INTENDED) for s in self.steps if not s.undo)


class Verdict(StrEnum):
    """What a guardrail says."""

    ALLOW = "allow"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A guardrail's verdict with its named reason and a sentence for people."""

    guardrail: str
    verdict: Verdict
    reason: str
    says: str = ""
