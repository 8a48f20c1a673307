"""`alerts`, and `show` for an alert or the alerts of an incident: what became of them, whoever asks."""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from opsbot.chat import replies
from opsbot.cli import alerted, members, overview, tell
from opsbot.cli.lines import zone
from opsbot.commands import _incident_or_alert, alerts, shape, show
from opsbot.core.errors import PermanentError
from opsbot.core.incident import State
from opsbot.store import SqlStore, open_store
from tests.monitor.calm_world import START, CalmWorld, alert, at, back, gone

BAD, MILD, QUIET = alert("Bad", severity="critical", to="web"), alert("Mild", 5, zone="a"), alert("Q", severity="none")


@pytest.fixture
def store() -> Iterator[SqlStore]:
    opened = open_store("sqlite://", START)
    yield opened
    opened.close()


@pytest.fixture
def world(store: SqlStore) -> CalmWorld:
    made = CalmWorld(store)
    made.push(10, MILD, BAD, QUIET)
    made.push(20, gone(MILD, 20))
    return made


@pytest.fixture
def desk(world: CalmWorld) -> Any:
    return SimpleNamespace(store=world.store, record=world.store, now=at(30))


def asked(desk: Any, **given: Any) -> dict[str, Any]:
    return alerts.run(desk, "ana", Namespace(**{"all": False, "limit": 20, **given})).data


def shown(desk: Any, what: int | str) -> dict[str, Any]:
    return show.run(desk, "ana", Namespace(incident=what, evidence=False)).data


def test_alerts_that_fire_come_worst_first_with_what_became_of_them(desk: Any) -> None:
    said = asked(desk)
    assert [(row["name"], row["incident"], row["why"]["reason"]) for row in said["alerts"]] == [
        ("Bad", 1, "opened"), ("Q", None, "severity_none"),
    ]  # fmt: skip
    assert said["more"] is False
    assert said["alerts"][0] == {
        "name": "Bad", "state": "firing", "severity": "critical", "since": "2026-05-04T12:00:00.000000Z",
        "labels": {"alertname": "Bad", "deployment": "web", "severity": "critical"}, "source": "alertmanager",
        "fingerprint": BAD.fingerprint, "incident": 1,
        "why": {"fingerprint": BAD.fingerprint, "at": "2026-05-04T12:00:10.000000Z", "reason": "opened", "says": "",
                "incident": 1},
    }  # fmt: skip


def test_all_alerts_are_those_that_have_cleared_too(desk: Any) -> None:
    said = asked(desk, all=True)
    assert [(row["name"], row["state"]) for row in said["alerts"]] == [
        ("Bad", "firing"), ("Q", "firing"), ("Mild", "resolved"),
    ]  # fmt: skip
    assert said["alerts"][2]["since"] == "2026-05-04T12:00:20.000000Z"


def test_a_limit_says_that_there_are_more(desk: Any) -> None:
    said = asked(desk, limit=1)
    assert (len(said["alerts"]), said["more"]) == (1, True)
    assert len(asked(desk, limit=-5)["alerts"]) == 1


def test_an_incident_shows_what_became_of_its_alerts(desk: Any, world: CalmWorld) -> None:
    world.push(40, gone(BAD, 40))
    world.push(50, back(BAD, 50))
    found = shown(desk, 1)["incident"]
    assert [row["reason"] for row in found["why"]] == ["opened", "cleared", "reopened"]
    assert found["flapping"] == ""
    world.push(60, gone(BAD, 60))
    world.push(70, back(BAD, 70))
    assert shown(desk, 1)["incident"]["flapping"] == "flapping: fired again 2 times in 20s"


def test_an_alert_without_an_incident_is_shown_by_its_fingerprint(desk: Any) -> None:
    said = shown(desk, QUIET.fingerprint[:6])
    assert (said["alert"]["name"], said["alert"]["incident"]) == ("Q", None)
    assert [row["reason"] for row in said["why"]] == ["severity_none"]


@pytest.mark.parametrize(
    ("what", "says"),
    [("abcdefabcdef", "there is no alert 'abcdefabcdef'"), ("abc", "is too short"), (99, "there is no incident 99"),
     (123456789, "there is no incident 123456789")],
    ids=["no alert", "short", "no incident", "neither"],
)  # fmt: skip
def test_what_is_not_there(desk: Any, what: int | str, says: str) -> None:
    with pytest.raises(PermanentError, match=says):
        shown(desk, what)


def test_a_number_that_is_no_incident_may_be_a_fingerprint(desk: Any, world: CalmWorld) -> None:
    from dataclasses import replace

    odd = replace(alert("Odd", 1, severity="none"), fingerprint="1234567890123456")
    world.push(31, odd)
    assert shown(desk, 123456)["alert"]["name"] == "Odd"
    twin = replace(odd, fingerprint="1234567890123499")
    world.push(32, twin)
    with pytest.raises(PermanentError, match="2 alerts begin with '123456'"):
        shown(desk, 123456)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("42", 42), ("042", 42), ("123456", 123456), ("0123456", "0123456"), ("ABCDEF12", "abcdef12")],
)  # fmt: skip
def test_what_stands_for_an_incident_or_an_alert(text: str, meant: int | str) -> None:
    assert _incident_or_alert(text) == meant


@pytest.mark.parametrize("text", ["", "x", "beef", "beefbeefbeefbeef0", "-1", "4 2", "\u0661", "beefgh"])
def test_what_stands_for_nothing(text: str) -> None:
    with pytest.raises(ValueError, match=r"^" + text[:1].replace("-", r"\-")):
        _incident_or_alert(text)


# told ---------------------------------------------------------------------------------------------------------------


def told(lines: Iterator[Any], width: int = 300) -> str:
    from io import StringIO

    from rich.console import Console

    out = Console(file=StringIO(), width=width)
    for line in lines:
        out.print(line)
    text: str = out.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_on_a_terminal(desk: Any) -> None:
    text = told(alerted.alerts(asked(desk, all=True)))
    assert "incident 1" in text
    assert "severity_none" in text
    assert "zone=a" in text
    assert told(alerted.alerts({"alerts": [], "more": False})) == "no alert fires\n"
    one = told(alerted.alert(shown(desk, QUIET.fingerprint)))
    assert f"Alert Q  {QUIET.fingerprint}" in one
    assert "became   severity_none" in one
    names = {BAD.fingerprint: "Bad"}
    assert f"Bad {BAD.fingerprint[:8]}: opened, incident 1" in told(
        alerted.why(shown(desk, 1)["incident"]["why"], names)
    )


def test_a_storm_is_told_by_name_on_a_terminal(desk: Any, world: CalmWorld) -> None:
    many = [alert("T2", 1, to=f"w{place % 50}", n=str(place)) for place in range(125)]
    world.push(25, *many, *(alert("T3", 1, n=str(place)) for place in range(30)), alert("T4", 1, to="w1"))
    rows = [shape.alert(one) for one in world.store.alerts() if one.name in ("T2", "T3", "T4")]
    text = told(members.storm(7, rows))
    assert "alert    T2: 125 alerts (125 firing) on 50 targets: Deployment/" in text
    assert " (3), Deployment/" in text
    assert ", … and 47 more" in text
    assert "alert    T3: 30 alerts (30 firing) without a target, for example n=" in text
    assert "alert    T4: 1 alert (1 firing) on 1 target: Deployment/w1" in text
    assert "all 156: `opsbot show 7 --format json`; those that fire: `opsbot alerts --limit N`" in text
    names = [{**rows[0], "name": f"N{place}"} for place in range(23)]
    assert "… and 3 more alerts of 3 names" in told(members.storm(7, names))


def test_what_became_of_the_other_alerts_of_a_storm_is_counted(desk: Any, world: CalmWorld) -> None:
    world.push(25, *(alert("Slow", 1, to="web", n=str(place)) for place in range(40)))
    incident = shown(desk, 1)["incident"]
    told_of = {row["fingerprint"] for row in incident["why"]}
    assert incident["why_more"] == {"joined": len(incident["alerts"]) - len(told_of)}
    text = told(tell.show({"incident": incident}))
    assert f"… and {incident['why_more']['joined']} more alerts: {incident['why_more']['joined']} joined;" in text
    assert "alert    Slow: 40 alerts (40 firing) on 1 target: Deployment/web" in text


def test_few_alerts_are_told_one_by_one_and_the_cluster_is_named(desk: Any) -> None:
    incident = shown(desk, 1)["incident"]
    assert incident["why_more"] == {}
    moved = {**incident, "target": {**incident["target"], "cluster": "elsewhere"}}
    text = told(tell.show({"incident": moved}))
    assert "target   Deployment/web -n agents in cluster elsewhere" in text
    assert f"alert    Bad {BAD.fingerprint[:8]}: firing since" in text
    assert "in cluster elsewhere" in told(overview.incidents({"incidents": [moved], "more": False}))
    assert "more alerts" not in text


def test_alerts_of_one_name_are_told_apart_and_can_be_typed(desk: Any, world: CalmWorld) -> None:
    pods = [alert("Slow", 1, to="web", pod=f"web-{place}", zone="a", uid=f"{place:012}") for place in range(3)]
    world.push(25, *pods)
    text = told(tell.show(shown(desk, 1)))
    for place, one in enumerate(pods):
        short = one.fingerprint[:8]
        when = text.split(f"Slow {short}: firing since ")[1].split("\n")[0]
        assert when.endswith(f", pod=web-{place}, uid={place:012}, zone=a")
        assert shown(desk, _incident_or_alert(short))["alert"]["labels"]["pod"] == f"web-{place}"


MARKED = {"acked_by": "Ana " + "x" * 100, "flapping": "flapping: fired again 2 times in 20s", "title": "word " * 40}


@pytest.mark.parametrize(
    ("given", "says"),
    [({}, " Bad"), ({"acked_by": "Ana"}, "[ack by Ana] Bad"), ({"flapping": "flapping: fired again"}, "[flapping] Bad"),
     ({"acked_by": "Ana", "flapping": "flapping"}, "[ack by Ana, flapping] Bad")],
    ids=["neither", "acknowledged", "flapping", "both"],
)  # fmt: skip
def test_the_table_of_incidents_says_who_has_taken_one_and_what_flaps(desk: Any, given: Any, says: str) -> None:
    row = {**shown(desk, 1)["incident"], **given}
    assert says in told(overview.incidents({"incidents": [row], "more": False}), 120)


def test_the_table_of_incidents_fits_a_terminal(desk: Any) -> None:
    row = {**shown(desk, 1)["incident"], **MARKED}
    lines = told(overview.incidents({"incidents": [row], "more": False}), 120).splitlines()
    assert max(map(len, lines)) <= 120
    assert "[ack by" in "\n".join(lines)


@pytest.mark.parametrize(("stamps", "named"), [
    (["2026-05-04T12:00:00Z", None], "CEST"), (["2026-01-04T12:00:00Z", "2026-05-04T12:00:00Z"], "CET/CEST"), ([], ""),
], ids=["summer", "both", "none"])  # fmt: skip
def test_a_table_names_the_zone_of_its_times(monkeypatch: pytest.MonkeyPatch, stamps: list[Any], named: str) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    try:
        assert zone(stamps) == named
    finally:
        monkeypatch.undo()
        time.tzset()


def test_tables_name_the_zone_once(desk: Any) -> None:
    here = zone(["2026-05-04T12:00:00Z"])
    assert f"since ({here})" in told(alerted.alerts(asked(desk)))
    incident = shown(desk, 1)["incident"]
    assert f"opened ({here})" in told(overview.incidents({"incidents": [incident], "more": False}))
    assert f"Why  (times in {here})" in told(tell.show({"incident": incident}))


@pytest.mark.parametrize(("count", "says"), [(0, ""), (1, ", reopened once"), (2, ", reopened 2 times")])
def test_how_often_it_was_reopened(desk: Any, count: int, says: str) -> None:
    text = told(tell.heading({**shown(desk, 1)["incident"], "reopened": count}))
    assert ("reopened" in text, says in text) == (bool(says), True)


def test_hostile_labels_are_not_obeyed_by_a_terminal(desk: Any, world: CalmWorld) -> None:
    world.push(30, alert("Evil\x1b[31m", 1, zone="\x1b]0;x\x07"))
    assert "\x1b" not in told(alerted.alerts(asked(desk)))


def test_in_chat(desk: Any) -> None:
    text = str(replies.reply("alerts", asked(desk)))
    assert "Bad (critical, " in text
    assert "incident 1" in text
    assert "severity none" in text
    assert "No alert fires." in str(replies.reply("alerts", {"alerts": [], "more": False}))
    assert "severity none" in str(replies.reply("show", shown(desk, QUIET.fingerprint)))


def test_an_incident_that_has_ended_is_no_home(desk: Any, world: CalmWorld) -> None:
    world.push(40, gone(BAD, 40))
    assert {one.state for one in world.store.incidents()} == {State.RESOLVED}
    assert [row["incident"] for row in asked(desk, all=True)["alerts"]] == [None, None, None]
