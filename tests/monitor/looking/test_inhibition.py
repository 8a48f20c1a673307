"""Inhibition as Alertmanager's, rule by rule and over many alerts; and how entries of alerts.yaml are read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.errors import ConfigError
from opsbot.core.silence import Inhibition, Match, Matcher
from opsbot.matchers import Table, parse
from opsbot.monitor.looking.inhibition import Inhibitor
from opsbot.monitor.rules import rulefile

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
Labels = dict[str, str]


def alert(labels: Labels, state: AlertState = AlertState.FIRING, since: float = 0, **given: Any) -> Alert:
    at = NOW - timedelta(seconds=since)
    name = labels.get("alertname", "x")
    known: dict[str, Any] = {"fingerprint": repr(sorted(labels.items())), "severity": labels.get("severity", "")}
    return Alert("r", name, labels=labels, state=state, active_at=at, fired_at=at, **(known | given))


def rule(source: str, target: str, *equal: str, name: str = "") -> Inhibition:
    return Inhibition(parse(source), parse(target), equal, name)


SEVERE = rule("severity=critical", "severity=warning", "ns")
BOTH = rule('severity=~"critical|warning"', "severity=warning", "ns")
CASES: dict[str, tuple[Inhibition, list[Labels], Labels, bool]] = {
    "the labels agree": (SEVERE, [{"severity": "critical", "ns": "a"}], {"severity": "warning", "ns": "a"}, True),
    "the labels differ": (SEVERE, [{"severity": "critical", "ns": "a"}], {"severity": "warning", "ns": "b"}, False),
    "both lack the label": (SEVERE, [{"severity": "critical"}], {"severity": "warning"}, True),
    "missing equals empty": (SEVERE, [{"severity": "critical", "ns": ""}], {"severity": "warning"}, True),
    "missing is not some value": (SEVERE, [{"severity": "critical"}], {"severity": "warning", "ns": "a"}, False),
    "no source": (SEVERE, [{"severity": "info", "ns": "a"}], {"severity": "warning", "ns": "a"}, False),
    "no target": (SEVERE, [{"severity": "critical", "ns": "a"}], {"severity": "info", "ns": "a"}, False),
    "nothing need agree": (
        rule("a=b", "c=d"), [{"a": "b", "ns": "x"}], {"c": "d", "ns": "y"}, True,
    ),
    "not by itself": (BOTH, [{"severity": "warning", "ns": "a"}], {"severity": "warning", "ns": "a"}, False),
    "not by its like on both sides": (
        BOTH, [{"severity": "warning", "ns": "a", "n": "1"}], {"severity": "warning", "ns": "a", "n": "2"}, False,
    ),
    "by a source on one side, among others on both": (
        BOTH, [{"severity": "warning", "ns": "a", "n": "1"}, {"severity": "critical", "ns": "a"}],
        {"severity": "warning", "ns": "a", "n": "2"}, True,
    ),
    "one side and another agreement": (
        BOTH, [{"severity": "warning", "ns": "a", "n": "1"}, {"severity": "critical", "ns": "b"}],
        {"severity": "warning", "ns": "a"}, False,
    ),
    "a target that is no source is held by a source on both sides": (
        rule("s=y", "t=y"), [{"s": "y", "t": "y"}], {"t": "y"}, True,
    ),
    "a source that matches everything": (rule("", "t=y"), [{"a": "b"}], {"t": "y"}, True),
    "without matchers": (rule("", ""), [{"a": "b"}], {"c": "d"}, False),
    "a target that matches everything": (rule("s=y", ""), [{"s": "y"}], {"c": "d"}, True),
    "the source itself under that": (rule("s=y", ""), [{"s": "y"}], {"s": "y"}, False),
    "a regular expression is anchored": (rule("s=~y.", "t=y"), [{"s": "xyz"}], {"t": "y"}, False),
    "unequal where it is missing": (rule("s!=y", "t=y"), [{"a": "b"}], {"t": "y"}, True),
    "severity none": (
        rule('alertname="InfoInhibitor"', "severity=info", "ns"),
        [{"alertname": "InfoInhibitor", "severity": "none", "ns": "a"}], {"severity": "info", "ns": "a"}, True,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "firing", "target", "wanted"), CASES.values(), ids=CASES)
def test_inhibited(one: Inhibition, firing: list[Labels], target: Labels, wanted: bool) -> None:
    assert bool(Inhibitor([one], map(alert, firing)).by(alert(target))) is wanted
    there = [alert(labels) for labels in (*firing, target)]
    assert bool(Inhibitor([one], there).by(there[-1])) is wanted


@pytest.mark.parametrize("state", [AlertState.PENDING, AlertState.RESOLVED], ids=str)
def test_only_what_fires_inhibits(state: AlertState) -> None:
    source = alert({"severity": "critical"}, state)
    assert Inhibitor([SEVERE], [source]).by(alert({"severity": "warning"})) is None


def test_a_source_that_is_held_by_another_still_inhibits() -> None:
    rules = [rule("n=1", "n=2"), rule("n=2", "n=3")]
    first, second, third = (alert({"n": str(number)}) for number in (1, 2, 3))
    found = Inhibitor(rules, [first, second, third])
    assert found.by(second) == (first, rules[0])
    assert found.by(third) == (second, rules[1])


def test_what_does_not_fire_yet_can_be_asked_for_too() -> None:
    source, waiting = alert({"severity": "critical"}), alert({"severity": "warning"}, AlertState.PENDING)
    assert Inhibitor([SEVERE], [source, waiting]).by(waiting) == (source, SEVERE)


def test_the_first_rule_and_its_oldest_alert_are_named_whatever_the_order() -> None:
    rules = [rule("k=n", "t=y"), rule("k=a", "t=y", name="second"), rule("k=~a|b", "t=y")]
    old, young = alert({"k": "a", "n": "1"}, since=60), alert({"k": "a", "n": "0"}, since=30)
    for firing in ([old, young], [young, old]):
        assert Inhibitor(rules, firing).by(alert({"t": "y"})) == (old, rules[1])


def test_no_rules_hold_nothing() -> None:
    assert Inhibitor([], [alert({"a": "b"})]).by(alert({"a": "b"})) is None


def plainly(rules: Sequence[Inhibition], firing: Sequence[Alert], asked: Alert) -> bool:
    """What the rules mean, alert by alert."""

    def on(side: tuple[Matcher, ...], one: Alert) -> bool:
        return bool(Table([side]).matching(one.labels))

    return any(
        on(one.target, asked) and on(one.source, source)
        and all(source.labels.get(name, "") == asked.labels.get(name, "") for name in one.equal)
        and not (on(one.source, asked) and on(one.target, source))
        for one in rules for source in firing if source.state is AlertState.FIRING
    )  # fmt: skip


def test_many_alerts_mean_what_each_pair_means() -> None:
    chance = random.Random(11)

    def side() -> tuple[Matcher, ...]:
        values = ["", "1", "2", "1|2", ".+"]
        return tuple(
            Matcher(chance.choice("abc"), chance.choice([*Match]), chance.choice(values))
            for _ in range(chance.randint(0, 2))
        )

    seen = set()
    for _ in range(60):
        rules = [
            Inhibition(side(), side(), tuple(chance.sample("abc", chance.randint(0, 2))))
            for _ in range(chance.randint(1, 3))
        ]
        firing = [
            alert(
                {name: chance.choice(["", "1", "2"]) for name in chance.sample("abc", chance.randint(0, 3))},
                chance.choice([AlertState.FIRING, AlertState.FIRING, AlertState.RESOLVED]), fingerprint=str(number),
            )
            for number in range(8)
        ]  # fmt: skip
        found = Inhibitor(rules, firing)
        for one in firing:
            assert bool(found.by(one)) == plainly(rules, firing, one)
            seen.add(bool(found.by(one)))
    assert seen == {True, False}


# entries of alerts.yaml ---------------------------------------------------------------------------------------------


def entries(text: str) -> tuple[Inhibition, ...]:
    return rulefile.inhibitions(f"alerts: []\ninhibit:\n{text}\n", "ops/alerts.yaml")


FORMS: dict[str, tuple[str, Inhibition]] = {
    "matchers": (
        "  - {source_matchers: [a=b, 'c=~\"d|e\"'], target_matchers: ['f!=\"g\"'], equal: [x, y]}",
        rule('a=b,c=~"d|e"', "f!=g", "x", "y", name="alerts.yaml:3"),
    ),
    "a name": ("  - {name: nodes, source_matchers: [a=b], target_matchers: [c=d]}", rule("a=b", "c=d", name="nodes")),
    "one text for a list": (
        "  - {source_matchers: '{a=b, c=d}', target_matchers: 'e=f,g=h', equal: x}",
        rule("a=b,c=d", "e=f,g=h", "x", name="alerts.yaml:3"),
    ),
    "the older keys": (
        "  - {source_match: {a: b}, source_match_re: {c: 'd.*'}, target_match: {e: f}, target_match_re: {g: h|i}}",
        rule("a=b,c=~d.*", "e=f,g=~h|i", name="alerts.yaml:3"),
    ),
    "older and newer ones": (
        "  - {source_match: {a: b}, source_matchers: [c!=d], target_matchers: [e=f]}",
        rule("a=b,c!=d", "e=f", name="alerts.yaml:3"),
    ),
    "names of other letters": (
        "  - {source_matchers: ['\"a b\"=c'], target_matchers: [d.e=f], equal: [g h]}",
        rule('"a b"=c', "d.e=f", "g h", name="alerts.yaml:3"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), FORMS.values(), ids=FORMS)
def test_entries(text: str, wanted: Inhibition) -> None:
    assert entries(text) == (wanted,)
    assert rulefile.parse(f"alerts: []\ninhibit:\n{text}\n", "alerts.yaml") == ((), ())


def test_no_entries() -> None:
    assert entries("  []") == ()
    assert rulefile.inhibitions("alerts: []", "alerts.yaml") == ()


BAD: dict[str, tuple[str, list[str]]] = {
    "a matcher": ("  - {source_matchers: [a=b, c]}", ["3:29: source_matchers: 'c': a name alone is no matcher"]),
    "an older pattern": ("  - {target_match_re: {a: '('}}", ["3:27: target_match_re: a=~'(': missing )"]),
    "a label's name": ("  - {equal: [a, '']}", ["3:17: equal: a label's name must not be empty"]),
    "a key": ("  - {sources: [a=b]}", ["3:6: inhibit.0.sources: is not a known key"]),
    "a type": ("  - {equal: 3}", ["3:13: inhibit.0.equal: must be a list"]),
    "no mapping": ("  - x", ["3:5: inhibit.0: must be a mapping"]),
    "all at once, in all entries": (
        "  - {target_matchers: [a], x: 1}\n  - {source_matchers: ['=']}",
        ["3:24: target_matchers: 'a'", "3:28: inhibit.0.x: is not", "4:24: source_matchers: '='"],
    ),
}


@pytest.mark.parametrize(("text", "wanted"), BAD.values(), ids=BAD)
def test_bad_entries(text: str, wanted: list[str]) -> None:
    for read in (rulefile.parse, rulefile.inhibitions):
        with pytest.raises(ConfigError) as error:
            read(f"alerts: []\ninhibit:\n{text}\n", "alerts.yaml")
        said = [str(problem).removeprefix("alerts.yaml:") for problem in error.value.problems]
        assert len(said) == len(wanted)
        assert all(one.startswith(other) for one, other in zip(said, wanted, strict=True)), said


ODD = {
    "nothing": ("{}", "holds nothing back"),
    "no source": ("{target_matchers: [a=b]}", "any alert that fires holds others back"),
    "no target": ("{source_matchers: [a=b]}", "holds every other alert back"),
}


@pytest.mark.parametrize(("text", "wanted"), ODD.values(), ids=ODD)
def test_odd_entries_are_advised_upon(text: str, wanted: str) -> None:
    _, (warning,) = rulefile.parse(f"alerts: []\ninhibit:\n  - {text}\n", "alerts.yaml")
    assert wanted in warning.message
    assert warning.line == 3
