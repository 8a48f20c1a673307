"""The app whose pods cannot log: what they would complain of becomes Events, under rights for no more than that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from opsbot.practice import scene
from opsbot.practice.app import App, event, look, tell_events
from opsbot.practice.guest import APP
from opsbot.practice.load import BUSY, QUIET
from opsbot.practice.plane.client import Client
from opsbot.practice.plane.kubeconfig import Access
from opsbot.practice.plane.simulated import simulated
from opsbot.testing.cluster import FakeCluster

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SITE = scene.Site("demo", mute=True)


def told(cluster: FakeCluster) -> list[tuple[str, str]]:
    found = cluster.list("Event", "demo")
    return [(one["involvedObject"]["name"], one["message"]) for one in found if one["reason"] == "TaskTimedOut"]


def test_one_event_a_second_while_tasks_time_out() -> None:
    with simulated(scene.objects(SITE), {"app": APP}) as plane:
        client, app = Client(Access(plane.url, plane.token("app"))), App(BUSY, "demo")
        look(app, client)
        assert app.ready is not None
        assert len(app.ready) == scene.REPLICAS
        for second in range(8):
            tell_events(app, client, NOW + timedelta(seconds=second))
        found = told(plane.cluster)
        assert len(found) == 8
        assert {pod for pod, _ in found} == set(app.ready)
        assert all("timed out after 5000 ms waiting for a free worker" in message for _, message in found)


@pytest.mark.parametrize(("tasks", "ready"), [
    pytest.param(QUIET, ("agents-1",) * 4, id="at ease"), pytest.param(BUSY, (), id="no pod"),
    pytest.param(BUSY, None, id="blind"),
])  # fmt: skip
def test_else_there_is_nothing_to_tell(tasks: float, ready: tuple[str, ...] | None) -> None:
    with simulated(scene.objects(SITE), {"app": APP}) as plane:
        app = App(tasks, "demo")
        app.ready = ready
        tell_events(app, Client(Access(plane.url, plane.token("app"))), NOW)
        assert told(plane.cluster) == []


def test_an_event_that_is_refused_is_said_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    with simulated(scene.objects(SITE), {"app": ()}) as plane:
        app = App(BUSY, "demo")
        app.ready = ("agents-1",)
        tell_events(app, Client(Access(plane.url, plane.token("app"))), NOW)
        assert told(plane.cluster) == []
    assert "no Event can be told: POST" in capsys.readouterr().err


def test_an_event_says_which_pod_and_when() -> None:
    made = event("demo", "agents-1", "WARN task 1 timed out", NOW)
    assert made["involvedObject"] == {"apiVersion": "v1", "kind": "Pod", "namespace": "demo", "name": "agents-1"}
    assert (made["type"], made["message"]) == ("Warning", "task 1 timed out")
    assert made["firstTimestamp"] == made["lastTimestamp"] == "2026-01-02T03:04:05Z"
    assert made["metadata"]["namespace"] == "demo"
    later = event("demo", "agents-1", "WARN task 1 timed out", NOW + timedelta(milliseconds=1))
    assert later["metadata"]["name"] != made["metadata"]["name"]
