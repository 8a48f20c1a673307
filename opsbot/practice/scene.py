"""The scene of the practice ground: what runs in the cluster, what is watched, and how opsbot is told of both.

Plain values and texts; nothing here starts or writes anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = "agents"
DEPLOYMENT = "agents"
REPLICAS = 4
ALERT = "High Task Latency"
PLAYBOOK = "scale_up_agents.yaml"
SLACK_USER = "U0PRACTICE"
"""Whoever raised the ground, as its own chat calls them."""

IMAGE = "registry.example/agents:1.4.2"


@dataclass(frozen=True, slots=True)
class Site:
    """Where the scene plays. Its pods can log, or else the app tells Events in their place (`mute`).

    `playbooks` are texts by file name, in place of shipped ones that would not touch this namespace.
    """

    namespace: str = NAMESPACE
    image: str = IMAGE
    mute: bool = False
    playbooks: Mapping[str, str] = field(default_factory=dict)


AT_HOME = Site()
"""A plane of the ground's own."""


def alerts(site: Site = AT_HOME) -> str:
    """The text of alerts.yaml."""
    return f"""\
# What opsbot watches on the practice ground. Four keys are enough: name, condition, severity, actions.
alerts:
  - name: {ALERT}
    condition: "avg(response_time) > 5000"
    severity: critical
    actions: [scale_up_agents]
    for: 10s
    every: 2s
    annotations: {{summary: 'a task takes {{{{ $value | humanize }}}} ms on the average'}}
    target: {{kind: Deployment, namespace: {json.dumps(site.namespace)}, name: {DEPLOYMENT}}}
"""


def agent_config(prometheus: str, person: str, store: str, site: Site = AT_HOME) -> str:
    """The text of agent_config.yaml for the ground; `person` is the OS user, who may do everything there."""
    who = json.dumps(person)
    return f"""\
# How opsbot reaches the practice ground, and who may do what there.
prometheus: {{url: {json.dumps(prometheus)}, every: 2s, timeout: 5s}}
kubernetes:
  cluster: practice
  namespaces: [{json.dumps(site.namespace)}]
  read: {{kubeconfig: kubeconfig.yaml, context: reader}}
  write: {{kubeconfig: kubeconfig.yaml, context: writer}}
store: {{url: {json.dumps(store)}}}
access:
  people: [{{name: {who}, os_user: {who}, slack: {SLACK_USER}}}]
  groups: {{sre: [{who}]}}
  permissions: {{sre: [diagnose, run, ack, close, 'approve:*'], everyone: [read]}}
limits: {{mode: propose}}
disable: {json.dumps([name.removesuffix(".yaml") for name in site.playbooks])}
"""


_UNPRIVILEGED = {
    "runAsNonRoot": True, "runAsUser": 65_534, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip
"""What the Pod Security level `restricted` asks for."""


def objects(site: Site = AT_HOME) -> list[dict[str, Any]]:
    """What a user would apply: two nodes' worth of workers behind one Deployment, and the Service before them."""
    labels = {"app": DEPLOYMENT}
    worker = {
        "name": "worker", "image": site.image, "ports": [{"containerPort": 8080}], "securityContext": _UNPRIVILEGED,
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
    }  # fmt: skip
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": site.namespace}},
        {
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": DEPLOYMENT, "namespace": site.namespace, "labels": labels},
            "spec": {
                "replicas": REPLICAS, "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [worker]}},
            },
        },
        {
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": DEPLOYMENT, "namespace": site.namespace, "labels": labels},
            "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
        },
    ]  # fmt: skip
