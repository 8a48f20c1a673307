"""From an alert's first firing evaluation to its card in chat, on the practice ground with a small Slack of its own.

    python bench/card.py [RUNS]

Prints the seconds of each run and their median; the goal is 2 at most. Needs Prometheus (`make demo` fetches it).
"""

from __future__ import annotations

import statistics
import sys

from opsbot import config as settings
from opsbot.app import Bot, connect
from opsbot.cli.demo import chat
from opsbot.practice.ground import raise_ground


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    seconds = [once() for _ in range(runs)]
    each, middle = ", ".join(f"{second:.2f} s" for second in seconds), statistics.median(seconds)
    print(f"alert fired to card: {each}; median {middle:.2f} s, most {max(seconds):.2f} s")


def once() -> float:
    """One scene, up to its card."""
    with raise_ground(settings.cache_folder(), settings.os_user()) as ground, chat(ground) as slack:
        config = settings.load(str(ground.config))
        hands = connect(config)
        bot = Bot(config, hands)
        bot.start()
        ground.raise_load()
        card = slack.wait_for(slack.messages, 60)[0]
        fired = min(alert.fired_at for alert in hands.store.alerts() if alert.fired_at)
        bot.stop()
        hands.store.close()
    return float(card.ts) - fired.timestamp()


if __name__ == "__main__":
    main()
