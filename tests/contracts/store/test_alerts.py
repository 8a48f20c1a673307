"""What every store promises of alerts that come in many at a time: answers to many rules, and pushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.incident import Incident, advance
from opsbot.core.ports import Store

NOTE = Note("monitor", "opened")
TICK = timedelta(seconds=30)
Make = Callable[..., Incident]
MakeAlert = Callable[..., Alert]


# answers to many rules


def test_answers_to_many_rules_are_saved_in_one_go(store: Store, now: datetime, alert: MakeAlert) -> None:
    a, b = alert("a"), alert("b", rule="rule-2")
    assert store.save_answers({"rule-1": [a], "rule-2": [b], "rule-3": []}, now) == {"rule-1", "rule-2", "rule-3"}
    assert store.alerts() == (a, b)
    assert store.answers() == {"rule-1": now, "rule-2": now, "rule-3": now}
    changed = replace(b, value=1.0)
    assert store.save_answers({"rule-1": [], "rule-2": [changed]}, now + TICK) == {"rule-1", "rule-2"}
    assert store.alerts() == (changed,)
    assert store.answers() == {"rule-1": now + TICK, "rule-2": now + TICK, "rule-3": now}
    assert (store.answered("rule-2"), store.answered("rule-4")) == (now + TICK, None)


def test_a_rule_with_a_later_answer_is_left_as_it_is(store: Store, now: datetime, alert: MakeAlert) -> None:
    late, early = alert("a"), alert("b", rule="rule-2")
    store.save_answers({"rule-1": [late]}, now + TICK)
    assert store.save_answers({"rule-1": [], "rule-2": [early]}, now) == {"rule-2"}
    assert store.alerts() == (late, early)
    assert store.answers() == {"rule-1": now + TICK, "rule-2": now}


def test_no_rules_and_many_rules_are_answered(store: Store, now: datetime) -> None:
    assert store.save_answers({}, now) == frozenset()
    names = {f"rule-{n}": list[Alert]() for n in range(1200)}
    assert store.save_answers(names, now) == names.keys()
    assert store.answers() == dict.fromkeys(names, now)


def test_alerts_of_another_rule_or_twice_spoil_the_whole_go(store: Store, now: datetime, alert: MakeAlert) -> None:
    for wrong in ([alert("b", rule="rule-3")], [alert("b", rule="rule-2"), alert("b", rule="rule-2", value=1.0)]):
        with pytest.raises(PermanentError, match="rule-2"):
            store.save_answers({"rule-1": [alert("a")], "rule-2": wrong}, now)
    assert (store.alerts(), store.answers()) == ((), {})


def test_a_poll_lets_go_of_none_that_was_pushed_meanwhile(store: Store, now: datetime, alert: MakeAlert) -> None:
    """Whoever pushed it will not do so again for hours."""
    pushed, polled = alert("p", source="alertmanager"), alert("a")
    store.save_alerts("rule-1", [polled], now)
    store.receive([pushed])
    store.save_answers({"rule-1": []}, now + TICK)
    assert store.alerts() == (pushed,)
    store.save_alerts("rule-1", [alert("p")], now + 2 * TICK)
    assert store.alerts() == (alert("p"),)
    store.save_alerts("rule-1", [], now + 3 * TICK)
    assert store.alerts() == ()


# pushes


def test_pushed_alerts_take_the_place_of_those_known(store: Store, now: datetime, alert: MakeAlert) -> None:
    a, b, c = (alert(name, source="alertmanager") for name in "abc")
    store.receive([a, b])
    store.receive([replace(b, state=AlertState.RESOLVED), c])
    store.receive([])
    assert store.alerts() == (a, replace(b, state=AlertState.RESOLVED), c)
    assert store.answers() == {}


def test_of_two_pushes_of_one_alert_the_later_counts(store: Store, now: datetime, alert: MakeAlert) -> None:
    store.receive([alert("a"), alert("b"), alert("a", value=2.0)])
    assert store.alerts() == (alert("a", value=2.0), alert("b"))


def test_a_pushed_alert_stays_with_its_incident(store: Store, now: datetime, incident: Make, alert: MakeAlert) -> None:
    store.receive([alert("a")])
    made = store.create(incident(), NOTE, now, ["a"])
    store.receive([alert("a", value=2.0)])
    loaded = store.load(made.id)
    assert loaded is not None
    assert loaded.alerts == (alert("a", value=2.0),)


def test_an_alert_that_was_let_go_and_is_pushed_again_is_nobodys(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    over = alert("a", state=AlertState.RESOLVED)
    store.receive([over, alert("b")])
    made = store.create(incident(), NOTE, now, ["a", "b"])
    store.forget({"a", "b", "never"})
    store.forget([])
    assert (store.alerts(), store.owners()) == ((), {})
    loaded = store.load(made.id)
    assert loaded is not None
    assert loaded.alerts == (over,)
    store.receive([over, alert("b")])
    assert (store.alerts(), store.owners()) == ((over, alert("b")), {})
    fresh = store.load(made.id)
    assert fresh is not None
    assert fresh.alerts == ()


# whose they are


def test_owners_are_unresolved_incidents(store: Store, now: datetime, incident: Make, alert: MakeAlert) -> None:
    store.receive([alert(name) for name in "abcd"])
    first = store.create(incident(), NOTE, now, ["a", "b"])
    second = store.create(incident(key="other"), NOTE, now, ["c"])
    assert store.owners() == {"a": first.id, "b": first.id, "c": second.id}
    store.save(advance(first, "closed", now), NOTE, now)
    assert store.owners() == {"c": second.id}


def test_many_alerts_are_attached_in_one_go_or_not_at_all(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    names = [f"a{n:05d}" for n in range(1500)]
    store.receive([alert(name) for name in names])
    made = store.create(incident(), NOTE, now, names[:1])
    with pytest.raises(PermanentError, match="a99999"):
        store.attach(made.id, [*names, "a99999"], NOTE, now)
    assert store.owners() == {names[0]: made.id}
    store.attach(made.id, names + names, Note("monitor", "joined"), now)
    assert store.owners() == dict.fromkeys(names, made.id)
    assert [entry.act for entry in store.audit()] == ["opened", "joined"]
    assert store.verify() == ()


def test_a_value_that_cannot_be_kept_spoils_the_whole_go(store: Store, now: datetime, alert: MakeAlert) -> None:
    for wrong in (alert("b", value=float("nan")), alert("b", labels={"\ud800": "x"})):
        with pytest.raises(PermanentError, match="stored"):
            store.receive([alert("a"), wrong])
        with pytest.raises(PermanentError, match="stored"):
            store.save_answers({"rule-1": [alert("a"), wrong]}, now)
    assert (store.alerts(), store.answers()) == ((), {})


def test_one_rule_says_what_was_known(store: Store, now: datetime) -> None:
    store.save_answers({"rule-1": []}, now)
    with pytest.raises(Conflict, match=r"a later answer for the rule 'rule-1' is known already \(2026-"):
        store.save_alerts("rule-1", [], now - TICK)
