"""`opsbot demo`: one incident from alert to recovery, told as it happens, on a practice ground of its own."""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsbot.cli.story import Story
    from opsbot.practice.ground import Ground


def run(args: Namespace) -> int:
    """Play the scene; 0 when it ends as the human decided, 1 when it does not, 130 when it was stopped."""
    from opsbot import config as settings
    from opsbot.cli.serve import stopped_by_signal
    from opsbot.cli.story import Story
    from opsbot.cli.terminal import console
    from opsbot.practice.ground import raise_ground

    story = Story(console(), time.monotonic(), asks=not args.yes and sys.stdin.isatty())
    story.title()
    with (
        raise_ground(settings.cache_folder(), settings.os_user(), tell=story.progress) as ground,
        stopped_by_signal() as stop,  # from here on; before, Ctrl-C ends a download as it ends anything
    ):
        story.stopped = stop.is_set
        return _play(story, ground)


def _play(story: Story, ground: Ground) -> int:
    from opsbot import config as settings
    from opsbot.app import Bot, access, connect
    from opsbot.cli.serve import working

    config = settings.load(str(ground.config))
    hands = connect(config)
    try:
        bot = Bot(config, hands)
        story.access = access(config)
        story.scene(ground, bot.agents.mode)
        with working(bot):
            ground.raise_load()
            story.say("load", "more tasks come in than four replicas can do")
            return story.follow(hands.store, ground)
    finally:
        hands.store.close()
