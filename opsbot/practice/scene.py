"""The scene of the practice ground: what runs in the cluster, what is watched, and how opsbot is told of both.

Plain values and texts; nothing here starts or writes anything.
"""

from __future__ import annotations

import json
from typing import Any

NAMESPACE = "agents"
DEPLOYMENT = "agents"
REPLICAS = 4
ALERT = "High Task Latency"
SLACK_USER = "U0PRACTICE"
"""Whoever raised the ground, as its own chat calls them."""

ALERTS = f"""\
# What opsbot watches on the practice ground. Four keys are enough: name, condition, severity, actions.
alerts:
  - name: {ALERT}
    condition: "avg(response_time) > 5000"
    severity: critical
    actions: [scale_up_agents]
    for: 10s
    every: 2s
    annotations: {{summary: 'a task takes {{{{ $value | humanize }}}} ms on the average'}}
    target: {{kind: Deployment, namespace: {NAMESPACE}, name: {DEPLOYMENT}}}
"""


def agent_config(prometheus: str, person: str, store: str) -> str:
    """The text of agent_config.yaml for the ground; `person` is the OS user, who may do everything there."""
    who = json.dumps(person)
    return f"""\
# How opsbot reaches the practice ground, and who may do what there.
prometheus: {{url: {json.dumps(prometheus)}, every: 2s, timeout: 5s}}
kubernetes:
  cluster: practice
  namespaces: [{NAMESPACE}]
  read: {{kubeconfig: kubeconfig.yaml, context: reader}}
  write: {{kubeconfig: kubeconfig.yaml, context: writer}}
store: {{url: {json.dumps(store)}}}
access:
  people: [{{name: {who}, os_user: {who}, slack: {SLACK_USER}}}]
  groups: {{sre: [{who}]}}
  permissions: {{sre: [diagnose, run, ack, close, 'approve:*'], everyone: [read]}}
limits: {{mode: propose}}
"""


def kubeconfig(server: str, tokens: dict[str, str]) -> str:
    """The text of a kubeconfig with one context for each account, the first one in force."""
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": next(iter(tokens)),
        "clusters": [{"name": "practice", "cluster": {"server": server}}],
        "users": [{"name": name, "user": {"token": token}} for name, token in tokens.items()],
        "contexts": [
            {"name": name, "context": {"cluster": "practice", "user": name, "namespace": NAMESPACE}} for name in tokens
        ],
    }, indent=2)  # fmt: skip


def objects() -> list[dict[str, Any]]:
    """What a user would apply: two nodes' worth of workers behind one Deployment, and the Service before them."""
    labels = {"app": DEPLOYMENT}
    worker = {
        "name": "worker", "image": "registry.example/agents:1.4.2", "ports": [{"containerPort": 8080}],
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE, "labels": labels},
            "spec": {
                "replicas": REPLICAS, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [worker]}},
            },
        },
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": DEPLOYMENT, "namespace": NAMESPACE, "labels": labels},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]  # fmt: skip
