"""Pods that the API server does not let come into being: quotas, limit ranges, policies, webhooks, missing accounts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from opsbot.core.target import Target
from opsbot.diagnose.checks.frame import GUESS, SURE, UNSTARTED, Sign
from opsbot.diagnose.snapshot import Happened, Snapshot

NAME = "admission"
FAULTS = ("quota_cpu", "quota_memory", "quota_objects", "quota_requires_limits", "limit_range_min_cpu",
          "limit_range_max_cpu", "limit_range_min_memory", "limit_range_max_memory", "pod_security_refused",
          "webhook_refused", "webhook_unavailable", "rbac_denied", "service_account_missing",
          "replica_create_failing")  # fmt: skip
EXPLAINS = (*UNSTARTED, "replica_create_failing")

# Messages of the API server's admission plugins, as controllers repeat them in Events of reason FailedCreate.
_READINGS: tuple[tuple[str, str], ...] = (
    ("quota_requires_limits", r"failed quota: .*must specify"),
    ("quota_memory", r"exceeded quota: .*requested: [^:]*memory="),
    ("quota_cpu", r"exceeded quota: .*requested: [^:]*cpu="),
    ("quota_objects", r"exceeded quota: "),
    ("limit_range_min_cpu", r"minimum cpu usage per"), ("limit_range_max_cpu", r"maximum cpu usage per"),
    ("limit_range_min_memory", r"minimum memory usage per"), ("limit_range_max_memory", r"maximum memory usage per"),
    ("pod_security_refused", r"violates PodSecurity|unable to validate against any security context constraint"),
    ("webhook_unavailable", r"failed calling webhook"),
    ("webhook_refused", r"admission webhook \S+ denied the request"),
    ("service_account_missing", r"serviceaccounts? \"[^\"]*\" not found"),
    ("rbac_denied", r"is forbidden: User \S+ cannot"),
)  # fmt: skip
_MAKERS = ("ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob")


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """The latest refusal of each maker of pods, unless it has made one since."""
    latest: dict[tuple[str, str], Happened] = {}
    for event in snapshot.events:
        if event.kind in _MAKERS and event.reason in ("FailedCreate", "SuccessfulCreate"):
            latest[event.kind, event.name] = event
    for (kind, name), event in latest.items():
        if event.reason == "FailedCreate":
            fault = next((fault for fault, pattern in _READINGS if re.search(pattern, event.message)), "")
            about = Target(event.namespace, kind, name)
            yield Sign(fault or "replica_create_failing", about, f"pods cannot be created: {event.message}"[:500],
                       (event.citation,), SURE if fault else GUESS, EXPLAINS)  # fmt: skip
