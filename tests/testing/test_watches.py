"""Watching FakeCluster through its two faces: as the official client does it, and over a bare connection."""

from __future__ import annotations

import http.client
import json
import threading
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from opsbot.testing import FakeCluster
from opsbot.testing.cluster import Request

MAPS = "/api/v1/namespaces/shop/configmaps"


def config_map(name: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}}


@pytest.fixture
def cluster() -> FakeCluster:
    made = FakeCluster()
    made.add(config_map("a"))
    return made


def version(cluster: FakeCluster) -> str:
    listed = cluster.handle(Request("GET", MAPS, token="admin-token"))
    return str(listed.json["metadata"]["resourceVersion"])


def events(cluster: FakeCluster, **query: str) -> list[tuple[str, str]]:
    """All events of a watch that is over at once."""
    asked = {"watch": "1", "timeoutSeconds": "0.01", **query}
    answer = cluster.handle(Request("GET", MAPS, asked, token="admin-token"))
    assert answer.status == 200
    found = [json.loads(line) for line in answer.stream or () if line]
    return [(event["type"], event["object"]["metadata"].get("name", "")) for event in found]


@pytest.mark.real("kubernetes client")
def test_the_official_watch_sees_what_happens(cluster: FakeCluster) -> None:
    from kubernetes.client import CoreV1Api
    from kubernetes.watch import Watch

    core: Any = CoreV1Api(cluster.connect("reader"))
    start = version(cluster)
    cluster.add(config_map("b"))
    seen = []
    watch: Any = Watch()  # type: ignore[no-untyped-call]
    for event in watch.stream(core.list_namespaced_config_map, "shop", resource_version=start, timeout_seconds=5):
        seen.append((event["type"], event["object"].metadata.name))
        if len(seen) == 1:
            cluster.remove("ConfigMap", "shop", "a")
        else:
            watch.stop()
    assert seen == [("ADDED", "b"), ("DELETED", "a")]


def test_a_watch_waits_for_what_another_thread_does(cluster: FakeCluster) -> None:
    with cluster.serve() as url:
        parts = urlsplit(url)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port or 0, timeout=10)
        path = f"{MAPS}?watch=true&resourceVersion={version(cluster)}"
        line.request("GET", path, headers={"Authorization": "Bearer admin-token"})
        answer = line.getresponse()
        assert answer.headers["Transfer-Encoding"] == "chunked"
        threading.Timer(0.05, cluster.add, [config_map("b")]).start()
        assert json.loads(answer.readline())["object"]["metadata"]["name"] == "b"
        line.close()


def test_the_end_of_the_server_ends_its_watches(cluster: FakeCluster) -> None:
    with cluster.serve() as url:
        parts = urlsplit(url)
        line = http.client.HTTPConnection(str(parts.hostname), parts.port or 0, timeout=10)
        line.request("GET", f"{MAPS}?watch=true", headers={"Authorization": "Bearer admin-token"})
        answer = line.getresponse()
        assert json.loads(answer.readline())["type"] == "ADDED"
    with suppress(http.client.HTTPException, OSError):
        assert answer.read() == b""
    line.close()


def test_a_watch_of_its_time_is_not_remembered_for_ever(cluster: FakeCluster) -> None:
    start = version(cluster)
    assert events(cluster, resourceVersion=start) == []
    cluster.add(config_map("b"))
    assert events(cluster, resourceVersion=start) == [("ADDED", "b")]
    cluster.forget_history()
    assert events(cluster, resourceVersion=start) == [("ERROR", "")]
    assert events(cluster, resourceVersion=version(cluster)) == []
    assert events(cluster, resourceVersion="0") == [("ADDED", "a"), ("ADDED", "b")]


def test_bookmarks_come_when_asked_for(cluster: FakeCluster) -> None:
    assert events(cluster, allowWatchBookmarks="true")[-1] == ("BOOKMARK", "")


def test_changes_of_other_kinds_and_places_are_none_of_its_business(cluster: FakeCluster) -> None:
    start = version(cluster)
    cluster.add({"kind": "Secret", "metadata": {"name": "s", "namespace": "shop"}})
    cluster.add({"kind": "ConfigMap", "metadata": {"name": "c", "namespace": "other"}})
    assert events(cluster, resourceVersion=start) == []
