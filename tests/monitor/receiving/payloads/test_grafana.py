"""Grafana's payload: alerts with links, and those that say that a rule could not be evaluated."""

from typing import Any

import pytest

from opsbot.core.errors import Refused
from opsbot.monitor.receiving.payloads import grafana
from tests.monitor.receiving.payloads.payload_samples import NOW, entry
from tests.monitor.receiving.payloads.payload_samples import grafana as payload


def test_an_alert_keeps_its_labels_and_gains_its_links() -> None:
    (push,) = grafana.read(payload(), NOW).pushes
    assert (push.name, push.firing, push.source) == ("Slow", True, "grafana")
    assert push.labels == {"alertname": "Slow", "severity": "critical"}
    assert push.annotations == {
        "summary": "it is slow", "silence_url": "https://g/silence", "dashboard_url": "https://g/d/1",
    }  # fmt: skip


def test_an_annotation_of_the_rule_is_never_replaced_by_a_link() -> None:
    own = {**entry(), "annotations": {"dashboard_url": "https://own"}}
    (push,) = grafana.read(payload(own), NOW).pushes
    assert push.annotations["dashboard_url"] == "https://own"


@pytest.mark.parametrize("link", [7, None, [], "", "x" * 3_000], ids=["number", "null", "list", "empty", "long"])
def test_an_odd_link_is_left_out(link: object) -> None:
    value = payload()
    value["alerts"][0] |= {"silenceURL": link, "dashboardURL": link}
    (push,) = grafana.read(value, NOW).pushes
    assert push.annotations == {"summary": "it is slow"}


@pytest.mark.parametrize("values", [None, {}, {"B": None}, "x"], ids=["null", "empty", "null inside", "text"])
def test_values_may_be_anything(values: object) -> None:
    value = payload()
    value["alerts"][0]["values"] = values
    assert len(grafana.read(value, NOW).pushes) == 1


def unseen(name: str, **annotations: str) -> dict[str, Any]:
    told = {
        "summary": "the disk is full",
        "opsbot_actions": "restart",
        "opsbot_target": "Deployment/a/b",
        **annotations,
    }
    labels = {"alertname": name, "rulename": "Disk", "datasource_uid": "P1", "severity": "critical"}
    return {**entry(), "labels": labels, "annotations": told}


@pytest.mark.parametrize(
    ("alert", "says"),
    [
        (unseen("DatasourceError", Error="tsdb: timeout"), "Grafana cannot evaluate the rule Disk: tsdb: timeout"),
        (unseen("DatasourceNoData"), "Grafana has no data for the rule Disk"),
    ],
    ids=["error", "no data"],
)
def test_a_rule_that_cannot_be_evaluated_is_told_as_that_and_proposes_nothing(alert: Any, says: str) -> None:
    (push,) = grafana.read(payload(alert), NOW).pushes
    assert push.annotations["summary"] == says
    assert push.annotations["rule_summary"] == "the disk is full"
    assert not {"opsbot_actions", "opsbot_target"} & push.annotations.keys()
    assert push.labels["severity"] == "critical"


def test_the_version_is_not_that_of_alertmanager() -> None:
    assert len(grafana.read(payload(version="1"), NOW).pushes) == 1
    assert len(grafana.read({"alerts": [entry()]}, NOW).pushes) == 1


def test_what_was_cut_is_counted() -> None:
    assert grafana.read(payload(truncatedAlerts=3), NOW).cut == 3


@pytest.mark.parametrize(
    ("value", "says"),
    [([], "the payload: must be an object"), ({}, "alerts: is missing"), ({"alerts": [{}]}, r"alerts\[0\].status")],
    ids=["a list", "no alerts", "an empty alert"],
)
def test_what_is_wrong_is_named(value: Any, says: str) -> None:
    with pytest.raises(Refused, match=says):
        grafana.read(value, NOW)
