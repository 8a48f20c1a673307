"""What a cluster must offer to be put under this contract: accounts, a namespace of one's own, and time that passes."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from opsbot.kube.call import ask
from opsbot.kube.errors import Reply

PLAIN = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_counter = itertools.count(1)


@dataclass(slots=True)
class Ground:
    """One cluster: `apis` by account (admin may do all, reader may not write), `step` lets a moment pass.

    `log` puts a log (current, previous) behind a pod's container: where a cluster has no containers, it is prepared.
    """

    apis: Mapping[str, Any]
    step: Callable[[], None]
    log: Callable[[str, str, str, str], None]
    namespace: str = field(default_factory=lambda: f"contract-{next(_counter)}")

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        account: str = "admin",
        content_type: str = PLAIN,
        **query: str,
    ) -> Reply:
        """One raw request; `{ns}` in the path is the namespace of this test."""
        return ask(
            self.apis[account], method, path.replace("{ns}", self.namespace), timeout=10, query=query, body=body,
            content_type=content_type,
        )  # fmt: skip

    def good(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """A request that must succeed; its object."""
        reply = self.ask(method, path, body, **options)
        assert reply.status in (200, 201), reply
        found = reply.parsed()
        assert found is not None
        return found

    def until(self, path: str, holds: Callable[[dict[str, Any]], bool], steps: int = 120) -> dict[str, Any]:
        """The object at a path once it is as wanted."""
        for _ in range(steps):
            found = self.good("GET", path)
            if holds(found):
                return found
            self.step()
        raise AssertionError(f"{path} never came to be as wanted: {found}")


def deployment(name: str = "web", replicas: int = 2, **spec: Any) -> dict[str, Any]:
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": "web:1"}]}},
            **spec,
        },
    }  # fmt: skip


def pod(name: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "web:1"}, {"name": "side", "image": "side:1"}]
    return {
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels or {}},
        "spec": {"containers": containers, **spec},
    }  # fmt: skip


DEPLOYMENTS = "/apis/apps/v1/namespaces/{ns}/deployments"
PODS = "/api/v1/namespaces/{ns}/pods"
EVENTS = "/api/v1/namespaces/{ns}/events"
CONFIG_MAPS = "/api/v1/namespaces/{ns}/configmaps"
