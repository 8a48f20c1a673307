"""Any other JSON, read as config says."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from opsbot.config import Generic
from opsbot.core.alert import Push
from opsbot.core.errors import Refused
from opsbot.monitor.receiving.payloads import generic
from tests.monitor.receiving.payloads.payload_samples import NOW

HOW = Generic(
    alerts="data.events", name="{{ alert.title }}", status="{{ alert.state }}", firing=("open", "1", "true"),
    resolved=("closed", "false"), severity="{{ alert.level }}", starts_at="{{ alert.at }}",
    labels={"host": "{{ alert.host.name }}", "team": "{{ payload.team }}", "site": "north"},
    annotations={"summary": "{{ alert.title }} on {{ alert.host.name }}"},
)  # fmt: skip
EVENT = {"title": "Hot", "state": "open", "level": "warning", "at": "2026-05-04T11:00:00Z", "host": {"name": "h1"}}


def read(*events: Any, how: Generic = HOW) -> tuple[Push, ...]:
    return generic.read({"team": "ops", "data": {"events": list(events)}}, NOW, "sensors", how).pushes


def test_each_part_comes_from_where_config_says() -> None:
    (push,) = read(EVENT)
    assert push == Push(
        name="Hot", firing=True, source="sensors", sent_at=NOW, starts_at=datetime(2026, 5, 4, 11, tzinfo=UTC),
        labels={"host": "h1", "team": "ops", "site": "north", "alertname": "Hot", "severity": "warning"},
        annotations={"summary": "Hot on h1"},
    )  # fmt: skip


def test_the_payload_itself_may_be_the_alert() -> None:
    how = replace(HOW, alerts="", labels={"team": "{{ payload.host.name }}"})
    (push,) = generic.read(EVENT, NOW, "sensors", how).pushes
    assert (push.name, push.labels["team"]) == ("Hot", "h1")


@pytest.mark.parametrize(
    ("state", "firing"),
    [("open", True), ("closed", False), (1, True), (True, True), (False, False)],
    ids=["open", "closed", "a number", "true", "false"],
)
def test_the_words_of_config_say_what_fires(state: object, firing: bool) -> None:
    (push,) = read({**EVENT, "state": state})
    assert push.firing is firing


@pytest.mark.parametrize(
    ("at", "hour"),
    [
        (1_777_888_800, 10), (1_777_888_800_000, 10), ("1777888800", 10), ("2026-05-04T13:00:00+03:00", 10), (None, 12),
        ("", 12),
    ],
    ids=["seconds", "milliseconds", "a text of seconds", "a time", "null", "empty"],
)  # fmt: skip
def test_times(at: object, hour: int) -> None:
    (push,) = read({**EVENT, "at": at})
    assert push.starts_at == datetime(2026, 5, 4, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    "host", [None, {}, {"name": None}, {"name": []}, {"name": {}}, 5],
    ids=["null", "none", "null name", "list", "mapping", "number"],
)  # fmt: skip
def test_a_label_that_is_not_there_is_left_out(host: object) -> None:
    (push,) = read({**EVENT, "host": host})
    assert "host" not in push.labels


def test_what_is_written_in_a_value_is_no_reference() -> None:
    (push,) = read({**EVENT, "title": "{{ payload.team }}", "host": {"name": "{{ alert.level }}"}})
    assert push.annotations["summary"] == "{{ payload.team }} on {{ alert.level }}"


@pytest.mark.parametrize(
    ("event", "says"),
    [
        ("x", "data.events[0]: must be an object"),
        ({}, "data.events[0]: name: {{ alert.title }} leads to nothing"),
        ({**EVENT, "title": {}}, "name: {{ alert.title }} leads to nothing"),
        ({**EVENT, "state": None}, "status: {{ alert.state }} leads to nothing"),
        ({**EVENT, "state": "odd"}, "data.events[0] (status): must be one of open, 1, true, closed, false"),
        ({**EVENT, "at": "noon"}, "data.events[0] (starts_at): must be a time"),
        ({**EVENT, "at": 1e300}, "data.events[0] (starts_at): is no time"),
        ({**EVENT, "at": "nan"}, "data.events[0] (starts_at): is no time"),
        ({**EVENT, "title": "x" * 300}, "data.events[0] (name): a name of 300 characters"),
    ],
    ids=["text", "empty", "a mapping", "no status", "odd status", "no time", "far time", "nan", "long name"],
)
def test_what_is_wrong_is_named(event: Any, says: str) -> None:
    with pytest.raises(Refused) as caught:
        read(event)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ([], "the payload: must be an object"),
        ({}, "data.events: is missing"),
        ({"data": {"events": 1}}, "data.events: must be a list"),
        ({"data": 5}, "data.events: is missing"),
    ],
    ids=["a list", "nothing", "a number", "no way there"],
)
def test_a_list_that_is_not_there(value: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        generic.read(value, NOW, "sensors", HOW)
