"""The control plane of a practice ground: objects in, an API server on loopback with two accounts out.

`Plane` is the door; a simulated and a real one stand behind it, and whoever raises a ground says which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from opsbot.practice.processes import Keeper
from opsbot.testing.cluster import Rule, Write

Accounts = Mapping[str, Sequence[Rule]]
"""What each account may do, by its name."""


class Plane(Protocol):
    """An API server on loopback that knows the accounts `reader` and `writer`."""

    url: str
    ca_file: str
    """The certificate by which the server is known; empty where it speaks plain HTTP."""

    simulated: str
    """What is real about it and what is not, in a line or some."""

    def token(self, account: str) -> str:
        """The bearer token of `reader` or `writer`."""

    def replicas(self, namespace: str, deployment: str) -> tuple[int, int]:
        """How many replicas are wanted, and how many are ready."""

    def writes(self) -> Sequence[Write]:
        """Every write that the server saw, whoever sent it: a judge that does not depend on what opsbot says."""

    def logs_from(self, folder: Path) -> None:
        """Serve pod logs from `POD.log` files in this folder (CRI form: time, stream, flag, text)."""


Making = Callable[[Keeper, Sequence[Mapping[str, Any]]], AbstractContextManager[Plane]]
"""Makes a plane on which these objects run; its programs run under the keeper, and are gone when the context ends."""
