"""Payloads as their senders make them, to be bent by tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
YEAR_ONE = "0001-01-01T00:00:00Z"


def entry(status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert as Alertmanager sends it."""
    return {
        "status": status,
        "labels": {"alertname": "Slow", "severity": "critical", **labels},
        "annotations": {"summary": "it is slow"},
        "startsAt": "2026-05-04T11:58:00.123456789Z",
        "endsAt": YEAR_ONE if status == "firing" else "2026-05-04T11:59:30Z",
        "generatorURL": "http://prometheus:9090/graph",
        "fingerprint": "c6eadffa33fcdf37",
    }


def alertmanager(*alerts: Any, **more: Any) -> dict[str, Any]:
    """A payload of version 4."""
    return {
        "version": "4", "groupKey": '{}:{alertname="Slow"}', "truncatedAlerts": 0, "status": "firing",
        "receiver": "opsbot", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093", "alerts": list(alerts) or [entry()], **more,
    }  # fmt: skip


def grafana(*alerts: Any, **more: Any) -> dict[str, Any]:
    """A payload of Grafana's unified alerting."""
    links = {"silenceURL": "https://g/silence", "dashboardURL": "https://g/d/1", "panelURL": ""}
    beside = {**links, "values": {"B": 44.2, "C": 1}, "valueString": "[ var='B' labels={} value=44.2 ]"}
    return {
        "receiver": "opsbot", "status": "firing", "orgId": 1, "version": "1", "groupKey": "{}", "truncatedAlerts": 0,
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "https://g/",
        "title": "[FIRING:1] Slow", "state": "alerting", "message": "**Firing**",
        "alerts": [{**one, **beside} for one in (alerts or [entry()])], **more,
    }  # fmt: skip
