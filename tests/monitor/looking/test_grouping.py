"""Keys and causes: what alerts are one thing, and in which words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsbot.core.alert import Alert
from opsbot.mask import mask
from opsbot.monitor.looking import grouping
from tests.monitor.calm_world import alert, at


@pytest.mark.parametrize(
    ("one", "by", "key"),
    [
        (alert("A", to="web", team="x"), ("team",), "prod-1/agents/Deployment/web"),
        (alert("A", team="x"), (), "rule:rule-of-A"),
        (alert("A", team="x"), ("team", "zone"), "labels:team=x"),
        (alert("A", team="x", zone="1"), ("zone", "team"), "labels:zone=1,team=x"),
        (alert("A", zone=""), ("zone",), "rule:rule-of-A"),
        (alert("A", team="x,zone=1"), ("team", "zone"), "labels:team=x%2Czone%3D1"),
        (alert("A", severity="info"), ("severity", "alertname"), "labels:severity=info,alertname=A"),
    ],
    ids=["target", "rule", "one label of two", "both", "empty label", "hostile value", "labels of the rule"],
)
def test_key(one: Alert, by: tuple[str, ...], key: str) -> None:
    assert grouping.key(one, by) == key


def test_a_long_key_is_short_and_still_its_own() -> None:
    keys = {grouping.key(alert("A", team="x" * 500 + tail), ("team",)) for tail in ("a", "b")}
    assert len(keys) == 2
    assert max(map(len, keys)) < grouping.KEY


def test_causes_come_worst_first_then_oldest() -> None:
    alerts = [
        alert("late", 9, severity="critical"), alert("info", severity="info"), alert("odd", severity="page"),
        alert("early", 3, severity="critical"), alert("quiet", severity="none"),
        replace(alert("kept", severity="critical"), holds=False),
    ]  # fmt: skip
    assert [cause.key[13:] if ":" not in cause.key else cause.key[5:] for cause in grouping.causes(alerts)] == [
        "rule-of-early", "rule-of-late", "rule-of-odd", "rule-of-info",
    ]  # fmt: skip


def test_the_worst_alert_gives_a_cause_its_words() -> None:
    bad = replace(alert("bad", 5, severity="critical", to="web"), annotations={"summary": mask("all is lost")})
    cause = grouping.cause("k", [alert("mild", 7, to="web"), bad])
    assert (cause.title, cause.severity, cause.begun) == ("all is lost", "critical", at(7))
    assert len(cause.alerts) == 2


def test_words_that_could_not_be_filled_are_no_title() -> None:
    bad = replace(alert("bad"), annotations={"summary": mask("<error expanding template: error executing template>")})
    assert grouping.cause("k", [bad]).title == bad.name


def test_the_order_of_alerts_changes_nothing() -> None:
    alerts = [alert(f"A{place}", place % 3, to=f"w{place % 4}") for place in range(20)]
    assert grouping.causes(alerts) == grouping.causes(alerts[::-1])
