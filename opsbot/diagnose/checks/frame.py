"""The shared frame of checks: signs on single objects in, findings on pods or whole workloads out, all words masked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from opsbot.core.diagnosis import Finding
from opsbot.core.evidence import Citation
from opsbot.core.target import Target
from opsbot.diagnose import shape
from opsbot.diagnose.snapshot import Seen, Snapshot
from opsbot.mask import mask

UNREADY = ("pod_not_ready", "replicas_unavailable", "rollout_stuck", "job_failed", "job_not_completing")
UNSTARTED = ("pod_pending", *UNREADY)
CRASHING = ("crash_loop", "restarts", "high_errors", "high_latency", *UNREADY)
SURE, LIKELY, GUESS, OLD = 0.95, 0.85, 0.6, 0.4
_CITED = 6
_FRESH = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of a fault on one object. Signs of one fault, workload and `key` become one finding."""

    fault: str
    about: Target
    says: str
    cites: tuple[Citation, ...]
    confidence: float = SURE
    explains: tuple[str, ...] = ()
    suggests: tuple[str, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod: what was asked for, and what became of it. `path` is where its status stands."""

    pod: Seen
    name: str
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    init: bool

    @property
    def path(self) -> str:
        """Where its status stands in the pod."""
        return f"status.{'initContainerStatuses' if self.init else 'containerStatuses'}[{self.name}]"

    @property
    def asked(self) -> str:
        """Where its spec stands in the pod."""
        return f"spec.{'initContainers' if self.init else 'containers'}[{self.name}]"

    @property
    def image(self) -> str:
        """The image that was asked for."""
        return shape.word(self.spec, "image") or shape.word(self.status, "image") or "(no name)"

    @property
    def waiting(self) -> Mapping[str, Any]:
        """Why it waits; empty when it does not."""
        return shape.mapping(self.status, "state", "waiting")

    @property
    def why(self) -> str:
        """The reason why it waits; empty when it does not."""
        return shape.word(self.waiting, "reason")

    @property
    def ready(self) -> bool:
        """Whether it is ready now."""
        return self.status.get("ready") is True

    @property
    def restarts(self) -> int:
        """How often it was restarted."""
        return shape.number(self.status, "restartCount")

    @property
    def ends(self) -> list[tuple[str, Mapping[str, Any]]]:
        """How it ended, now and the time before: (where that stands, terminated)."""
        states = ((part, shape.mapping(self.status, part, "terminated")) for part in ("state", "lastState"))
        return [(f"{self.path}.{part}.terminated", found) for part, found in states if found]


def containers(snapshot: Snapshot) -> Iterator[Container]:
    """Every container of every pod that is not being deleted."""
    for pod in snapshot.pods:
        if pod.at("metadata", "deletionTimestamp"):
            continue
        for init in (True, False):
            specs = {shape.word(c, "name"): c for c in pod.items("spec", "initContainers" if init else "containers")}
            for status in pod.items("status", "initContainerStatuses" if init else "containerStatuses"):
                name = shape.word(status, "name")
                yield Container(pod, name, specs.get(name, {}), status, init)


def long_ago(snapshot: Snapshot, container: Container, terminated: Mapping[str, Any]) -> bool:
    """Whether an end is over and done with: the container is ready again, and has been for an hour."""
    ended = moment(terminated.get("finishedAt"))
    return container.ready and ended is not None and snapshot.picture.taken_at - ended > _FRESH


def moment(text: Any) -> datetime | None:
    """A time as the API server writes it (RFC 3339); None for anything else."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def findings(snapshot: Snapshot, signs: Iterable[Sign]) -> Iterator[Finding]:
    """Signs laid together: one finding for each fault, workload and key; about the pod where it is one alone."""
    groups: dict[tuple[str, str, str], list[Sign]] = {}
    for sign in signs:
        groups.setdefault((sign.fault, snapshot.root(sign.about).key, sign.key), []).append(sign)
    for group in groups.values():
        yield _finding(snapshot, group)


def _finding(snapshot: Snapshot, group: list[Sign]) -> Finding:
    first = max(group, key=lambda sign: sign.confidence)
    names = list(dict.fromkeys(sign.about.name for sign in group))
    target = first.about if len(names) == 1 else snapshot.root(first.about)
    return Finding(
        rule=first.fault, fault=first.fault, target=target, says=mask(first.says + _where(first.about, names)).cut(600),
        confidence=first.confidence, evidence=_cites(group), explains=_merged(sign.explains for sign in group),
        suggests=_merged(sign.suggests for sign in group),
    )  # fmt: skip


def _where(about: Target, names: list[str]) -> str:
    if len(names) == 1:
        return f" ({about.kind} {about.name})"
    shown = ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
    return f" ({len(names)} {about.kind.lower()}s: {shown})"


def _cites(group: list[Sign]) -> tuple[Citation, ...]:
    return tuple(dict.fromkeys(cite for sign in group for cite in sign.cites))[:_CITED]


def _merged(lists: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for names in lists for name in names))
