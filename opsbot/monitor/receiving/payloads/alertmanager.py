"""Alertmanager's webhook, version 4: its payload in, Push values out.

Groups may mix firing and resolved alerts. What a group has cut (truncatedAlerts) is unknown, so nothing follows from an
alert's absence. The sender's fingerprint is not used: anybody could write one. The form stands in
https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from opsbot.core.alert import Push
from opsbot.monitor.receiving.payloads import form
from opsbot.monitor.receiving.payloads.form import BadPlaceError, Payload

SOURCE = "alertmanager"
VERSION = "4"
MOST_CUT = 1_000_000


def read(value: Any, sent_at: datetime) -> Payload:
    """The alerts of a payload that came in at `sent_at`; Refused where nothing in it can be taken."""
    top = form.mapping(value, "")
    if top.get("version") != VERSION:
        raise BadPlaceError("version", f'must be "{VERSION}"' if "version" in top else "is missing")
    payload = form.each(form.sequence(top, "alerts"), "alerts", partial(alert, sent_at=sent_at, source=SOURCE))
    return replace(payload, cut=cut(top))


def cut(value: Mapping[str, Any]) -> int:
    """How many alerts of the group are not in the payload; none where it does not say."""
    found = value.get("truncatedAlerts")
    if found is None:
        return 0
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MOST_CUT:
        raise BadPlaceError("truncatedAlerts", f"must be an integer from 0 to {MOST_CUT:,}")
    return found


def alert(found: Any, place: str, *, sent_at: datetime, source: str) -> Push:
    """One entry of `alerts`, in the form that Alertmanager and Grafana share."""
    item = form.mapping(found, place)
    labels, annotations = form.texts(item, "labels", place), form.texts(item, "annotations", place)
    firing = form.status(item.get("status"), ("firing",), ("resolved",), f"{place}.status")
    if not labels.get("alertname"):
        raise BadPlaceError(f"{place}.labels.alertname", "is missing")
    form.named(labels["alertname"], f"{place}.labels.alertname")
    form.bounded(labels, annotations, place)
    starts_at = form.moment(item.get("startsAt"), f"{place}.startsAt") or sent_at
    ends_at = form.moment(item.get("endsAt"), f"{place}.endsAt")
    return Push(labels["alertname"], labels, annotations, firing, starts_at, sent_at, source, ends_at)
