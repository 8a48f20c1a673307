"""Webhooks that refuse what they are sent: an incident for each, which ends by itself."""

from __future__ import annotations

import pytest

from opsbot.core.incident import State
from opsbot.monitor.looking import incidents
from opsbot.monitor.receiving.hearing import CALM, Hearing
from opsbot.store import SqlStore
from tests.monitor.calm_world import at
from tests.monitor.monitor_world import World

LONG = CALM.total_seconds()
FRESH = Hearing(last=at(0))
DEAF = FRESH.refused("the body is longer than 10000000 bytes", at(1))


def test_a_webhook_that_loses_alerts_is_one_incident_until_it_is_well_again(world: World) -> None:
    for seconds in (1, 6, 11):
        world.agent.tell_refused({"alertmanager": DEAF, "grafana": FRESH}, at(seconds))
    found = world.one
    assert (found.key, found.severity, found.reason) == ("webhooks/alertmanager", "critical", "webhook_refused")
    assert found.title == "webhooks/alertmanager: its notices are refused: the body is longer than 10000000 bytes"
    well = DEAF.took(at(20))
    world.agent.tell_refused({"alertmanager": well}, at(25))
    world.down(30)
    assert world.states() == [State.OPEN]
    world.agent.tell_refused({"alertmanager": well}, at(1 + LONG))
    assert (world.states(), world.one.reason) == ([State.RESOLVED], "webhook_well_again")
    assert world.acts()[0] == ("opened", "webhook_refused")


def test_each_webhook_has_its_own(world: World) -> None:
    world.agent.tell_refused({"alertmanager": DEAF, "grafana": DEAF}, at(2))
    world.agent.tell_refused({"alertmanager": DEAF, "grafana": DEAF.took(at(3))}, at(1 + LONG))
    assert {one.key: one.state for one in world.incidents()} == {
        "webhooks/alertmanager": State.OPEN, "webhooks/grafana": State.RESOLVED,
    }  # fmt: skip


def test_what_a_human_closed_is_not_told_again_until_it_was_well(world: World) -> None:
    world.agent.tell_refused({"alertmanager": DEAF}, at(2))
    world.walk("closed", at=5)
    world.agent.tell_refused({"alertmanager": DEAF.refused("no JSON", at(9))}, at(10))
    assert world.states() == [State.RESOLVED]
    later = DEAF.took(at(20)).refused("no JSON", at(20 + LONG))
    world.agent.tell_refused({"alertmanager": later}, at(21 + LONG))
    assert State.OPEN in world.states()


AFTER = {
    "nothing came yet": ({"alertmanager": FRESH}, [State.OPEN]),
    "it takes again, for long": ({"alertmanager": FRESH.took(at(60))}, [State.RESOLVED]),
    "it still refuses": ({"alertmanager": DEAF}, [State.OPEN]),
    "there is no such webhook": ({"grafana": FRESH}, [State.RESOLVED]),
    "nobody listens": ({}, [State.RESOLVED]),
}


@pytest.mark.parametrize(("hearing", "states"), AFTER.values(), ids=AFTER.keys())
def test_after_a_restart(store: SqlStore, hearing: dict[str, Hearing], states: list[State]) -> None:
    world = World(store)
    world.agent.tell_refused({"alertmanager": DEAF}, at(2))
    world.started().tell_refused(hearing, at(2 + LONG))
    assert world.states() == states


@pytest.mark.parametrize(
    ("key", "own"),
    [
        ("webhooks/alertmanager", True), ("rules/invalid", True), ("blind/prometheus", True),
        ("webhooks/shop/Deployment/cart", False), ("webhooks//Node/n1", False), ("rule:webhooks", False),
    ],
    ids=str,
)  # fmt: skip
def test_which_keys_are_of_opsbot_itself(key: str, own: bool) -> None:
    assert incidents.own(key) is own
