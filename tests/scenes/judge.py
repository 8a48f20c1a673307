"""The judge of a scene: what the plan told a human, and what an API server saw; what differs walks out, in words.

It believes nothing that opsbot says of itself afterwards: what was announced was said before, and the writes are the
server's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

import yaml

from opsbot.testing.cluster import Write

ACTION = "opsbot.io/action"
LOCK = {"metadata.uid", "metadata.resourceVersion"}
KINDS = {"deployment": "Deployment", "statefulset": "StatefulSet", "daemonset": "DaemonSet"}
_STEP = re.compile(r"^ *(\d+)\. ")
_SETS = re.compile(r"^ *\+ ([\w./-]+): (.*)$")
_AT = re.compile(r"^ *\$ kubectl .*?\b(deployment|statefulset|daemonset)/([\w.-]+) -n ([\w.-]+)")


@dataclass(frozen=True)
class Change:
    """One write that was announced: the object, and each field with its new value."""

    kind: str
    namespace: str
    name: str
    fields: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind}/{self.name} -n {self.namespace} {dict(self.fields)}"


@dataclass(frozen=True)
class Cast:
    """Who is who to the server. `others` are who else may write: the practice's own hands and the cluster's parts."""

    reader: str = "reader"
    writer: str = "writer"
    others: tuple[str, ...] = ("admin", "system:kube-*", "system:apiserver", "system:serviceaccount:kube-system:*")


@dataclass
class _Step:
    fields: dict[str, Any] = field(default_factory=dict)
    at: tuple[str, str, str] | None = None


def announced(said: str) -> tuple[Change, ...]:
    """The changes of a plan as it was shown: each step's `+ field: value` lines, and where its kubectl command aims."""
    steps: list[_Step] = []
    for line in said.splitlines():
        if found := _STEP.match(line):
            if int(found[1]) == 1:
                steps = []  # a plan that was made anew replaces the one before
            steps.append(_Step())
        elif steps and (found := _SETS.match(line)):
            steps[-1].fields[found[1]] = yaml.safe_load(found[2])
        elif steps and (found := _AT.match(line)):
            steps[-1].at = (KINDS[found[1]], found[3], found[2])
    return tuple(Change(*step.at, step.fields) for step in steps if step.fields and step.at)


def faults(changes: Sequence[Change], writes: Sequence[Write], cast: Cast | None = None) -> list[str]:
    """Everything that was not as announced; empty is a good end."""
    cast = cast or Cast()
    own = [write for write in writes if write.account == cast.writer]
    return [*_strangers(writes, cast), *_unlike(own, changes), *_count(own, changes)]


def _strangers(writes: Sequence[Write], cast: Cast) -> Iterator[str]:
    for write in writes:
        if write.account == cast.reader:
            yield f"the reader wrote: {_told(write)}"
        elif write.account != cast.writer and not any(fnmatch(write.account, name) for name in cast.others):
            yield f"a stranger wrote: {_told(write)}"


def _unlike(own: Sequence[Write], changes: Sequence[Change]) -> Iterator[str]:
    """Writes, dry ones too, that are none of those announced, or come without lock or mark."""
    for write in own:
        if not any(_is(write, change) for change in changes):
            yield f"not announced: {_told(write)}"
        elif not _flat(write.body).keys() >= LOCK:
            yield f"without a lock: {_told(write)}"
        elif not _mark(write):
            yield f"without a mark: {_told(write)}"


def _count(own: Sequence[Write], changes: Sequence[Change]) -> Iterator[str]:
    """Each change took effect once, in the order of the plan; what the server refused for a stale lock had none."""
    done = [write for write in own if not write.dry_run and write.status != 409]
    for write in done:
        if not write.applied:
            yield f"refused by the server: {_told(write)}"
    effects = [write for write in done if write.applied]
    for change in changes:
        times = sum(_is(write, change) for write in effects)
        if times != 1:
            yield f"done {times} times, not once: {change}"
    places = [next((n for n, write in enumerate(effects) if _is(write, change)), 0) for change in changes]
    if places != sorted(places):
        yield "done in another order than announced"
    marks = [_mark(write) for write in effects]
    if len(set(marks)) != len(marks):
        yield "two effects bear the same mark"


def _is(write: Write, change: Change) -> bool:
    at = (write.kind, write.namespace, write.name) == (change.kind, change.namespace, change.name)
    return at and (write.verb, write.subresource) == ("patch", "") and _fields(write) == dict(change.fields)


def _fields(write: Write) -> dict[str, Any]:
    """What a patch sets, its lock and its mark aside."""
    aside = {*LOCK, f"metadata.annotations.{ACTION}"}
    return {path: value for path, value in _flat(write.body).items() if path not in aside}


def _mark(write: Write) -> str:
    return str(_flat(write.body).get(f"metadata.annotations.{ACTION}") or "")


def _flat(body: Any, path: str = "") -> dict[str, Any]:
    """`{"spec": {"replicas": 6}}` as `{"spec.replicas": 6}`; a list is a value."""
    if not isinstance(body, Mapping):
        return {path: body}
    found: dict[str, Any] = {}
    for name, value in body.items():
        found |= _flat(value, f"{path}.{name}" if path else str(name))
    return found


def _told(write: Write) -> str:
    dry = "dry run of a " if write.dry_run else ""
    part = f"/{write.subresource}" if write.subresource else ""
    return (
        f"{write.account}: {dry}{write.verb} {write.kind}{part} {write.namespace}/{write.name} {write.body}"
        f" -> {write.status}"
    )
