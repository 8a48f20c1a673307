"""Runs that a human asks for: inputs as typed, the incident, and a look beforehand that changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, Refused
from opsbot.core.incident import State
from opsbot.core.playbook import Input
from opsbot.remediate import cases, manual
from tests.remediate.remediation_world import TARGET, World, autoscaler, shipped


@pytest.mark.parametrize(("given", "read"), [({}, {}), ({"add": "3"}, {"add": 3}), ({"add": " 3 "}, {"add": 3})])
def test_inputs_as_typed(given: dict[str, str], read: dict[str, int]) -> None:
    assert manual.read_inputs(shipped(), given) == read


@pytest.mark.parametrize(
    "given", [{"add": "x"}, {"add": "9"}, {"add": ""}, {"add": "1e9"}, {"more": "1"}, {"target": "a"}]
)
def test_inputs_that_do_not_fit(given: dict[str, str]) -> None:
    with pytest.raises(Refused) as caught:
        manual.read_inputs(shipped(), given)
    assert caught.value.reason == "bad_input"


TYPED = (
    Input("target", "target"), Input("rate", "number", default=1.0), Input("sure", "boolean", default=False),
    Input("word", "string", default="a"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"rate": "0.5"}, {"rate": 0.5}),
        ({"sure": "True"}, {"sure": True}),
        ({"word": "true"}, {"word": "true"}),
        ({"rate": "x"}, "input rate: 'x' is no number"),
        ({"sure": "yes"}, "input sure: 'yes' is no boolean"),
    ],
)
def test_each_type_is_read_as_it_is_written(given: dict[str, str], read: object) -> None:
    made = replace(shipped(), inputs=TYPED)
    if isinstance(read, str):
        with pytest.raises(Refused, match=read):
            manual.read_inputs(made, given)
    else:
        assert manual.read_inputs(made, given) == read


def asked(world: World) -> None:
    made = manual.incident(shipped(), TARGET, {"add": 1}, "Ben", "", world.clock())
    world.id = world.store.create(made, Note("Ben", "asked"), world.clock()).id


def test_an_incident_asked_for_waits_for_approval_as_any_other(world: World) -> None:
    asked(world)
    waiting = world.walk()
    assert (waiting.state, waiting.origin, waiting.asked_by) == (State.AWAITING_APPROVAL, "manual", "Ben")
    assert waiting.plan is not None
    assert (waiting.plan.origin, waiting.plan.why, waiting.plan.inputs) == ("human", "Ben asked for it", {"add": 1})
    assert waiting.approval is not None
    assert waiting.approval.asked_by == "Ben"


def test_only_one_unresolved_incident_of_a_target(world: World) -> None:
    asked(world)
    with pytest.raises(Conflict):
        asked(world)


def test_a_look_beforehand_says_what_would_be_done(world: World) -> None:
    assert world.reader is not None
    seen = manual.preview(shipped(), TARGET, {}, world.reader, world.limits, world.clock())
    assert seen.plan is not None
    assert cases.changes(seen) == ["scale 4 -> 6"]
    assert world.cluster.writes == []
    assert world.store.incidents() == ()


def test_a_look_beforehand_says_what_stands_against_it(world: World) -> None:
    world.cluster.add(autoscaler())
    assert world.reader is not None
    seen = manual.preview(shipped(), TARGET, {}, world.reader, world.limits, world.clock())
    assert seen.plan is None
    assert seen.denied is not None
    assert seen.denied.reason == "hpa_owns_target"


def test_a_look_at_what_is_not_there(world: World) -> None:
    world.cluster.remove("Deployment", "agents", "agents")
    assert world.reader is not None
    seen = manual.preview(shipped(), TARGET, {}, world.reader, world.limits, world.clock())
    assert seen.denied is not None
    assert seen.denied.reason == "target_gone"
