"""`silence add`, `silence list`, `silence expire`, and what `status` says of silences and windows."""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from opsbot.access import Access
from opsbot.commands import silence, status, verb
from opsbot.commands.desk import Desk
from opsbot.config import Config, Person
from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError, Refused
from opsbot.core.silence import Window
from opsbot.store import SqlStore, open_store
from tests.chat.chat_world import incident_in

NOW = datetime(2026, 5, 4, 3, 2, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)
ACCESS = Access(
    people=(Person("Ana", os_user="ana"), Person("Ben", os_user="ben")), groups={"sre": ("Ana",)},
    permissions={"sre": ("silence",), "everyone": ("read",)},
)  # fmt: skip


@dataclass
class Office:
    """A desk with a store, whose clock is set by hand."""

    store: SqlStore
    now: datetime = NOW
    access: Access = ACCESS
    door: str = "cli"
    config: Config = field(default_factory=lambda: Config(folder=Path()))

    @property
    def record(self) -> SqlStore:
        return self.store

    @property
    def desk(self) -> Desk:
        return cast("Desk", self)

    def add(self, *matchers: str, person: str = "Ana", **given: Any) -> dict[str, Any]:
        known = {"lasting": "2h", "begins": "", "comment": "load test", "preview": False}
        return silence.add(self.desk, person, Namespace(matchers=list(matchers), **(known | given))).data

    def listed(self, *, past: bool = False) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = silence.listed(self.desk, "Ben", Namespace(all=past)).data["silences"]
        return found

    def expire(self, number: int, person: str = "Ana") -> dict[str, Any]:
        found: dict[str, Any] = silence.expire(self.desk, person, Namespace(silence=number)).data["silence"]
        return found

    def fire(self, count: int, namespace: str, state: AlertState = AlertState.FIRING) -> list[Alert]:
        """Alerts of a rule of their own."""
        alerts = [
            Alert(
                f"rule {namespace}", "HighLatency", f"{namespace}-{number}", ["warning", "critical"][number % 2],
                {"alertname": "HighLatency", "namespace": namespace, "pod": f"web-{number}"}, state, NOW,
            )
            for number in range(count)
        ]  # fmt: skip
        self.store.save_alerts(f"rule {namespace}", alerts, NOW)
        return alerts


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    opened = open_store(f"sqlite:///{tmp_path / 'opsbot.db'}", NOW)
    yield Office(opened)
    opened.close()


def test_a_silence_is_kept_with_its_author_and_comment(office: Office) -> None:
    said = office.add("HighLatency", 'namespace=~"shop-.*"')
    assert said["silence"] == {
        "id": 1, "state": "active", "matchers": ['alertname="HighLatency"', 'namespace=~"shop-.*"'], "author": "Ana",
        "comment": "load test", "made_at": "2026-05-04T03:02:00.000000Z", "starts_at": "2026-05-04T03:02:00.000000Z",
        "ends_at": "2026-05-04T05:02:00.000000Z", "expired_by": "",
    }  # fmt: skip
    (kept,) = office.store.silences()
    assert (kept.author, kept.starts_at, kept.ends_at) == ("Ana", NOW, NOW + 2 * HOUR)
    assert office.listed() == [said["silence"]]


MATCHERS: dict[str, tuple[list[str], list[str]]] = {
    "a name alone": (["HighLatency"], ['alertname="HighLatency"']),
    "a name with blanks": (["High Task Latency"], ['alertname="High Task Latency"']),
    "a name with blanks, and more": (["High Latency ", "a=b"], ['alertname="High Latency"', 'a="b"']),
    "a name with marks": (["Ana's disk, full!"], ['alertname="Ana\'s disk, full!"']),
    "a value with blanks": (["a=High Latency"], ['a="High Latency"']),
    "one": (['severity="critical"'], ['severity="critical"']),
    "as a shell leaves it": (
        ["severity=critical", "pod=~web-.*|db, x"],
        ['severity="critical"', 'pod=~"web-.*|db, x"'],
    ),
    "a list in one word": (['{a="b", c=~"d"}'], ['a="b"', 'c=~"d"']),
    "a list in many words": (["{a=b,", "c=~d}"], ['a="b"', 'c=~"d"']),
    "a quoted list without braces": (['a="b",c="d"'], ['a="b"', 'c="d"']),
    "a quoted name": (['"my label"=x'], ['"my label"="x"']),
    "backslashes": ([r'pod=~"web-\d+"'], [r'pod=~"web-\\d+"']),
}


@pytest.mark.parametrize(("words", "wanted"), MATCHERS.values(), ids=MATCHERS)
def test_matchers_as_typed(office: Office, words: list[str], wanted: list[str]) -> None:
    assert office.add(*words)["silence"]["matchers"] == wanted


REFUSED: dict[str, tuple[list[str], dict[str, Any], str, str]] = {
    "nothing": ([], {}, "no_matchers", "which alerts?"),
    "empty braces": (["{}"], {}, "no_matchers", "which alerts?"),
    "everything": (["a!=b"], {}, "too_wide", "also match alerts without"),
    "everything by pattern": (["a=~.*"], {}, "too_wide", "also match alerts without"),
    "no matcher": (["a=b", "c"], {}, "no_matcher", "'c': a name alone is no matcher (write NAME="),
    "a forgotten operator": (["A", "severity critical"], {}, "no_matcher", "'severity critical': no operator"),
    "a forgotten operator after a matcher": (["a=b", "severity critical"], {}, "no_matcher", "(write NAME="),
    "a name in many words": (["High", "Latency"], {}, "no_matcher", "that has blanks needs quotation marks"),
    "a name of blanks": ([" "], {}, "no_matchers", "which alerts?"),
    "quotation marks twice": (['"High Latency"'], {}, "no_matcher", "(write NAME="),
    "an open brace": (["High Latency{"], {}, "no_matcher", "(write NAME="),
    "a pattern": (["a=~("], {}, "no_matcher", "missing )"),
    "no comment": (["a=b"], {"comment": ""}, "no_comment", "--comment"),
    "no time": (["a=b"], {"lasting": ""}, "no_time", "--for 2h"),
    "odd time": (["a=b"], {"lasting": "two"}, "no_time", "--for: 'two' is no duration"),
    "for nothing": (["a=b"], {"lasting": "0"}, "over", "more than 0s"),
    "for ever": (["a=b"], {"lasting": "1y"}, "too_long", "at most 90d"),
    "odd beginning": (["a=b"], {"begins": "soon"}, "no_time", "--from: 'soon' is no time"),
    "the first of years": (["a=b"], {"begins": "0001-01-01T00:00+14:00"}, "no_time", "is no time"),
    "over": (["a=b"], {"begins": "2026-05-04T00:00"}, "over", "ended already"),
    "much too early": (["a=b"], {"begins": "2028-01-01"}, "too_far", "from now"),
    "who may not": (["a=b"], {"person": "Ben"}, "not_allowed", "Ben may not silence; ask Ana (sre)"),
    "a stranger": (["a=b"], {"person": "cli:eve"}, "not_allowed", "may not silence"),
}


@pytest.mark.parametrize(("words", "given", "reason", "says"), REFUSED.values(), ids=REFUSED)
def test_refused_and_nothing_kept(
    office: Office, words: list[str], given: dict[str, Any], reason: str, says: str
) -> None:  # fmt: skip
    with pytest.raises(Refused) as error:
        office.add(*words, **given)
    assert error.value.reason == reason
    assert says in str(error.value)
    assert office.store.silences() == ()


BEGINS: dict[str, tuple[str, datetime]] = {
    "no zone is UTC": ("2026-05-04T08:02", NOW + 5 * HOUR),
    "a blank": ("2026-05-04 08:02", NOW + 5 * HOUR),
    "a zone": ("2026-05-04T10:02+02:00", NOW + 5 * HOUR),
    "Greenwich": ("2026-05-04T08:02:00Z", NOW + 5 * HOUR),
    "past": ("2026-05-04T02:02", NOW),
}


@pytest.mark.parametrize(("text", "wanted"), BEGINS.values(), ids=BEGINS)
def test_when_it_begins(office: Office, text: str, wanted: datetime) -> None:
    office.add("a=b", begins=text)
    assert office.store.silences()[0].starts_at == wanted


def test_preview_tells_what_it_would_hide_and_keeps_nothing(office: Office) -> None:
    alerts = office.fire(3, "shop")
    office.fire(2, "bank")
    office.fire(2, "shop-old", AlertState.RESOLVED)
    made = office.store.create(
        incident_in(), Note("monitor", "opened"), NOW, [alerts[0].fingerprint, alerts[1].fingerprint]
    )
    said = office.add("namespace=~shop.*", person="cli:eve", preview=True, lasting="", comment="")
    assert (said["silence"], said["firing"], said["more"], said["incidents"]) == (None, 3, False, [made.id])
    assert [(one["fingerprint"], one["incident"]) for one in said["alerts"]] == [
        ("shop-1", made.id), ("shop-0", made.id), ("shop-2", None),
    ]  # fmt: skip
    assert said["matchers"] == ['namespace=~"shop.*"']
    assert office.store.silences() == ()


def test_adding_tells_the_same(office: Office) -> None:
    office.fire(150, "shop")
    said = office.add("namespace=shop")
    assert (said["firing"], len(said["alerts"]), said["more"]) == (150, 100, True)
    assert {one["severity"] for one in said["alerts"][:75]} == {"critical"}


def test_one_that_overlaps_is_named(office: Office) -> None:
    assert office.add("a=b")["overlaps"] == []
    assert office.add("a=b", begins="2026-05-04T04:00")["overlaps"] == [1]
    assert office.add("a=b", begins="2026-05-04T09:00")["overlaps"] == []
    assert office.add("a=c")["overlaps"] == []


def test_the_list_says_what_ends_and_begins_next(office: Office) -> None:
    for lasting, begins in (("3h", ""), ("1h", ""), ("1h", "2026-05-04T09:00"), ("1h", "2026-05-04T08:00"), ("5m", "")):
        office.add("a=b", lasting=lasting, begins=begins)
    office.expire(5)
    assert [one["id"] for one in office.listed()] == [2, 1, 4, 3]
    office.now = NOW + 2 * HOUR
    assert [(one["id"], one["state"]) for one in office.listed(past=True)] == [
        (1, "active"), (4, "pending"), (3, "pending"), (2, "expired"), (5, "expired"),
    ]  # fmt: skip


def test_expire_ends_it_now_and_says_who(office: Office) -> None:
    office.add("a=b")
    office.now = NOW + HOUR
    said = office.expire(1, person="Ana")
    assert (said["state"], said["expired_by"], said["ends_at"]) == ("expired", "Ana", "2026-05-04T04:02:00.000000Z")
    assert office.listed() == []
    assert office.listed(past=True) == [said]


def test_one_to_come_can_be_ended_too(office: Office) -> None:
    office.add("a=b", begins="2026-05-04T09:00")
    assert office.expire(1)["state"] == "expired"
    office.now = NOW + 7 * HOUR
    assert not office.store.silences()[0].holds(office.now)


def test_expire_of_what_is_over_or_never_was(office: Office) -> None:
    office.add("a=b")
    office.expire(1)
    with pytest.raises(Refused, match=r"it ended at 2026-05-04 03:02 UTC, expired by Ana$"):
        office.expire(1, person="Ben")
    office.add("a=b")
    office.now = NOW + 3 * HOUR
    with pytest.raises(Refused, match=r"silence 2 is over already: it ended at 2026-05-04 05:02 UTC$"):
        office.expire(2)
    for number in (0, 7, 2**70, -1):
        with pytest.raises(PermanentError, match="there is no silence"):
            office.expire(number)


def test_a_secret_in_a_comment_is_masked(office: Office) -> None:
    said = office.add("a=b", comment="see postgres://app:hunter2secret@db/shop")  # gitleaks:allow
    assert "hunter2secret" not in str(said) + str(office.store.silences())


def test_both_are_a_line_in_the_log(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "opsbot.commands"):
        office.add("HighLatency")
        office.expire(1)
    assert caplog.messages == [
        'silence 1 added by Ana until 2026-05-04T05:02:00.000000Z: {alertname="HighLatency"}',
        'silence 1 expired by Ana: {alertname="HighLatency"}',
    ]


@pytest.mark.parametrize(
    ("words", "permission"), [("silence add", "read"), ("silence list", "read"), ("silence expire", "silence")]
)
def test_who_may_come_in(words: str, permission: str) -> None:
    row = verb(words)
    assert row
    assert (row.permission, row.spoken) == (permission, True)


def test_status_counts_silences_and_names_windows(office: Office) -> None:
    quiet = status.run(office.desk, "Ana", Namespace()).data
    assert (quiet["silences"], quiet["maintenance"]) == ({"active": 0, "pending": 0, "next": None}, [])
    office.add("a=b")
    office.add("a=b", lasting="1h")
    office.add("a=b", begins="2026-05-04T09:00")
    office.add("a=b")
    office.expire(4)
    windows = (
        Window("late", time(3), time(4), weekdays=(0,)), Window("soon", time(3), time(3, 30), weekdays=(0,)),
        Window("other", time(3), time(4), weekdays=(1,)),
    )  # fmt: skip
    office.config = Config(folder=Path(), maintenance=windows)
    said = status.run(office.desk, "Ana", Namespace()).data
    assert said["silences"] == {"active": 2, "pending": 1, "next": {"id": 2, "ends_at": "2026-05-04T04:02:00.000000Z"}}
    assert said["maintenance"] == [
        {"name": "soon", "ends_at": "2026-05-04T03:30:00.000000Z"},
        {"name": "late", "ends_at": "2026-05-04T04:00:00.000000Z"},
    ]
