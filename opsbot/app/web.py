"""The small server on the parts of the running bot: webhooks into the monitor, and what is told of the other parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from opsbot.app.agents import Agents
from opsbot.app.figures import families
from opsbot.config import Config, Web
from opsbot.core.errors import OpsbotError
from opsbot.core.ports import Clock, Store
from opsbot.monitor.receiving.payloads import alertmanager, generic, grafana
from opsbot.tasks.worker import Worker
from opsbot.web.bearer import Bearer
from opsbot.web.intake import Intake, Read
from opsbot.web.listener import Listener
from opsbot.web.routes import Parts, app

MISSED = 3
"""Polls that may be missed before the bot is called not ready."""
SLACK = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of the running bot. `polled` says when a poll ended last, whatever its answer was; None for never.

    `ticks` are the figures of the schedule of polls.
    """

    agents: Agents
    store: Store
    worker: Worker
    clock: Clock
    polled: Callable[[], datetime | None]
    after: Callable[[], None]
    ticks: Callable[[], Mapping[str, float]] = dict


class WebDoor:
    """The server, made but not open yet; PermanentError where its address or its token cannot be had."""

    def __init__(self, config: Config, web: Web, bot: Running) -> None:
        self.running = bot
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="opsbot-web-read")
        self.intake = Intake(readers(config), bot.agents.monitor.receive, bot.clock, bot.after)
        parts = Parts(
            intake=self.intake, bearer=Bearer(web.token_file), ready=partial(unready, bot),
            figures=lambda: families(bot.agents, bot.store, bot.worker, bot.ticks()), executor=self._executor,
            most_bytes=web.most_bytes,
        )  # fmt: skip
        self._listener = Listener(web.listen, app(parts))
        self._host = web.listen.rpartition(":")[0]

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def address(self) -> str:
        """The same, for people; the host as config gives it."""
        return f"http://{self._host}:{self.port}"

    def start(self) -> None:
        """Take requests from now on."""
        self.intake.start()
        self._listener.open()

    def stop(self) -> None:
        """Take no more; what was taken is kept and answered."""
        self._listener.close()
        self.intake.stop()
        self._executor.shutdown()


def readers(config: Config) -> Mapping[str, Read]:
    """How the payload of each webhook is read, by name."""
    own = {name: partial(generic.read, source=name, how=how) for name, how in config.webhooks.generic.items()}
    return {alertmanager.SOURCE: alertmanager.read, grafana.SOURCE: grafana.read, **own}


def unready(bot: Running) -> Iterator[str]:
    """Why the bot cannot do its work now; nothing where it can.

    A Prometheus that does not answer is no reason: pushed alerts must come through just then.
    """
    try:
        bot.store.check()
    except OpsbotError as error:
        yield f"the store cannot be used: {error}"
    if not bot.worker.alive:
        yield "the workers do not run"
    rules, polled, now = bot.agents.rules, bot.polled(), bot.clock()
    if rules:
        limit = MISSED * min(rule.every for rule in rules) + SLACK
        if polled is None or now - polled > limit:
            yield "alert rules are not being polled"
