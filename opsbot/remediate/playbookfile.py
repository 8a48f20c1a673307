"""Playbook files: YAML text in, one frozen Playbook out, or every problem at its place. Reads no cluster."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from opsbot.core import duration
from opsbot.core.playbook import (
    ApprovalSpec,
    Guardrails,
    Input,
    Playbook,
    PlaybookCase,
    Scalar,
    StepSpec,
    VerifySpec,
)  # fmt: skip
from opsbot.remediate import playbookcheck
from opsbot.remediate.steps import BY_NAME
from opsbot.yamlfile import Document, Length, Strict, Title, fit, read_text, reading

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_PERMISSION = re.compile(r"[a-z][a-z0-9_]*(:[a-z0-9_*-]+)?")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no name: letters, digits, _ and -, at most 63, a letter first")
    return text


def _permission(text: str) -> str:
    if not _PERMISSION.fullmatch(text) or text.endswith("*"):
        raise ValueError(f"{text[:40]!r} is no permission: write one as approve:scale")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def _positive(text: str) -> str:
    if duration.parse(text) <= timedelta():
        raise ValueError("must be longer than 0s")
    return text


Said = Annotated[str, AfterValidator(_said)]
Name = Annotated[str, AfterValidator(_name)]
Positive = Annotated[Length, AfterValidator(_positive)]


class _Input(Strict):
    type: str
    kinds: list[str] = []
    default: str | int | float | bool | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    one_of: list[str] = []


class _Auto(Strict):
    verified_runs: int = Field(ge=1)


class _Approval(Strict):
    permission: Annotated[str, AfterValidator(_permission)]
    quorum: int = Field(default=1, ge=1, le=10)
    expires_in: Positive = "15m"
    second_person: bool | None = None
    auto_after: _Auto | None = None


class _MaxRuns(Strict):
    count: int = Field(ge=1)
    per: Positive


class _Guardrails(Strict):
    namespaces: list[Said] = []
    max_replicas: int | None = Field(default=None, ge=0)
    cooldown: Length = "0s"
    max_runs: _MaxRuns | None = None
    not_if: list[str] = []


class _Step(Strict):
    do: str
    with_: dict[str, Any] = Field(default={}, alias="with")
    timeout: Positive | None = None


class _Verify(Strict):
    alert_clears_within: Positive | None = None
    condition: Said | None = None
    holds_for: Length = "0s"
    within: Positive | None = None


class _Case(Strict):
    name: Title
    cluster: dict[str, Any]
    inputs: dict[str, Any] = {}
    plans: list[str] | None = None
    refuses: str | None = None


class _File(Strict):
    name: Name
    summary: Said
    inputs: dict[str, _Input]
    approval: _Approval
    steps: list[_Step] = Field(min_length=1, max_length=20)
    verify: _Verify
    cases: list[_Case] = Field(min_length=1)
    guardrails: _Guardrails = _Guardrails()
    when: Said = "true"
    undo: list[_Step] = Field(default=[], max_length=20)
    runbook: str = ""


def load(path: Path) -> Playbook:
    """The playbook of a file; ConfigError with all that is wrong with it."""
    return parse(read_text(path), str(path))


def parse(text: str, file: str) -> Playbook:
    """The playbook of a text; ConfigError with all that is wrong with it, each at its place."""
    with reading(text, file) as document:
        document.note(playbookcheck.problems(document))
        found = fit(document, _File)
    return _playbook(found, document)


def _playbook(found: _File, document: Document) -> Playbook:
    return Playbook(
        name=found.name, summary=found.summary, approval=_approval(found.approval), verify=_verify(found.verify),
        inputs=tuple(_input(name, item) for name, item in found.inputs.items()), when=found.when,
        steps=_steps(found.steps, "steps", document), undo=_steps(found.undo, "undo", document),
        guardrails=_guardrails(found.guardrails), runbook=found.runbook, file=document.file, line=document.at(())[0],
        cases=tuple(_case(case, document.at(("cases", place))[0]) for place, case in enumerate(found.cases)),
    )  # fmt: skip


def _input(name: str, item: _Input) -> Input:
    given: Scalar = item.default
    return Input(
        name, item.type, kinds=tuple(item.kinds), default=given, required=given is None and item.type != "target",
        minimum=item.minimum, maximum=item.maximum, one_of=tuple(item.one_of),
    )  # fmt: skip


def _approval(item: _Approval) -> ApprovalSpec:
    auto = item.auto_after.verified_runs if item.auto_after else None
    return ApprovalSpec(item.permission, item.quorum, duration.parse(item.expires_in), item.second_person, auto)


def _guardrails(item: _Guardrails) -> Guardrails:
    runs = item.max_runs
    return Guardrails(
        namespaces=tuple(item.namespaces), max_replicas=item.max_replicas, cooldown=duration.parse(item.cooldown),
        max_runs_count=runs.count if runs else None, max_runs_per=duration.parse(runs.per) if runs else timedelta(),
        not_if=tuple(item.not_if),
    )  # fmt: skip


def _verify(item: _Verify) -> VerifySpec:
    clears = duration.parse(item.alert_clears_within) if item.alert_clears_within else None
    within = duration.parse(item.within) if item.within else timedelta()
    return VerifySpec(clears, item.condition or "", duration.parse(item.holds_for), within)


def _steps(items: list[_Step], where: str, document: Document) -> tuple[StepSpec, ...]:
    return tuple(
        StepSpec(
            item.do, dict(item.with_), duration.parse(item.timeout) if item.timeout else BY_NAME[item.do].timeout,
            document.at((where, place))[0],
        )
        for place, item in enumerate(items)
    )  # fmt: skip


def _case(case: _Case, line: int) -> PlaybookCase:
    plans = None if case.plans is None else tuple(case.plans)
    return PlaybookCase(case.name, case.cluster, plans, case.refuses or "", case.inputs, line)
