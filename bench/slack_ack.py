"""From a person's command in Slack to its acknowledgement, through the real Socket Mode client and a store on disk.

    python bench/slack_ack.py [COMMANDS]

Prints how long the acknowledgements took and how long until the answer was there; the goal is a p99 under 500 ms for
the first (Slack itself gives up after 3 s). Slack is the fake one, on loopback: what is measured is our own part.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from opsbot.access import Access
from opsbot.app import clock
from opsbot.chat.slack import SlackDoor
from opsbot.config import Config, Person, Slack
from opsbot.store import open_store
from opsbot.testing.slack import FakeSlack

WORDS = ("status", "help", "incidents", "show 1")
WHO = "U0ANA"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    slack = FakeSlack(clock)
    slack.person(WHO, "ana")
    with tempfile.TemporaryDirectory() as folder, slack.serve():
        store = open_store(f"sqlite:///{folder}/opsbot.db", clock())
        desk = SimpleNamespace(
            store=store, record=store, now=clock(), door="slack", config=Config(folder=Path(folder)),
            access=Access((Person("Ana", slack=WHO),), {}, {"everyone": ("read",)}),
        )  # fmt: skip
        make: Callable[[], Any] = lambda: desk  # noqa: E731
        door = SlackDoor(settings(slack, Path(folder)), make, store, clock, lambda _incident: None)
        door.start()
        slack.wait_connected()
        answered = [one(slack, place) for place in range(count)]
        door.stop()
        store.close()
    say("acknowledged", slack.ack_times)
    say("answered    ", answered)


def one(slack: FakeSlack, place: int) -> float:
    """Seconds until the answer to one command is there."""
    before, begun = len(slack.ephemeral(WHO)), time.monotonic()
    slack.type_command(WHO, "/opsbot", WORDS[place % len(WORDS)]).wait()
    slack.wait_for(lambda: len(slack.ephemeral(WHO)) > before)
    return time.monotonic() - begun


def settings(slack: FakeSlack, folder: Path) -> Slack:
    (folder / "bot").write_text(slack.bot_token)
    (folder / "app").write_text(slack.app_token)
    return Slack(
        channel=slack.channel, team=slack.team, app=slack.app, bot_token_file=folder / "bot",
        app_token_file=folder / "app", api_url=f"{slack.url}/api/",
    )  # fmt: skip


def say(what: str, seconds: Sequence[float]) -> None:
    cuts = statistics.quantiles(seconds, n=100)
    each = ", ".join(f"p{place} {cuts[place - 1] * 1000:.0f} ms" for place in (50, 95, 99))
    print(f"{what} {len(seconds)}: {each}, most {max(seconds) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
