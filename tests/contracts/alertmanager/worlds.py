"""The same story told to both: a Prometheus with its Alertmanager, and opsbot on that Prometheus, side by side."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

from opsbot.config import Incidents, Limits, Prometheus
from opsbot.core.alert import AlertRule
from opsbot.core.incident import Incident
from opsbot.monitor.agent import MonitorAgent, Policy
from opsbot.monitor.receiving.payloads import alertmanager as payload
from opsbot.monitor.receiving.receiver import Reception
from opsbot.monitor.rules import promfile
from opsbot.practice.prometheus import command
from opsbot.prometheus import PrometheusClient
from opsbot.store import SqlStore, open_store
from opsbot.web.bearer import Bearer
from opsbot.web.intake import Intake
from opsbot.web.listener import Listener
from opsbot.web.routes import Parts, app
from tests.contracts.alertmanager import debian, story

Labels = frozenset[tuple[str, str]]
SPAN = story.STEP / 1000
TOKEN = "not-a-secret-of-anybody"
OPEN = Incidents(storm_above=10_000, flaps=10_000)
"""As many incidents as there are, none of them folded or held open."""


def now() -> datetime:
    return datetime.now(UTC)


# opsbot -------------------------------------------------------------------------------------------------------------


class World:
    """One opsbot: its store, its agent, and what it saw at each poll."""

    def __init__(self, url: str, rules: Sequence[AlertRule], path: Path) -> None:
        self.rules = tuple(rules)
        self.store: SqlStore = open_store(f"sqlite:///{path}", now())
        self.client = PrometheusClient(Prometheus(url))
        self.seen: list[tuple[datetime, dict[Labels, str]]] = []
        self.failed: list[Exception] = []
        how = Policy(OPEN, reception=Reception(external_labels=story.REGION))
        self.agent = MonitorAgent(
            rules=self.rules, metrics=self.client, store=self.store, cluster="", limits=Limits(), policy=how
        )

    def poll(self, at: datetime, rules: Sequence[AlertRule] | None = None) -> None:
        self.agent.poll(self.rules if rules is None else rules, at)
        self.seen.append((at, self.alerts()))

    def alerts(self) -> dict[Labels, str]:
        """State by labels."""
        return {story.own(alert.labels): alert.state.value for alert in self.store.alerts()}

    def firing(self) -> set[Labels]:
        return {labels for labels, state in self.alerts().items() if state == "firing"}

    def incidents(self) -> tuple[Incident, ...]:
        return self.store.incidents(limit=1000)

    def told(self) -> set[Labels]:
        """The alerts that some incident has had."""
        return {story.own(alert.labels) for incident in self.incidents() for alert in incident.alerts}

    def close(self) -> None:
        self.client.close()
        self.store.close()


@contextmanager
def polling(world: World) -> Iterator[None]:
    """The world polls every step, in a thread of its own."""
    stop = threading.Event()

    def loop() -> None:
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            due = max(due + SPAN, time.monotonic())
            with failing(world.failed):
                world.poll(now())

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def door(world: World, token: Path) -> Iterator[str]:
    """The small server on a world's monitor, on loopback; its address."""
    intake = Intake({payload.SOURCE: payload.read}, world.agent.receive, now, lambda: _look(world))
    with ThreadPoolExecutor(1) as executor:
        parts = Parts(intake, Bearer(token), ready=list, figures=list, executor=executor, most_bytes=4_000_000)
        listener = Listener("127.0.0.1:0", app(parts))
        intake.start()
        listener.open()
        try:
            yield f"http://127.0.0.1:{listener.port}"
        finally:
            listener.close()
            intake.stop()


def _look(world: World) -> None:
    with failing(world.failed):
        world.agent.look(now())


@contextmanager
def failing(kept: list[Exception]) -> Iterator[None]:
    """What fails in another thread is kept, for the test to see."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        kept.append(error)


# Prometheus and Alertmanager ----------------------------------------------------------------------------------------


@dataclass
class Notices:
    """What Alertmanager told, in order: bodies, and each alert of them with its status."""

    bodies: list[dict[str, Any]] = field(default_factory=list)

    def told(self, status: str) -> set[Labels]:
        alerts = [alert for body in list(self.bodies) for alert in body["alerts"]]
        return {story.own(alert["labels"]) for alert in alerts if alert["status"] == status}

    def last(self) -> dict[Labels, str]:
        """The last word on each alert."""
        return {story.own(a["labels"]): a["status"] for body in list(self.bodies) for a in body["alerts"]}


@contextmanager
def receiver(hear: Callable[[bytes], None]) -> Iterator[str]:
    """A small server on loopback that takes notices; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hear(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def routes(hook: str, doors: Sequence[str], token: Path) -> str:
    """Each alert is a group of its own, and told at once: to the test, and to each opsbot that is pushed to."""
    proof = {"authorization": {"credentials_file": str(token)}}
    pushed = [{"url": f"{url}/webhooks/alertmanager", "http_config": proof} for url in doors]
    return json.dumps({
        "route": {"receiver": "test", "group_by": ["..."], "group_wait": "0s", "group_interval": "500ms",
                  "repeat_interval": "2s"},
        "receivers": [{"name": "test", "webhook_configs": [{"url": hook}, *pushed]}],
    })  # fmt: skip


@contextmanager
def prometheus(program: Path, folder: Path, port: int, alertmanager: str) -> Iterator[None]:
    """A Prometheus with the rules of the story."""
    folder.mkdir()
    (folder / "rules.yml").write_text(story.RULES)
    (folder / "prometheus.yml").write_text(json.dumps({
        "global": {"evaluation_interval": f"{story.STEP}ms", "external_labels": story.REGION},
        "rule_files": [str(folder / "rules.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
    }))  # fmt: skip
    extra = ["--web.enable-remote-write-receiver", "--rules.alert.resend-delay=1s"]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen([*command(program, folder, port), *extra], stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            _until(lambda: child.poll() is not None or _ready(url), "prometheus")
            assert child.poll() is None, (folder / "log").read_text()[-2000:]
            yield
        finally:
            child.terminate()
            child.wait(20)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=2).ok
    except requests.ConnectionError:
        return False


def _until(good: Callable[[], bool], what: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < until, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)


def asked(url: str, path: str, **form: str) -> Any:
    answer = requests.post(f"{url}/api/v1/{path}", data=form, timeout=20) if form else None
    found = answer or requests.get(f"{url}/api/v1/{path}", timeout=20)
    return found.json()["data"]


def their_firing(url: str) -> set[Labels]:
    """The alerts that fire there now."""
    return {story.own(one["labels"]) for one in asked(url, "alerts")["alerts"] if one["state"] == "firing"}


def their_failing(url: str) -> set[str]:
    """The names of the rules that could not be evaluated the last time."""
    return {
        rule["name"] for group in asked(url, "rules")["groups"] for rule in group["rules"] if rule["health"] == "err"
    }


def their_history(url: str, until: float) -> dict[int, dict[Labels, str]]:
    """State by labels for each evaluation up to a time, by its own time in milliseconds, of all groups."""
    made: dict[int, dict[Labels, str]] = {at: {} for found in ticks(url, until).values() for at in found}
    for one in asked(url, "query", query="ALERTS[2m]", time=str(until))["result"]:
        labels = dict(one["metric"])
        state = labels.pop("alertstate")
        del labels["__name__"]
        for at, _ in one["values"]:
            assert story.own(labels) not in made[_ms(at)], "two states at one time"
            made[_ms(at)][story.own(labels)] = state
    return made


def ticks(url: str, until: float) -> dict[str, list[int]]:
    """When each group was evaluated up to a time, by the record that every evaluation leaves."""
    found = asked(url, "query", query='{__name__=~".+:tick"}[2m]', time=str(until))["result"]
    return {one["metric"]["__name__"].partition(":")[0]: [_ms(at) for at, _ in one["values"]] for one in found}


def _ms(at: float) -> int:
    return round(float(at) * 1000)


# together -----------------------------------------------------------------------------------------------------------


@dataclass
class Stage:
    """All that plays."""

    url: str
    notices: Notices
    rules: dict[str, tuple[AlertRule, ...]]
    polled: World
    both: World
    pushed: World
    doors: Sequence[str]
    ended: float = 0.0
    """When the story was over: Prometheus goes on, and each question about it must be about the same part."""

    @property
    def all_rules(self) -> tuple[AlertRule, ...]:
        return tuple(rule for rules in self.rules.values() for rule in rules)


@contextmanager
def raised(program: Path, alertmanager_program: Path, folder: Path) -> Iterator[Stage]:
    """Everything up and running, and nothing told yet."""
    groups = promfile.parse(story.RULES, "rules.yml").groups
    found = promfile.parse(story.RULES, "rules.yml").alerts
    rules = {group.name: tuple(rule for rule in found if rule.limit == group.limit) for group in groups}
    notices, port, token = Notices(), free_port(), folder / "token"
    url = f"http://127.0.0.1:{port}"
    token.write_text(TOKEN)
    with ExitStack() as stack:
        polled, both, pushed = (World(url, watched, folder / f"{n}.db") for n, watched in enumerate((found, found, ())))
        for world in (polled, both, pushed):
            stack.callback(world.close)
        doors = [stack.enter_context(door(world, token)) for world in (both, pushed)]
        hook = stack.enter_context(receiver(lambda body: notices.bodies.append(json.loads(body))))
        config = routes(hook, doors, token)
        manager = stack.enter_context(debian.running(alertmanager_program, config, folder / "alertmanager"))
        stack.enter_context(prometheus(program, folder / "prometheus", port, manager.url))
        yield Stage(url, notices, rules, polled, both, pushed, doors)
