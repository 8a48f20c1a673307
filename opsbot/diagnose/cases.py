"""The cases that ship with a rule, run: its own evidence in, passed or not out. Nothing but the rule and the text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from opsbot.core.diagnosis import DiagnosisRule, Finding, RuleCase
from opsbot.core.evidence import Evidence, Picture
from opsbot.core.target import Target
from opsbot.diagnose.match import match
from opsbot.diagnose.pattern import stamps
from opsbot.mask import mask

TARGET = Target("default", "Deployment", "app")
_UNDATED = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Result:
    """One case that was run: what was expected and what came, in words."""

    file: str
    line: int
    name: str
    passed: bool
    expected: str
    got: str


def run(rule: DiagnosisRule) -> tuple[Result, ...]:
    """Every case of a rule. The newest time in a case's evidence is its present, from which `within` counts."""
    return tuple(_run(rule, case) for case in rule.cases)


def _run(rule: DiagnosisRule, case: RuleCase) -> Result:
    now = max((time for text in case.evidence.values() for time in stamps(text)), default=_UNDATED)
    evidence = tuple(
        Evidence(f"e{number}", source, TARGET, now, mask(text), mask(f"case {case.name}"))
        for number, (source, text) in enumerate(case.evidence.items(), 1)
    )
    stated = [_stated(name) for name in case.findings]
    found, gaps = match(Picture(TARGET, now, evidence), (rule,), stated)
    got = dict(found[0].groups) if found else None
    return Result(
        rule.file, case.line, f"{rule.name}: {case.name}", _passed(case.finds, got) and not gaps,
        _words(case.finds), _words(got, gaps[0].why if gaps else ""),
    )  # fmt: skip


def _stated(name: str) -> Finding:
    """A finding that the case takes as given, for `finding` conditions to see."""
    return Finding(f"given {name}", name, TARGET, mask(name), 1.0, ())


def _passed(wanted: Mapping[str, str] | None, got: Mapping[str, str] | None) -> bool:
    if wanted is None or got is None:
        return wanted is got
    return all(got.get(name) == text for name, text in wanted.items())


def _words(groups: Mapping[str, str] | None, trouble: str = "") -> str:
    if trouble:
        return trouble
    if groups is None:
        return "nothing"
    named = ", ".join(f"{name}={text}" for name, text in sorted(groups.items()) if name != "count")
    return f"finds {named}" if named else "finds it"
