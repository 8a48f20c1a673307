"""Containers that the kernel killed for using more memory than their limit, now or the time before."""

from __future__ import annotations

from collections.abc import Iterator

from opsbot.diagnose import shape
from opsbot.diagnose.checks.frame import CRASHING, LIKELY, OLD, SURE, Container, Sign, containers, long_ago
from opsbot.diagnose.snapshot import Snapshot

NAME = "out_of_memory"
FAULTS = ("out_of_memory", "memory_limit_below_minimum")
EXPLAINS = (*CRASHING, "app_crash", "init_container_failing")


def look(snapshot: Snapshot) -> Iterator[Sign]:
    """The kubelet states `OOMKilled` as the reason of the end; lastState keeps it while the container runs again."""
    for container in containers(snapshot):
        yield from _killed(snapshot, container)
        yield from _too_small(container)


def _killed(snapshot: Snapshot, container: Container) -> Iterator[Sign]:
    for path, end in container.ends:
        if end.get("reason") != "OOMKilled":
            continue
        limit = shape.at(container.spec, "resources", "limits", "memory")
        more = f" at its memory limit of {limit}" if limit else " for want of memory (it has no limit of its own)"
        cites = container.pod.cite(
            f"{path}.reason", f"{path}.exitCode", f"{container.asked}.resources.limits.memory",
            f"{container.path}.restartCount",
        )  # fmt: skip
        yield Sign(
            "out_of_memory", container.pod.target,
            f"container {container.name} was OOMKilled{more}; {container.restarts} restarts",
            cites, OLD if long_ago(snapshot, container, end) else SURE, EXPLAINS, key=container.name,
        )  # fmt: skip
        return


def _too_small(container: Container) -> Iterator[Sign]:
    """Runtimes refuse to create a container that needs more than its limit to start at all."""
    for path, found in (*container.ends, (f"{container.path}.state.waiting", container.waiting)):
        message = shape.word(found, "message")
        if "container init was OOM-killed" in message or "memory limit too low" in message:
            yield Sign(
                "memory_limit_below_minimum", container.pod.target,
                f"the memory limit of container {container.name} is too small for it to be created",
                container.pod.cite(f"{path}.message"), LIKELY, EXPLAINS, key=container.name,
            )  # fmt: skip
            return
