"""The controllers of the fake cluster: one round moves its workloads and pods a step on, at a time passed in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from opsbot.testing.cluster.controllers import budgets, daemonsets, deployments, jobs, pods, replicasets, statefulsets
from opsbot.testing.cluster.controllers.loop import Loop
from opsbot.testing.cluster.controllers.pods import Behaviour
from opsbot.testing.cluster.objects import Objects

# In this order a change flows down in one round (workload, its pods) and its effects flow up in the next ones.
ROUND = (
    ("Deployment", deployments.sync), ("ReplicaSet", replicasets.sync), ("StatefulSet", statefulsets.sync),
    ("DaemonSet", daemonsets.sync), ("Job", jobs.sync), ("Pod", pods.sync), ("PodDisruptionBudget", budgets.sync),
)  # fmt: skip


def tick(objects: Objects, now: datetime, behaviours: Mapping[str, Behaviour], ready_after: timedelta) -> None:
    """One round of every controller over every object of its kind."""
    loop = Loop(objects, now, behaviours, ready_after)
    loop.collect_garbage()
    for kind, sync in ROUND:
        for obj in list(objects.sound(kind)):
            current = objects.find(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            if current is not None:
                sync(loop, current)
