"""Findings laid side by side: which are causes, which another one explains, and in which order to read them.

A symptom is never a cause; nor is what a surer finding on the same workload accounts for, nor what is but a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from opsbot.core.diagnosis import Finding
from opsbot.core.faults import SYMPTOMS
from opsbot.core.target import Target

SUPPORTED = 0.5
# Faults that say that something goes wrong and leave open why: read after the ones that say why.
GENERAL = frozenset((
    "app_crash", "app_error", "rollout_stuck", "bad_release", "job_failed", "init_container_failing", "evicted",
    "replica_create_failing", "deadlock_or_hang", "startup_too_slow",
))  # fmt: skip

Root = Callable[[Target], Target]


def rank(found: Iterable[Finding], root: Root) -> tuple[Finding, ...]:
    """The findings with cause, explained_by and rank (1 first, causes first); `root` leads from pod to workload."""
    findings = sorted(found, key=strength)
    explainers = _explainers(findings, root)
    judged = [_judged(findings, place, explainers.get(place, ())) for place in range(len(findings))]
    order = sorted(judged, key=lambda finding: (not finding.cause, finding.fault in SYMPTOMS, *strength(finding)))
    return tuple(replace(finding, rank=place) for place, finding in enumerate(order, 1))


def strength(finding: Finding) -> tuple[bool, float, int, str, str]:
    """A sort key, strongest first: saying why before saying that, then confidence, then how much it explains."""
    return (
        finding.fault in GENERAL, -finding.confidence, -len(finding.explains), finding.rule, finding.target.key,
    )  # fmt: skip


def _judged(findings: Sequence[Finding], place: int, by: Sequence[int]) -> Finding:
    finding = findings[place]
    cause = not by and finding.fault not in SYMPTOMS and finding.confidence >= SUPPORTED
    return replace(finding, cause=cause, explained_by=findings[by[0]].rule if by else None)


def _explainers(findings: Sequence[Finding], root: Root) -> Mapping[int, list[int]]:
    """For each finding, by place, those that explain it, strongest first; circles are cut at their weakest link."""
    families = [root(finding.target).key for finding in findings]
    into: dict[int, list[int]] = {}
    for by, stronger in enumerate(findings):
        if stronger.confidence < SUPPORTED:
            continue
        for place, finding in enumerate(findings):
            related = by != place and families[by] == families[place]
            if related and _explains(stronger, finding, by < place) and not _leads(into, place, by):
                into.setdefault(place, []).append(by)
    return into


def _explains(one: Finding, other: Finding, stronger: bool) -> bool:
    """One accounts for the other; of two findings of the same fault the stronger stands for both."""
    return (one.fault == other.fault and stronger) or other.fault in one.explains


def _leads(into: Mapping[int, list[int]], start: int, end: int) -> bool:
    """Whether `start` already explains `end`, directly or over others."""
    ways, seen = [end], set[int]()
    while ways:
        at = ways.pop()
        if at == start:
            return True
        if at not in seen:
            seen.add(at)
            ways += into.get(at, ())
    return False
