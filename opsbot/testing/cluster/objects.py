"""The store of the fake API server: raw objects by kind, namespace and name, with uid, resourceVersion, generation.

Objects in here are never changed in place: each change puts a new one.
"""

from __future__ import annotations

import copy
import random
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from opsbot.testing.cluster.kinds import BY_NAME, Kind
from opsbot.testing.cluster.wire import Json

Key = tuple[str, str, str]

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def stamp(at: datetime) -> str:
    """A time as objects hold it, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_stamp(text: str) -> datetime:
    """The time that an object holds."""
    return datetime.fromisoformat(text)


def key_of(obj: Json) -> Key:
    """Where an object stands."""
    meta = obj["metadata"]
    return obj["kind"], meta.get("namespace", ""), meta["name"]


class Objects:
    """All objects of one cluster.

    `odd` holds keys of objects that only readers may see: controllers pass them by. `still` holds keys of pods whose
    status was prepared, so that no kubelet moves them. `told` finds an Event by what it is about and says.
    """

    def __init__(self, clock: Callable[[], datetime], seed: int) -> None:
        self.clock = clock
        self.odd: set[Key] = set()
        self.still: set[Key] = set()
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets
        self._all: dict[str, dict[tuple[str, str], Json]] = {}
        self.told: dict[tuple[str, str, str], str] = {}
        self._version = 1000

    @property
    def version(self) -> int:
        """The resourceVersion of the newest change."""
        return self._version

    def find(self, kind: str, namespace: str, name: str) -> Json | None:
        """One object as stored, or None."""
        return self._all.get(kind, {}).get((namespace, name))

    def each(self, kind: str, namespace: str = "") -> Iterator[Json]:
        """Objects of a kind in the order of a list (namespace, then name); an empty namespace means all."""
        for key, obj in sorted(self._all.get(kind, {}).items(), key=lambda item: item[0]):
            if namespace in ("", key[0]):
                yield obj

    def sound(self, kind: str, namespace: str = "") -> Iterator[Json]:
        """As `each`, without the odd ones."""
        return (obj for obj in self.each(kind, namespace) if key_of(obj) not in self.odd)

    def word(self, length: int = 5) -> str:
        """Letters for a generated name."""
        return "".join(self._random.choice(_LETTERS) for _ in range(length))

    def born(self, kind: Kind, obj: Json) -> Json:
        """A new object with what only the server may set; not stored yet."""
        made = copy.deepcopy(obj)
        made["apiVersion"], made["kind"] = kind.api_version, kind.name
        meta = made["metadata"]
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"] + self.word()
        meta["uid"] = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        meta["creationTimestamp"] = stamp(self.clock())
        meta["resourceVersion"] = ""
        if kind.counts:
            meta["generation"] = 1
        return made

    def put(self, obj: Json) -> Json:
        """Store an object (a new one, or a new state of one) under the next resourceVersion."""
        self._version += 1
        made = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version)}}
        kind, *place = key_of(made)
        self._all.setdefault(kind, {})[place[0], place[1]] = made
        return made

    def update(self, obj: Json, **parts: Json) -> Json:
        """Store an object with some parts replaced (metadata is merged); nothing happens where nothing differs."""
        made = {**obj, **parts}
        if "metadata" in parts:
            made["metadata"] = {**obj["metadata"], **parts["metadata"]}
        stored = self.find(*key_of(obj)) or obj
        return stored if made == stored else self.put(made)

    def set_spec(self, obj: Json, spec: Json) -> Json:
        """A new spec, as a controller writes it: the generation rises with it."""
        if spec == obj.get("spec"):
            return obj
        meta = {}
        if BY_NAME[obj["kind"]].counts:
            meta = {"generation": obj["metadata"].get("generation", 0) + 1}
        return self.update(obj, spec=spec, metadata=meta)

    def drop(self, obj: Json) -> None:
        """Forget an object."""
        self._version += 1
        kind, *place = key_of(obj)
        self._all.get(kind, {}).pop((place[0], place[1]), None)
        self.odd.discard(key_of(obj))
        self.still.discard(key_of(obj))

    def dependents(self, owner: Json, kind: str) -> list[Json]:
        """Objects of a kind that this one controls."""
        uid, namespace = owner["metadata"]["uid"], owner["metadata"].get("namespace", "")
        return [obj for obj in self.sound(kind, namespace) if owner_uid(obj) == uid]


def owner_uid(obj: Json) -> str:
    """The uid of the object's controller, or nothing."""
    for reference in obj["metadata"].get("ownerReferences") or []:
        if reference.get("controller"):
            return str(reference.get("uid", ""))
    return ""
