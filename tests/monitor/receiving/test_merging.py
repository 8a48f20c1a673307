"""What a push changes about what is known, whatever the order in which pushes come."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from opsbot.core.alert import POLLED, Alert, AlertState, Push
from opsbot.mask import mask
from opsbot.monitor.receiving.merging import KEEP, RENEW, Outcome, decide, merged, normal
from tests.monitor.monitor_world import START


def at(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def push(starts: float, sent: float, ends: float | None = None, source: str = "alertmanager") -> Push:
    """A push about an alert that began at one second and was sent at another; with `ends` it is resolved."""
    ended = None if ends is None else START + at(ends)
    return Push("Slow", {}, {}, ends is None, START + at(starts), START + at(sent), source, ended)


NEW = Alert("r", "Slow", "f", "critical", {}, AlertState.FIRING, START, source="alertmanager")
FIRING = replace(NEW, fired_at=START, held_at=START + at(5), holds_since=START)
OVER = replace(FIRING, state=AlertState.RESOLVED, holds=False, resolved_at=START + at(100))
POLL = replace(FIRING, source=POLLED)
PENDING = replace(POLL, state=AlertState.PENDING, fired_at=None)


@pytest.mark.parametrize(
    ("known", "pushed", "polls_see", "outcome"),
    [
        (None, push(0, 5), False, Outcome.FIRED),
        (None, push(0, 5, ends=4), False, Outcome.RESOLVED),
        (None, push(0, 5), True, Outcome.FIRED),
        (FIRING, push(0, 10), False, Outcome.DUPLICATE),
        (FIRING, push(-50, 10), False, Outcome.DUPLICATE),
        (FIRING, push(3, 10), False, Outcome.REFIRED),
        (POLL, push(3, 10), False, Outcome.DUPLICATE),
        (POLL, push(7, 10), False, Outcome.REFIRED),
        (FIRING, push(0, 5 + RENEW.total_seconds()), False, Outcome.RENEWED),
        (FIRING, push(40, 50), False, Outcome.REFIRED),
        (FIRING, push(50, 50), False, Outcome.DUPLICATE),
        (FIRING, push(0, 110, ends=100), False, Outcome.RESOLVED),
        (FIRING, push(-90, 110, ends=-10), False, Outcome.OLDER),
        (OVER, push(0, 110), False, Outcome.OLDER),
        (OVER, push(100, 110), False, Outcome.OLDER),
        (OVER, push(105, 110), False, Outcome.REFIRED),
        (OVER, push(0, 120, ends=100), False, Outcome.DUPLICATE),
        (OVER, push(105, 120, ends=115), False, Outcome.RESOLVED),
        (POLL, push(0, 10), True, Outcome.LEFT_TO_POLLS),
        (POLL, push(0, 110, ends=100), True, Outcome.LEFT_TO_POLLS),
        (POLL, push(0, 110, ends=100), False, Outcome.RESOLVED),
        (POLL, push(0, 10), False, Outcome.DUPLICATE),
        (PENDING, push(0, 10), False, Outcome.FIRED),
        (PENDING, push(0, 10), True, Outcome.LEFT_TO_POLLS),
        (FIRING, push(0, 10, source="grafana"), False, Outcome.OTHER_SOURCE),
        (FIRING, push(0, 110, ends=100, source="grafana"), False, Outcome.OTHER_SOURCE),
    ],
    ids=[
        "new", "never seen firing", "new of a watched rule", "again", "an older beginning", "a later beginning",
        "a beginning while polls saw it", "a beginning after polls saw it last",
        "again after a minute", "a beginning after it was heard of last", "no beginning said", "resolved",
        "the end of an episode before", "an old repetition", "a beginning at the end", "a new episode",
        "resolved again", "an episode that was missed", "polls decide", "polls decide of the end",
        "resolved while polls are blind", "firing while polls are blind", "pending while polls are blind",
        "pending and seen", "another webhook", "another webhook's end",
    ],
)  # fmt: skip
def test_each_case_has_a_name(known: Alert | None, pushed: Push, polls_see: bool, outcome: Outcome) -> None:
    assert decide(known, pushed, pushed.sent_at, polls_see=polls_see) is outcome


def after(pushes: tuple[Push, ...]) -> Alert | None:
    """What is known after pushes in this order, each taken a second after the one before."""
    known: Alert | None = None
    for place, one in enumerate(pushes):
        now = START + at(1000 + place)
        new = replace(NEW, active_at=one.starts_at, fired_at=one.starts_at, held_at=now, holds_since=one.starts_at)
        outcome = decide(known, one, now, polls_see=False)
        known = merged(known, one, outcome, new, now) if outcome.writes else known
    return known


EPISODE = (push(0, 1000), push(0, 1000), push(0, 1000, ends=60))


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_an_episode_ends_resolved_in_any_order(order: tuple[int, ...]) -> None:
    known = after(tuple(EPISODE[place] for place in order))
    assert known
    assert (known.state, known.resolved_at) == (AlertState.RESOLVED, START + at(60))


TWO = (push(0, 1000), push(0, 1000, ends=60), push(90, 1000))


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_a_second_episode_that_still_fires_is_never_ended_by_the_first(order: tuple[int, ...]) -> None:
    known = after(tuple(TWO[place] for place in order))
    assert known
    assert known.state is AlertState.FIRING


def test_an_end_in_the_future_is_now() -> None:
    now = START + at(50)
    ended = merged(FIRING, push(0, 50, ends=10_000), Outcome.RESOLVED, NEW, now)
    assert (ended.resolved_at, ended.holds_since, ended.holds) == (now, now, False)


def test_an_end_before_the_beginning_is_the_beginning() -> None:
    ended = merged(
        None, push(50, 60, ends=10), Outcome.RESOLVED, replace(NEW, active_at=START + at(50)), START + at(60)
    )
    assert ended.resolved_at == START + at(50)


def test_a_renewal_changes_when_it_was_heard_of_and_what_it_says_and_nothing_else() -> None:
    now, says = START + at(500), {"summary": mask("now at 900 ms")}
    new = replace(NEW, annotations=says, fired_at=now)
    assert merged(POLL, push(0, 500), Outcome.RENEWED, new, now) == replace(POLL, held_at=now, annotations=says)


def test_what_ends_an_alert_has_the_say_of_it_from_then_on() -> None:
    assert merged(POLL, push(0, 110, ends=100), Outcome.RESOLVED, NEW, START + at(110)).source == "alertmanager"


def test_labels_that_tell_nothing_apart_are_left_out() -> None:
    labels = {"a": "1", "prometheus_replica": "r1", "cluster": "prod", "region": "eu", "empty": "", "__name__": "x"}
    found = normal(labels, frozenset({"prometheus_replica"}), {"cluster": "prod", "region": "us"})
    assert found == {"a": "1", "region": "eu"}


def test_resolved_alerts_are_kept_longer_than_any_sender_repeats_itself_by_default() -> None:
    assert timedelta(hours=4) < KEEP
