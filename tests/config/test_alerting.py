"""The section `incidents` of agent_config.yaml."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from opsbot.config import Incidents
from opsbot.config.file import read
from opsbot.core.errors import ConfigError

WHOLE = """
incidents:
  group_by: [team, zone]
  storm: {above: 5, within: 2m, debounce: 3s, max_wait: 20s}
  flapping: {refires: 4, within: 30m, calm: 5m}
  heartbeat: {alerts: [Alive], within: 10m}
"""


def test_all_of_it() -> None:
    assert read(WHOLE, Path("a.yaml")).incidents == Incidents(
        group_by=("team", "zone"), storm_above=5, storm_within=timedelta(minutes=2), debounce=timedelta(seconds=3),
        max_wait=timedelta(seconds=20), flaps=4, flaps_within=timedelta(minutes=30), calm=timedelta(minutes=5),
        heartbeats=("Alive",), heartbeat_within=timedelta(minutes=10),
    )  # fmt: skip


@pytest.mark.parametrize("text", ["{}", "incidents: {}", "incidents: {storm: {}, flapping: {}, heartbeat: {}}"])
def test_what_is_left_out_is_the_default(text: str) -> None:
    assert read(text, Path("a.yaml")).incidents == Incidents()


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("incidents: {group_by: [a-b]}", 1, "'a-b' is no name of a label"),
        ("incidents: {group_by: [a, a]}", 1, "group_by: 'a' is there twice"),
        ("incidents: {group_by: team}", 1, "incidents.group_by: must be a list"),
        ("incidents:\n  storm: {above: 0}", 2, "incidents.storm.above: must be 1 or more"),
        ("incidents:\n  storm: {within: 0s}", 2, "incidents.storm.within: must be 1s or more"),
        ("incidents:\n  storm: {debounce: 1m}", 2, "incidents.storm.max_wait: is shorter than debounce"),
        ("incidents:\n  storm: {max_wait: 1s}", 2, "incidents.storm.max_wait: is shorter than debounce"),
        ("incidents:\n  storm: {wait: 1s}", 2, "incidents.storm.wait: is not a known key"),
        ("incidents:\n  flapping: {refires: 0}", 2, "incidents.flapping.refires: must be 1 or more"),
        ("incidents:\n  flapping: {calm: soon}", 2, "incidents.flapping.calm:"),
        ("incidents:\n  flapping: {within: 1s}", 2, "incidents.flapping.within: must be 60s or more"),
        ("incidents:\n  heartbeat: {alerts: [A, A]}", 2, "incidents.heartbeat.alerts: 'A' is there twice"),
        ("incidents:\n  heartbeat: {alerts: ['']}", 2, "must not be empty"),
        ("incidents:\n  heartbeat: {within: 1s}", 2, "incidents.heartbeat.within: must be 60s or more"),
    ],
    ids=[
        "label", "label twice", "no list", "above", "within", "debounce alone", "max_wait", "unknown key", "refires",
        "no duration", "flaps within", "heartbeat twice", "heartbeat without a name", "heartbeat within",
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place(text: str, line: int, says: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(text, Path("a.yaml"))
    (problem,) = error.value.problems
    assert problem.line == line
    assert says in problem.message
