"""`opsbot demo`: one incident from alert to recovery, told as it happens, on a practice ground of its own.

The ground's cluster is a simulated one, a real control plane on this machine, or a namespace of a user's own cluster.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opsbot.cli.human import Human
    from opsbot.cli.story import Story
    from opsbot.config import Config
    from opsbot.practice.ground import Ground
    from opsbot.practice.plane import Making
    from opsbot.practice.scene import Site
    from opsbot.testing.slack import FakeSlack


def run(args: Namespace) -> int:
    """Play the scene; 0 when it ends as the human decided, 1 when it does not, 130 when it was stopped."""
    from opsbot import config as settings
    from opsbot.cli.ending import ending
    from opsbot.cli.story import Story
    from opsbot.cli.terminal import console
    from opsbot.practice.ground import raise_ground

    _sensible(args)
    story = Story(console(), time.monotonic())
    story.title()
    with ExitStack() as stack:
        end = stack.enter_context(ending())
        making, site = _place(args, story)
        ground = stack.enter_context(
            raise_ground(settings.cache_folder(), settings.os_user(), plane=making, site=site, tell=story.progress)
        )
        slack = stack.enter_context(chat(ground)) if args.slack else None
        if args.model:
            _add(ground, "model", {"base_url": args.model, "name": "demo", "ask": "always"})
        end.up()
        story.stopped = end.wanted
        return _play(story, ground, slack, played=args.yes or not sys.stdin.isatty())


def _sensible(args: Namespace) -> None:
    """PermanentError for options that do not go together."""
    from opsbot.core.errors import PermanentError

    if args.kubeconfig and args.cluster:
        raise PermanentError("--cluster and --kubeconfig: give one of them, for they name two clusters")
    if args.kubeconfig and not args.namespace:
        raise PermanentError("--kubeconfig: give --namespace too, one that does not exist yet, such as opsbot-demo")
    if not args.kubeconfig and (args.namespace or args.context):
        raise PermanentError("--namespace and --context belong to --kubeconfig FILE")


def _place(args: Namespace, story: Story) -> tuple[Making, Site]:
    """What makes the cluster, with accounts that may do what the parts state and no more, and where the scene plays."""
    from opsbot.app.administrator import administrator
    from opsbot.app.rights import rights
    from opsbot.config import cache_folder
    from opsbot.practice.guest import guest
    from opsbot.practice.plane.rbac import rules_of
    from opsbot.practice.plane.real import find, on_real
    from opsbot.practice.plane.simulated import simulation
    from opsbot.practice.scene import AT_HOME

    accounts = {name: rules_of(granted) for name, granted in rights().items()}
    if args.kubeconfig:
        cluster = administrator(args.kubeconfig, args.context)
        return guest(cluster, args.namespace, accounts, story.progress, story.farewell), _abroad(args.namespace)
    if args.cluster == "real":
        find(cache_folder())  # what is not built is said before anything else is fetched
        return on_real(cache_folder(), accounts, story.progress), AT_HOME
    return simulation(accounts), AT_HOME


def _abroad(namespace: str) -> Site:
    """The scene in a namespace of another name: its playbook may touch that one, and the shipped one is left out."""
    from opsbot.config import shipped_folder
    from opsbot.practice.guest import IMAGE
    from opsbot.practice.scene import NAMESPACE, PLAYBOOK, Site

    text = (shipped_folder() / "playbooks" / PLAYBOOK).read_text("utf-8")
    own = text.replace(f"namespaces: [{NAMESPACE}]", f"namespaces: [{json.dumps(namespace)}]")
    return Site(namespace, IMAGE, mute=True, playbooks={PLAYBOOK: own})


def _play(story: Story, ground: Ground, slack: FakeSlack | None, *, played: bool) -> int:
    from opsbot import config as settings
    from opsbot.app import Bot, connect
    from opsbot.cli.serve import working

    config = settings.load(str(ground.config))
    hands = connect(config)
    try:
        bot = Bot(config, hands)
        story.scene(ground, bot.agents.mode)
        story.human = _human(story, config, slack, played=played)
        with working(bot):
            if slack:
                story.say("chat", "a small Slack of its own: ", (slack.url, "bold"))
            ground.raise_load()
            story.say("load", "more tasks come in than four replicas can do")
            code = story.follow(hands.store, ground)
            if slack and not played:
                story.linger(slack.url)
        return code
    finally:
        hands.store.close()


def _human(story: Story, config: Config, slack: FakeSlack | None, *, played: bool) -> Human:
    from opsbot.app import access
    from opsbot.cli.human import AtTerminal, InChat, Played

    if slack:
        return InChat(slack, slack.url, played=played)
    return Played(access(config)) if played else AtTerminal(access(config), story.stopped)


@contextmanager
def chat(ground: Ground) -> Iterator[FakeSlack]:
    """A Slack on loopback in which whoever started the demo is a person, and opsbot is told how to reach it."""
    from opsbot.app import clock
    from opsbot.config import os_user
    from opsbot.practice.scene import SLACK_USER
    from opsbot.testing.slack import FakeSlack

    slack = FakeSlack(clock)
    slack.person(SLACK_USER, os_user())
    with slack.serve() as url:
        for name, token in (("bot.token", slack.bot_token), ("app.token", slack.app_token)):
            (ground.folder / name).touch(0o600)
            (ground.folder / name).write_text(token)
        _add(ground, "slack", {
            "channel": slack.channel, "team": slack.team, "app": slack.app, "bot_token_file": "bot.token",
            "app_token_file": "app.token", "api_url": f"{url}/api/",
        })  # fmt: skip
        yield slack


def _add(ground: Ground, section: str, settings: dict[str, str]) -> None:
    """One more section of the ground's agent_config.yaml; JSON is YAML too."""
    ground.config.write_text(f"{ground.config.read_text()}{section}: {json.dumps(settings)}\n")
