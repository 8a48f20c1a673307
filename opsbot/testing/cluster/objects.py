"""The store of the fake API server: raw objects by kind, namespace and name, with uid, resourceVersion, generation.

Objects in here are never changed in place: each change puts a new one, and the newest changes are remembered.
"""

from __future__ import annotations

import copy
import random
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from opsbot.testing.cluster.kinds import BY_NAME, Kind
from opsbot.testing.cluster.wire import Json

Key = tuple[str, str, str]

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
REMEMBERED = 5_000  # changes that the store can go back over


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


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one object: None before it was made, None after it was gone."""

    version: int
    key: Key
    before: Json | None
    after: Json | None


def leaving(obj: Json, now: datetime, grace: int) -> Json:
    """What marks an object as on its way out, where it is not yet; the end of its grace counts as a change of it."""
    meta = obj["metadata"]
    if meta.get("deletionTimestamp"):
        return {}
    marks: Json = {"deletionTimestamp": stamp(now + timedelta(seconds=grace)), "deletionGracePeriodSeconds": grace}
    return marks | ({"generation": meta["generation"] + 1} if meta.get("generation") else {})


class Objects:
    """All objects of one cluster.

    `odd` holds keys of objects that only readers may see: controllers pass them by. `still` holds keys of pods whose
    status was prepared, so that no kubelet moves them. `told` finds an Event by what it is about and says. `chosen`
    holds the name of a pod that was refused, by its owner's uid.
    """

    def __init__(self, clock: Callable[[], datetime], seed: int, lock: threading.RLock | None = None) -> None:
        self.clock = clock
        self.news = threading.Condition(lock or threading.RLock())
        self._changes: deque[Change] = deque(maxlen=REMEMBERED)
        self.odd: set[Key] = set()
        self.still: set[Key] = set()
        self._random = random.Random(seed)  # noqa: S311 - names, not secrets
        self._all: dict[str, dict[tuple[str, str], Json]] = {}
        self.told: dict[tuple[str, str, str], str] = {}
        self.chosen: dict[str, str] = {}
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

    def everything(self) -> Iterator[Json]:
        """Objects of all kinds."""
        return (obj for kind in list(self._all) for obj in self.each(kind))

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
        kind, *place = key_of(obj)
        before = self.find(kind, place[0], place[1])
        made = {**obj, "metadata": {**obj["metadata"], "resourceVersion": str(self._version + 1)}}
        self._all.setdefault(kind, {})[place[0], place[1]] = made
        self._remember(key_of(obj), before, made)
        return made

    def _remember(self, key: Key, before: Json | None, after: Json | None) -> None:
        with self.news:
            self._version += 1
            self._changes.append(Change(self._version, key, before, after))
            self.news.notify_all()

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
        kind, *place = key_of(obj)
        gone = self._all.get(kind, {}).pop((place[0], place[1]), None)
        if gone is not None:
            self._remember(key_of(obj), gone, None)
        self.odd.discard(key_of(obj))
        self.still.discard(key_of(obj))

    # what was before ------------------------------------------------------------------------------------------------

    @property
    def oldest(self) -> int:
        """The oldest version that the store can still go back to."""
        return self._changes[0].version - 1 if self._changes else self._version

    def forget(self) -> None:
        """Keep no state but the newest."""
        self._changes.clear()

    def since(self, version: int) -> list[Change]:
        """The changes after a version, oldest first."""
        return [change for change in self._changes if change.version > version]

    def at(self, version: int, kind: str, namespace: str = "") -> list[Json]:
        """As `each`, as it was at a version that is no older than `oldest`."""
        found = dict(self._all.get(kind, {}))
        for change in reversed(self.since(version)):
            if change.key[0] == kind and change.before is not None:
                found[change.key[1:]] = change.before
            elif change.key[0] == kind:
                found.pop(change.key[1:], None)
        return [obj for (space, _), obj in sorted(found.items()) if namespace in ("", space)]

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
