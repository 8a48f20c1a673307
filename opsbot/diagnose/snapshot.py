"""A picture in, what checks look at out: objects by kind, Events, logs, each able to cite its line.

Made from stored evidence alone, so that checks may run later and in another process than the sources did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from opsbot.core.evidence import Citation, Evidence, MaskedText, Picture
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.sources.objects import title

CITED = 500


@dataclass(frozen=True, slots=True)
class Seen:
    """An object, and the lines that its evidence has on it: path -> (line number, text)."""

    object: Mapping[str, Any]
    evidence: Evidence
    lines: Mapping[str, tuple[int, MaskedText]]

    @property
    def target(self) -> Target:
        """The object by name."""
        space = self.word("metadata", "namespace") or self.evidence.about.namespace
        return Target(space, self.word("kind"), self.word("metadata", "name"), self.evidence.about.cluster)

    def at(self, *path: str) -> Any:
        """What stands at a path; None where there is nothing."""
        return shape.at(self.object, *path)

    def word(self, *path: str) -> str:
        """The text at a path; empty for anything else."""
        return shape.word(self.object, *path)

    def items(self, *path: str) -> list[Mapping[str, Any]]:
        """The mappings of the list at a path; none for anything else."""
        return shape.items(self.object, *path)

    def condition(self, kind: str) -> Mapping[str, Any]:
        """The condition of a type; empty where there is none."""
        return next((found for found in self.items("status", "conditions") if found.get("type") == kind), {})

    def cite(self, *paths: str) -> tuple[Citation, ...]:
        """The lines at these paths that are there."""
        places = [self.lines[path] for path in paths if path in self.lines]
        return tuple(cited(self.evidence, number, text) for number, text in places)


@dataclass(frozen=True, slots=True)
class Happened:
    """A Kubernetes Event and its line."""

    kind: str
    name: str
    namespace: str
    reason: str
    message: str
    citation: Citation
    field: str = ""


@dataclass(frozen=True)
class Snapshot:
    """All that checks may know."""

    picture: Picture

    @cached_property
    def objects(self) -> tuple[Seen, ...]:
        """Every object of the evidence, Events left out."""
        return tuple(seen for item in self.picture.evidence if item.source != "events" for seen in _objects(item))

    @cached_property
    def events(self) -> tuple[Happened, ...]:
        """Every Event, oldest first."""
        return tuple(event for item in self.picture.of("events") for event in _events(item))

    def of_kind(self, *kinds: str) -> tuple[Seen, ...]:
        """The objects of these kinds."""
        return tuple(seen for seen in self.objects if seen.word("kind") in kinds)

    @property
    def pods(self) -> tuple[Seen, ...]:
        """The pods."""
        return self.of_kind("Pod")

    def happened(self, target: Target, *reasons: str) -> tuple[Happened, ...]:
        """Events on one object, of these reasons (of any, where none is named)."""
        return tuple(
            event for event in self.events
            if (event.kind, event.name) == (target.kind, target.name) and (not reasons or event.reason in reasons)
        )  # fmt: skip

    def logs(self, pod: str, container: str = "") -> tuple[Evidence, ...]:
        """Logs of a pod, of the previous container first: that is the one that ended."""
        mine = [log for log in self.picture.of("pod_logs") if log.about.name == pod and _of_container(log, container)]
        return tuple(sorted(mine, key=lambda log: "--previous" not in log.origin))

    @cached_property
    def owners(self) -> Mapping[tuple[str, str, str], tuple[str, str]]:
        """(namespace, kind, name) -> (kind, name) of the controller, a ReplicaSet's Deployment included."""
        return {_key(seen.target): owner for seen in self.objects if (owner := _owner(seen)) is not None}

    def root(self, target: Target) -> Target:
        """The workload at the top of an object's owners; the object itself where it has none."""
        at = target
        for _ in range(4):
            owner = self.owners.get(_key(at))
            if owner is None:
                break
            at = Target(at.namespace, owner[0], owner[1], at.cluster)
        whole = self.picture.target
        return whole if whole is not None and _key(at) == _key(whole) else at


def _of_container(log: Evidence, container: str) -> bool:
    """Whether a log is of this container, by the command that it comes from; one that names none may be of any."""
    words = log.origin.split()
    return not container or "-c" not in words or container in words


def cited(evidence: Evidence, number: int, text: MaskedText) -> Citation:
    """A line of evidence as a citation, cut to a length that a card can show."""
    return Citation(evidence.id, evidence.source, number, text.cut(CITED))


def _key(target: Target) -> tuple[str, str, str]:
    return target.namespace, target.kind, target.name


def _objects(evidence: Evidence) -> Iterator[Seen]:
    lines: dict[str, dict[str, tuple[int, MaskedText]]] = {}
    for number, text in enumerate(evidence.text.lines(), 1):
        head, _, rest = text.partition(" ")
        lines.setdefault(head, {}).setdefault(rest.partition(": ")[0], (number, text))
    for item in evidence.objects:
        yield Seen(item, evidence, lines.get(title(item), {}))


def _events(evidence: Evidence) -> Iterator[Happened]:
    """Each object of `events` evidence stands in the line of its own number."""
    for number, (item, text) in enumerate(zip(evidence.objects, evidence.text.lines(), strict=False), 1):
        about = shape.mapping(item, "involvedObject")
        yield Happened(
            kind=shape.word(about, "kind"), name=shape.word(about, "name"), namespace=shape.word(about, "namespace"),
            reason=shape.word(item, "reason"), message=shape.word(item, "message"),
            citation=cited(evidence, number, text), field=shape.word(about, "fieldPath"),
        )  # fmt: skip


def _owner(seen: Seen) -> tuple[str, str] | None:
    owner = next((o for o in seen.items("metadata", "ownerReferences") if o.get("controller")), None)
    if owner is None:
        return None
    kind, name = shape.word(owner, "kind"), shape.word(owner, "name")
    template = seen.word("metadata", "labels", "pod-template-hash")
    if kind == "ReplicaSet" and template and name.endswith(f"-{template}"):
        # A Deployment names its ReplicaSets after itself and the hash of the template: the ReplicaSet need not be read.
        return "Deployment", name.removesuffix(f"-{template}")
    return kind, name
