"""`opsbot serve`: the bot on a user's own Prometheus and cluster, telling on the terminal what becomes of incidents."""

from __future__ import annotations

import signal
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from opsbot.core.incident import Incident, State

SWITCH = 0.001
"""Seconds after which a busy thread lets another have its turn: webhooks and clicks must not wait for long looks."""

if TYPE_CHECKING:
    from rich.text import Text

    from opsbot.app import Bot
    from opsbot.config import Config


def run(args: Namespace) -> int:
    """Watch until SIGINT or SIGTERM, or for as long as asked; 0 after an orderly stop."""
    from opsbot import config as settings
    from opsbot import telemetry
    from opsbot.app import Bot, connect
    from opsbot.cli.follow import follow
    from opsbot.cli.terminal import console

    telemetry.start()
    sys.setswitchinterval(SWITCH)
    lasting = _seconds(args.lasting)
    config = settings.load(args.config)
    hands = connect(config)
    try:
        bot = Bot(config, hands)
        out = console()
        for line in _opening(bot, config):
            out.print(line)
        news, until = _News(), time.monotonic() + lasting
        with stopped_by_signal() as stop, working(bot):
            for incident in follow(hands.store, lambda: stop.is_set() or time.monotonic() > until):
                for line in news.of(incident):
                    out.print(line)
        out.print("stopped: nothing was lost, `opsbot serve` goes on where it was")
    finally:
        hands.store.close()
    return 0


@contextmanager
def working(bot: Bot) -> Iterator[None]:
    """The bot at work for as long as the context lasts."""
    bot.start()
    try:
        yield
    finally:
        bot.stop()


@contextmanager
def stopped_by_signal() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; the handlers of before come back at the end."""
    stop = threading.Event()

    def on(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(lasting: str) -> float:
    from opsbot.core.duration import parse
    from opsbot.core.errors import PermanentError

    try:
        return parse(lasting).total_seconds() if lasting else float("inf")
    except ValueError as error:
        raise PermanentError(f"--for: {error}") from error


def _opening(bot: Bot, config: Config) -> Iterator[Text]:
    from opsbot.cli.lines import line

    agents, place = bot.agents, config.kubernetes.cluster or "the cluster of your kubeconfig"
    rules = len(agents.rules)
    yield line("opsbot watches ", (place, "bold"), f" with {rules} alert rule{'s' if rules != 1 else ''}")
    if bot.web:
        yield line("webhooks, /readyz and /metrics at ", (bot.web.address, "bold"))
    yield line("mode ", (agents.mode.value, "bold"), f": {agents.why}")
    yield line("from another terminal: opsbot incidents, opsbot show ID, opsbot approve ID PLAN; Ctrl-C stops")


class _News:
    """What is new about incidents, a line for each change of state; a title is said once."""

    def __init__(self) -> None:
        self._last: dict[int, tuple[State, str]] = {}

    def of(self, incident: Incident) -> Iterator[Text]:
        """Nothing where only details have changed."""
        from opsbot.cli.lines import line

        now = (incident.state, incident.reason)
        before, self._last[incident.id] = self._last.get(incident.id), now
        if before == now:
            return
        when = incident.since.astimezone().strftime("%H:%M:%S")
        words = "" if incident.reason == incident.state.value else f" ({incident.reason.replace('_', ' ')})"
        what = f": {_title(incident)}" if before is None else ""
        yield line(f"{when}  incident {incident.id} ", incident.state.value, words, what, _details(incident))


def _title(incident: Incident) -> str:
    if incident.target is None:
        return f"{incident.title} on no target"
    if str(incident.target) not in incident.title:
        return f"{incident.title} on {incident.target.place}"
    return incident.title + incident.target.place.removeprefix(str(incident.target))


def _details(incident: Incident) -> str:
    from opsbot.commands.shape import PREFIX

    if incident.state is State.AWAITING_APPROVAL and incident.plan:
        steps = "; ".join(step.says for step in incident.plan.steps)
        return f": {incident.plan.playbook}: {steps}: opsbot approve {incident.id} {incident.plan.digest[:PREFIX]}"
    said = incident.state in (State.DIAGNOSED, State.ESCALATED, State.RESOLVED, State.PARKED)
    return f": {incident.says}" if said and incident.says else ""
