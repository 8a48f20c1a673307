"""A reader that asks each question once: sources that run side by side see the same answer and cost one call."""

from __future__ import annotations

import builtins
import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from opsbot.core.errors import Blind
from opsbot.core.ports import ClusterReader, Listing, Log, Object

Answer = TypeVar("Answer")


class Once:
    """A ClusterReader for one collection. A failure is kept too: a server that hangs is waited for once."""

    def __init__(self, cluster: ClusterReader) -> None:
        self._cluster = cluster
        self._answers: dict[builtins.tuple[Any, ...], Any] = {}
        self._locks: defaultdict[builtins.tuple[Any, ...], threading.Lock] = defaultdict(threading.Lock)
        self._door = threading.Lock()

    def get(self, kind: str, namespace: str, name: str, timeout: float = 10.0) -> Object | None:
        """As the reader's."""
        return self._ask(("get", kind, namespace, name), lambda: self._cluster.get(kind, namespace, name, timeout))

    def list(
        self, kind: str, namespace: str = "", labels: str = "", fields: str = "", limit: int = 500, timeout: float = 10
    ) -> Listing:
        """As the reader's."""
        question = ("list", kind, namespace, labels, fields, limit)
        return self._ask(question, lambda: self._cluster.list(kind, namespace, labels, fields, limit, timeout))

    def logs(
        self, namespace: str, pod: str, container: str, *, previous: bool = False, since: datetime | None = None,
        limit_bytes: int = 262_144, timeout: float = 10.0,
    ) -> Log | None:  # fmt: skip
        """As the reader's; not kept, for one source reads each log once."""
        return self._cluster.logs(
            namespace, pod, container, previous=previous, since=since, limit_bytes=limit_bytes, timeout=timeout
        )

    def may(self, verb: str, kind: str, namespace: str = "", subresource: str = "", timeout: float = 10.0) -> bool:
        """As the reader's."""
        return self._cluster.may(verb, kind, namespace, subresource, timeout)

    def version(self, timeout: float = 10.0) -> str:
        """As the reader's."""
        return self._cluster.version(timeout)

    def _ask(self, question: builtins.tuple[Any, ...], ask: Callable[[], Answer]) -> Answer:
        with self._door:
            lock = self._locks[question]
        with lock:
            if question not in self._answers:
                self._answers[question] = _outcome(ask)
            answer, failure = self._answers[question]
        if failure is not None:
            raise Blind(str(failure)) from failure
        kept: Answer = answer
        return kept


def _outcome(ask: Callable[[], Answer]) -> tuple[Answer | None, Blind | None]:
    try:
        return ask(), None
    except Blind as failure:
        return None, failure
