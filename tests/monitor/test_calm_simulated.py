"""Hours of storms, flapping, pushes in any order and restarts on a real store: what must hold at every moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from opsbot.core.alert import Alert, AlertState, rank
from opsbot.core.incident import Incident, State
from opsbot.monitor.looking.flapping import YES
from opsbot.monitor.looking.incidents import OWN
from opsbot.monitor.looking.storms import STORM
from opsbot.store import SqlStore
from tests.monitor.calm_world import SLOW, CalmWorld, alert, at, back, gone

CALM = SLOW
Event = tuple[float, Alert]


@dataclass
class Ground:
    """What is true outside, and the world that is told of it."""

    world: CalmWorld
    alerts: dict[str, Alert]
    opened: list[float]

    def tell(self, seconds: float, alerts: list[Alert]) -> None:
        self.alerts |= {one.fingerprint: one for one in alerts}
        self.world.store.receive(alerts)

    def look(self, seconds: float) -> None:
        before = {one.id for one in self.world.store.incidents(limit=100_000)}
        self.world.look(seconds)
        new = [one for one in self.world.store.incidents(limit=100_000) if one.id not in before]
        self.opened += [seconds for one in new if one.key != STORM]
        self.one_per_key()
        self.everything_has_a_home(seconds)
        self.few_are_opened(seconds)

    def unresolved(self) -> tuple[Incident, ...]:
        return tuple(one for one in self.world.store.due() if one.unresolved)

    def one_per_key(self) -> None:
        keys = Counter(one.key for one in self.unresolved())
        assert [key for key, count in keys.items() if count > 1] == []

    def everything_has_a_home(self, seconds: float) -> None:
        """Every firing alert belongs to one unresolved incident, or has waited for `max_wait` at most."""
        homes = Counter(one.fingerprint for incident in self.unresolved() for one in incident.alerts)
        assert not [name for name, count in homes.items() if count > 1]
        newest = {one.fingerprint: one for one in self.world.store.verdicts()}
        for one in self.alerts.values():
            if one.state is AlertState.FIRING and one.fingerprint not in homes:
                last = newest[one.fingerprint]
                assert (last.reason, at(seconds) - last.at <= CALM.max_wait) == ("waiting", True)
            elif one.state is AlertState.FIRING:
                assert newest[one.fingerprint].reason in YES

    def few_are_opened(self, seconds: float) -> None:
        window = [one for one in self.opened if seconds - one < CALM.storm_within.total_seconds()]
        assert len(window) <= CALM.storm_above


@pytest.fixture
def ground(store: SqlStore) -> Ground:
    return Ground(CalmWorld(store), {}, [])


def storm(number: int, targets: int, source: random.Random) -> list[Alert]:
    names = [f"Rule{place}" for place in range(12)]
    return [
        replace(
            alert(
                source.choice(names), round(source.uniform(0, 20), 1), to=f"app-{place % targets}", pod=f"p{place}",
                severity=source.choice(("critical", "warning", "warning", "info")),
            ),
            source=source.choice(("alertmanager", "grafana")),
        )
        for place in range(number)
    ]  # fmt: skip


def played(ground: Ground, events: list[Event], looks: Iterator[float], restarts: set[int]) -> float:
    """Tell events as their time comes, look at given times, start anew now and then; the time at the end."""
    todo, seconds = sorted(events, key=lambda event: event[0]), 0.0
    for place, seconds in enumerate(looks):
        due = [one for when, one in todo if when <= seconds]
        todo = [(when, one) for when, one in todo if when > seconds]
        ground.tell(seconds, due)
        if place in restarts:
            ground.world.started()
        ground.look(seconds)
        if not todo:
            break
    return seconds


def every(step: float, source: random.Random | None = None, start: float = 0.0) -> Iterator[float]:
    seconds = start
    while True:
        seconds += step if source is None else source.uniform(0.3, step)
        yield round(seconds, 2)


def test_a_storm_of_two_thousand_alerts(ground: Ground) -> None:
    """Ten incidents at once, the worst ones, and one that holds all the rest; in the end all is over."""
    source = random.Random(4)
    alerts = storm(2000, 300, source)
    told = [((one.fired_at or at(0)) - at(0)).total_seconds() + source.uniform(0, 5) for one in alerts]
    end = played(ground, list(zip(told, alerts, strict=True)), every(1.5), {3, 9, 14})
    for step in range(1, 30):
        ground.look(end + 1.5 * step)
    open_now = ground.unresolved()
    (whole,) = [one for one in open_now if one.key == STORM]
    assert len(open_now) == CALM.storm_above + 1
    assert sum(len(one.alerts) for one in open_now) == len(alerts)
    assert whole.title.startswith(f"Storm: {len(whole.alerts)} alerts of 12 rules on ")
    assert whole.severity == "critical"
    end += 50
    source.shuffle(alerts)
    ground.tell(end, [gone(one, end) for one in alerts[:1900]])
    ground.look(end)
    ground.world.started()
    ground.look(end + 5)
    assert STORM in ground.world.open()
    ground.tell(end + 10, [gone(one, end + 10) for one in alerts[1900:]])
    ground.look(end + 10)
    assert ground.world.open() == {}


def test_the_worst_have_incidents_of_their_own(ground: Ground) -> None:
    alerts = storm(400, 400, random.Random(5))
    ground.tell(0, alerts)
    ground.look(21)
    own = [one.severity for one in ground.unresolved()]
    assert own == ["critical"] * CALM.storm_above


def flaps(name: str, period: float, until: float, offset: float) -> list[Event]:
    """One alert that comes and goes."""
    one, events, seconds, fires = alert(name, offset, to=name.lower()), [], offset, True
    while seconds < until:
        events.append((seconds, back(one, seconds) if fires else gone(one, seconds)))
        seconds, fires = seconds + period / 2, not fires
    return [*events, (seconds, gone(one, seconds))]


@pytest.mark.parametrize("seed", range(3))
def test_flapping_storms_and_restarts_in_any_order(ground: Ground, seed: int) -> None:
    source = random.Random(seed)
    events = [
        event
        for place, period in enumerate((7, 61, 20, 300, 900))
        for event in flaps(f"Flap{place}", period, 1000, source.uniform(0, 60))
    ]
    events += [(source.uniform(300, 320), replace(one, labels=dict(one.labels))) for one in storm(120, 40, source)]
    played(ground, events, every(18, source), {source.randrange(100) for _ in range(8)})
    found = {one.key: one for one in ground.world.store.incidents(limit=1000) if one.key not in OWN}
    flapping = found["prod-1/agents/Deployment/flap1"]
    assert (flapping.flapping, len(flapping.flaps) >= CALM.flaps) == (True, True)
    assert len(flapping.flaps) > flapping.reopened, "what is held open refires too"
    assert flapping.reopened <= CALM.flaps + 1, "once it flaps it is held open, not opened again"
    left = [gone(one, 1100) for one in ground.alerts.values() if one.state is AlertState.FIRING]
    ground.tell(1100, left)
    for seconds in range(1100, 1100 + 60 * 30, 60):
        ground.look(seconds)
    assert ground.world.open() == {}
    assert {one.state for one in found.values()} <= set(State)


@pytest.mark.parametrize("calm", [True, False], ids=["no storm", "a storm that came at once"])
def test_the_end_does_not_hang_on_when_somebody_looks(calm: bool) -> None:
    """The same history, looked at in other orders and with restarts, ends in the same open incidents."""
    from opsbot.store import open_store

    alerts = storm(9 if calm else 300, 9 if calm else 50, random.Random(7))
    alerts = [replace(one, fired_at=at(0), active_at=at(0), holds_since=at(0)) for one in alerts]
    ends = []
    for seed in range(4):
        source = random.Random(seed)
        store = open_store("sqlite://", at(0))
        ground = Ground(CalmWorld(store), {}, [])
        shuffled = source.sample(alerts, len(alerts))
        when = [source.uniform(0, 50) if calm else 1.0 for _ in alerts]
        late = [(60 + source.uniform(0, 20), gone(one, 60)) for one in alerts if int(one.fingerprint, 16) % 2]
        end = played(ground, [*zip(when, shuffled, strict=True), *late], every(9, source), {seed, 2 * seed})
        for step in range(10):
            ground.look(end + 10 * step)
        ends.append({(one.key, one.severity, tuple(a.fingerprint for a in one.firing)) for one in ground.unresolved()})
        store.close()
    assert ends[0]
    assert all(end == ends[0] for end in ends[1:])


def test_nothing_is_lost_when_it_dies_between_any_two_looks(store: SqlStore) -> None:
    """A new process at every look does what one that lives does."""
    ground = Ground(CalmWorld(store), {}, [])
    alerts = sorted(storm(200, 60, random.Random(8)), key=lambda one: rank(one.severity))
    events = [((one.fired_at or at(0)) - at(0)).total_seconds() for one in alerts]
    played(ground, list(zip(events, alerts, strict=True)), every(2.0), set(range(100)))
    for seconds in range(25, 70, 3):
        ground.world.started()
        ground.look(seconds)
    homes = {one.fingerprint for incident in ground.unresolved() for one in incident.alerts}
    assert homes == {one.fingerprint for one in alerts}
    assert timedelta(seconds=70) > CALM.max_wait
