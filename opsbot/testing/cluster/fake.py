"""FakeCluster: the fake API server, ways to prepare it and to look at it, its controllers, and its two faces.

It behaves as the API server does (locks, generations, dry runs, selectors, patches, RBAC), moves its workloads when
`tick` is called, and answers 501 to everything that it does not know.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from opsbot.testing.clock import ManualClock
from opsbot.testing.cluster import controllers
from opsbot.testing.cluster.access import EVERYTHING, READ, WRITE, Account, Rule
from opsbot.testing.cluster.apiserver import ApiServer, Write
from opsbot.testing.cluster.controllers.pods import Behaviour
from opsbot.testing.cluster.defaults import filled
from opsbot.testing.cluster.faults import Fault, Order
from opsbot.testing.cluster.kinds import BY_NAME, KINDS, VERBS, Kind
from opsbot.testing.cluster.logs import Lines, Source, stamped
from opsbot.testing.cluster.objects import key_of
from opsbot.testing.cluster.patches import merge
from opsbot.testing.cluster.paths import Route
from opsbot.testing.cluster.reads import find
from opsbot.testing.cluster.wire import Json, Request, Response
from opsbot.testing.cluster.writes import changed


class FakeCluster:
    """A cluster in memory. All methods may be called from any thread.

    `clock` gives the time for stamps (a ManualClock of its own where none is given); `ready_after` is how long a pod's
    containers take from start to ready. Accounts to begin with: admin, reader and writer, with tokens `NAME-token`.
    There are no nodes to begin with: pods then run on one called node-1.
    """

    def __init__(
        self, clock: Callable[[], datetime] | None = None, *, version: str = "v1.36.3", seed: int = 0,
        ready_after: timedelta = timedelta(seconds=1),
    ) -> None:  # fmt: skip
        self.clock = clock or ManualClock()
        self.ready_after = ready_after
        self._server = ApiServer(self.clock, version, seed)
        self._lock, self._objects = self._server.lock, self._server.objects
        self._behaviours: dict[str, Behaviour] = {}
        for name, rules in (("admin", EVERYTHING), ("reader", READ), ("writer", WRITE)):
            self.account(name, rules)
        for namespace in ("default", "kube-system"):
            self._namespace(namespace)

    def handle(self, request: Request) -> Response:
        """Answer one request, as the API server would; never raises."""
        return self._server.handle(request)

    @property
    def writes(self) -> list[Write]:
        """Every write request seen, dry runs and refused ones too, oldest first."""
        return self._server.writes

    @property
    def requests(self) -> deque[Request]:
        """The newest requests seen, oldest first."""
        return self._server.requests

    # preparing -------------------------------------------------------------------------------------------------------

    def account(self, name: str, rules: Sequence[Rule], token: str = "") -> Account:
        """Make or change an account; the token is `NAME-token` where none is given."""
        with self._lock:
            made = Account(name, token or f"{name}-token", tuple(rules))
            self._server.accounts[name] = made
            return made

    def token(self, account: str) -> str:
        """The bearer token of an account."""
        return self._server.accounts[account].token

    def add(self, obj: Mapping[str, Any], *, odd: bool = False) -> Json:
        """Put an object in, or in place of the one of its name, as it stands: status is kept, defaults are filled in.

        Its namespace is made where it is missing. A pod with a status stays as it is until it is deleted. An `odd`
        object (of a shape that no server should serve) is given to readers as it is, and controllers leave it alone.
        """
        kind = known(str(obj.get("kind", "")))
        given = copy.deepcopy(dict(obj))
        given.setdefault("metadata", {})
        with self._lock:
            if kind.namespaced:
                self._namespace(given["metadata"].setdefault("namespace", "default"))
            made = self._objects.born(kind, given if odd else filled({**given, "kind": kind.name}))
            made["metadata"] |= {key: value for key, value in given["metadata"].items() if value}
            stored = self._objects.put(made)
            if odd:
                self._objects.odd.add(key_of(stored))
            if kind.name == "Pod" and given.get("status"):
                self._objects.still.add(key_of(stored))
            return copy.deepcopy(stored)

    def _namespace(self, name: str) -> None:
        with self._lock:
            if self._objects.find("Namespace", "", name) is None:
                namespace = {"metadata": {"name": name}, "status": {"phase": "Active"}}
                self._objects.put(self._objects.born(BY_NAME["Namespace"], namespace))

    def change(self, kind: str, namespace: str, name: str, patch: Mapping[str, Any]) -> Json:
        """Merge-patch an object behind everybody's back, status included, as another party's write would look."""
        with self._lock:
            asked = Route(known(kind), namespace, name)
            old = find(self._objects, asked)
            new = merge(old, dict(patch))
            made = changed(self._objects, asked, old, new, dry=False)
            if "status" in patch:
                made = self._objects.update(made, status=new.get("status") or {})
                self._objects.still.add(key_of(made))
            return copy.deepcopy(made)

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Take an object away at once; nothing happens where there is none."""
        with self._lock:
            found = self._objects.find(known(kind).name, namespace, name)
            if found is not None:
                self._objects.drop(found)

    def set_logs(
        self, namespace: str, pod: str, lines: Lines | Source, container: str = "", *, previous: bool = False,
        at: datetime | None = None,
    ) -> None:  # fmt: skip
        """The log of a pod's container (of each, where none is named).

        `pod` may be a pattern such as `web-*`. `lines` are text or bytes (stamped with `at`, else with now), pairs of
        (time, line), or a function of the pod's name and the time that makes either. Lines of the future are not told.
        """
        if callable(lines):
            source: Source = lines
        else:
            fixed = list(stamped(lines, at or self.clock()))
            source = lambda _pod, _now: fixed  # noqa: E731 - the other branch is a function too
        with self._lock:
            self._server.logs.set(namespace, pod, container, previous, source)

    def behave(self, image: str, behaviour: Behaviour) -> None:
        """From now on containers of this image behave so."""
        with self._lock:
            self._behaviours[image] = behaviour

    def forget_history(self) -> None:
        """Forget all versions but the newest, as a server does in time: older pages and watches get a 410."""
        with self._lock:
            self._objects.forget()

    def fail_next(
        self, fault: Fault, *, times: int = 1, methods: Sequence[str] = (), path: str = "",
        query: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Order a fault for the next `times` requests that fit (HTTP methods, a part of the path, query values).

        A query value of "" means that the key is absent: `{"dryRun": ""}` fits real writes only.
        """
        with self._lock:
            self._server.orders.append(Order(fault, times, tuple(methods), path, query or {}))

    # looking ---------------------------------------------------------------------------------------------------------

    def get(self, kind: str, namespace: str, name: str) -> Json | None:
        """A copy of one object, or None."""
        with self._lock:
            return copy.deepcopy(self._objects.find(known(kind).name, namespace, name))

    def list(self, kind: str, namespace: str = "") -> list[Json]:
        """Copies of all objects of a kind, by namespace and name."""
        with self._lock:
            return copy.deepcopy(list(self._objects.each(known(kind).name, namespace)))

    @staticmethod
    def knows() -> dict[str, tuple[str, ...]]:
        """What it can do, by resource and subresource; everything else is answered with 501."""
        found: dict[str, tuple[str, ...]] = {}
        for kind in KINDS:
            found[kind.resource] = VERBS
            below = {"log": ("get",), "eviction": ("create",)}
            for sub in kind.subresources:
                found[f"{kind.resource}/{sub}"] = below.get(sub, ("get", "update", "patch"))
        found["selfsubjectaccessreviews.authorization.k8s.io"] = ("create",)
        return found

    # time ------------------------------------------------------------------------------------------------------------

    def tick(self, now: datetime | None = None) -> None:
        """One round of all controllers at this time (the clock's, where none is given)."""
        with self._lock:
            controllers.tick(self._objects, now or self.clock(), self._behaviours, self.ready_after)

    def run(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass on the cluster's ManualClock, with a round of the controllers at every step of it."""
        if not isinstance(self.clock, ManualClock):
            raise TypeError("only a ManualClock can be moved on")
        left = seconds
        while left > 0:
            self.tick()
            self.clock.advance(min(step, left))
            left -= step
        self.tick()

    def settle(self, rounds: int = 12) -> None:
        """Tick until nothing moves any more, at the clock's time; at most so many rounds."""
        with self._lock:
            for _ in range(rounds):
                before = self._objects.version
                self.tick()
                if self._objects.version == before:
                    return

    # faces -----------------------------------------------------------------------------------------------------------

    def connect(self, account: str = "admin") -> Any:
        """An `ApiClient` of the official client that talks to this cluster without any network."""
        from opsbot.testing.cluster.transport import client

        return client(self.handle, self.token(account))

    def serve(self, *, port: int = 0, tick_every: float | None = None) -> AbstractContextManager[str]:
        """Serve over HTTP on loopback while the context lasts; its value is the URL.

        With `tick_every` (seconds) the controllers run too, at the clock's time.
        """
        from opsbot.testing.cluster.server import serve

        return serve(self.handle, port=port, tick=self.tick, tick_every=tick_every)


def known(kind: str) -> Kind:
    """The kind of this name; ValueError where the fake has none such."""
    if kind not in BY_NAME:
        raise ValueError(f"FakeCluster does not know the kind {kind!r}")
    return BY_NAME[kind]
