"""What the parts ask of a real API server is what they state, verb for verb: nothing is missing, nothing is spare."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot.app.rights import rights
from opsbot.core.errors import Blind
from opsbot.core.ports import Object
from opsbot.core.target import Target
from opsbot.diagnose import sources
from opsbot.kube.read import KubeReader
from opsbot.kube.session import Connection, connect
from opsbot.kube.write import KubeWriter
from opsbot.practice.plane.real import RealPlane
from opsbot.remediate import facts, steps
from tests.practice.plane.plane_world import eventually

pytestmark = [pytest.mark.plane, pytest.mark.real("kubernetes"), pytest.mark.real("kubernetes client")]

NAMESPACE = "rights"
SELECTOR = {"app": "web"}
TEMPLATE: dict[str, Any] = {
    "metadata": {"labels": SELECTOR},
    "spec": {"containers": [{"name": "main", "image": "registry.example/web:1"}]},
}
ONCE = {"spec": {**TEMPLATE["spec"], "restartPolicy": "Never"}}
WORKLOADS: dict[str, dict[str, Any]] = {
    "Deployment": {"selector": {"matchLabels": SELECTOR}, "template": TEMPLATE},
    "ReplicaSet": {"selector": {"matchLabels": SELECTOR}, "template": TEMPLATE},
    "StatefulSet": {"serviceName": "web", "selector": {"matchLabels": SELECTOR}, "template": TEMPLATE},
    "DaemonSet": {"selector": {"matchLabels": SELECTOR}, "template": TEMPLATE},
    "Job": {"template": ONCE},
    "CronJob": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": ONCE}}},
    "Pod": TEMPLATE["spec"],
}
VERSIONS = {"Job": "batch/v1", "CronJob": "batch/v1", "Pod": "v1"}


def workload(kind: str) -> Object:
    """One of each kind, with labels of its own so that they do not take each other's pods."""
    labels = {"app": kind.lower()}
    made: dict[str, Any] = {
        "apiVersion": VERSIONS.get(kind, "apps/v1"), "kind": kind,
        "metadata": {"name": kind.lower(), "namespace": NAMESPACE, "labels": labels}, "spec": dict(WORKLOADS[kind]),
    }  # fmt: skip
    if "selector" in made["spec"]:
        made["spec"] |= {"selector": {"matchLabels": labels}, "template": {**TEMPLATE, "metadata": {"labels": labels}}}
    return made


def targets() -> Iterator[Target]:
    yield from (Target(NAMESPACE, kind, kind.lower()) for kind in WORKLOADS)


@pytest.fixture(scope="module")
def busy(plane: RealPlane) -> RealPlane:
    """A plane with one workload of each kind, on which every part has asked all that it may ever ask."""
    space: Object = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
    plane.apply([space, *map(workload, WORKLOADS)])
    eventually(lambda: len(plane.client().get(f"/api/v1/namespaces/{NAMESPACE}/pods")["items"]) >= 5)
    apis = {name: connect(Connection(kubeconfig=str(plane.kubeconfig), context=name)) for name in ("reader", "writer")}
    read_all(KubeReader(apis["reader"]))
    write_all(KubeReader(apis["reader"]), KubeWriter(apis["writer"]))
    for api in apis.values():
        api.close()
    return plane


def read_all(reader: KubeReader) -> None:
    for target in targets():
        for source in sources.KINDS:
            list(source.collect(reader, target, datetime.now(UTC)))
    for target in targets():
        if target.kind in facts.KINDS:
            assert facts.read(reader, target)


def write_all(reader: KubeReader, writer: KubeWriter) -> None:
    """Every kind of step on every kind of workload that it fits: look, dry run, write."""
    for step in steps.KINDS:
        for target in (one for one in targets() if one.kind in step.kinds):
            thing = writer.read(target)
            assert thing
            if step.writes:
                lock = {name: thing["metadata"][name] for name in ("uid", "resourceVersion")}
                writer.patch(target, {"metadata": lock, "spec": {"minReadySeconds": 1}}, dry_run=True)


@pytest.mark.parametrize("account", ["reader", "writer"])
def test_what_is_asked_is_what_is_stated(busy: RealPlane, account: str) -> None:
    used, granted = busy.used(account), set(rights()[account])
    assert used - granted == set(), "asked for, and not stated by any part"
    assert granted - used == set(), "stated by a part, and never asked for"


@pytest.mark.parametrize("account", ["reader", "writer"])
def test_what_is_not_stated_is_refused(busy: RealPlane, account: str) -> None:
    api = connect(Connection(kubeconfig=str(busy.kubeconfig), context=account))
    reader = KubeReader(api)
    for kind in ("Secret", "ConfigMap"):
        with pytest.raises(Blind, match="forbidden"):
            reader.list(kind, NAMESPACE)
    wishes = [("create", "Pod", ""), ("delete", "Pod", ""), ("create", "Pod", "exec"), ("update", "Deployment", "")]
    assert [wish for wish in wishes if reader.may(wish[0], wish[1], NAMESPACE, wish[2])] == []
    api.close()
