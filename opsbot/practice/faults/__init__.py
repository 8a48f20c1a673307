"""Faults to practise on: each can be set and healed by its name on a real control plane. One file per family."""

from __future__ import annotations

from opsbot.practice.faults import admission, jobs, network, nodes, rollout, running, scheduling, start, storage
from opsbot.practice.faults.fault import Fault

FAMILIES: dict[str, tuple[Fault, ...]] = {
    "scheduling": scheduling.FAULTS,
    "admission, quota, policy": admission.FAULTS,
    "start of a container": start.FAULTS,
    "running": running.FAULTS,
    "storage": storage.FAULTS,
    "network": network.FAULTS,
    "rollout and scale": rollout.FAULTS,
    "jobs": jobs.FAULTS,
    "nodes": nodes.FAULTS,
}
ALL: tuple[Fault, ...] = tuple(fault for faults in FAMILIES.values() for fault in faults)
BY_NAME = {fault.name: fault for fault in ALL}
