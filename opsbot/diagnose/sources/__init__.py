"""Evidence sources, one per file. Each states its name, deadline (seconds), byte cap and the verbs that it needs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

from opsbot.core.evidence import Evidence, Gap
from opsbot.core.ports import ClusterReader
from opsbot.core.target import Target
from opsbot.diagnose.sources import events, pod_logs, pods, rollouts


class Source(Protocol):
    """What a source's file states. VERBS are pairs of verb and resource, as `kubectl auth can-i` spells them."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module is the source, and this is its constant
        """The name that rules and findings use."""

    @property
    def DEADLINE(self) -> float:  # noqa: N802
        """Seconds after which nobody waits for it any more."""

    @property
    def BYTE_CAP(self) -> int:  # noqa: N802
        """How much text it may bring, in all."""

    @property
    def VERBS(self) -> tuple[tuple[str, str], ...]:  # noqa: N802
        """The Kubernetes verbs that it needs, as (verb, resource)."""

    def collect(self, cluster: ClusterReader, target: Target, now: datetime) -> Iterator[Evidence | Gap]:
        """Evidence without ids (and gaps), one after the other; what came before an error is kept."""


KINDS: tuple[Source, ...] = (pods, rollouts, events, pod_logs)
NAMES: tuple[str, ...] = tuple(source.NAME for source in KINDS)


def verbs() -> tuple[tuple[str, str], ...]:
    """All that the read account of a diagnosis must be granted, in order and once each."""
    return tuple(dict.fromkeys(pair for source in KINDS for pair in source.VERBS))
