"""Grafana's webhook of unified alerting: its payload in, Push values out.

Each entry of `alerts` has the form of Alertmanager's, with links and values beside it
(https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/).
Where Grafana cannot evaluate a rule it sends an alert named DatasourceError or DatasourceNoData with the rule's own
labels and annotations: that says nothing of the rule's target, so it is told in other words and proposes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from opsbot.core.alert import Push
from opsbot.monitor.receiving.payloads import alertmanager, form
from opsbot.monitor.receiving.payloads.form import Payload
from opsbot.monitor.rules import extras

SOURCE = "grafana"
_BLIND = {
    "DatasourceError": "Grafana cannot evaluate the rule {rule}",
    "DatasourceNoData": "Grafana has no data for the rule {rule}",
}
_LINKS = {"silenceURL": "silence_url", "dashboardURL": "dashboard_url", "panelURL": "panel_url"}
_LINKED = 2_000
"""Characters of a link; a longer one is left out."""


def read(value: Any, sent_at: datetime) -> Payload:
    """The alerts of a payload that came in at `sent_at`; Refused where nothing in it can be taken."""
    top = form.mapping(value, "")

    def one(found: Any, place: str) -> Push:
        push = alertmanager.alert(found, place, sent_at=sent_at, source=SOURCE)
        push = replace(push, annotations=_linked(push.annotations, found))
        return _told(push) if push.name in _BLIND else push

    return replace(form.each(form.sequence(top, "alerts"), "alerts", one), cut=alertmanager.cut(top))


def _linked(annotations: Mapping[str, str], item: Mapping[str, Any]) -> dict[str, str]:
    """The annotations, and beside them the links of the alert that are there."""
    links = {name: item.get(key) for key, name in _LINKS.items() if name not in annotations}
    good = {name: link for name, link in links.items() if isinstance(link, str) and 0 < len(link) <= _LINKED}
    return {**annotations, **good}


def _told(push: Push) -> Push:
    """What such an alert means; the rule's summary would say what nobody has seen."""
    left = {name: text for name, text in push.annotations.items() if name not in (extras.ACTIONS, extras.TARGET)}
    why = left.get("Error", "")
    said = _BLIND[push.name].format(rule=push.labels.get("rulename", "?")) + (f": {why}" if why else "")
    about = {"rule_summary": left["summary"]} if "summary" in left else {}
    return replace(push, annotations={**left, **about, "summary": said})
