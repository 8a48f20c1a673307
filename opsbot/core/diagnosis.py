"""Rules that read text, what they find, and what is proposed because of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from opsbot.core.evidence import Citation, MaskedText
from opsbot.core.target import Target


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text that a source must hold; `within` bounds the age of the line, where its time is known.

    `at_least` is the number of lines that it takes: one line may be chance, where ten are not.
    """

    source: str
    pattern: str
    within: timedelta | None = None
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class FindingIs:
    """True where another rule or check has found something of this name: a rule's own name or a fault."""

    finding: str


Condition = Pattern | FindingIs


@dataclass(frozen=True, slots=True)
class When:
    """All of `all`, at least one of `any` (where there are some), and none of `none`."""

    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    none: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleCase:
    """A case that ships with its rule: evidence by source, and the groups to be found, or None for nothing."""

    name: str
    evidence: Mapping[str, str]
    finds: Mapping[str, str] | None
    findings: tuple[str, ...] = ()
    line: int = 0


@dataclass(frozen=True, slots=True)
class DiagnosisRule:
    """A rule of rules/: what text means which fault, in whose words the message is, and what helps."""

    name: str
    fault: str
    says: str
    when: When
    source: str
    cases: tuple[RuleCase, ...]
    explains: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    confidence: float = 0.8
    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule or check found. `cause` and `rank` are given when all findings are laid side by side."""

    rule: str
    fault: str
    target: Target
    says: MaskedText
    confidence: float
    evidence: tuple[Citation, ...]
    explains: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    rank: int = 0
    cause: bool = False
    explained_by: str | None = None
    groups: Mapping[str, MaskedText] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quote:
    """Words that a hypothesis takes from a piece of evidence."""

    id: str
    quote: MaskedText


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a model thinks, always with evidence ids; never a cause."""

    fault: str
    target: Target
    says: MaskedText
    confidence: float
    evidence: tuple[Quote, ...]
    proposal: str | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A playbook by name, why, and who thought of it: `finding`, `alert`, `model` or `human`."""

    playbook: str
    why: MaskedText
    origin: str


def thought_of(hypotheses: Sequence[Hypothesis]) -> tuple[Proposal, ...]:
    """What a model would do, the likeliest first: playbooks by name, to be proposed where nobody else knows of any."""
    chosen: dict[str, Proposal] = {}
    for thought in sorted(hypotheses, key=lambda thought: -thought.confidence):
        if thought.proposal:
            chosen.setdefault(thought.proposal, Proposal(thought.proposal, thought.says, "model"))
    return tuple(chosen.values())
