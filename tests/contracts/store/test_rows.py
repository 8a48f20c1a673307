"""What every store promises of rows beside the records: evidence, reports, alerts, facts and the audit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note, broken
from opsbot.core.errors import Conflict, PermanentError
from opsbot.core.evidence import Evidence, Gap, MaskedText
from opsbot.core.incident import Incident, advance
from opsbot.core.ports import Store
from opsbot.mask import mask

NOTE = Note("diagnostic", "gathered")
Make = Callable[..., Incident]
MakeAlert = Callable[..., Alert]
MakeEvidence = Callable[..., Evidence]


# evidence


def test_evidence_appends_audit_and_leaves_the_version(
    store: Store, now: datetime, incident: Make, evidence: MakeEvidence, gap: Gap
) -> None:
    made = store.create(incident(), NOTE, now)
    first = evidence("e1", objects=({"kind": "Pod", "n": [1, 2.5, None, True], "s": mask("x")},), truncated=True)
    store.add_evidence(made.id, 1, [first, evidence("e2", since=now)], [gap], NOTE, now)
    store.add_evidence(made.id, 2, [evidence("e1", "later")], [], NOTE, now)
    assert store.load(made.id) == made
    assert store.evidence(made.id, 1) == ((first, evidence("e2", since=now)), (gap,))
    assert isinstance(store.evidence(made.id, 1)[0][0].text, MaskedText)
    assert store.evidence(made.id, 2) == ((evidence("e1", "later"),), ())
    assert store.evidence(made.id, 3) == store.evidence(99, 1) == ((), ())
    assert [entry.version for entry in store.audit(made.id)] == [1, 0, 0]
    assert store.verify() == ()


def test_evidence_gathered_twice_under_one_id_counts_as_last_seen(
    store: Store, now: datetime, incident: Make, evidence: MakeEvidence, gap: Gap
) -> None:
    made = store.create(incident(), NOTE, now)
    store.add_evidence(made.id, 1, [evidence("e1", "old"), evidence("e2")], [gap], NOTE, now)
    store.add_evidence(made.id, 1, [evidence("e1", "new")], [gap], NOTE, now)
    assert store.evidence(made.id, 1) == ((evidence("e1", "new"), evidence("e2")), (gap,))


def test_saving_is_no_conflict_after_evidence_of_a_parallel_skill(
    store: Store, now: datetime, incident: Make, evidence: MakeEvidence
) -> None:
    made = store.create(incident(), NOTE, now)
    store.add_evidence(made.id, 1, [evidence()], [], NOTE, now)
    assert store.save(replace(made, collected_at=now), NOTE, now).version == 2


@pytest.mark.parametrize(
    "act",
    [
        lambda store, now, item: store.add_evidence(7, 1, [item], [], NOTE, now),
        lambda store, now, item: store.note(7, NOTE, now),
        lambda store, now, item: store.add_report(7, 1, "text", now),
        lambda store, now, item: store.attach(7, [], NOTE, now),
        lambda store, now, item: store.attach(7, ["a1"], NOTE, now),
    ],
    ids=["evidence", "note", "report", "attach nothing", "attach"],
)
def test_rows_of_an_incident_that_is_not_there_are_refused(
    store: Store, now: datetime, evidence: MakeEvidence, act: Callable[[Store, datetime, Evidence], None]
) -> None:
    with pytest.raises(PermanentError, match="incident 7"):
        act(store, now, evidence())
    assert store.audit() == ()
    assert store.verify() == ()


HOSTILE = [
    "\x00",
    "\x00\x1b[31m'; DROP TABLE audit; --",
    "\ufeff\u202e\U0001f600",
    "\r\n\r\n",
    "",
    '{"a": "b"}',
    "%s %(a)s :x",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_text_comes_back_to_the_letter(
    store: Store, now: datetime, incident: Make, evidence: MakeEvidence, text: str
) -> None:
    made = store.create(incident(title=mask(text), key=text), Note("x", text, text, {text: text}), now)
    store.add_evidence(made.id, 1, [evidence("e", text)], [Gap("s", mask(text))], NOTE, now)
    store.add_report(made.id, 1, text, now)
    store.put(text, text, now)
    loaded = store.load(made.id)
    assert loaded is not None
    assert (loaded.title, loaded.key) == (mask(text), text)
    assert store.evidence(made.id, 1)[0][0].text == mask(text)
    assert store.reports(made.id) == ((1, text),)
    assert store.fetch(text) == text
    assert store.audit(made.id)[0].detail == {text: text}
    assert store.verify() == ()


def test_half_a_surrogate_is_refused_wherever_it_stands(store: Store, now: datetime, incident: Make) -> None:
    made = store.create(incident(), NOTE, now)
    for act in (
        lambda: store.put("k", "\ud800", now),
        lambda: store.add_report(made.id, 1, "\ud800", now),
        lambda: store.note(made.id, Note("\ud800", "x"), now),
        lambda: store.save(replace(made, reason="\ud800"), NOTE, now),
    ):
        with pytest.raises(PermanentError, match="stored"):
            act()
    assert len(store.audit()) == 1
    assert store.verify() == ()


# reports


def test_reports_are_told_once_per_version(store: Store, now: datetime, incident: Make) -> None:
    made = store.create(incident(), NOTE, now)
    closed = store.save(advance(made, "closed", now), NOTE, now)
    store.add_report(made.id, 2, "second", now)
    store.add_report(made.id, 1, "first", now)
    store.add_report(made.id, 2, "again", now)
    assert store.reports(made.id) == ((1, "first"), (2, "second"))
    loaded = store.load(made.id)
    assert loaded == replace(closed, reported=2)
    assert [entry.act for entry in store.audit(made.id)] == ["gathered", "gathered", "reported", "reported"]
    assert store.verify() == ()


@pytest.mark.parametrize("version", [0, -1, 2], ids=["none", "negative", "not yet"])
def test_a_version_that_never_was_cannot_be_reported(store: Store, now: datetime, incident: Make, version: int) -> None:
    made = store.create(incident(), NOTE, now)
    with pytest.raises(PermanentError, match="no version"):
        store.add_report(made.id, version, "x", now)


# alerts


def test_alerts_of_a_rule_are_what_the_last_answer_said(store: Store, now: datetime, alert: MakeAlert) -> None:
    a, b, other = alert("a"), alert("b", value=None), alert("c", rule="rule-2")
    store.save_alerts("rule-1", [b, a], now)
    store.save_alerts("rule-2", [other], now)
    assert store.alerts("rule-1") == (a, b)
    assert store.alerts() == (a, b, other)
    pending = replace(a, state=AlertState.PENDING, holds=False)
    store.save_alerts("rule-1", [pending], now + timedelta(seconds=30))
    assert store.alerts("rule-1") == (pending,)
    assert store.alerts("rule-2") == (other,)
    assert (store.answered("rule-1"), store.answered("rule-2")) == (now + timedelta(seconds=30), now)
    assert store.answered("rule-3") is None


def test_the_time_of_an_answer_only_rises(store: Store, now: datetime, alert: MakeAlert) -> None:
    store.save_alerts("rule-1", [alert()], now)
    with pytest.raises(Conflict):
        store.save_alerts("rule-1", [], now - timedelta(microseconds=1))
    assert store.alerts("rule-1") == (alert(),)
    store.save_alerts("rule-1", [], now)
    assert (store.answered("rule-1"), store.alerts()) == (now, ())


def test_alerts_of_another_rule_or_twice_are_refused(store: Store, now: datetime, alert: MakeAlert) -> None:
    for wrong in ([alert("a", rule="rule-2")], [alert("a"), alert("a", value=1.0)]):
        with pytest.raises(PermanentError):
            store.save_alerts("rule-1", wrong, now)
    assert (store.alerts(), store.answered("rule-1")) == ((), None)


def test_an_incident_sees_its_alerts_as_they_are_now(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    store.save_alerts("rule-1", [alert("a"), alert("b")], now)
    made = store.create(incident(), NOTE, now, ["a"])
    store.attach(made.id, ["b"], Note("monitor", "joined"), now)
    calm = alert("b", state=AlertState.RESOLVED, resolved_at=now, holds=False)
    store.save_alerts("rule-1", [alert("a"), calm], now)
    loaded = store.load(made.id)
    assert loaded == replace(made, alerts=(alert("a"), calm))
    assert loaded is not None
    assert [a.fingerprint for a in loaded.firing] == ["a"]
    assert store.incidents()[0] == store.due()[0] == loaded
    assert [e.act for e in store.audit(made.id)] == ["gathered", "joined"]


def test_a_resolved_alert_stays_with_its_incident_when_its_rule_forgets_it(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    store.save_alerts("rule-1", [alert("a"), alert("b")], now)
    made = store.create(incident(), NOTE, now, ["a", "b"])
    calm = alert("a", state=AlertState.RESOLVED, resolved_at=now)
    store.save_alerts("rule-1", [calm, alert("b")], now)
    store.save_alerts("rule-1", [], now)
    assert store.alerts() == ()
    loaded = store.load(made.id)
    assert loaded is not None
    assert loaded.alerts == (calm,)  # `b` was forgotten while firing: nobody may go on believing that it fires
    store.save_alerts("rule-1", [alert("a")], now)
    assert store.alerts() == (alert("a"),)
    fresh = store.load(made.id)
    assert fresh is not None
    assert fresh.alerts == ()


def test_an_alert_that_is_not_there_cannot_be_attached(store: Store, now: datetime, incident: Make) -> None:
    made = store.create(incident(), NOTE, now)
    with pytest.raises(PermanentError, match="a9"):
        store.attach(made.id, ["a9"], NOTE, now)
    with pytest.raises(PermanentError, match="a9"):
        store.create(incident(key="k2"), NOTE, now, ["a9"])
    assert len(store.audit()) == 1
    assert store.verify() == ()


def test_a_storm_is_saved_and_read_in_one_go(store: Store, now: datetime, incident: Make, alert: MakeAlert) -> None:
    storm = [alert(f"a{n:05d}", labels={"n": str(n)}) for n in range(2000)]
    store.save_alerts("rule-1", storm, now)
    made = store.create(incident(), NOTE, now, [a.fingerprint for a in storm])
    store.save_alerts("rule-1", [replace(a, value=1.0) for a in storm], now)
    assert len(made.alerts) == len(store.alerts()) == 2000
    store.save_alerts("rule-1", [], now)
    assert store.alerts() == ()


# facts and audit


def test_facts_are_replaced(store: Store, now: datetime) -> None:
    assert store.fetch("switch") is None
    store.put("switch", "on", now)
    store.put("switch", "off", now)
    store.put("other", "", now)
    assert (store.fetch("switch"), store.fetch("other")) == ("off", "")


def test_the_audit_is_a_chain_per_incident(store: Store, now: datetime, incident: Make) -> None:
    for key in ("a", "b"):
        made = store.create(incident(key=key), NOTE, now)
        store.note(made.id, Note("ana", "looked", "curious", {"page": "1"}), now + timedelta(seconds=1))
    store.note(1, Note("ana", "looked"), now)
    assert [(e.incident, e.seq) for e in store.audit()] == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2)]
    assert store.audit(2) == store.audit()[3:]
    assert [broken(store.audit(n)) for n in (1, 2, 3)] == ["", "", ""]
    assert (store.audit(2)[1].record, store.audit(2)[1].version) == ("", 0)
    assert store.verify() == ()
