"""What an opinion is formed on: an incident or a diagnosis, its evidence, and the lists that answers choose from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsbot.core.alert import Alert
from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Evidence, Gap
from opsbot.core.incident import Incident
from opsbot.core.target import Target
from opsbot.diagnose import shape

MOST_OBJECTS = 60


@dataclass(frozen=True, slots=True)
class Case:
    """All that a model may be shown and may choose from; `playbooks` are names with their summaries."""

    target: Target | None
    evidence: Sequence[Evidence]
    findings: Sequence[Finding] = ()
    gaps: Sequence[Gap] = ()
    alerts: Sequence[Alert] = ()
    playbooks: Mapping[str, str] | None = None

    @property
    def objects(self) -> dict[str, Target]:
        """The objects of the picture by name, the target first: what a hypothesis may be about."""
        found = [self.target] if self.target else []
        found += [finding.target for finding in self.findings]
        found += [target for item in self.evidence for target in _of(item)]
        names: dict[str, Target] = {}
        for target in found:
            if target.kind and target.name:
                names.setdefault(spelt(target), target)
        return names

    @property
    def said(self) -> list[str]:
        """Text of outside beside the evidence: names, all that alerts say, and why something could not be seen."""
        told = [text for alert in self.alerts for pair in (alert.annotations, alert.labels) for text in _both(pair)]
        names = [*self.objects, *(word for alert in self.alerts for word in (alert.name, alert.severity))]
        return [*told, *names, *(gap.why for gap in self.gaps), *(item.origin for item in self.evidence)]


def of(incident: Incident, evidence: Sequence[Evidence], playbooks: Mapping[str, str]) -> Case:
    """The case of an incident in its present round."""
    return Case(incident.target, evidence, incident.findings, incident.gaps, incident.firing, playbooks)


def spelt(target: Target) -> str:
    """A target in one word: KIND/NAMESPACE/NAME, or KIND/NAME for what is in no namespace."""
    return "/".join(part for part in (target.kind, target.namespace, target.name) if part)


def _both(pairs: Mapping[str, str]) -> Iterator[str]:
    for name, text in pairs.items():
        yield from (name, text)


def _of(item: Evidence) -> list[Target]:
    """Whom a piece of evidence is about, and the objects in it; an Event is about another object."""
    found = [item.about]
    for held in item.objects:
        about = shape.mapping(held, "involvedObject") or {"kind": held.get("kind"), **shape.mapping(held, "metadata")}
        space = shape.word(about, "namespace") or item.about.namespace
        named = Target(space, shape.word(about, "kind"), shape.word(about, "name"), item.about.cluster)
        found.append(named if named.kind != "Node" else Target("", "Node", named.name, named.cluster))
    return found
