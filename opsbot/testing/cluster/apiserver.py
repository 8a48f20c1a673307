"""The server itself: who asks, what about, whether they may; then the verb. `handle` is its one function."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsbot.testing.cluster import access, deletes, discovery, reads, subresources, watches, writes
from opsbot.testing.cluster.access import Account, Wish
from opsbot.testing.cluster.faults import Order
from opsbot.testing.cluster.logs import Logs
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.paths import Route, route, unknown
from opsbot.testing.cluster.wire import Failure, Request, Response, answer, status

REMEMBERED = 10_000  # requests that a long-lived server keeps for tests to look at
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_VERBS: dict[str, Callable[[Objects, Route, Request], Response]] = {
    "get": reads.get, "list": reads.list_, "create": writes.create, "update": writes.update, "patch": writes.patch,
    "delete": deletes.delete, "watch": watches.watch,
}  # fmt: skip
_SPECIAL = {"scale": subresources.scale, "eviction": subresources.evict}


@dataclass(frozen=True, slots=True)
class Write:
    """A write request as the server saw it, whatever became of it: an independent judge of what was asked.

    `status` is the code that the server decided on, even where the answer was then lost. A request that a fault kept
    from the server altogether is not here.
    """

    account: str
    verb: str
    kind: str
    namespace: str
    name: str
    subresource: str
    dry_run: bool
    body: Any
    at: datetime
    status: int

    @property
    def applied(self) -> bool:
        """Whether the server took it, and meant it."""
        return not self.dry_run and self.status < 400


class ApiServer:
    """Answers requests over a store, one at a time; `lock` guards everything in it."""

    def __init__(self, clock: Callable[[], datetime], version: str, seed: int) -> None:
        self.clock = clock
        self.version = version
        self.lock = threading.RLock()
        self.objects = Objects(clock, seed, self.lock)
        self.logs = Logs()
        self.orders: list[Order] = []
        self.accounts: dict[str, Account] = {}
        self.writes: list[Write] = []
        self.requests: deque[Request] = deque(maxlen=REMEMBERED)

    def handle(self, request: Request) -> Response:
        """Answer one request, as the API server would; never raises."""
        with self.lock:
            self.requests.append(request)
            order = next((o for o in self.orders if o.fits(request.method, request.path, request.query)), None)
            if order is None:
                return self._guarded(request)
            order.times -= 1
            return order.fault.bend(self._guarded(request) if order.fault.applies else None)

    def _guarded(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Failure as failure:
            return status(failure)
        except Exception as error:  # noqa: BLE001 - a server answers 500 and lives on; a test sees what broke
            return status(Failure(500, f"Internal error occurred: {type(error).__name__}: {error}"))

    def _answer(self, request: Request) -> Response:
        if not request.token and request.method == "GET" and request.path in discovery.PUBLIC:
            account = Account("system:anonymous", "", ())
        else:
            account = access.by_token(self.accounts.values(), request.token)
        if request.path == _REVIEW:
            return _review(account, request)
        told = discovery.answer_for(request.path, self.version)
        if told is None:
            return self._about_objects(account, request)
        if request.method != "GET":
            raise Failure(405, "the server does not allow this method on the requested resource")
        return told

    def _about_objects(self, account: Account, request: Request) -> Response:
        asked = route(request.path)
        verb = asked.verb(request.method)
        if verb == "list" and reads.is_watch(request):
            verb = "watch"
        if verb == "deletecollection":
            raise unknown(f"deletecollection at {request.path}")
        if verb in ("get", "list", "watch"):
            return self._allowed(account, asked, verb, request)
        try:
            made = self._allowed(account, asked, verb, request)
        except Failure as failure:
            self._note(account, asked, verb, request, failure.code)
            raise
        self._note(account, asked, verb, request, made.status)
        return made

    def _note(self, account: Account, asked: Route, verb: str, request: Request, code: int) -> None:
        try:
            body = reads.parse(request.body) if request.body else None
        except Failure:
            body = request.body
        self.writes.append(Write(
            account.name, verb, asked.kind.name, asked.namespace, asked.name or _name_in(body), asked.subresource,
            "dryRun" in request.query, body, self.clock(), code,
        ))  # fmt: skip

    def _allowed(self, account: Account, asked: Route, verb: str, request: Request) -> Response:
        kind = asked.kind
        wish = Wish(verb, kind.group, kind.plural, asked.namespace, asked.name, asked.subresource)
        access.demand(account, wish, kind)
        if asked.subresource == "log":
            return subresources.log(self.objects, self.logs, asked, request)
        return _SPECIAL.get(asked.subresource, _VERBS[verb])(self.objects, asked, request)


def _review(account: Account, request: Request) -> Response:
    if request.method != "POST":
        raise Failure(405, "the server does not allow this method on the requested resource")
    return answer(access.review(account, reads.read_object(request)), 201)


def _name_in(body: Any) -> str:
    meta = body.get("metadata") if isinstance(body, dict) else None
    return str(meta.get("name", "")) if isinstance(meta, dict) else ""
