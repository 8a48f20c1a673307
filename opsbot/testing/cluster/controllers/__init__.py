"""The controllers of the fake cluster: one round moves its workloads and pods a step on, at a time passed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from opsbot.testing.cluster.controllers import (
    accounts,
    budgets,
    daemonsets,
    deployments,
    garbage,
    jobs,
    pods,
    quotas,
    replicasets,
    statefulsets,
)  # fmt: skip
from opsbot.testing.cluster.controllers.loop import Loop
from opsbot.testing.cluster.controllers.pods import Behaviour
from opsbot.testing.cluster.objects import Objects
from opsbot.testing.cluster.wire import Json

# In this order a change flows down in one round (workload, its pods) and its effects flow up in the next ones.
ROUND = (
    ("Namespace", accounts.sync), ("ResourceQuota", quotas.sync), ("Deployment", deployments.sync),
    ("ReplicaSet", replicasets.sync), ("StatefulSet", statefulsets.sync), ("DaemonSet", daemonsets.sync),
    ("Job", jobs.sync), ("Pod", pods.sync), ("PodDisruptionBudget", budgets.sync),
)  # fmt: skip


def tick(objects: Objects, now: datetime, behaviours: Mapping[str, Behaviour], ready_after: timedelta) -> None:
    """One round of every controller over every object of its kind."""
    loop = Loop(objects, now, behaviours, ready_after)
    garbage.collect(loop)
    for kind, sync in ROUND:
        for obj in list(objects.sound(kind)):
            current = objects.find(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            if current is not None and not _is_left_alone(current):
                sync(loop, current)


def _is_left_alone(obj: Json) -> bool:
    """What is on its way out is the garbage collector's; pods end by themselves."""
    return obj["kind"] != "Pod" and bool(obj["metadata"].get("deletionTimestamp"))
