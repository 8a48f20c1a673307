"""Alertmanager's payload: what it means, and each thing that may be wrong with it, with its place."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsbot.core.errors import Refused
from opsbot.monitor.receiving.payloads import alertmanager
from tests.monitor.receiving.payloads.payload_samples import NOW, YEAR_ONE, entry
from tests.monitor.receiving.payloads.payload_samples import alertmanager as payload


def test_a_firing_alert() -> None:
    (push,) = alertmanager.read(payload(), NOW).pushes
    assert (push.name, push.firing, push.source, push.sent_at) == ("Slow", True, "alertmanager", NOW)
    assert push.labels == {"alertname": "Slow", "severity": "critical"}
    assert push.annotations == {"summary": "it is slow"}
    assert push.starts_at == datetime(2026, 5, 4, 11, 58, 0, 123456, tzinfo=UTC)
    assert push.ends_at is None


def test_a_group_may_mix_firing_and_resolved() -> None:
    found = alertmanager.read(payload(entry(pod="a"), entry("resolved", pod="b"), status="firing"), NOW)
    assert [(push.labels["pod"], push.firing, push.ends_at) for push in found.pushes] == [
        ("a", True, None), ("b", False, datetime(2026, 5, 4, 11, 59, 30, tzinfo=UTC)),
    ]  # fmt: skip


def test_of_a_group_that_was_cut_the_rest_is_counted_and_nothing_is_made_of_it() -> None:
    found = alertmanager.read(payload(truncatedAlerts=7), NOW)
    assert (found.cut, len(found.pushes)) == (7, 1)


@pytest.mark.parametrize(("count", "cut"), [(None, 0), (0, 0), (1_000_000, 1_000_000)], ids=str)
def test_a_count_of_cut_alerts(count: object, cut: int) -> None:
    assert alertmanager.read(payload(truncatedAlerts=count), NOW).cut == cut


@pytest.mark.parametrize("count", [-1, "7", True, 1.5, 1_000_001, 10**30, [], {}], ids=str)
def test_an_odd_count_of_cut_alerts_is_refused(count: object) -> None:
    with pytest.raises(Refused, match="truncatedAlerts: must be an integer from 0 to 1,000,000") as caught:
        alertmanager.read(payload(truncatedAlerts=count), NOW)
    assert caught.value.reason == "bad_schema"


def test_an_empty_group_is_nothing() -> None:
    assert alertmanager.read({"version": "4", "alerts": []}, NOW).pushes == ()


def test_the_fingerprint_of_the_sender_says_nothing() -> None:
    one, other = entry(), {**entry(), "fingerprint": "x" * 10_000}
    first, second = alertmanager.read(payload(one, other), NOW).pushes
    assert first == second


@pytest.mark.parametrize(
    ("starts", "ends", "began", "ended"),
    [
        (YEAR_ONE, YEAR_ONE, timedelta(), None),
        (None, None, timedelta(), None),
        ("", "", timedelta(), None),
        (
            "2026-05-04T13:30:00+02:00",
            "2026-05-04T12:31:00.5+01:00",
            timedelta(minutes=-30),
            timedelta(seconds=-1739.5),
        ),
    ],
    ids=["the year one", "null", "empty", "with zones"],
)
def test_times(starts: str | None, ends: str | None, began: timedelta, ended: timedelta | None) -> None:
    (push,) = alertmanager.read(payload({**entry(), "startsAt": starts, "endsAt": ends}), NOW).pushes
    assert push.starts_at == NOW + began
    assert push.ends_at == (None if ended is None else NOW + ended)


def with_labels(**labels: Any) -> dict[str, Any]:
    return {**entry(), "labels": {"alertname": "Slow", **labels}}


BAD = {
    "no object": (["x"], "the payload: must be an object"),
    "a text": ("x", "the payload: must be an object"),
    "no version": ({"alerts": []}, "version: is missing"),
    "another version": ({"version": "3", "alerts": []}, 'version: must be "4"'),
    "a number as version": ({"version": 4, "alerts": []}, 'version: must be "4"'),
    "no alerts": ({"version": "4"}, "alerts: is missing"),
    "alerts that are no list": ({"version": "4", "alerts": {}}, "alerts: must be a list"),
    "an alert that is none": (payload(7), "alerts[0]: must be an object"),
    "no status": (payload({"labels": {"alertname": "x"}}), "alerts[0].status: must be one of firing, resolved"),
    "another status": (payload({**entry(), "status": "suppressed"}), "alerts[0].status: must be one of"),
    "a list as status": (payload({**entry(), "status": ["firing"]}), "alerts[0].status: must be one of"),
    "no name": (payload({"status": "firing"}), "alerts[0].labels.alertname: is missing"),
    "an empty name": (payload(with_labels(alertname="")), "alerts[0].labels.alertname: is missing"),
    "a long name": (payload(with_labels(alertname="x" * 201)), "alerts[0].labels.alertname: a name of 201 characters"),
    "a name with a bell": (payload(with_labels(alertname="a\x07")), "cannot be printed"),
    "labels that are a list": (payload({**entry(), "labels": []}), "alerts[0].labels: must be an object of texts"),
    "a number as label": (payload(with_labels(x=1)), "alerts[0].labels.x: must be text"),
    "null as label": (payload(with_labels(x=None)), "alerts[0].labels.x: must be text"),
    "an odd key": (payload(with_labels(**{"\x1b[2J": 1})), "alerts[0].labels.'\\x1b[2J': must be text"),
    "a label with no name": (payload(with_labels(**{"": "x"})), "alerts[0].labels: a name of 0 characters"),
    "too many labels": (payload(with_labels(**{f"l{i}": "" for i in range(10_000)})), "has 10001 entries: at most 200"),
    "too much text": (payload(with_labels(x="x" * 100_001)), "at most 100000"),
    "a mapping as annotation": (
        payload({**entry(), "annotations": {"a": {}}}), "alerts[0].annotations.a: must be text"),
    "no time": (payload({**entry(), "startsAt": "yesterday"}), "alerts[0].startsAt: must be a time such as"),
    "a day": (payload({**entry(), "startsAt": "2026-05-04"}), "alerts[0].startsAt: must be a time such as"),
    "a time without a zone": (payload({**entry(), "startsAt": "2026-05-04T12:00:00"}), "alerts[0].startsAt: must be"),
    "a number as time": (payload({**entry(), "endsAt": 1_700_000_000}), "alerts[0].endsAt: must be a time such as"),
    "the end of times": (payload({**entry(), "endsAt": "9999-12-31T23:59:59-12:00"}), "alerts[0].endsAt: must be a"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "says"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_named_with_its_place(value: Any, says: str) -> None:
    with pytest.raises(Refused) as caught:
        alertmanager.read(value, NOW)
    assert caught.value.reason == "bad_schema"
    assert says in str(caught.value)


def test_a_bad_alert_costs_no_good_one() -> None:
    found = alertmanager.read(payload(entry(pod="a"), with_labels(x=1), entry(pod="b"), None), NOW)
    assert [push.labels["pod"] for push in found.pushes] == ["a", "b"]
    assert [str(fault) for fault in found.faults] == [
        "alerts[1].labels.x: must be text",
        "alerts[3]: must be an object",
    ]


def test_where_none_is_good_the_first_is_named_and_the_others_are_counted() -> None:
    with pytest.raises(Refused, match=r"alerts\[0\]: must be an object \(and 2 more\)"):
        alertmanager.read(payload(1, 2, 3), NOW)


def test_more_alerts_than_anybody_sends_are_refused() -> None:
    with pytest.raises(Refused, match="has 20001 entries: at most 20000"):
        alertmanager.read(payload(*[None] * 20_001), NOW)
