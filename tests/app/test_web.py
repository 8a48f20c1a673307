"""The running bot with its server: pushes become incidents, and what it tells of itself is true."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest

from opsbot import config as settings
from opsbot.app import Bot, Hands, clock
from opsbot.app.web import unready
from opsbot.core.alert import AlertState
from opsbot.core.errors import Blind, ConfigError, PermanentError
from opsbot.core.ports import ClusterReader
from opsbot.store import SqlStore, open_store
from opsbot.testing.prometheus import FakeMetrics
from tests.monitor.receiving.payloads.payload_samples import alertmanager, entry

ALERTS = "alerts: [{name: Slow, condition: 'latency > 5', severity: critical, every: 1s}]\n"
CONFIG = """
web: {listen: '127.0.0.1:0'}
prometheus: {url: 'http://127.0.0.1:9090'}
kubernetes: {cluster: prod}
"""


class Nowhere:
    """A cluster that cannot be read."""

    def get(self, *_: object, **__: object) -> None:
        raise Blind("there is no cluster")

    list = logs = may = version = get


class Running:
    """A bot on fakes, with its server; without `alerts` there is no such file and no Prometheus."""

    def __init__(self, folder: Path, config: str = CONFIG, alerts: str = ALERTS) -> None:
        if alerts:
            (folder / "alerts.yaml").write_text(alerts)
        (folder / "agent_config.yaml").write_text(config)
        self.config = settings.load(str(folder / "agent_config.yaml"))
        self.metrics = FakeMetrics()
        self.metrics.says("latency > 5")
        self.store: SqlStore = open_store(f"sqlite:///{folder}/opsbot.db", clock())
        asked = self.metrics if self.config.prometheus else None
        self.bot = Bot(self.config, Hands(self.store, cast("ClusterReader", Nowhere()), None, asked))

    def __enter__(self) -> Running:
        self.bot.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bot.stop()
        self.store.close()

    def ask(self, method: str, path: str, value: object = None) -> tuple[int, str]:
        assert self.bot.web
        connection = http.client.HTTPConnection("127.0.0.1", self.bot.web.port, timeout=10)
        try:
            headers = {"content-type": "application/json"}
            connection.request(method, path, None if value is None else json.dumps(value), headers)
            found = connection.getresponse()
            return found.status, found.read().decode()
        finally:
            connection.close()


def wait(met: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not met() and time.monotonic() < until:
        time.sleep(0.05)
    assert met()


def test_a_push_becomes_an_incident_at_once_and_what_polls_see_is_the_same_alert(tmp_path: Path) -> None:
    with Running(tmp_path) as run:
        wait(lambda: run.ask("GET", "/readyz")[0] == 200)
        assert run.ask("POST", "/webhooks/alertmanager", alertmanager())[0] == 200
        wait(lambda: len(run.store.incidents()) == 1)
        assert run.store.alerts()[0].source == "alertmanager"
        run.metrics.says("latency > 5", ({}, 7.0))
        wait(lambda: run.store.alerts()[0].source == "prometheus")
        assert (len(run.store.alerts()), len(run.store.incidents())) == (1, 1)


def test_a_resolved_notice_ends_the_incident_of_a_pushed_alert(tmp_path: Path) -> None:
    with Running(tmp_path) as run:
        labels = {"alertname": "Odd"}
        run.ask("POST", "/webhooks/alertmanager", alertmanager({**entry(), "labels": labels}))
        wait(lambda: len(run.store.incidents(unresolved=True)) == 1)
        run.ask("POST", "/webhooks/alertmanager", alertmanager({**entry("resolved"), "labels": labels}))
        wait(lambda: run.store.incidents(unresolved=True) == ())
        (alert,) = run.store.alerts()
        assert alert.state is AlertState.RESOLVED


@pytest.mark.real("prometheus")
@pytest.mark.parametrize(
    ("labels", "target", "gap", "misread"),
    [
        ({"cluster": "elsewhere"}, "Pod/live/x", "is in cluster 'elsewhere', and this opsbot reads 'prod'", 0),
        ({}, "Pod/x", "opsbot_target 'Pod/x' names no object of the cluster", 1),
    ],
    ids=["of another cluster", "a target that cannot be read"],
)  # fmt: skip
def test_a_push_about_nothing_here_is_told_to_a_human_as_what_it_is(
    tmp_path: Path, labels: dict[str, str], target: str, gap: str, misread: int
) -> None:
    alert = {**entry(), "labels": {"alertname": "Odd", **labels}, "annotations": {"opsbot_target": target}}
    with Running(tmp_path) as run:
        assert run.ask("POST", "/webhooks/alertmanager", alertmanager(alert))[0] == 200
        wait(lambda: any(incident.gaps for incident in run.store.incidents()))
        (incident,) = run.store.incidents()
        (seen,) = incident.gaps
        assert gap in seen.why
        text = run.ask("GET", "/metrics")[1]
        line = 'opsbot_webhook_alerts_total{outcome="misread",source="alertmanager"} 1'
        assert (line in text) is bool(misread)


def test_the_figures_are_such_as_prometheus_reads(tmp_path: Path, prometheus_program: Path) -> None:
    with Running(tmp_path) as run:
        assert run.ask("POST", "/webhooks/alertmanager", alertmanager(entry(), None))[0] == 200
        wait(lambda: len(run.store.incidents()) == 1)
        status, said = run.ask("GET", "/metrics")
    assert status == 200
    assert {line for line in said.splitlines() if line.startswith(("opsbot_alerts", "opsbot_alert_rules"))} == {
        'opsbot_alerts{severity="critical",state="firing"} 1', "opsbot_alert_rules 1",
    }  # fmt: skip
    promtool = prometheus_program.with_name("promtool")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=said.encode(), capture_output=True, check=False, timeout=30
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
    documented = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    named = {line.split()[2] for line in said.splitlines() if line.startswith("# TYPE")}
    assert [name for name in sorted(named) if f"`{name}`" not in documented] == []


def test_not_ready_has_reasons(tmp_path: Path) -> None:
    run = Running(tmp_path)
    assert run.bot.web
    parts = run.bot.web.running
    assert list(unready(parts)) == ["the workers do not run", "alert rules are not being polled"]
    with run:
        wait(lambda: not list(unready(parts)))
    assert "the workers do not run" in list(unready(parts))


def test_polls_that_stopped_are_a_reason_and_a_silent_prometheus_is_none(tmp_path: Path) -> None:
    with Running(tmp_path) as run:
        assert run.bot.web
        parts = run.bot.web.running
        run.metrics.fails("latency > 5", Blind("no answer"))
        wait(lambda: bool(run.bot.agents.monitor.blindness()))
        assert list(unready(parts)) == []
        later = replace(parts, clock=lambda: clock() + timedelta(minutes=1))
        assert list(unready(later)) == ["alert rules are not being polled"]


def test_a_bot_without_prometheus_lives_on_pushes_alone(tmp_path: Path) -> None:
    with Running(tmp_path, "web: {listen: '127.0.0.1:0'}\n", alerts="") as run:
        wait(lambda: run.ask("GET", "/readyz")[0] == 200)
        run.ask("POST", "/webhooks/alertmanager", alertmanager())
        wait(lambda: len(run.store.incidents(unresolved=True)) == 1)
        run.ask("POST", "/webhooks/alertmanager", alertmanager(entry("resolved")))
        wait(lambda: run.store.incidents(unresolved=True) == ())


def test_rules_without_a_prometheus_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"prometheus\.url is missing"):
        Running(tmp_path, "web: {listen: '127.0.0.1:0'}\n")


def test_without_the_section_no_server_is_made(tmp_path: Path) -> None:
    run = Running(tmp_path, CONFIG.replace("web: {listen: '127.0.0.1:0'}", ""))
    assert run.bot.web is None
    run.store.close()


def test_an_address_that_is_taken_is_told_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    with Running(tmp_path / "a") as run:
        assert run.bot.web
        taken = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{run.bot.web.port}")
        with pytest.raises(PermanentError, match=r"web\.listen: cannot listen on 127\.0\.0\.1"):
            Running(tmp_path / "b", taken)


def test_a_payload_that_is_refused_is_an_incident(tmp_path: Path) -> None:
    with Running(tmp_path) as run:
        assert run.ask("POST", "/webhooks/alertmanager", {"version": "3"})[0] == 400
        wait(lambda: len(run.store.incidents()) == 1)
        (found,) = run.store.incidents()
        assert (found.key, found.title) == (
            "webhooks/alertmanager", 'webhooks/alertmanager: its notices are refused: version: must be "4"',
        )  # fmt: skip
