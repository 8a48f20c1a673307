"""Rules over the text of evidence in, findings that cite their lines out. A rule that takes too long becomes a gap."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from opsbot.core.diagnosis import Condition, DiagnosisRule, Finding, FindingIs, Pattern
from opsbot.core.evidence import Citation, Evidence, Gap, Picture
from opsbot.core.target import Target
from opsbot.core.template import references, render
from opsbot.diagnose.order import ordered
from opsbot.diagnose.pattern import Hit, Lines
from opsbot.diagnose.snapshot import Snapshot, cited
from opsbot.mask import mask

BUDGET = 2.0
MOST_HITS = 10_000
CITED_LINES = 3
_NEWEST_FIRST = 400


@dataclass(frozen=True, slots=True)
class Place:
    """A line where a pattern was found."""

    evidence: Evidence
    hit: Hit

    @property
    def citation(self) -> Citation:
        """The line, to be shown."""
        return cited(self.evidence, self.hit.line, self.hit.text)


@dataclass(slots=True)
class Matcher:
    """One picture being matched. Built once, so that each text is split once for all rules."""

    picture: Picture
    lines: dict[str, list[tuple[Evidence, Lines]]] = field(default_factory=dict)

    def of(self, source: str) -> list[tuple[Evidence, Lines]]:
        """The texts of a source, ready to be searched."""
        if source not in self.lines:
            self.lines[source] = [(item, Lines(item)) for item in self.picture.of(source)]
        return self.lines[source]

    def places(self, pattern: Pattern, budget: Budget) -> list[Place]:
        """Every line of a source that a pattern is found in and that is young enough; one without a time is."""
        oldest = None if pattern.within is None else self.picture.taken_at - pattern.within
        found: list[Place] = []
        for evidence, lines in self.of(pattern.source):
            for hit in lines.search(pattern.pattern, budget.left):
                if oldest is None or hit.at is None or hit.at >= oldest:
                    found.append(Place(evidence, hit))
                if len(found) >= MOST_HITS:
                    return found
        return found


@dataclass(slots=True)
class Budget:
    """Seconds that one rule may take; `left` raises TimeoutError when they are used up."""

    end: float

    def left(self) -> float:
        """Seconds left."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def match(
    picture: Picture, rules: Sequence[DiagnosisRule], found: Iterable[Finding] = (), budget: float = BUDGET
) -> tuple[tuple[Finding, ...], tuple[Gap, ...]]:
    """What the rules find; `found` is what checks have found already, for `finding` conditions to see.

    `budget` is in seconds, for each rule.
    """
    matcher, snapshot = Matcher(picture), Snapshot(picture)
    before, findings, gaps = list(found), [], []
    for rule in ordered(rules):
        try:
            finding = _try(matcher, snapshot, rule, _names(before, rule), Budget(time.monotonic() + budget))
        except TimeoutError:
            gaps.append(Gap("rules", mask(f"rule {rule.name} was given up after {budget:g} s on this text")))
            continue
        if finding:
            before.append(finding)
            findings.append(finding)
    return tuple(findings), tuple(gaps)


def _names(before: Iterable[Finding], rule: DiagnosisRule) -> set[str]:
    """Names of rules and faults found so far, by others than this rule."""
    return {name for finding in before if finding.rule != rule.name for name in (finding.rule, finding.fault)}


def _try(matcher: Matcher, snapshot: Snapshot, rule: DiagnosisRule, names: set[str], budget: Budget) -> Finding | None:
    """The finding of one rule, or None: first what is cheap to say no to."""

    def holds(condition: Condition) -> list[Place] | None:
        if isinstance(condition, FindingIs):
            return [] if condition.finding in names else None
        places = matcher.places(condition, budget)
        return places if len(places) >= condition.at_least else None

    places: list[Place] = []
    for condition in rule.when.all:
        here = holds(condition)
        if here is None:
            return None
        places += here
    either = [here for condition in rule.when.any if (here := holds(condition)) is not None]
    if (rule.when.any and not either) or any(holds(condition) is not None for condition in rule.when.none):
        return None
    return _finding(snapshot, rule, [*places, *(place for here in either for place in here)])


def _finding(snapshot: Snapshot, rule: DiagnosisRule, places: list[Place]) -> Finding:
    target = _target(snapshot, places)
    groups = _groups(places)
    values: dict[str, Any] = {
        **dict.fromkeys(_referred(rule), "unknown"), **groups,
        "target": {"name": target.name, "kind": target.kind, "namespace": target.namespace},
    }  # fmt: skip
    return Finding(
        rule=rule.name, fault=rule.fault, target=target, says=mask(str(render(rule.says, values))).cut(600),
        confidence=rule.confidence, evidence=tuple(place.citation for place in _telling(places)),
        explains=rule.explains, suggests=rule.suggests,
        groups={name: mask(text) for name, text in groups.items()},
    )  # fmt: skip


def _referred(rule: DiagnosisRule) -> Iterator[str]:
    return (path for path in references(rule.says) if "." not in path)


def _groups(places: Sequence[Place]) -> dict[str, str]:
    """The named groups of the newest line that has each of them, and in how many lines something was found."""
    groups = {"count": str(len({(place.evidence.id, place.hit.line) for place in places}))}
    for place in sorted(places, key=_when, reverse=True):
        for name, text in place.hit.groups.items():
            groups.setdefault(name, text)
    return groups


def _when(place: Place) -> tuple[float, int]:
    return (place.hit.at.timestamp() if place.hit.at else 0.0, place.hit.line)


def _telling(places: Sequence[Place]) -> list[Place]:
    """A few lines to cite: the newest one, then those that say something else, then the first one."""
    newest_first = sorted(places, key=_when, reverse=True)
    shown: dict[tuple[Any, ...], Place] = {}
    for place in newest_first[:_NEWEST_FIRST]:
        shown.setdefault((place.evidence.source, *sorted(place.hit.groups.items())), place)
    picked = [*list(shown.values())[:CITED_LINES], *newest_first[-1:]]
    unique = {(place.evidence.id, place.hit.line): place for place in picked}
    return list(unique.values())


def _target(snapshot: Snapshot, places: Sequence[Place]) -> Target:
    """Whom the lines are about: one object, or the workload that they share, or the target of the whole picture."""
    abouts = list(dict.fromkeys(place.evidence.about for place in places))
    if len(abouts) == 1:
        return abouts[0]
    roots = list(dict.fromkeys(snapshot.root(about) for about in abouts))
    if len(roots) == 1:
        return roots[0]
    return snapshot.picture.target or (roots[0] if roots else Target("", "", ""))
