"""From an alert's first firing evaluation to the proposal in the store, on the practice ground.

    python bench/proposal.py [RUNS]

Prints the seconds of each run and their median; the goal is under 2. Needs Prometheus (`make demo` fetches it).
"""

from __future__ import annotations

import statistics
import sys
import time

from opsbot import config as settings
from opsbot.app import Bot, connect
from opsbot.core.incident import Incident
from opsbot.core.ports import Store
from opsbot.practice.ground import raise_ground


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = [once() for _ in range(runs)]
    each, middle = ", ".join(f"{second:.2f} s" for second in seconds), statistics.median(seconds)
    print(f"alert fired to proposal: {each}; median {middle:.2f} s")


def once() -> float:
    """One scene, up to its proposal."""
    with raise_ground(settings.cache_folder(), settings.os_user()) as ground:
        config = settings.load(str(ground.config))
        hands = connect(config)
        bot = Bot(config, hands)
        bot.start()
        ground.raise_load()
        incident = proposed(hands.store)
        bot.stop()
        hands.store.close()
    fired = min(alert.fired_at for alert in incident.alerts if alert.fired_at)
    return (incident.since - fired).total_seconds()


def proposed(store: Store) -> Incident:
    """The incident once its plan waits for a human."""
    while True:
        for incident in store.incidents(limit=1):
            if incident.state == "awaiting_approval":
                return incident
        time.sleep(0.05)


if __name__ == "__main__":
    main()
