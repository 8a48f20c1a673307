"""What a cluster must offer to be put under this contract: accounts, a namespace of one's own, and time that passes."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from opsbot.kube.call import ask
from opsbot.kube.errors import Reply

PLAIN = "application/json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
_counter = itertools.count(1)
_RUN = uuid.uuid4().hex[:6]


@dataclass(slots=True)
class Ground:
    """One cluster: `apis` by account (admin may do all, reader may not write), `step` lets a moment pass.

    `log` puts a log (current, previous) behind a pod's container: where a cluster has no containers, it is prepared.
    `forget` makes the server's store drop all versions but the newest, as it does by itself after some minutes.
    `no_kubelet` says why there is no kubelet behind the nodes; it is empty where there is one, or one that is simulated
    as a whole. `bookmark_after` is how many seconds a watch must last to be told a bookmark before it ends, and `young`
    is the path of a list whose first versions the server does not know any more.
    """

    apis: Mapping[str, Any]
    step: Callable[[], None]
    log: Callable[[str, str, str, str], None]
    forget: Callable[[], None]
    no_kubelet: str = ""
    bookmark_after: int = 1
    young: str = "/api/v1/namespaces/{ns}/configmaps"
    namespace: str = field(default_factory=lambda: f"contract-{_RUN}-{next(_counter)}")

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

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> dict[str, Any]:
        """A request that must not succeed; the Status that came instead, with its own code in agreement."""
        reply = self.ask(method, path, body, **options)
        found = reply.parsed() or {}
        assert (found.get("kind"), found.get("status"), found.get("code")) == ("Status", "Failure", reply.status), reply
        return found

    def needs_kubelet(self) -> None:
        """Skip the test where nothing behaves as a kubelet does."""
        if self.no_kubelet:
            pytest.skip(self.no_kubelet)

    @contextmanager
    def watch(self, path: str, *, account: str = "admin", **query: str) -> Iterator[Iterator[dict[str, Any]]]:
        """The events of a watch as they come; the end of the context cuts it, wherever it is."""
        url = f"{path.replace('{ns}', self.namespace)}?{urlencode({'watch': 'true', 'timeoutSeconds': '10', **query})}"
        api = self.apis[account]
        request = api.param_serialize("GET", url, header_params={"Accept": "application/json"},
                                      auth_settings=["BearerToken"])  # fmt: skip
        response = api.call_api(*request, _request_timeout=(5, 20)).response
        try:
            assert response.status == 200, response.read()
            yield _events(response.stream(decode_content=False))
        finally:
            response.close()

    def until(self, path: str, holds: Callable[[dict[str, Any]], bool], steps: int = 600) -> dict[str, Any]:
        """The object at a path once it is as wanted."""
        for _ in range(steps):
            found = self.good("GET", path)
            if holds(found):
                return found
            self.step()
        raise AssertionError(f"{path} never came to be as wanted: {found}")


def _events(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    waiting = b""
    for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        yield from map(json.loads, lines)


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


def paused(name: str = "web", replicas: int = 2) -> dict[str, Any]:
    """A Deployment that no controller moves, so that whoever writes to it is alone."""
    return deployment(name, replicas, paused=True)


def at_rest(found: dict[str, Any]) -> bool:
    """Whether the controllers have said all that they will say of a paused Deployment."""
    status = found.get("status") or {}
    reasons = {item["reason"] for item in status.get("conditions") or []}
    seen = status.get("observedGeneration") == found["metadata"]["generation"]
    return seen and {"DeploymentPaused", "MinimumReplicasUnavailable"} <= reasons


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
