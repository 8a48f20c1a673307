"""The form of a diagnosis rule in a file: its keys and their types. What they mean is looked at in `vetting`."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from opsbot.yamlfile import Length, Strict


class ConditionModel(Strict):
    """One condition: text of a source, or what another rule or check has found."""

    source: str = ""
    pattern: str = ""
    within: Length = ""
    at_least: int = 1
    finding: str = ""


class WhenModel(Strict):
    """All of `all`, at least one of `any`, none of `none`."""

    all: list[ConditionModel] = Field(default_factory=list)
    any: list[ConditionModel] = Field(default_factory=list)
    none: list[ConditionModel] = Field(default_factory=list)


class CaseModel(Strict):
    """Evidence by source, and the groups to be found, or the word `nothing`."""

    name: str
    evidence: dict[str, str]
    finds: Any
    findings: list[str] = Field(default_factory=list)


class RuleModel(Strict):
    """One diagnosis rule as written."""

    name: str
    fault: str
    says: str
    when: WhenModel
    source: str
    cases: list[CaseModel]
    explains: list[str] = Field(default_factory=list)
    suggests: list[str] = Field(default_factory=list)
    confidence: float = 0.8


# What stands for a key that is missing or wrong while the others are looked at; nothing is said of these.
BLANK = {"name": "", "fault": "", "says": "", "when": {}, "source": "", "cases": []}
