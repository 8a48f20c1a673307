"""What `opsbot doctor` looks at: each far side asked once, each answer a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opsbot import config as settings
from opsbot.app import hands
from opsbot.app.rights import Right, rights
from opsbot.commands.desk import Probe
from opsbot.core.errors import ConfigError, OpsbotError
from opsbot.core.ports import ClusterReader
from opsbot.kube.kinds import kind_of
from opsbot.lab import library

if TYPE_CHECKING:
    from opsbot.app.desk import TerminalDesk

PAUSE = (("get", "configmaps"),)
PATIENCE = 5
"""Seconds for each answer of a model's server or of Slack."""
UNWANTED = (("get", "Secret", ""), ("patch", "Deployment", ""), ("delete", "Pod", ""))


def _told(name: str, look: Callable[[], tuple[str, str]]) -> Probe:
    try:
        return Probe(name, *look())
    except ConfigError as error:
        return Probe(name, "bad", f"{len(error.problems)} problems, the first: {error.problems[0]}; see `opsbot check`")
    except OpsbotError as error:
        return Probe(name, "bad", str(error))


def config(desk: TerminalDesk) -> Probe:
    """Which config file is in force."""

    def look() -> tuple[str, str]:
        file = desk.config.file
        which, why = desk.config.mode
        return "good", f"{file or f'no {settings.NAME}: defaults'}; mode {which.value}: {why}"

    return _told("config", look)


def person(desk: TerminalDesk) -> Probe:
    """Who asks, and whether they are known."""

    def look() -> tuple[str, str]:
        user = settings.os_user()
        name = desk.access.person(desk.door, user)
        return ("good", f"{name} (OS user {user})") if name else ("warn", f"OS user {user} is not in access.people")

    return _told("person", look)


def files(desk: TerminalDesk) -> Probe:
    """Whether alerts, rules and playbooks can be in force."""

    def look() -> tuple[str, str]:
        alerts = library.alerts(desk.config, desk.playbooks)
        return "good", f"alert rules {len(alerts)}, diagnosis rules {len(desk.rules)}, playbooks {len(desk.playbooks)}"

    return _told("files", look)


def store(desk: TerminalDesk) -> Probe:
    """Whether the store is there and whole."""

    def look() -> tuple[str, str]:
        problems = desk.record.verify()
        return ("bad", problems[0]) if problems else ("good", desk.record.check())

    return _told("store", look)


def prometheus(desk: TerminalDesk) -> Probe:
    """Whether Prometheus answers."""

    def look() -> tuple[str, str]:
        client: Any = hands.metrics(desk.config)
        if client:
            return "good", client.check()
        return "warn" if desk.config.web else "bad", "prometheus.url is not given"

    return _told("prometheus", look)


def cluster_read(desk: TerminalDesk) -> Probe:
    """Whether the read account can see what it needs, and no more."""

    def look() -> tuple[str, str]:
        client: Any = desk.reader
        says, spaces = client.check(), desk.config.kubernetes.namespaces or ("",)
        home = settings.home(desk.config)
        missing = [*_lacking(client, rights()["reader"], spaces), *(_lacking(client, PAUSE, (home,)) if home else ())]
        if missing:
            return "bad", f"{says}, but may not {', '.join(missing)}"
        more = [wish for wish in UNWANTED if any(client.may(wish[0], wish[1], space, wish[2]) for space in spaces)]
        words = ", ".join(f"{verb} {kind}" for verb, kind, _ in more)
        return ("warn", f"{says}; it may also {words}, which opsbot does not need") if more else ("good", says)

    return _told("read", look)


def cluster_write(desk: TerminalDesk) -> Probe:
    """Whether the write account can do what playbooks do."""

    def look() -> tuple[str, str]:
        client = hands.write_account(desk.config)
        if client is None:
            return "warn", "kubernetes.write is not given: opsbot observes"
        missing = _lacking(client, rights()["writer"], desk.config.kubernetes.namespaces or ("",))
        return ("bad", f"may not {', '.join(missing)}") if missing else ("good", "may change workloads")

    return _told("write", look)


def model(desk: TerminalDesk) -> Probe:
    """Whether the model's server answers, takes the key and knows the model; nothing is generated."""

    def look() -> tuple[str, str]:
        says = hands.model_check(desk.config, PATIENCE)
        return "good", says

    return _told("model", look)


def slack(desk: TerminalDesk) -> Probe:
    """Whether Slack takes the tokens, and whose they are; nothing is posted."""

    def look() -> tuple[str, str]:
        from opsbot.chat import probe

        given = desk.config.slack
        assert given is not None
        return "good", probe.check(given, PATIENCE)

    return _told("slack", look)


def web(desk: TerminalDesk) -> Probe:
    """Whether the server for webhooks has its token, and whether a running bot answers there."""

    def look() -> tuple[str, str]:
        from opsbot.web import probe

        given = desk.config.web
        assert given is not None
        return probe.check(given, PATIENCE)

    return _told("web", look)


def _lacking(client: ClusterReader, needed: tuple[Right, ...], spaces: tuple[str, ...]) -> list[str]:
    """What the account may not do in one of the namespaces, in words."""
    wishes = [(verb, *kind_of(resource)) for verb, resource in needed]
    return [
        f"{verb} {kind}{f'/{part}' if part else ''}{f' in {space}' if space else ''}"
        for verb, kind, part in wishes
        for space in spaces
        if not client.may(verb, kind, space, part)
    ]


ALWAYS = (config, person, files, store, prometheus, cluster_read, cluster_write)


def probes(desk: TerminalDesk) -> tuple[Callable[[TerminalDesk], Probe], ...]:
    """All that there is to be looked at: a model, Slack and the server only where config names them."""
    try:
        given = desk.config
    except OpsbotError:
        return ALWAYS
    named = ((model, given.model), (slack, given.slack), (web, given.web))
    return (*ALWAYS, *(look for look, section in named if section))
