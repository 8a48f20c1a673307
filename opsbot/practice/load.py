"""How slow the faulty app is under a load, and what its workers then write to their logs: numbers in, numbers out.

One replica is one server of a queue: with service time S and utilisation u, tasks spend S / (1 - u) in it and
u*u / (1 - u) of them wait (the M/M/1 queue of any textbook). So a fifth replica helps more than its share.
"""

from __future__ import annotations

from dataclasses import dataclass

SERVICE_MS = 450.0
SERVED_PER_REPLICA = 16.0
TIMEOUT_MS = 5000
SLOWEST_MS = 30_000.0
QUIET = 20.0
BUSY = 60.0
"""Tasks a second: with 4 replicas QUIET gives about 650 ms and BUSY 7200 ms; with 6 replicas BUSY gives 1200 ms."""


@dataclass(frozen=True, slots=True)
class Pressure:
    """What `tasks` a second mean for each of the `ready` replicas."""

    tasks: float
    ready: int

    @property
    def utilisation(self) -> float:
        """The share of a replica's capacity that is asked for; above 1 the queue only grows."""
        return self.tasks / (self.ready * SERVED_PER_REPLICA) if self.ready else float("inf")

    @property
    def response_ms(self) -> float:
        """How long a task takes on the average, in milliseconds, never more than SLOWEST_MS."""
        free = 1 - self.utilisation
        return min(SLOWEST_MS, SERVICE_MS / free) if free > 0 else SLOWEST_MS

    @property
    def queued(self) -> int:
        """How many tasks wait before all replicas together."""
        free = 1 - self.utilisation
        each = self.utilisation**2 / free if free > 0.01 else 100.0
        return round(each * max(1, self.ready))

    @property
    def times_out(self) -> bool:
        """Whether the average task takes longer than its caller waits."""
        return self.response_ms > TIMEOUT_MS


def spread(place: int) -> float:
    """Replicas are never quite alike: a factor around 1 by the replica's place, 1 on the average of any pair."""
    return 1 + (0.04 if place % 2 else -0.04)


def log_lines(pressure: Pressure, pod: str, second: int) -> list[str]:
    """What one worker writes in one second; the same second always gives the same words."""
    task = f"{hash_of(pod, second):04x}"
    if pressure.times_out:
        late = f"WARN task {task} timed out after {TIMEOUT_MS} ms waiting for a free worker (queue {pressure.queued})"
        return [late, *_done(pressure, task, second)]
    return _done(pressure, task, second)


def _done(pressure: Pressure, task: str, second: int) -> list[str]:
    """A line for every third second; what is done at all was done before its caller gave up."""
    if second % 3:
        return []
    return [f"INFO task {task[::-1]} done in {min(pressure.response_ms, TIMEOUT_MS - 120):.0f} ms"]


def hash_of(pod: str, second: int) -> int:
    """16 bits that look random, for task names; no clock and no chance, so that tests can say what comes."""
    mixed = second * 2654435761
    for letter in pod.encode():
        mixed = (mixed ^ letter) * 16777619
    return (mixed >> 7) & 0xFFFF
