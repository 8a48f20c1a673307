"""Inhibition and silences beside the real Alertmanager: the same rules hold back the same alerts.

Cases stand side by side in one Alertmanager: a label `case` keeps their alerts, rules and silences apart.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from opsbot.core.alert import Alert
from opsbot.core.errors import Refused
from opsbot.core.silence import Inhibition, Match, Matcher, Silence
from opsbot.matchers import parse, spell
from opsbot.monitor.looking import silences
from opsbot.monitor.looking.holding import Holding
from opsbot.monitor.looking.inhibition import Inhibitor
from tests.contracts.alertmanager import debian, labelled
from tests.contracts.alertmanager.debian import Alertmanager

pytestmark = pytest.mark.real("alertmanager")
FEW = ("", "x", "y", "xy", "X", "web-1", "two\nlines")


def rule(source: str, target: str, *equal: str) -> Inhibition:
    return Inhibition(parse(source), parse(target), equal)


@dataclass(frozen=True)
class Case:
    """Alerts (labels, whether they fire) and what is to hold some of them back."""

    name: str
    alerts: Sequence[tuple[dict[str, str], bool]]
    rules: Sequence[Inhibition] = ()
    silences: Sequence[str] = ()
    drawn: Sequence[tuple[Matcher, ...]] = field(default=())

    @property
    def told(self) -> list[tuple[dict[str, str], bool]]:
        """The alerts with what keeps them apart from those of other cases, and from each other."""
        return [({**labels, "case": self.name, "n": str(n)}, up) for n, (labels, up) in enumerate(self.alerts)]

    def own(self, matchers: tuple[Matcher, ...]) -> tuple[Matcher, ...]:
        return (*matchers, Matcher("case", Match.IS, self.name))


UP, DOWN = True, False
CRITICAL, WARNING = {"severity": "critical"}, {"severity": "warning"}
INHIBITIONS = (
    Case("by severity", [(CRITICAL, UP), (WARNING, UP), ({"severity": "info"}, UP)],
         [rule("severity=critical", "severity=warning")]),
    Case("a resolved source", [(CRITICAL, DOWN), (WARNING, UP)], [rule("severity=critical", "severity=warning")]),
    Case("one resolved, one up", [(CRITICAL, DOWN), (CRITICAL, UP), (WARNING, UP)],
         [rule("severity=critical", "severity=warning")]),
    Case("equal labels", [({**CRITICAL, "a": "x"}, UP), ({**WARNING, "a": "x"}, UP), ({**WARNING, "a": "y"}, UP)],
         [rule("severity=critical", "severity=warning", "a")]),
    Case("equal where both lack it", [(CRITICAL, UP), (WARNING, UP), ({**WARNING, "a": "x"}, UP)],
         [rule("severity=critical", "severity=warning", "a")]),
    Case("two equal labels", [({**CRITICAL, "a": "x", "b": "y"}, UP), ({**WARNING, "a": "x", "b": "y"}, UP),
                              ({**WARNING, "a": "x"}, UP), ({**WARNING, "a": "y", "b": "x"}, UP)],
         [rule("severity=critical", "severity=warning", "a", "b")]),
    Case("not by itself", [(CRITICAL, UP)], [rule("severity=critical", "severity=critical")]),
    Case("two of both sides", [(CRITICAL, UP), ({**CRITICAL, "a": "x"}, UP)],
         [rule("severity=critical", "severity=critical")]),
    Case("both sides, and one side", [(CRITICAL, UP), ({**CRITICAL, "a": "x"}, UP), ({"a": "x"}, UP)],
         [rule("severity=critical", 'a="x"')]),
    Case("both sides are kept back by one side", [({"b": "x"}, UP), ({"a": "x", "b": "x"}, UP), ({"a": "x"}, UP)],
         [rule('b="x"', 'a="x"')]),
    Case("a chain", [({"a": "x"}, UP), ({"a": "y"}, UP), ({"a": "xy"}, UP)],
         [rule("a=x", "a=y"), rule("a=y", "a=xy")]),
    Case("a ring", [({"a": "x"}, UP), ({"a": "y"}, UP)], [rule("a=x", "a=y"), rule("a=y", "a=x")]),
    Case("a source that is silenced still inhibits", [(CRITICAL, UP), (WARNING, UP)],
         [rule("severity=critical", "severity=warning")], ['severity="critical"']),
    Case("targets without the label", [(CRITICAL, UP), ({}, UP), ({"a": "x"}, UP)],
         [rule("severity=critical", 'severity="",a=""')]),
    Case("negations", [({"a": "x"}, UP), ({"a": "y"}, UP), ({}, UP)], [rule('a!="x"', 'a!="y"')]),
    Case("expressions", [({"a": "web-1"}, UP), ({"a": "web-12"}, UP), ({"a": "x"}, UP)],
         [rule('a=~"web-."', 'a!~"web-."')]),
    Case("everything", [({"a": "x"}, UP), ({}, UP)], [rule('a="x"', 'a=~".*"')]),
    Case("no rule", [(CRITICAL, UP), (WARNING, UP)]),
)  # fmt: skip

SILENCES = (
    Case("one label", [({"a": "x"}, UP), ({"a": "y"}, UP), ({}, UP)], silences=['a="x"']),
    Case("all matchers must match", [({"a": "x", "b": "y"}, UP), ({"a": "x"}, UP)], silences=['a="x",b="y"']),
    Case("a label that is missing", [({"a": "x"}, UP), ({"a": "x", "b": "y"}, UP)], silences=['a="x",b=""']),
    Case("not", [({"a": "x"}, UP), ({"a": "y"}, UP), ({}, UP)], silences=['a!="x"']),
    Case("a whole value", [({"a": "x"}, UP), ({"a": "xy"}, UP), ({"a": "yx"}, UP)], silences=['a=~"x"']),
    Case("one of several", [({"a": "x"}, UP), ({"a": "xy"}, UP), ({"a": "y"}, UP)], silences=['a=~"x|xy"']),
    Case("not like", [({"a": "x"}, UP), ({"a": "xy"}, UP), ({}, UP)], silences=['a!~"x.*"']),
    Case("a dot and a new line", [({"a": "two\nlines"}, UP)], silences=['a=~"two.lines"']),
    Case("two of them", [({"a": "x"}, UP), ({"a": "y"}, UP), ({"a": "xy"}, UP)], silences=['a="x"', 'a="y"']),
    Case("a resolved one", [({"a": "x"}, DOWN)], silences=['a="x"']),
)


def drawn(seed: int) -> Case:
    """A case by chance, rules and silences in it."""
    chance = random.Random(seed)
    rules = [
        Inhibition(labelled.matchers(chance, 2), labelled.matchers(chance, 2),
                   tuple(sorted(chance.sample(labelled.NAMES, chance.randrange(3)))))
        for _ in range(chance.randint(1, 3))
    ]  # fmt: skip
    alerts = [(labelled.some_labels(chance, FEW), chance.random() < 0.85) for _ in range(8)]
    return Case(
        f"by chance {seed}", alerts, rules, drawn=[labelled.matchers(chance) for _ in range(chance.randrange(3))]
    )


CASES = (*INHIBITIONS, *SILENCES, *(drawn(seed) for seed in range(60)))
Held = dict[tuple[str, str], tuple[bool, bool]]
"""(case, number of the alert) -> (silenced, inhibited); alerts that are resolved are none."""


def ours() -> Held:
    """All cases in one world, as in the Alertmanager beside it."""
    now = datetime.now(UTC)
    alerts = [labelled.alert(labels, firing=up) for case in CASES for labels, up in case.told]
    rules = [
        replace(rule, source=case.own(rule.source), target=case.own(rule.target))
        for case in CASES
        for rule in case.rules
    ]  # fmt: skip
    made = [
        Silence(number, matchers, "test", "test", now, now - timedelta(hours=1), now + timedelta(hours=1))
        for number, matchers in enumerate(matchers for case in CASES for matchers in asked(case))
    ]
    inhibitor, silenced = Inhibitor(rules, alerts), Holding(silences=made, now=now)
    firing = [alert for alert in alerts if alert.state == "firing"]
    return {_place(alert.labels): (silenced.of(alert) is not None, _by(inhibitor, alert)) for alert in firing}


def asked(case: Case) -> list[tuple[Matcher, ...]]:
    return [case.own(matchers) for matchers in (*(parse(text) for text in case.silences), *case.drawn)]


def _by(inhibitor: Inhibitor, alert: Alert) -> bool:
    return inhibitor.by(alert) is not None


def _place(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels["case"], labels["n"]


def theirs(server: Alertmanager) -> Held:
    now = datetime.now(UTC)
    server.post_alerts([labelled.posted(labels, now, firing=up) for case in CASES for labels, up in case.told])
    begins, ends = now + timedelta(milliseconds=200), now + timedelta(hours=1)
    for case in CASES:
        for matchers in asked(case):
            server.post_silence([_as_json(one) for one in matchers], labelled.stamp(begins), labelled.stamp(ends))
    return settled(lambda: {
        _place(one["labels"]): (bool(one["status"]["silencedBy"]), bool(one["status"]["inhibitedBy"]))
        for one in server.alerts()
    })  # fmt: skip


def settled(read: Callable[[], Held]) -> Held:
    """What is read once it stays the same: an Alertmanager hears of its alerts a moment after they were taken."""
    until, same, found = time.monotonic() + 20, 0, read()
    while same < 4 and time.monotonic() < until:
        time.sleep(0.15)
        again = read()
        same, found = (same + 1 if again == found else 0), again
    return found


def _as_json(one: Matcher) -> dict[str, Any]:
    return {
        "name": one.name, "value": one.value, "isRegex": one.match in (Match.LIKE, Match.NOT_LIKE),
        "isEqual": one.match in (Match.IS, Match.LIKE),
    }  # fmt: skip


def config() -> str:
    """The rules of all cases, in the spelling of Alertmanager's file."""
    lines = ["route: {receiver: n}", "receivers: [{name: n}]", "inhibit_rules:"]
    for case in CASES:
        for rule in case.rules:
            for key, side in (("- source_matchers", rule.source), ("  target_matchers", rule.target)):
                lines.append(f"{key}: [{', '.join(map(_quoted, case.own(side)))}]")
            lines.append(f"  equal: [{', '.join(rule.equal)}]")
    return "\n".join(lines) + "\n"


def _quoted(one: Matcher) -> str:
    return "'" + spell(one).replace("'", "''") + "'"


def test_the_same_alerts_are_silenced_and_inhibited(alertmanager_program: Path, tmp_path: Path) -> None:
    with debian.running(alertmanager_program, config(), tmp_path / "am") as server:
        found = theirs(server)
    mine = ours()
    assert mine.keys() == found.keys()
    assert {place: (mine[place], found[place]) for place in mine if mine[place] != found[place]} == {}
    for both in range(2):  # it must be seen to differ
        held = sum(state[both] for state in found.values())
        assert 40 < held < len(found) - 40


STRICTER = ('a!="x"', 'a!~"x"', 'a!="x",b=""')
"""Silences of nearly everything that Alertmanager takes, for it looks at no negation; opsbot does."""

WIDE = ('a=""', 'a=~".*"', 'a=~""', 'a=~"x|"', 'a="",b=""')
NARROW = ('a="x",b=""', 'a=~".+"', 'a!=""', 'a="x"', 'a!~".*"', 'a="x",b!="y"')


@pytest.mark.parametrize("text", [*STRICTER, *WIDE, *NARROW])
def test_the_same_silences_are_too_wide(alertmanager: Alertmanager, text: str) -> None:
    """Alertmanager takes no silence all of whose matchers match an empty label."""
    now = datetime.now(UTC)
    body = {
        "matchers": [_as_json(one) for one in parse(text)], "createdBy": "test", "comment": "test",
        "startsAt": labelled.stamp(now), "endsAt": labelled.stamp(now + timedelta(hours=1)),
    }  # fmt: skip
    answer = requests.post(f"{alertmanager.url}/api/v2/silences", json=body, timeout=10)
    assert answer.status_code in (200, 400)
    try:
        silences.narrow(parse(text))
        taken = True
    except Refused:
        taken = False
    assert taken == (answer.ok and text not in STRICTER), answer.text
    assert answer.ok == (text not in WIDE)


@pytest.mark.parametrize(
    ("begins", "ends", "state"),
    [(-60, 60, "active"), (60, 120, "pending"), (-60, 1.0, "expired")], ids=["active", "pending", "expired"],
)  # fmt: skip
def test_a_silence_stands_in_the_same_state(alertmanager: Alertmanager, begins: float, ends: float, state: str) -> None:
    now = datetime.now(UTC)
    first, last = now + timedelta(seconds=begins), now + timedelta(seconds=ends)
    name = alertmanager.post_silence([_as_json(parse("a=x")[0])], labelled.stamp(first), labelled.stamp(last))
    made = Silence(1, parse("a=x"), "test", "test", now, first, last)
    if state == "expired":
        time.sleep(1.1)
    told = requests.get(f"{alertmanager.url}/api/v2/silence/{name}", timeout=10).json()["status"]["state"]
    assert (told, silences.state(made, datetime.now(UTC))) == (state, state)
