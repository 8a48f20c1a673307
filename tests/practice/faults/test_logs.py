"""Log files as kwok reads them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opsbot.practice.faults import BY_NAME
from opsbot.practice.faults.logs import cri, runs, served

NOON = datetime(2026, 11, 22, 12, 0, 0, 5, tzinfo=UTC)


def test_lines_are_a_second_apart_and_end_at_the_time_given() -> None:
    assert cri(["one", "", "\tthree: ü"], NOON) == (
        "2026-11-22T11:59:58.000005000Z stdout F one\n"
        "2026-11-22T11:59:59.000005000Z stdout F \n"
        "2026-11-22T12:00:00.000005000Z stdout F \tthree: ü\n"
    )


def test_no_lines_are_an_empty_file() -> None:
    assert cri([], NOON) == ""


def test_an_init_container_speaks_for_its_fault() -> None:
    obj = served(BY_NAME["init_container_failing"], Path("/x/now.log"), Path("/x/before.log"))
    assert obj["spec"] == {
        "selector": {"matchNamespaces": ["practice-faults"]},
        "logs": [
            {"containers": ["migrate"], "logsFile": "/x/now.log", "previousLogsFile": "/x/before.log", "follow": False}
        ],
    }


def test_without_a_run_before_there_is_no_log_of_it() -> None:
    obj = served(BY_NAME["readiness_probe_wrong"], Path("/x/now.log"), Path("/x/before.log"))
    assert "previousLogsFile" not in obj["spec"]["logs"][0]


@pytest.mark.parametrize(
    ("name", "ran"),
    [
        ("app_crash", True),
        ("replicas_zero", True),
        ("image_not_found", False),
        ("wrong_command", False),
        ("volume_mount_failing", False),
    ],
)
def test_a_container_that_never_ran_says_nothing(name: str, ran: bool) -> None:
    assert runs(BY_NAME[name]) is ran
