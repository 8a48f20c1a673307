"""The log that a fault's container leaves, now and before its last restart: lines in, files that kwok serves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from opsbot.practice.faults.fault import LABEL, Fault, Obj
from opsbot.practice.paths import of
from opsbot.practice.plane.client import Client, Said

QUIET = ('level=info msg="shop 2.3.1 listens on :8080"',)
"""What a container says that is well."""

_KIND = "ClusterLogs"
_NEVER_RAN = ("practice.opsbot/waits", "practice.opsbot/mount-fails", "StartError")


def cri(lines: Sequence[str], until: datetime) -> str:
    """Lines as a container runtime keeps them (time, stream, F for a whole line), a second apart, the last at `until`.

    The form is that of the CRI: Kubernetes, staging/src/k8s.io/cri-client/pkg/logs/logs.go.
    """
    begun = until - timedelta(seconds=len(lines) - 1)
    times = (begun + timedelta(seconds=number) for number in range(len(lines)))
    rows = zip(times, lines, strict=True)
    return "".join(f"{time:%Y-%m-%dT%H:%M:%S.%f}000Z stdout F {line}\n" for time, line in rows)


def write_logs(client: Client, folder: Path, fault: Fault) -> None:
    """Write its log files, and tell kwok that they are those of its container. One that never ran has none."""
    if not fault.logs and not runs(fault):
        return
    room, now = folder / "faults", datetime.now(UTC)
    room.mkdir(mode=0o700, exist_ok=True)
    current, previous = room / f"{fault.slug}.log", room / f"{fault.slug}.previous.log"
    if fault.previous:
        previous.write_text(cri(fault.previous, now - timedelta(seconds=20)))
    current.write_text(cri(fault.logs or QUIET, now))
    try:
        client.create(of(_KIND, ""), served(fault, current, previous))
    except Said as error:
        if error.status != 409:
            raise


def runs(fault: Fault) -> bool:
    """Whether its container gets as far as to say anything."""
    made = repr(fault.objects)
    return not any(word in made for word in _NEVER_RAN)


def served(fault: Fault, current: Path, previous: Path) -> Obj:
    """The object by which kwok knows the log files of the fault's container."""
    before = {"previousLogsFile": str(previous)} if fault.previous else {}
    files = {"containers": [fault.speaks], "logsFile": str(current), **before, "follow": False}
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": _KIND,
        "metadata": {"name": f"fault-{fault.slug}", "labels": {LABEL: fault.name}},
        "spec": {"selector": {"matchNamespaces": [fault.namespace]}, "logs": [files]},
    }  # fmt: skip
