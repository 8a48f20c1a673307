"""What a fault to practise on is: the objects that make it, what happens to them, and what must be seen in the end.

Plain values and pure functions over objects that somebody else has fetched; nothing here reaches a cluster.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

NAMESPACE = "practice-faults"
LABEL = "practice.opsbot/fault"
"""Every object of a fault bears it, pods included; its value is the fault's name."""

Obj = Mapping[str, Any]
CLUSTER_WIDE = ("Node", "PersistentVolume", "PriorityClass", "ValidatingWebhookConfiguration", "Namespace")


@dataclass(frozen=True, slots=True)
class Look:
    """One object of a kind in which each path holds something that its pattern is found in.

    A path goes through lists as if each of their items stood there; `conditions[Ready]` is the item of that type or
    name. An empty pattern asks for nothing to be there.
    """

    kind: str
    where: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.kind} with " + ", ".join(
            f"{path} ~ {pattern}" if pattern else f"no {path}" for path, pattern in self.where.items()
        )

    @property
    def short(self) -> str:
        """The kind with the most telling word, as a table has room for."""
        telling = sorted(self.where.items(), key=lambda item: (not item[1], not item[0].endswith("reason")))
        path, pattern = telling[0]
        word, last = re.sub(r"[\^$\\]", "", pattern), path.rpartition(".")[2]
        picked = re.search(r"\[(\w+)]\.status$", path)
        if picked:
            return f"{self.kind} {'' if word == 'True' else 'not '}{picked[1]}"
        if last in ("reason", "phase"):
            return f"{self.kind} {word}"
        return f"{self.kind} {last} {word}" if word else f"{self.kind} without {last}"


@dataclass(frozen=True, slots=True)
class Act:
    """Something that is done to the objects of a fault once `once` is seen. The name `*` means each one of the kind."""

    do: Literal["patch", "delete", "create"]
    kind: str
    name: str
    body: Obj = field(default_factory=dict)
    once: Look | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault by its name in `core.faults`.

    `shows` is what is seen once it is set; `logs` and `previous` are lines of its container's log, now and before the
    last restart, `container` is whose log that is; `alone` asks for a namespace of its own with the labels `room`, for
    what concerns a namespace as a whole; `about` is where it shows best, if not at its Deployment; `patience` is how
    many seconds it may take to show.
    """

    name: str
    summary: str
    objects: tuple[Obj, ...]
    shows: tuple[Look, ...]
    then: tuple[Act, ...] = ()
    logs: tuple[str, ...] = ()
    previous: tuple[str, ...] = ()
    alone: bool = False
    room: Mapping[str, str] = field(default_factory=dict)
    about: str = ""
    container: str = ""
    patience: float = 60.0

    @property
    def slug(self) -> str:
        """Its name as objects may be called."""
        return slug(self.name)

    @property
    def namespace(self) -> str:
        """Where its objects live."""
        return f"{NAMESPACE}-{self.slug}" if self.alone else NAMESPACE

    @property
    def speaks(self) -> str:
        """The container whose log is told."""
        return self.container or self.slug

    @property
    def target(self) -> str:
        """KIND/NAME of the workload that suffers."""
        return self.about if self.about.startswith(("job/", "cronjob/")) else f"deploy/{self.slug}"

    @property
    def seen_at(self) -> str:
        """KIND/NAME of what shows the fault best."""
        return self.about or self.target

    @property
    def signs(self) -> str:
        """What is seen of it, in a few words."""
        return ", ".join(dict.fromkeys(look.short for look in self.shows))

    def made(self) -> Iterator[Obj]:
        """Its objects with their namespace and label."""
        for obj in self.objects:
            yield marked(obj, self.name, self.namespace)

    def sees(self, objects: Sequence[Obj]) -> list[Look]:
        """What of `shows` is not to be seen among these objects."""
        own = [obj for obj in objects if owns(self, obj)]
        return [look for look in self.shows if not any(holds(look, obj) for obj in own)]


def slug(name: str) -> str:
    """A fault's name as objects may be called."""
    return name.replace("_", "-")


def node_name(name: str) -> str:
    """What the node of a fault is called."""
    return f"practice-node-{slug(name)}"


def marked(obj: Obj, name: str, namespace: str) -> Obj:
    """The object with the label of its fault, in its pod template too, and in its namespace where it has one."""
    meta = {**obj.get("metadata", {})}
    meta["labels"] = {**meta.get("labels", {}), LABEL: name}
    if obj["kind"] not in CLUSTER_WIDE:
        meta.setdefault("namespace", namespace)
    spec = obj.get("spec")
    if isinstance(spec, Mapping):
        inner = {key: marked({"kind": "Pod", **spec[key]}, name, namespace) for key in _TEMPLATES if key in spec}
        spec = {**spec, **{key: _bare(found) for key, found in inner.items()}}
        return {**obj, "metadata": meta, "spec": spec}
    return {**obj, "metadata": meta}


_TEMPLATES = ("template", "jobTemplate")


def _bare(found: Obj) -> Obj:
    meta = {key: value for key, value in found["metadata"].items() if key != "namespace"}
    return {**{key: value for key, value in found.items() if key != "kind"}, "metadata": meta}


def owns(fault: Fault, obj: Obj) -> bool:
    """Whether an object belongs to the fault: by its label, or for an Event by what it is about."""
    if obj.get("kind") == "Event":
        about = obj.get("involvedObject", {}).get("name", "")
        return any(about == own or about.startswith(f"{own}-") for own in (fault.slug, node_name(fault.name)))
    return bool(obj.get("metadata", {}).get("labels", {}).get(LABEL) == fault.name)


def holds(look: Look, obj: Obj) -> bool:
    """Whether this one object is what is looked for."""
    if obj.get("kind") != look.kind:
        return False
    return all(_found(pattern, list(values(obj, path.split(".")))) for path, pattern in look.where.items())


def _found(pattern: str, texts: list[str]) -> bool:
    return any(re.search(pattern, text) for text in texts) if pattern else not texts


_PICK = re.compile(r"(\w+)\[([^]]+)\]")


def values(found: Any, path: Sequence[str]) -> Iterator[str]:
    """Every scalar at a path, as text; JSON's own spelling for true and false."""
    if isinstance(found, list):
        for item in found:
            yield from values(item, path)
    elif path:
        if isinstance(found, Mapping):
            yield from _step(found, path[0], path[1:])
    elif isinstance(found, Mapping):
        yield from (str(key) for key in found)
    elif found is not None and found != "":
        yield str(found).lower() if isinstance(found, bool) else str(found)


def _step(found: Obj, key: str, rest: Sequence[str]) -> Iterator[str]:
    picked = _PICK.fullmatch(key)
    if not picked:
        yield from values(found.get(key), rest)
        return
    for item in found.get(picked[1]) or ():
        if picked[2] in (item.get("type"), item.get("name")):
            yield from values(item, rest)


def kinds(looks: Iterable[Look]) -> tuple[str, ...]:
    """The kinds that must be fetched to look."""
    return tuple(dict.fromkeys(look.kind for look in looks))
