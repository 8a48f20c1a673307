"""A terminal on a cluster: a folder with config and alerts, a fake cluster over HTTP, and the agents at hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from opsbot import config as settings
from opsbot.app import build, connect
from opsbot.cli import main
from opsbot.core.incident import Incident
from opsbot.tasks.worker import Terms, Worker
from opsbot.testing.cluster import FakeCluster

CONFIG = """\
prometheus: {{url: 'http://127.0.0.1:9'}}
kubernetes:
  cluster: bench
  namespaces: [agents]
  read: {{kubeconfig: kube.json, context: reader}}
  write: {{kubeconfig: kube.json, context: writer}}
access:
  people: [{{name: Ana, os_user: {user}}}, {{name: Ben, os_user: ben}}]
  groups: {{sre: [{members}]}}
  permissions: {{sre: [diagnose, run, close, 'approve:*'], everyone: [read]}}
"""
ALERTS = """\
alerts:
  - name: High Task Latency
    condition: 'avg(response_time) > 5000'
    severity: critical
    actions: [scale_up_agents]
    target: {kind: Deployment, namespace: agents, name: agents}
"""


@dataclass
class Terminal:
    """Commands as a user types them, and the agents that a `serve` beside it would run."""

    folder: Path
    cluster: FakeCluster
    capsys: pytest.CaptureFixture[str]

    def run(self, *words: str) -> tuple[int, str, str]:
        """Exit code, stdout, stderr."""
        try:
            code = main(list(words))
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *self.capsys.readouterr()

    def ask(self, *words: str) -> tuple[int, Any]:
        """Exit code and the JSON answer."""
        code, out, err = self.run(*words, "--format", "json")
        return code, json.loads(out) if out else err

    def work(self) -> None:
        """What the agents would do now, done."""
        config = settings.load()
        hands = connect(config)
        agents = build(config, hands)
        worker = Worker(hands.store, agents.skills, Terms("test", config.roles, mode=agents.mode), hands.clock)
        for _ in range(3):
            worker.settle(hands.clock())
            self.cluster.run(5)
        hands.store.close()

    def stored(self, number: int = 1) -> Incident:
        store = connect(settings.load()).store
        found = store.load(number)
        store.close()
        assert found
        return found

    def config(self, members: str = "Ana") -> None:
        text = CONFIG.format(user=settings.os_user(), members=members)
        (self.folder / settings.NAME).write_text(text)


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Terminal]:
    monkeypatch.chdir(tmp_path)
    cluster = FakeCluster()
    labels = {"app": "agents"}
    cluster.add({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "agents", "namespace": "agents"},
        "spec": {
            "replicas": 4, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "app", "image": "app:1"}]}},
        },
    })  # fmt: skip
    cluster.run(10)
    with cluster.serve(tick_every=0.05) as url:
        (tmp_path / "kube.json").write_text(json.dumps(kubeconfig(url, cluster)))
        (tmp_path / "alerts.yaml").write_text(ALERTS)
        found = Terminal(tmp_path, cluster, capsys)
        found.config()
        yield found


def kubeconfig(url: str, cluster: FakeCluster) -> dict[str, Any]:
    names = ("reader", "writer")
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": "reader",
        "clusters": [{"name": "bench", "cluster": {"server": url}}],
        "users": [{"name": name, "user": {"token": cluster.token(name)}} for name in names],
        "contexts": [{"name": name, "context": {"cluster": "bench", "user": name}} for name in names],
    }  # fmt: skip
