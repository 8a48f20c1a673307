"""A process that dies at any point of any walk: the next one goes on, and everything is done exactly once.

A crash before a call leaves the same world as one after the call before it, and a call that only reads changes no
world: so dying after each save and each write is dying everywhere. One walk dies after each read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from opsbot.core.errors import Refused
from opsbot.core.incident import State
from opsbot.core.playbook import Playbook
from opsbot.core.ports import Store
from opsbot.testing.cluster import faults
from tests.remediate.remediation_world import World, shipped

EFFECTS = {"save", "patch"}
READS = {"fetch", "past_runs", "load", "alerts", "answered", "read", "get", "list"}


class Crash(Exception):
    """The process is gone."""


@dataclass
class Fuse:
    """Counts calls of these names and burns after one of them, when it has taken effect."""

    at: int
    names: Collection[str]
    calls: int = 0
    burnt: str = ""

    def call(self, name: str, function: Callable[..., Any], *given: Any, **named: Any) -> Any:
        self.calls += 1
        burns = self.calls == self.at
        try:
            return function(*given, **named)
        finally:
            if burns:
                self.burnt = name
                raise Crash


class Guarded:
    """A door behind which a fuse counts."""

    def __init__(self, door: Any, fuse: Fuse) -> None:
        self._door, self._fuse = door, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._door, name)
        if name not in self._fuse.names:
            return found
        return lambda *given, **named: self._fuse.call(name, found, *given, **named)


def crashing(world: World, fuse: Fuse) -> None:
    """Put fuses before the doors that the agent uses; the world itself keeps the bare store."""
    bare: tuple[Store, Any, Any] = (world.store, world.reader, world.writer)
    doors: tuple[Any, Any, Any] = tuple(Guarded(door, fuse) for door in bare)  # type: ignore[assignment]

    def once() -> Any:
        world.store, world.reader, world.writer = doors
        agent = world.agent()
        world.store, world.reader, world.writer = bare
        return World.once(world, agent)

    world.once = lambda agent=None: once()  # type: ignore[method-assign]


def walk(world: World, until: tuple[State, ...], *, answering: bool = False) -> None:
    """Walk on, a new process taking over after each crash."""
    for _ in range(5):
        try:
            world.walk(until, answering=answering, seconds=900)
            assert world.incident.state in until, (world.incident.state, world.incident.reason, world.incident.says)
            return
        except Crash:
            world.later(seconds=3)
    raise AssertionError("it crashed more than once")


def helps(world: World) -> None:
    """Asked, approved, run, verified."""
    world.open("scale_up_agents")
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    walk(world, (State.VERIFYING,))
    world.later(seconds=2)
    walk(world, (State.RESOLVED,), answering=True)
    assert world.effects() == [6]
    assert world.incident.reason == "verified"


def helps_not(world: World) -> None:
    """Run, but the alert goes on: undone."""
    world.open("scale_up_agents")
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    walk(world, (State.VERIFYING,))
    world.later(minutes=11)
    world.answer(world.alert())
    walk(world, (State.ESCALATED,))
    assert world.effects() == [6, 4]
    assert world.incident.reason == "not_better"
    run = world.incident.run
    assert run is not None
    assert run.undone


def never_ready(world: World) -> None:
    """A wait that times out: undone."""
    scale, wait = shipped().steps
    world.playbooks = {
        "scale_up_agents": replace(shipped(), steps=(scale, replace(wait, timeout=timedelta(seconds=3))))
    }
    world.cluster.ready_after = timedelta(hours=1)
    world.open("scale_up_agents")
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    walk(world, (State.ESCALATED,))
    assert world.effects() == [6, 4]
    assert world.incident.reason == "step_timeout"


def answers_lost(world: World) -> None:
    """The write is applied and its answer lost."""
    world.cluster.fail_next(faults.lost_answer(), methods=("PATCH",), query={"dryRun": ""})
    helps(world)


def asked_again(world: World) -> None:
    """Somebody scales while approval waits: a new plan."""
    world.open("scale_up_agents")
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    world.scale(5)
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    walk(world, (State.VERIFYING,))
    assert world.effects() == [7]


def two_steps() -> Mapping[str, Playbook]:
    """Scale, wait, restart, wait: two writes."""
    scale = shipped()
    restart = shipped("restart_workload")
    return {"both": replace(scale, name="both", steps=(*scale.steps, *restart.steps))}


def both(world: World) -> None:
    """Two writes, and the second is not the first once more."""
    world.playbooks = two_steps()
    world.open("both")
    walk(world, (State.AWAITING_APPROVAL,))
    world.decide()
    walk(world, (State.VERIFYING,))
    bodies = [set(body["spec"]) for body in world.applied()]
    assert bodies == [{"replicas"}, {"template"}]


STORIES = {story.__name__: story for story in (helps, helps_not, never_ready, answers_lost, asked_again, both)}


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES.keys())
def test_a_crash_at_every_effect_changes_nothing_in_what_is_done(story: Callable[[World], None]) -> None:
    burnt = every_crash(story, EFFECTS)
    assert burnt.count("patch") >= 2
    assert burnt.count("save") >= 6


def test_a_crash_at_every_call_changes_nothing_either() -> None:
    burnt = every_crash(helps, EFFECTS | READS)
    assert {"save", "patch", "read", "get", "list", "fetch", "past_runs", "answered", "alerts"} <= set(burnt)


def every_crash(story: Callable[[World], None], names: Collection[str]) -> list[str]:
    """Tell the story again and again, dying one call later each time, until it ends without; where it died."""
    burnt: list[str] = []
    while True:
        world, fuse = World(), Fuse(len(burnt) + 1, names)
        world.deploy()
        crashing(world, fuse)
        story(world)
        assert world.store.verify() == (), f"after a crash at call {fuse.at}"
        world.store.close()
        if not fuse.burnt:
            return burnt
        burnt.append(fuse.burnt)


def test_an_intent_that_cannot_be_saved_is_not_acted_on(world: World) -> None:
    class Refusing(Guarded):
        def __getattr__(self, name: str) -> Any:
            return self.refuse if name == "save" else getattr(self._door, name)

        def refuse(self, *_: Any) -> None:
            raise Refused("full", "the disk is full")

    world.running()
    bare = world.store
    world.store = Refusing(bare, Fuse(0, ()))
    agent = world.agent()
    world.store = bare
    with pytest.raises(Refused):
        world.once(agent)
    assert world.cluster.writes == []
