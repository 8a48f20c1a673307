"""Somebody's cluster under their rights: a request in, status and JSON out; and how it is spoken of to them."""

from __future__ import annotations

import shlex
from typing import Any, Protocol

from opsbot.core.errors import PermanentError

RBAC = "rbac.authorization.k8s.io"
LABEL = "opsbot.io/demo"
"""On the namespace; its value, made by chance, is how a demo knows its own."""

Json = dict[str, Any]


class Cluster(Protocol):
    """An API server under the rights of a user; `kubectl` are the words by which kubectl gets there."""

    named: str
    kubectl: tuple[str, ...]
    server: str
    ca: str
    """Who signed the server's certificate, as PEM; empty where the system knows."""

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Json]:
        """Status and JSON; Blind where no whole answer came."""


def by_hand(cluster: Cluster, namespace: str) -> str:
    """How a human removes the namespace."""
    return shlex.join([*cluster.kubectl, "delete", "namespace", namespace])


def refused(cluster: Cluster, what: str, status: int, said: Json) -> PermanentError:
    """What to raise where the server said no; in its own words."""
    hint = {401: "; the credential is not accepted"}.get(status, "")
    words = " ".join(str(said.get("message") or "no reason was given").split())[:300]
    return PermanentError(f"{cluster.named}: the API server refused to {what}: {status}: {words}{hint}")
