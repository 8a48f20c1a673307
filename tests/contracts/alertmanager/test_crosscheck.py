"""The cross-check: one story told to Prometheus with Alertmanager and to opsbot opens and closes the same alerts."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import requests

from opsbot.lab.promserver import PromServer
from tests.contracts.alertmanager import story, worlds
from tests.contracts.alertmanager.worlds import Labels, Stage, World

pytestmark = pytest.mark.real("alertmanager")


TELLINGS = 3
"""A story that a stall of the machine has spoilt is told again."""


class StalledError(Exception):
    """One of them did not come to look in time."""


def test_the_same_alerts_open_and_close(a_program: Path, alertmanager_program: Path, tmp_path: Path) -> None:
    for telling in range(TELLINGS):
        folder = tmp_path / str(telling)
        folder.mkdir()
        with suppress(StalledError):
            tell(a_program, alertmanager_program, folder)
            return
    pytest.fail(f"this machine stalled each of {TELLINGS} times")


def tell(a_program: Path, alertmanager_program: Path, folder: Path) -> None:
    with worlds.raised(a_program, alertmanager_program, folder) as stage:
        begin = told(stage)
        with worlds.polling(stage.polled), worlds.polling(stage.both):
            for part in (*story.PARTS[1:], story.STEPS):
                at_rest(stage, begin + timedelta(milliseconds=story.STEP * part))
        stage.ended = worlds.now().timestamp()
        time.sleep(2 * worlds.SPAN)  # evaluations that were under way then are over
        all_is_well(stage)
        step_by_step(stage, folder)
        at_the_same_times(stage)
        same_news(stage)
        taken_by_the_door(stage)
        one_incident_each(stage)


def told(stage: Stage) -> datetime:
    """Write the whole story, most of which lies ahead, so that nothing hangs on how fast this machine is."""
    begin = int(time.time() * 1000) + 1000
    server = PromServer(int(stage.url.rpartition(":")[2]))
    server.write(story.lines(begin))
    server.close()
    return datetime.fromtimestamp(begin / 1000, UTC)


def name(labels: Labels) -> str:
    return dict(labels)["alertname"]


def without(found: set[Labels], names: frozenset[str] | set[str]) -> set[Labels]:
    return {labels for labels in found if name(labels) not in names}


# while it is told ---------------------------------------------------------------------------------------------------


def at_rest(stage: Stage, end: datetime) -> None:
    """Towards the end of a part nothing changes any more: the same alerts fire in all of them."""
    time.sleep(max(0.0, (end - timedelta(seconds=1.8) - worlds.now()).total_seconds()))
    while True:
        odd = story.FORGETS & worlds.their_failing(stage.url)
        whole = worlds.their_firing(stage.url)
        theirs = without(whole, odd)
        polled, both = without(stage.polled.firing(), odd), without(stage.both.firing(), odd)
        if polled == both == theirs or worlds.now() > end:
            break
        time.sleep(0.1)
    assert [world.failed for world in (stage.polled, stage.both, stage.pushed)] == [[], [], []]
    if not polled == both == theirs and stalled(stage):
        raise StalledError
    assert polled == theirs
    assert both == theirs
    if odd:
        assert whole == theirs
        assert {name(labels) for labels in stage.polled.firing()} >= odd


def stalled(stage: Stage) -> bool:
    """Whether one of them has ever looked so late that it missed most of the time in which nothing changes."""
    ours = [[at.timestamp() for at, _ in world.seen] for world in (stage.polled, stage.both)]
    last = worlds.now().timestamp()
    return any(longest_pause([*times, last]) > 2 * worlds.SPAN for times in (*ours, *groups_apart(stage)))


def all_is_well(stage: Stage) -> None:
    """In the end only what is meant to fire for ever does, and everybody has been told so."""
    (always,) = stage.polled.firing()
    assert name(always) == "Always"
    until = time.monotonic() + 15
    while [n for n, status in stage.notices.last().items() if status == "firing"] != [always]:
        assert time.monotonic() < until, stage.notices.last()
        time.sleep(0.1)
    for world in (stage.polled, stage.both, stage.pushed):
        world.agent.look(worlds.now())


# afterwards ---------------------------------------------------------------------------------------------------------


def step_by_step(stage: Stage, folder: Path) -> None:
    """Asked anew for exactly the times at which Prometheus evaluated, opsbot has the same states each time."""
    world = World(stage.url, stage.all_rules, folder / "again.db")
    history, failed = worlds.their_history(stage.url, stage.ended), set[str]()
    watched = {rule.id: rule.name for rule in stage.all_rules}
    ticks = worlds.ticks(stage.url, stage.ended)
    unwritten = {at for found in ticks.values() for at in found[:2]}
    for at, group in sorted((at, group) for group, found in ticks.items() for at in found):
        world.poll(datetime.fromtimestamp(at / 1000, UTC), stage.rules[group])
        blind = {watched[rule] for rule in world.agent.blindness()}
        names = {rule.name for rule in stage.rules[group]}
        ours = {labels: state for labels, state in world.alerts().items() if state != "resolved"}
        mine = {labels: state for labels, state in ours.items() if name(labels) in names - blind}
        if at not in unwritten:  # a Prometheus that has just started writes no alerts before it has restored older ones
            assert mine == history[at], f"{group} at {at}: {differing(mine, history[at])}"
        failed |= blind
    world.close()
    assert failed == story.FAILING
    states = {(name(labels), state) for found in history.values() for labels, state in found.items()}
    assert {rule for rule, _ in states} == set(watched.values()) - {"Never"}
    assert ("ForAWhile", "pending") in states
    assert len(history) > story.STEPS


def at_the_same_times(stage: Stage) -> None:
    """While the story was told, each alert began and ceased to fire in both within two steps, as often in the one.

    Each looks at its own times, and now and then later than it would: by as much the bounds are wider.
    """
    evaluated = {at / 1000: found for at, found in worlds.their_history(stage.url, stage.ended).items() if found}
    polled = {at.timestamp(): found for at, found in stage.polled.seen}
    bound = 2 * worlds.SPAN + max(longest_pause(polled), *map(longest_pause, groups_apart(stage)))
    both = max(min(evaluated), min(polled)), min(max(evaluated), max(polled))
    theirs, ours = (firing_spans(seen, both, bound) for seen in (evaluated, polled))
    assert ours.keys() == theirs.keys()
    for labels, spans in theirs.items():
        assert len(ours[labels]) == len(spans), (dict(labels), ours[labels], spans)
        for mine, other in zip(ours[labels], spans, strict=True):
            assert all(abs(one - two) <= bound for one, two in zip(mine, other, strict=True)), (
                dict(labels),
                mine,
                other,
            )


def groups_apart(stage: Stage) -> list[list[float]]:
    until = stage.ended or worlds.now().timestamp()
    return [[at / 1000 for at in found] for found in worlds.ticks(stage.url, until).values()]


def longest_pause(times: Iterable[float]) -> float:
    """How much later than a step after the last look the latest look was."""
    found = sorted(times)
    return max(0.0, max(two - one for one, two in pairwise(found)) - worlds.SPAN)


def firing_spans(
    seen: Mapping[float, Mapping[Labels, str]], both: tuple[float, float], bound: float
) -> dict[Labels, list[tuple[float, float]]]:
    """From when to when each alert was seen to fire; what is not seen for longer than the bound has ceased to."""
    times: dict[Labels, list[float]] = {}
    for at in sorted(at for at in seen if both[0] <= at <= both[1]):
        for labels, state in seen[at].items():
            if state == "firing" and name(labels) not in story.FAILING:
                times.setdefault(labels, []).append(at)
    return {labels: _spans(found, bound) for labels, found in times.items()}


def _spans(times: list[float], bound: float) -> list[tuple[float, float]]:
    cuts = [place for place, (one, two) in enumerate(pairwise(times), 1) if two - one > bound]
    return [(times[first], times[last - 1]) for first, last in pairwise([0, *cuts, len(times)])]


def differing(mine: Mapping[Labels, str], theirs: Mapping[Labels, str]) -> str:
    odd = {labels for labels in (*mine, *theirs) if mine.get(labels) != theirs.get(labels)}
    return "; ".join(f"{dict(labels)} is {mine.get(labels)}, there {theirs.get(labels)}" for labels in odd)


def same_news(stage: Stage) -> None:
    """What Alertmanager told is what opsbot opened incidents for, and both have told the end of it."""
    news = stage.notices.told("firing")
    quiet = {"Always"}
    assert without(news, quiet) == stage.polled.told()
    assert without(news, quiet) == stage.both.told()
    assert without(news, quiet) == stage.pushed.told()
    assert stage.notices.told("resolved") == without(news, quiet)
    for world in (stage.polled, stage.both, stage.pushed):
        assert {incident.state for incident in world.incidents()} == {"resolved"}


def taken_by_the_door(stage: Stage) -> None:
    """Whatever Alertmanager has sent was taken."""
    for url in stage.doors:
        said = requests.get(f"{url}/metrics", headers={"Authorization": f"Bearer {worlds.TOKEN}"}, timeout=10).text
        codes = re.findall(r"^opsbot_webhook_requests_total\{(.*)\} (\d+)", said, re.MULTILINE)
        assert codes, said
        assert all('code="200"' in labels for labels, _ in codes), codes


def one_incident_each(stage: Stage) -> None:
    """Polled and pushed alerts are one: who hears of them twice has no more alerts and no more incidents."""
    assert len(stage.both.store.alerts()) == len(stage.both.alerts()) == len(stage.polled.store.alerts())
    assert incidents(stage.both) == incidents(stage.polled)
    # While a rule cannot be evaluated, what is pushed has the say.
    assert {one.name for one in stage.both.store.alerts() if one.source != "prometheus"} <= story.FAILING


def incidents(world: World) -> dict[str, frozenset[Labels]]:
    """By key, what each was about; no key has two."""
    found = world.incidents()
    assert len({incident.key for incident in found}) == len(found)
    return {one.key: frozenset(story.own(alert.labels) for alert in one.alerts) for one in found}


def test_the_story_is_whole() -> None:
    """Every series says something of each part, and each point stands at a step of its own."""
    assert {len(words.split()) for words in story.SERIES.values()} == {len(story.PARTS) + 1}
    for labels, points in story.lines(0):
        times = [at for at, _ in points]
        assert times == sorted(set(times)), labels
        assert max(times) < story.STEPS * story.STEP
