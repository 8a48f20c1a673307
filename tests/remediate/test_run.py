"""What may happen between approval and run, and during a step: each ends in a right state with a clear message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.config import Limits
from opsbot.core.approval import ApprovalState
from opsbot.core.audit import Note
from opsbot.core.errors import Blind, TemporaryError
from opsbot.core.incident import State, advance
from opsbot.core.playbook import Playbook, StepState
from opsbot.core.target import Target
from opsbot.core.task import Again, Skill, next_skills
from opsbot.remediate.guardrails import NOT_IF, PAUSED
from opsbot.testing.cluster import faults
from tests.remediate.remediation_world import BlindWriter, Meddled, World, autoscaler, deployment, people, shipped

# before the run -----------------------------------------------------------------------------------------------------


def edited() -> Playbook:
    made = shipped()
    return replace(made, steps=(replace(made.steps[0], arguments={"by": 3}), made.steps[1]))


def recreate(world: World) -> None:
    world.cluster.remove("Deployment", "agents", "agents")
    world.cluster.add(deployment())


ASKED_AGAIN: dict[str, tuple[Callable[[World], object], str, str, str]] = {
    "scaled by somebody else": (
        lambda w: w.scale(5), "target_changed", "asks again: replicas was 4 and is 5", "scale 5 -> 7"),
    "playbook edited": (
        lambda w: setattr(w, "playbooks", {"scale_up_agents": edited()}), "playbook_changed",
        "asks again: the playbook scale_up_agents was edited after the plan was made", "scale 4 -> 7"),
    "limits changed": (
        lambda w: setattr(w, "limits", Limits(changes_per_hour=5)), "limits_changed",
        "asks again: the limits were changed after the plan was made", "scale 4 -> 6"),
    "approver's right withdrawn": (
        lambda w: setattr(w, "access", people("Ben")), "approver_lost_right",
        "asks again: Ana may no longer approve:scale", "scale 4 -> 6"),
    "approval expired": (
        lambda w: w.later(minutes=20), "approval_expired", "asks again: the approval expired", "scale 4 -> 6"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "reason", "says", "step"), ASKED_AGAIN.values(), ids=ASKED_AGAIN.keys())
def test_what_is_not_as_approved_is_asked_again(
    world: World, event: Callable[[World], object], reason: str, says: str, step: str
) -> None:
    old = world.approved()
    event(world)
    asked = world.walk((*(State.AWAITING_APPROVAL, State.ESCALATED),))
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, reason)
    assert (asked.says or "").startswith(says)
    assert asked.plan is not None
    assert old.plan is not None
    assert asked.plan.steps[0].says == step
    assert asked.plan.digest != old.plan.digest
    assert asked.approval is not None
    assert (asked.approval.state, asked.approval.decisions) == (ApprovalState.WAITING, ())
    assert asked.approval.expires_at > world.clock()
    assert world.cluster.writes == []
    world.decide("Ben")
    world.walk((State.VERIFYING,))
    assert world.effects() == [int(step.rsplit(maxsplit=1)[-1])]


REFUSED: dict[str, tuple[Callable[[World], object], str, str]] = {
    "target deleted": (
        lambda w: w.cluster.remove("Deployment", "agents", "agents"), "target_gone",
        "there is no Deployment/agents -n agents in the cluster"),
    "target made anew": (
        recreate, "target_gone", "Deployment/agents -n agents was deleted and made anew: it is another object now"),
    "scaled to the ceiling": (
        lambda w: w.scale(19), "max_replicas",
        "replicas was 4 and is 19; a new plan is refused: 21 replicas are more than 20"),
    "autoscaler came": (
        lambda w: w.cluster.add(autoscaler()), "hpa_owns_target",
        f"hpa_owns_target was False and is True; a new plan is refused: {NOT_IF['hpa_owns_target']}"),
    "rollout began": (
        lambda w: w.cluster.change("Deployment", "agents", "agents", {"spec": {"template": {"metadata": {
            "annotations": {"a": "b"}}}}}), "rollout_in_progress", "a rollout of the target is in progress"),
    "playbook removed": (
        lambda w: setattr(w, "playbooks", {"other": shipped()}), "playbook_gone",
        "there is no playbook scale_up_agents any more"),
    "namespace forbidden": (
        lambda w: setattr(w, "limits", Limits(never_touch=("agents",))), "never_touch",
        "the limits were changed after the plan was made; a new plan is refused: limits.never_touch names agents"),
}  # fmt: skip


@pytest.mark.parametrize(("event", "reason", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_may_not_be_done_any_more_goes_to_a_human(
    world: World, event: Callable[[World], object], reason: str, says: str
) -> None:
    world.approved()
    event(world)
    told = world.walk()
    assert (told.state, told.reason, told.says) == (State.ESCALATED, reason, says)
    assert told.approval is not None
    assert told.approval.state is ApprovalState.WITHDRAWN
    assert world.cluster.writes == []


def test_a_question_that_nobody_answers_expires(world: World) -> None:
    world.open("scale_up_agents")
    world.walk()
    assert next_skills(world.incident, world.clock(), world.mode) == (Skill.NOTIFY,)
    world.later(minutes=15)
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.ESCALATED, "expired")
    assert told.approval is not None
    assert told.approval.state is ApprovalState.EXPIRED


@pytest.mark.parametrize("given", [False, True], ids=["approval waits", "approval given"])
def test_an_alert_that_clears_withdraws_the_approval(world: World, given: bool) -> None:
    world.open("scale_up_agents")
    world.walk()
    stale = world.decide() if given else world.incident
    world.store.save(advance(world.incident, "cleared", world.clock()), Note("monitor", "cleared"), world.clock())
    assert world.agent().run_playbook(stale, world.clock()) is None  # a wake-up that is late: the save is refused
    told = world.incident
    assert told.state is State.RESOLVED
    assert told.approval is not None
    assert told.approval.state is ApprovalState.WITHDRAWN
    assert world.cluster.writes == []


def test_nothing_is_begun_on_an_alert_that_nobody_has_asked_for_of_late(world: World) -> None:
    """After a pause of opsbot itself the alert may have cleared unseen: the run waits for an answer."""
    world.watched = True
    world.approved()
    world.later(seconds=61)
    again = world.once()
    assert again
    assert (world.incident.state, world.effects()) == (State.APPROVED, [])
    world.answer(world.alert())
    world.once()
    assert world.incident.state is State.RUNNING


def test_an_alert_that_is_never_asked_for_again_is_told(world: World) -> None:
    world.watched, world.limits = True, Limits(blind_for=timedelta(minutes=2))
    world.approved()
    world.later(minutes=1, seconds=1)
    assert world.walk().reason == "blind"
    assert world.effects() == []


def test_a_cluster_that_cannot_be_read_is_waited_for_and_then_told(world: World) -> None:
    world.approved()
    world.cluster.fail_next(faults.error(500), times=10_000)
    assert world.once() == Again(world.clock() + timedelta(seconds=5))
    version = world.incident.version
    world.later(minutes=14)
    world.once()
    assert world.incident.version == version
    world.later(minutes=2)
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert (told.says or "").startswith("the cluster could not be read:")


# the kill switch ----------------------------------------------------------------------------------------------------


def pause(world: World, why: str = "Ana: release day") -> None:
    world.store.put(PAUSED, why, world.clock())


def test_parked_and_lifted_under_the_same_approval(world: World) -> None:
    approved = world.approved()
    pause(world)
    parked = world.walk((State.PARKED,))
    assert (parked.state, parked.says) == (State.PARKED, "changes are paused: Ana: release day")
    version = parked.version
    for _ in range(5):
        assert isinstance(world.once(), Again)
    assert world.incident.version == version
    pause(world, "")
    world.walk((State.VERIFYING,))
    assert world.effects() == [6]
    assert world.incident.plan == approved.plan


def test_parked_until_the_approval_has_expired_asks_again(world: World) -> None:
    world.approved()
    pause(world)
    world.walk((State.PARKED,))
    world.later(minutes=30)
    pause(world, "")
    asked = world.walk()
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, "approval_expired")
    assert world.cluster.writes == []


def both() -> Playbook:
    """Two writes: scale, wait, restart, wait; undone by scaling back."""
    scale, restart = shipped(), shipped("restart_workload")
    return replace(scale, name="both", steps=(*scale.steps, *restart.steps))


def between(world: World) -> None:
    """Walk until the first write and its wait are done, and the second write is not begun."""
    world.playbooks = {"both": both()}
    world.running("both")
    while (run := world.incident.run) is None or [r.state for r in run.steps] != [StepState.DONE] * 2:
        world.move(world.once())


def test_paused_between_steps_parks_and_goes_on_at_the_first_step_not_done(world: World) -> None:
    between(world)
    pause(world)
    assert world.walk((State.PARKED,)).state is State.PARKED
    assert next_skills(world.incident, world.clock(), world.mode)
    pause(world, "")
    done = world.walk((State.VERIFYING, State.ESCALATED))
    assert done.state is State.VERIFYING
    assert world.effects_by_field() == ["replicas", "template"]


def test_paused_during_undo_leaves_it_to_a_human(world: World) -> None:
    world.cluster.ready_after = timedelta(hours=1)
    world.running()
    while world.incident.reason != "step_timeout":
        world.move(world.once())
    pause(world)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_timeout")
    assert (told.says or "").endswith("not undone: changes are paused: Ana: release day")
    assert world.effects() == [6]


def test_a_kill_switch_that_cannot_be_read_is_on(world: World) -> None:
    world.approved()
    world.store.put(PAUSED, "", world.clock())
    bare = world.store

    class Unreadable:
        def __getattr__(self, name: str) -> object:
            return getattr(bare, name)

        def fetch(self, key: str) -> str | None:
            raise TemporaryError("the store is busy")

    world.store = Unreadable()  # type: ignore[assignment]
    agent = world.agent()
    world.store = bare
    world.once(agent)
    assert (world.incident.state, world.incident.says) == (State.PARKED, "the kill switch cannot be read")


def test_a_config_map_is_a_second_kill_switch(world: World) -> None:
    world.home = "ops"
    world.approved()
    world.cluster.add({"kind": "ConfigMap", "metadata": {"name": "opsbot-paused", "namespace": "ops"}})
    parked = world.walk((State.PARKED,))
    assert parked.says == "changes are paused: there is a ConfigMap opsbot-paused in ops"
    world.cluster.remove("ConfigMap", "ops", "opsbot-paused")
    assert world.walk((State.VERIFYING,)).state is State.VERIFYING


def test_a_second_kill_switch_that_cannot_be_read_is_on(world: World) -> None:
    world.home = "ops"
    world.approved()
    world.cluster.fail_next(faults.error(403), times=100, path="configmaps")
    assert world.walk((State.PARKED,)).says == "the kill switch cannot be read"


# asked again in the middle ------------------------------------------------------------------------------------------


def test_a_new_plan_in_the_middle_covers_only_what_is_not_done(world: World) -> None:
    between(world)
    first = world.incident
    world.cluster.change("Deployment", "agents", "agents", {"spec": {"template": {"metadata": {"annotations": {
        "kubectl.kubernetes.io/restartedAt": "2025-01-01T00:00:00Z"}}}}})  # fmt: skip
    asked = world.walk()
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, "target_changed")
    assert asked.plan is not None
    assert first.plan is not None
    assert [step.says for step in asked.plan.steps] == ["restart", "wait until the rollout is complete"]
    assert asked.plan.before == first.plan.before == {"replicas": 4}
    assert [step.says for step in asked.plan.undo] == ["scale 6 -> 4"]
    assert asked.run is not None
    assert [(record.index, record.says) for record in asked.run.steps] == [
        (-2, "scale 4 -> 6"), (-1, "wait until the rollout is complete")]  # fmt: skip
    world.decide()
    done = world.walk((State.VERIFYING, State.ESCALATED))
    assert done.state is State.VERIFYING
    assert world.effects_by_field() == ["replicas", "template"]
    assert len(world.store.past_runs(world.clock() - timedelta(hours=1))) == 1


def test_what_was_done_under_an_earlier_plan_is_undone_too(world: World) -> None:
    between(world)
    world.access = people("Ben")
    assert world.walk().reason == "approver_lost_right"
    world.decide("Ben")
    world.walk((State.VERIFYING,))
    world.later(minutes=11)
    world.answer(world.alert())
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "not_better")
    assert world.replicas() == 4
    assert world.effects_by_field() == ["replicas", "template", "replicas"]


def test_a_playbook_edited_in_the_middle_is_undone(world: World) -> None:
    between(world)
    world.playbooks = {"both": replace(both(), summary="other words")}
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "playbook_changed")
    assert world.replicas() == 4


# during a step ------------------------------------------------------------------------------------------------------

LOST: dict[str, tuple[faults.Fault, dict[str, str]]] = {
    "applied, answer lost": (faults.lost_answer(), {"dryRun": ""}),
    "not applied, connection broken": (faults.broken_connection(), {"dryRun": ""}),
    "applied, answered with 500": (faults.error(500, applies=True), {"dryRun": ""}),
    "not applied, answered with 503": (faults.error(503), {"dryRun": ""}),
    "applied, answered by a proxy's page": (
        faults.body(b"<html>", content_type="text/html", applies=True), {"dryRun": ""}),
    "too many requests": (faults.error(429, retry_after=2), {"dryRun": ""}),
    "refused connection": (faults.refused(), {"dryRun": ""}),
    "dry run's answer lost": (faults.lost_answer(), {"dryRun": "All"}),
    "dry run throttled": (faults.error(429), {"dryRun": "All"}),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "query"), LOST.values(), ids=LOST.keys())
def test_a_lost_answer_is_looked_for_and_the_step_done_once(
    world: World, fault: faults.Fault, query: dict[str, str]
) -> None:
    world.running()
    world.cluster.fail_next(fault, methods=("PATCH",), query=query)
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]


NO: dict[str, tuple[faults.Fault, dict[str, str], str]] = {
    "dry run forbidden": (faults.error(403, "not yours"), {"dryRun": "All"}, "scale 4 -> 6 was refused"),
    "dry run invalid": (faults.error(422, "a webhook says no"), {"dryRun": "All"}, "scale 4 -> 6 was refused"),
    "write forbidden": (faults.error(403, "not yours"), {"dryRun": ""}, "scale 4 -> 6 was refused"),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "query", "says"), NO.values(), ids=NO.keys())
def test_a_no_of_the_server_is_told(world: World, fault: faults.Fault, query: dict[str, str], says: str) -> None:
    world.running()
    world.cluster.fail_next(fault, methods=("PATCH",), query=query)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_failed")
    assert (told.says or "").startswith(says)
    assert told.run is not None
    assert told.run.steps[0].state is StepState.FAILED
    assert world.effects() == []


def meddle(world: World, name: str, event: Callable[[], object], times: int = 1) -> None:
    def act() -> None:
        event()

    world.writer = Meddled(world.writer, {(name, count): act for count in range(1, times + 1)})


def relabel(world: World) -> None:
    note = {"metadata": {"annotations": {"touched": str(world.later(milliseconds=1))}}}
    world.cluster.change("Deployment", "agents", "agents", note)


@pytest.mark.parametrize("call", ["dry run", "patch"])
def test_a_conflict_with_the_bound_fields_equal_is_written_again(world: World, call: str) -> None:
    running = world.running()
    meddle(world, call, lambda: relabel(world))
    done = world.walk((State.VERIFYING, State.ESCALATED))
    assert done.state is State.VERIFYING
    assert done.plan == running.plan
    assert world.effects() == [6]
    assert 409 in [write.status for write in world.cluster.writes]


def test_conflicts_without_end_time_out_and_nothing_is_done(world: World) -> None:
    world.running()
    meddle(world, "dry run", lambda: relabel(world), times=10_000)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_timeout")
    assert world.effects() == []


def test_a_server_in_trouble_to_the_end_is_quoted(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.error(500, "etcd is out of space"), times=10_000, methods=("PATCH",))
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_timeout")
    assert "etcd is out of space" in str(told.says)
    assert world.effects() == []


def test_a_conflict_with_a_bound_field_changed_asks_again(world: World) -> None:
    world.running()
    meddle(world, "patch", lambda: world.scale(5))
    asked = world.walk()
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, "target_changed")
    assert asked.says == "asks again: replicas was 4 and is 5"
    assert world.effects() == []
    world.decide()
    world.walk((State.VERIFYING,))
    assert world.effects() == [7]
    assert len(world.store.past_runs(world.clock() - timedelta(hours=1))) == 1


@pytest.mark.parametrize("call", ["dry run", "patch", "read"])
@pytest.mark.parametrize("anew", [False, True], ids=["deleted", "made anew"])
def test_a_target_that_goes_away_during_the_step(world: World, call: str, anew: bool) -> None:
    world.running()
    remove = recreate if anew else lambda w: w.cluster.remove("Deployment", "agents", "agents")
    meddle(world, call, lambda: remove(world))
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "target_gone")
    assert told.says == "Deployment/agents -n agents is gone, or another object bears its name now"
    assert world.effects() == []


def test_nobody_knows_what_became_of_a_write(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.lost_answer(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.writer = BlindWriter()
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_unknown")
    assert told.says == "nobody knows whether `scale 4 -> 6` was done: no answer in time"
    assert told.run is not None
    assert told.run.steps[0].state is StepState.UNKNOWN
    assert told.begun


def test_somebody_else_writes_after_a_lost_answer(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.lost_answer(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.scale(9)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_changed")
    assert told.says == "Deployment/agents -n agents was changed by somebody else during `scale 4 -> 6`"
    assert world.effects() == [6]
    assert world.replicas() == 9


def test_the_right_number_without_our_mark_is_somebody_elses(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.broken_connection(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.scale(6)
    assert world.walk().reason == "step_changed"
    assert world.effects() == []


def test_an_intent_from_long_ago_is_done_once_under_its_approval(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.broken_connection(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.later(minutes=5)  # the process was down for longer than the step may last
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]


def test_an_intent_whose_approval_has_expired_meanwhile_is_asked_again(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.broken_connection(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.later(minutes=30)
    asked = world.walk()
    assert (asked.state, asked.reason) == (State.AWAITING_APPROVAL, "approval_expired")
    assert world.effects() == []


def test_a_server_that_would_make_something_else_of_it_is_not_written_to(world: World) -> None:
    class Bending(Meddled):
        def patch(self, target: Target, body: Any, *, dry_run: bool = False, timeout: float = 10.0) -> Any:
            assert dry_run
            return world.cluster.get("Deployment", "agents", "agents")

    world.running()
    world.writer = Bending(world.writer, {})
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "dry_run_differs")
    assert world.cluster.writes == []


# undo ---------------------------------------------------------------------------------------------------------------


def test_a_rollout_that_does_not_end_is_undone(world: World) -> None:
    world.cluster.ready_after = timedelta(hours=1)
    world.running()
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_timeout")
    assert told.says == "wait until the rollout is complete: not so after 5m; undone"
    assert told.run is not None
    assert told.run.undone
    assert world.effects() == [6, 4]


def test_what_somebody_else_has_changed_since_is_not_undone(world: World) -> None:
    world.cluster.ready_after = timedelta(hours=1)
    world.running()
    while world.incident.reason != "step_timeout":
        world.move(world.once())
    world.scale(9)
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_timeout")
    assert (told.says or "").endswith("; not undone: replicas was 6 and is 9")
    assert told.run is not None
    assert not told.run.undone
    assert world.effects() == [6]


def test_a_second_write_that_is_refused_undoes_the_first(world: World) -> None:
    between(world)
    world.cluster.fail_next(faults.error(403, "not yours"), methods=("PATCH",))
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "step_failed")
    assert (told.says or "").endswith("; undone")
    assert world.effects_by_field() == ["replicas", "replicas"]
    assert world.replicas() == 4


def test_an_expired_approval_does_not_stop_the_undo(world: World) -> None:
    made = shipped()
    brief = replace(made.approval, expires_in=timedelta(seconds=20))
    long = replace(made, approval=brief, steps=(made.steps[0], replace(made.steps[1], timeout=timedelta(seconds=60))))
    world.playbooks = {"scale_up_agents": long}
    world.cluster.ready_after = timedelta(hours=2)
    world.running()
    told = world.walk()
    assert told.approval is not None
    assert told.approval.expired(world.clock())
    assert told.reason == "step_timeout"
    assert world.effects() == [6, 4]


# reads that fail in the middle --------------------------------------------------------------------------------------


class Eyes(Meddled):
    """A writer whose reads fail while `blind` is set; an answer of `None` means that the object is gone."""

    blind = False

    def read(self, target: Target, timeout: float = 10.0) -> Any:
        self._before("read")
        if self.blind:
            raise Blind("no answer in time")
        return self._writer.read(target, timeout)


def eyes(world: World, events: dict[tuple[str, int], Callable[[], None]] | None = None) -> Eyes:
    made = Eyes(world.writer, events or {})
    world.writer = made
    return made


def waiting(world: World) -> None:
    """Walk until the write is done and its rollout is waited for, which never ends."""
    world.cluster.ready_after = timedelta(hours=1)
    world.running()
    while world.incident.run is None or len(world.incident.run.steps) < 2:
        world.move(world.once())


def test_a_rollout_that_cannot_be_seen_is_not_undone(world: World) -> None:
    waiting(world)
    eyes(world).blind = True
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert told.says == "it could not be seen whether it is done: no answer in time"
    assert world.effects() == [6]


def test_a_target_that_goes_away_while_its_rollout_is_waited_for(world: World) -> None:
    waiting(world)
    world.cluster.remove("Deployment", "agents", "agents")
    assert world.walk().reason == "target_gone"


def test_nothing_sent_and_nothing_seen_is_waited_for(world: World) -> None:
    world.running()
    seeing = eyes(world)
    seeing.blind = True
    for _ in range(100):
        assert world.once() == Again(world.clock() + timedelta(seconds=1))
        world.clock.advance(5)
    seeing.blind = False
    assert world.walk((State.VERIFYING,)).state is State.VERIFYING
    assert world.effects() == [6]


def test_nothing_sent_and_nothing_seen_for_long_is_told(world: World) -> None:
    world.running()
    eyes(world).blind = True
    world.later(minutes=15)
    world.once()
    told = world.incident
    assert (told.state, told.reason) == (State.ESCALATED, "blind")
    assert not told.begun


@pytest.mark.parametrize("number", [1, 2, 3], ids=["before the write", "reading back", "at the next look"])
def test_one_read_that_fails_costs_only_time(world: World, number: int) -> None:
    world.running()

    def fail() -> None:
        raise Blind("no answer in time")

    eyes(world, {("read", number): fail})
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]


@pytest.mark.parametrize("path", ["horizontalpodautoscalers"])
def test_autoscalers_that_cannot_be_read_stop_the_write(world: World, path: str) -> None:
    world.running()
    world.cluster.fail_next(faults.error(500), times=10_000, path=path)
    assert isinstance(world.once(), Again)
    assert world.cluster.writes == []


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (lambda w: w.scale(9), "step_changed"),
        (lambda w: w.cluster.remove("Deployment", "agents", "agents"), "target_gone"),
    ],
    ids=["scaled", "deleted"],
)  # fmt: skip
def test_what_happens_between_the_write_and_reading_it_back(
    world: World, event: Callable[[World], None], reason: str
) -> None:
    world.running()
    eyes(world, {("read", 2): lambda: event(world)})
    told = world.walk()
    assert (told.state, told.reason) == (State.ESCALATED, reason)
    assert world.effects() == [6]


def test_a_conflict_and_then_blindness_is_looked_at_later(world: World) -> None:
    world.running()

    def fail() -> None:
        raise Blind("no answer in time")

    eyes(world, {("patch", 1): lambda: relabel(world), ("read", 2): fail})
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]


def test_our_own_write_behind_a_conflict_is_known_again(world: World) -> None:
    """Two processes at one step: the other's write is ours too, for it bears the same action id."""
    world.running()
    bare = world.writer
    assert bare is not None
    sent: list[Any] = []

    class Doubled(Meddled):
        def patch(self, target: Target, body: Any, *, dry_run: bool = False, timeout: float = 10.0) -> Any:
            if not dry_run and not sent:
                sent.append(self._writer.patch(target, body))
            return self._writer.patch(target, body, dry_run=dry_run)

    world.writer = Doubled(bare, {})
    assert world.walk((State.VERIFYING, State.ESCALATED)).state is State.VERIFYING
    assert world.effects() == [6]
    assert 409 in [write.status for write in world.cluster.writes]


LATE = {
    "done after all": (None, State.VERIFYING, "ran", [6]),
    "not done": (faults.broken_connection(), State.ESCALATED, "step_timeout", []),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "state", "reason", "effects"), LATE.values(), ids=LATE.keys())
def test_a_last_try_past_its_time_is_looked_at_at_once(
    world: World, fault: faults.Fault | None, state: State, reason: str, effects: list[int]
) -> None:
    """An intent from before a long crash gets one more try; where that one ends in doubt, one look decides."""
    world.running()
    world.cluster.fail_next(faults.broken_connection(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.later(minutes=5)
    world.cluster.fail_next(fault or faults.lost_answer(), methods=("PATCH",), query={"dryRun": ""})
    told = world.walk((State.VERIFYING, State.ESCALATED))
    assert (told.state, told.reason, world.effects()) == (state, reason, effects)


def test_a_last_try_that_nobody_can_see_is_unknown(world: World) -> None:
    world.running()
    world.cluster.fail_next(faults.broken_connection(), methods=("PATCH",), query={"dryRun": ""})
    world.once()
    world.later(minutes=5)
    world.cluster.fail_next(faults.lost_answer(), methods=("PATCH",), query={"dryRun": ""})
    seeing = eyes(world)
    eyes(world, {("patch", 1): lambda: setattr(seeing, "blind", True)})
    assert world.walk().reason == "step_unknown"


def test_asking_again_while_blind_waits(world: World) -> None:
    world.running()
    world.access = people("Ben")
    world.reader = Eyeless(world.reader)
    assert isinstance(world.once(), Again)
    assert world.incident.state is State.RUNNING


class Eyeless:
    """A reader that lists autoscalers and sees nothing else."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def get(self, *_: object, **__: object) -> Any:
        raise Blind("no answer in time")


@pytest.mark.parametrize("lost", ["plan", "approval"])
def test_an_approved_incident_without_a_plan_is_handed_over(world: World, lost: str) -> None:
    world.approved()
    gone: dict[str, Any] = {lost: None}
    world.store.save(replace(world.incident, **gone), Note("test", "lost"), world.clock())
    assert world.walk().reason == "no_plan"
