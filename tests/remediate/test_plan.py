"""Plans: absolute, bound, and unlike each other where anything that matters is unlike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsbot.core.errors import Refused
from opsbot.core.playbook import Input, Playbook, StepSpec
from opsbot.mask import mask
from opsbot.remediate import facts as reading
from opsbot.remediate.plan import Order, Terms, changed, expected, make, read_by, settle
from tests.remediate.remediation_world import TARGET, shipped

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FACTS = {**reading.SAMPLE, "namespace": "agents", "name": "agents", "replicas": 4}
UNGUARDED = replace(shipped().guardrails, not_if=())
TERMS = Terms("limits", NOW, "n1")
ORDER = Order(shipped(), TARGET.named("u1"), {"add": 2}, mask("why"), "finding")


def step(do: str, **arguments: Any) -> StepSpec:
    return StepSpec(do, arguments, timedelta(seconds=30))


def playbook(*steps: StepSpec, undo: tuple[StepSpec, ...] = (), **given: Any) -> Playbook:
    return replace(shipped(), steps=steps, undo=undo, **given)


def test_a_later_step_is_planned_on_what_the_earlier_ones_leave() -> None:
    made = make(
        replace(ORDER, playbook=playbook(step("scale", by=2), step("scale", by=-1), step("scale", to=9))), FACTS, TERMS
    )
    assert [one.says for one in made.steps] == ["scale 4 -> 6", "scale 6 -> 5", "scale 5 -> 9"]


def test_undo_is_planned_on_what_the_last_step_leaves() -> None:
    undo = (step("scale", to="{{ before.replicas }}"),)
    made = make(replace(ORDER, playbook=playbook(step("scale", by=2), step("scale", by=3), undo=undo)), FACTS, TERMS)
    assert [one.says for one in made.undo] == ["scale 9 -> 4"]
    assert made.before == {"replicas": 4}


def test_an_undo_with_nothing_to_do_is_left_out() -> None:
    undo = (step("scale", to=6), step("wait", until="rollout_complete"))
    made = make(replace(ORDER, playbook=playbook(step("scale", by=2), undo=undo)), FACTS, TERMS)
    assert [one.do for one in made.undo] == ["wait"]


def test_a_reference_keeps_the_type_of_its_input() -> None:
    made = make(replace(ORDER, playbook=playbook(step("scale", by="{{ inputs.add }}"))), FACTS, TERMS)
    assert made.steps[0].arguments == {"from": 4, "to": 6}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (replace(ORDER, target=None), "no_target"),
        (replace(ORDER, playbook=playbook(step("scale", by="{{ inputs.gone }}"))), "bad_input"),
        (replace(ORDER, playbook=playbook(step("scale", by="two"))), "bad_input"),
        (replace(ORDER, playbook=playbook(step("scale", by=-5))), "below_zero"),
        (replace(ORDER, playbook=playbook(step("scale", by=0))), "nothing_to_do"),
    ],
    ids=["no target", "a reference to nothing", "a word for a number", "below zero", "nothing to do"],
)
def test_what_cannot_be_planned_is_refused(order: Order, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        make(order, FACTS, TERMS)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    "other",
    [
        make(replace(ORDER, target=TARGET.named("u2")), FACTS, TERMS),
        make(replace(ORDER, inputs={"add": 3}), FACTS, TERMS),
        make(replace(ORDER, why=mask("another")), FACTS, TERMS),
        make(replace(ORDER, playbook=replace(shipped(), summary="another")), FACTS, TERMS),
        make(ORDER, {**FACTS, "replicas": 5}, TERMS),
        make(ORDER, FACTS, replace(TERMS, limits="others")),
        make(ORDER, FACTS, replace(TERMS, nonce="n2")),
        make(ORDER, FACTS, replace(TERMS, now=NOW + timedelta(seconds=1))),
    ],
    ids=["uid", "inputs", "why", "playbook", "facts", "limits", "nonce", "time"],
)
def test_the_digest_is_of_all_that_matters(other: Any) -> None:
    assert make(ORDER, FACTS, TERMS).digest == make(ORDER, FACTS, TERMS).digest
    assert other.digest != make(ORDER, FACTS, TERMS).digest


def test_the_digest_is_not_of_status_nor_of_the_file() -> None:
    one = make(ORDER, FACTS, TERMS)
    moved = {**FACTS, "ready_replicas": 0, "generation": 99, "observed_generation": 98}
    assert make(ORDER, moved, TERMS).digest == one.digest
    assert (
        make(replace(ORDER, playbook=replace(shipped(), file="/elsewhere.yaml", line=9)), FACTS, TERMS).digest
        == one.digest
    )


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"when": "true", "guardrails": UNGUARDED}, {"replicas"}),
        ({"when": "target.labels.tier == 'a'"}, {"replicas", "labels", "hpa_owns_target", "rollout_in_progress"}),
        ({"when": "size(target) > 1"}, set(reading.BOUND) | {"rollout_in_progress"}),
        ({"steps": (step("restart"),), "undo": (), "when": "true", "guardrails": UNGUARDED},
         {"restarted_at", "paused", "images"}),
    ],
    ids=["scale", "a condition", "a condition on all", "restart"],
)  # fmt: skip
def test_a_plan_is_bound_to_what_it_read(given: dict[str, Any], names: set[str]) -> None:
    made = replace(shipped(), **given)
    assert read_by(made) == names
    assert set(make(replace(ORDER, playbook=made), FACTS, TERMS).reads) == names & set(reading.BOUND)


def test_what_is_expected_follows_the_steps_done() -> None:
    made = make(replace(ORDER, playbook=playbook(step("scale", by=2), step("restart"))), FACTS, TERMS)
    scale, restart = made.steps
    assert expected(made, ())["replicas"] == 4
    assert expected(made, (scale,))["replicas"] == 6
    assert expected(made, (scale, restart))["restarted_at"] == restart.arguments["at"]
    assert changed(made, FACTS) == ()
    assert changed(made, FACTS, (scale,)) == ("replicas was 6 and is 4",)
    assert changed(made, {**FACTS, "ready_replicas": 0}) == ()


def test_a_plan_in_the_middle_keeps_what_was_before() -> None:
    made = make(ORDER, {**FACTS, "replicas": 6}, replace(TERMS, skip=1, before={"replicas": 4}))
    assert [one.do for one in made.steps] == ["wait"]
    assert [one.says for one in made.undo] == ["scale 6 -> 4"]
    assert made.reads["replicas"] == 6


@pytest.mark.parametrize(
    ("steps", "asked", "second"),
    [((step("scale", by=1),), None, False), ((step("restart"),), None, True), ((step("restart"),), False, False),
     ((step("scale", by=1),), True, True)],
    ids=["reversible", "irreversible", "irreversible, waived", "asked for"],
)  # fmt: skip
def test_a_second_person_by_default_where_a_step_is_irreversible(
    steps: tuple[StepSpec, ...], asked: bool | None, second: bool
) -> None:
    approval = replace(shipped().approval, second_person=asked)
    assert make(replace(ORDER, playbook=playbook(*steps, approval=approval)), FACTS, TERMS).second_person is second


INPUTS = (
    Input("target", "target"), Input("count", "integer", default=2, minimum=1, maximum=5),
    Input("rate", "number", default=1),
    Input("word", "string", default="a", one_of=("a", "b")), Input("sure", "boolean", default=False),
    Input("name", "string", required=True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "input name: is not given and has no default"),
        ({"name": "x", "count": 6}, "input count: 6 is above the maximum 5"),
        ({"name": "x", "count": 0}, "input count: 0 is below the minimum 1"),
        ({"name": "x", "count": 1.5}, "input count: 1.5 is no integer"),
        ({"name": "x", "count": True}, "input count: True is no integer"),
        ({"name": "x", "rate": "1"}, "input rate: '1' is no number"),
        ({"name": "x", "word": "c"}, "input word: 'c' is none of a, b"),
        ({"name": "x", "sure": 1}, "input sure: 1 is no boolean"),
        ({"name": 7}, "input name: 7 is no string"),
        ({"name": "x", "other": 1}, "scale_up_agents has no input 'other'; it has: count, rate, word, sure, name"),
        ({"name": "x", "target": "y"}, "scale_up_agents has no input 'target'; it has: count, rate, word, sure, name"),
    ],
)
def test_inputs_that_do_not_fit(given: dict[str, Any], says: str) -> None:
    with pytest.raises(Refused) as caught:
        settle(replace(shipped(), inputs=INPUTS), given)
    assert (caught.value.reason, str(caught.value)) == ("bad_input", says)


def test_inputs_are_given_or_defaults() -> None:
    settled = settle(replace(shipped(), inputs=INPUTS), {"name": "x", "rate": 0.5, "sure": True})
    assert settled == {"count": 2, "rate": 0.5, "word": "a", "sure": True, "name": "x"}
