"""Workloads that stand still: rollouts past their deadline, no replicas asked for, Jobs that have failed."""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.core.evidence import Citation
from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import GUESS, LIKELY, SURE, UNSTARTED, Sign
from opsbot.diagnose.snapshot import Seen, Snapshot

NAME = "rollout"
FAULTS = ("rollout_stuck", "replicas_zero", "job_failed", "job_deadline_exceeded")
EXPLAINS = ("replicas_unavailable",)


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """What the workload's own conditions say."""
    for seen in snapshot.of_kind("Deployment"):
        yield from _stuck(snapshot, seen)
    for seen in snapshot.of_kind("Deployment", "StatefulSet"):
        if seen.at("spec", "replicas") == 0:
            yield Sign("replicas_zero", seen.target, "it is scaled to zero: nothing runs", seen.cite("spec.replicas"),
                       LIKELY, ("high_errors", *UNSTARTED))  # fmt: skip
    for seen in snapshot.of_kind("Job"):
        yield from _job(seen)


def _stuck(snapshot: Snapshot, seen: Seen) -> Iterator[Sign]:
    """The deployment controller sets Progressing to False once progressDeadlineSeconds are over without progress."""
    condition = seen.condition("Progressing")
    if (condition.get("status"), condition.get("reason")) != ("False", "ProgressDeadlineExceeded"):
        return
    path = "status.conditions[Progressing]"
    cites = (*seen.cite(f"{path}.reason", f"{path}.message"), *_latest_change(snapshot))
    says = f"the rollout makes no progress: {condition.get('message', 'its deadline is over')}"
    yield Sign("rollout_stuck", seen.target, says, cites, LIKELY, EXPLAINS)


def _latest_change(snapshot: Snapshot) -> tuple[Citation, ...]:
    """What the newest revision brought: the first thing that a human asks."""
    changes = snapshot.of_kind("Change")[:1]
    return tuple(cite for change in changes for cite in change.cite(*change_paths(change)))[:3]


def change_paths(change: Seen) -> list[str]:
    """The paths of what changed, images first."""
    paths = [f"template.{path}" for path in shape.mapping(change.object, "template")]
    return sorted(paths, key=lambda path: (not path.endswith(".image"), path))


def _job(seen: Seen) -> Iterator[Sign]:
    condition = seen.condition("Failed")
    reason = condition.get("reason")
    if condition.get("status") != "True":
        return
    late = reason == "DeadlineExceeded"
    path = "status.conditions[Failed]"
    says = f"the Job has failed: {condition.get('message') or reason}"
    yield Sign("job_deadline_exceeded" if late else "job_failed", seen.target, says,
               seen.cite(f"{path}.reason", f"{path}.message"), SURE if late else GUESS,
               ("job_not_completing", "job_failed") if late else ("job_not_completing",))  # fmt: skip
