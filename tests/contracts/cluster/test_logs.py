"""What every cluster promises of logs: tails, windows, previous runs, and refusals that name the reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts.cluster.ground import PODS, Ground, pod

LINES = "".join(f"line {number}\n" for number in range(1, 6))


@pytest.fixture
def where(ground: Ground) -> str:
    ground.good("POST", PODS, pod("a"))
    ground.until(f"{PODS}/a", lambda found: found["status"]["phase"] == "Running")
    ground.log(ground.namespace, "a", LINES, "the end\n")
    return f"{PODS}/a/log"


def text(ground: Ground, where: str, **query: str) -> str:
    reply = ground.ask("GET", where, account="reader", **query)
    assert reply.status == 200, reply
    return reply.body.decode()


def test_a_log_is_plain_text(ground: Ground, where: str) -> None:
    assert text(ground, where, container="main") == LINES


@pytest.mark.parametrize(
    ("query", "want"),
    [
        ({"tailLines": "2"}, "line 4\nline 5\n"), ({"tailLines": "0"}, ""), ({"tailLines": "99"}, LINES),
        ({"limitBytes": "10"}, "line 1\nlin"), ({"tailLines": "2", "limitBytes": "8"}, "line 4\nl"),
        ({"previous": "true"}, "the end\n"), ({"sinceTime": "2100-01-01T00:00:00Z"}, ""),
        ({"sinceTime": "2001-01-01T00:00:00Z"}, LINES), ({"sinceSeconds": "86400"}, LINES),
    ],
    ids=["tail", "no tail", "long tail", "limit keeps the oldest", "limit of a tail", "previous", "since later",
         "since earlier", "since a day"],
)  # fmt: skip
def test_a_part_of_a_log(ground: Ground, where: str, query: dict[str, str], want: str) -> None:
    assert text(ground, where, container="main", **query) == want


def test_time_stamps_go_before_each_line(ground: Ground, where: str) -> None:
    first = text(ground, where, container="main", timestamps="true").splitlines()[0]
    stamp, _, line = first.partition(" ")
    assert (line, len(stamp), stamp[-1]) == ("line 1", 30, "Z")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 400, "a container name must be specified for pod a, choose one of: [main side]"),
        ({"container": "other"}, 400, "container other is not valid for pod a"),
        ({"container": "main", "tailLines": "x"}, 400, "invalid syntax"),
        ({"container": "main", "limitBytes": "0"}, 422,
         'PodLogOptions "a" is invalid: limitBytes: Invalid value: 0: must be greater than 0'),
        ({"container": "main", "tailLines": "-1"}, 422,
         'PodLogOptions "a" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0'),
        ({"container": "main", "sinceSeconds": "1", "sinceTime": "2001-01-01T00:00:00Z"}, 422, "at most one of"),
    ],
    ids=["no container", "other container", "no number", "no bytes", "less than none", "two windows"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(
    ground: Ground, where: str, query: dict[str, str], status: int, said: str
) -> None:
    found = ground.refused("GET", where, **query)
    assert (found["code"], said in found["message"]) == (status, True)


def test_no_pod_no_log(ground: Ground) -> None:
    found = ground.refused("GET", f"{PODS}/nobody/log")
    assert (found["code"], found["message"]) == (404, 'pods "nobody" not found')


def test_no_previous_run(ground: Ground) -> None:
    ground.needs_kubelet()
    ground.good("POST", PODS, pod("b"))
    ground.until(f"{PODS}/b", lambda found: found["status"]["phase"] == "Running")
    found = ground.refused("GET", f"{PODS}/b/log", container="main", previous="true")
    assert (found["code"], found["message"]) == (400, 'previous terminated container "main" in pod "b" not found')


def test_a_container_that_has_not_started_has_no_log(ground: Ground) -> None:
    ground.needs_kubelet()

    def waits(found: dict[str, Any]) -> bool:
        states = found["status"].get("containerStatuses") or [{"state": {}}]
        return "waiting" in states[0]["state"]

    ground.good("POST", PODS, pod("c"))
    ground.until(f"{PODS}/c", waits)
    reply = ground.ask("GET", f"{PODS}/c/log", container="main")
    assert reply.status == 400
    assert "is waiting to start: ContainerCreating" in (reply.parsed() or {})["message"]


def test_a_pod_without_a_node_has_an_empty_log(ground: Ground) -> None:
    ground.good("POST", PODS, pod("d", schedulerName="nobody"))
    assert ground.ask("GET", f"{PODS}/d/log", container="main").body == b""
