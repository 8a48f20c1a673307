"""Alerts on a card: what tells one from the other."""

from __future__ import annotations

from dataclasses import replace

from opsbot.chat.card import card
from opsbot.mask import mask
from tests.chat.chat_world import ALERT, incident_in


def test_alerts_of_one_name_are_told_apart() -> None:
    pods = [replace(ALERT, labels={**ALERT.labels, "pod": mask(f"web-{place}`")}) for place in range(2)]
    text = str(card(incident_in(alerts=tuple(pods)), {}))
    assert "`pod=web-0'`" in text.replace("\\", "")
    assert "`pod=web-1'`" in text.replace("\\", "")
    assert "pod=" not in str(card(incident_in(alerts=(pods[0],)), {}))
