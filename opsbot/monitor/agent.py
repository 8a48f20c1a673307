"""MonitorAgent: what Prometheus and webhooks say in, alerts and incidents in the store out.

Polled and pushed alerts are saved first; then incidents are made to fit what the store says, whoever left it so: a
crash in between loses nothing.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsbot.config import Incidents, Limits
from opsbot.core.alert import AlertRule, Push
from opsbot.core.errors import Problem
from opsbot.core.ports import Clock, Metrics, Store
from opsbot.core.silence import Inhibition, Window
from opsbot.monitor.gotemplate import NOWHERE, Server
from opsbot.monitor.looking.looker import Looker
from opsbot.monitor.looking.ownsight import OwnSight
from opsbot.monitor.polling.blindness import Blindness
from opsbot.monitor.polling.poller import Poller
from opsbot.monitor.receiving.hearing import Hearing
from opsbot.monitor.receiving.receiver import Receiver, Reception

CALM = Incidents()


@dataclass(frozen=True, slots=True)
class Policy:
    """How few incidents come of alerts, what holds alerts back, and how pushed ones are read (None: as of here)."""

    calm: Incidents = CALM
    windows: Sequence[Window] = ()
    inhibitions: Sequence[Inhibition] = ()
    reception: Reception | None = None


ORDINARY = Policy()


class MonitorAgent:
    """From alerts to incidents. Threads may share it."""

    def __init__(
        self, *, rules: Sequence[AlertRule], metrics: Metrics, store: Store, cluster: str, limits: Limits,
        clock: Clock | None = None, server: Server = NOWHERE, policy: Policy = ORDINARY,
    ) -> None:  # fmt: skip
        self._poller = Poller(rules=rules, metrics=metrics, store=store, cluster=cluster, clock=clock, server=server)
        how = policy.reception or Reception(cluster=cluster)
        self._receiver = Receiver(store, how, lambda: self._watched, self._poller.blindness)
        self._watched = tuple(rules)
        self._looker = Looker(store, limits, policy.calm, policy.windows)
        self._looker.inhibitions = policy.inhibitions
        self._own = OwnSight(store, self._looker.filer, limits, policy.calm)
        self._store = store
        self._seen: tuple[object, ...] = ()
        self._again: datetime | None = None
        self._lock = threading.Lock()

    def poll(self, rules: AlertRule | Sequence[AlertRule], now: datetime) -> None:
        """Ask for the conditions of rules that are due together at the time `now` and see to all that follows."""
        self._poller.poll([rules] if isinstance(rules, AlertRule) else rules, now)
        self.look(now)

    def receive(self, pushes: Sequence[Push], now: datetime) -> Counter[tuple[str, str]]:
        """Keep pushed alerts; how many of each source had which outcome. What follows is left to the next look."""
        return self._receiver.receive(pushes, now)

    def tidy(self, now: datetime) -> int:
        """Let go of pushed alerts that have been resolved for long; how many."""
        return self._receiver.tidy(now)

    def look(self, now: datetime) -> bool:
        """Make the incidents fit what the store says of all alerts; whether any was changed.

        Where nothing has been written since the last look and nothing is due by time alone, that is all it asks.
        """
        with self._lock:  # two looks at once would only get into each other's way
            rules, blind = self._poller.rules, self._poller.blindness()
            late, sees_all = self._own.late(blind, now), self._poller.sees_all()
            written = self._store.changed()
            seen = (written, id(rules), tuple(blind), len(late), sees_all)
            if written and seen == self._seen and (self._again is None or now < self._again):
                return False
            before, sight = self._looker.filer.count, self._looker.see(now)
            self._looker.look(sight, rules)
            self._own.blindness(late, rules, sees_all, sight)
            self._own.heartbeats(rules, blind, sight)
            self._looker.look_at_heartbeats(sight)
            self._seen, self._again = seen, min((at for at in sight.dues if at > now), default=None)
            return self._looker.filer.count > before

    def watch(self, rules: Sequence[AlertRule], inhibitions: Sequence[Inhibition] | None = None) -> None:
        """Watch these rules from now on; alerts of those that are gone end at the next poll."""
        self._watched = tuple(rules)
        self._poller.watch(rules)
        with self._lock:
            self._looker.inhibitions = self._looker.inhibitions if inhibitions is None else inhibitions
            self._seen = ()

    def maintain(self, windows: Sequence[Window]) -> None:
        """Hold alerts back in these maintenance windows from the next look on, and in no others."""
        with self._lock:
            self._looker.windows = windows
            self._seen = ()

    def tell_invalid(self, problems: Sequence[Problem], now: datetime) -> None:
        """Open the incident of files that cannot be read, or end it where there are no problems any more."""
        with self._lock:
            self._own.files(problems, now)

    def tell_refused(self, hearing: Mapping[str, Hearing], now: datetime) -> None:
        """Open the incident of each webhook that refuses what it is sent, or end it; `hearing` is of all there are."""
        with self._lock:
            self._own.webhooks(hearing, now)

    def blindness(self) -> dict[str, Blindness]:
        """What cannot be seen now, by rule id."""
        return self._poller.blindness()

    def slow(self) -> dict[str, float]:
        """The rules that take too long, by id, with the seconds that each took when it was last asked alone."""
        return self._poller.slow()

    def figures(self) -> Mapping[str, float]:
        """Of the last poll, for telemetry."""
        return self._poller.figures()
