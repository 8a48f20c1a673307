"""What every store promises of silences, and of what became of alerts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from opsbot.core.alert import Alert, AlertState
from opsbot.core.audit import Note
from opsbot.core.errors import PermanentError
from opsbot.core.incident import Incident
from opsbot.core.ports import Store
from opsbot.core.silence import Match, Matcher, Silence, Verdict

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MATCHERS = (Matcher("alertname", Match.IS, "slow"), Matcher("pod", Match.NOT_LIKE, "a\\d+|\x00'\U0001f600"))
Make = Callable[..., Incident]
MakeAlert = Callable[..., Alert]


@pytest.fixture
def silence(now: datetime) -> Callable[..., Silence]:
    def make(**given: Any) -> Silence:
        plain: dict[str, Any] = {
            "id": 0, "matchers": MATCHERS, "author": "ana", "comment": "'; DROP TABLE silences; --\n\x00",
            "made_at": now, "starts_at": now, "ends_at": now + HOUR,
        }  # fmt: skip
        return Silence(**(plain | given))

    return make


# silences


def test_a_silence_comes_back_with_an_id_of_its_own(
    store: Store, now: datetime, silence: Callable[..., Silence]
) -> None:
    first, second = store.add_silence(silence(id=7)), store.add_silence(silence(comment="", ends_at=now + DAY))
    assert (first, second) == (silence(id=1), silence(id=2, comment="", ends_at=now + DAY))
    assert store.silences() == (first, second)
    assert store.silences(ending_after=now + HOUR) == (second,)
    assert store.silences(ending_after=now + DAY) == ()
    assert store.verify() == ()


def test_a_silence_that_is_expired_ends_now(store: Store, now: datetime, silence: Callable[..., Silence]) -> None:
    made, other = store.add_silence(silence()), store.add_silence(silence())
    ended = store.expire_silence(made.id, "ben", now + timedelta(minutes=1))
    assert ended == replace(made, ends_at=now + timedelta(minutes=1), expired_by="ben")
    assert store.silences() == (ended, other)
    assert store.silences(ending_after=now + timedelta(minutes=1)) == (other,)


def test_a_silence_that_has_not_begun_can_be_ended(
    store: Store, now: datetime, silence: Callable[..., Silence]
) -> None:
    made = store.add_silence(silence(starts_at=now + HOUR, ends_at=now + DAY))
    ended = store.expire_silence(made.id, "ben", now)
    assert not any(ended.holds(now + n * HOUR) for n in range(25))


@pytest.mark.parametrize("silence_id", [0, 2, -1], ids=["none", "not yet", "negative"])
def test_a_silence_that_never_was_cannot_be_expired(
    store: Store, now: datetime, silence: Callable[..., Silence], silence_id: int
) -> None:
    store.add_silence(silence())
    with pytest.raises(PermanentError, match=f"there is no silence {silence_id}"):
        store.expire_silence(silence_id, "ben", now)


def test_a_silence_ends_once(store: Store, now: datetime, silence: Callable[..., Silence]) -> None:
    made, over = store.add_silence(silence()), store.add_silence(silence(ends_at=now))
    ended = store.expire_silence(made.id, "ben", now)
    for one in (made, over):
        with pytest.raises(PermanentError, match=f"silence {one.id} has ended already"):
            store.expire_silence(one.id, "eve", now)
    assert store.silences() == (ended, over)


@pytest.mark.parametrize(
    "wrong", [{"matchers": ()}, {"comment": "\ud800"}, {"matchers": (Matcher("\ud800", Match.IS, "x"),)}],
    ids=["of everything", "half a sign", "half a sign in a matcher"],
)  # fmt: skip
def test_a_silence_that_cannot_be_kept_is_refused(
    store: Store, silence: Callable[..., Silence], wrong: dict[str, Any]
) -> None:
    with pytest.raises(PermanentError):
        store.add_silence(silence(**wrong))
    assert store.silences() == ()


# verdicts


def test_verdicts_of_an_alert_come_back_oldest_first(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    store.save_alerts("rule-1", [alert("a"), alert("b"), alert("c")], now)
    made = store.create(incident(), Note("monitor", "opened"), now, ["a"])
    held = Verdict("a", now, "silenced", "silence 7 of ana: '%s'\x00")
    opened = Verdict("a", now + HOUR, "opened", "", made.id)
    other = Verdict("b", now, "inhibited")
    store.add_verdicts([held, other])
    store.add_verdicts([opened])
    store.add_verdicts([])
    assert store.verdicts(["a"]) == (held, opened)
    assert store.verdicts({"a", "b", "c"}) == (held, other, opened)
    assert store.verdicts([]) == store.verdicts(["c"]) == ()
    assert store.verdicts() == (other, opened)
    assert store.verify() == ()


def test_the_newest_verdicts_are_of_alerts_that_are_there(
    store: Store, now: datetime, incident: Make, alert: MakeAlert
) -> None:
    store.save_alerts("rule-1", [alert("a"), alert("b", state=AlertState.RESOLVED)], now)
    store.create(incident(), Note("monitor", "opened"), now, ["b"])
    for one in ("a", "b", "never"):
        store.add_verdicts([Verdict(one, now, "waiting")])
    assert [one.fingerprint for one in store.verdicts()] == ["a", "b"]
    store.save_alerts("rule-1", [alert("a")], now)
    assert [one.fingerprint for one in store.verdicts()] == ["a"]
    assert [one.fingerprint for one in store.verdicts(["a", "b", "never"])] == ["a", "b", "never"]


@pytest.mark.parametrize(("later", "kept"), [(30 * DAY, 151), (30 * DAY + HOUR, 100)], ids=["young", "old"])
def test_of_many_old_verdicts_the_last_hundred_stay(store: Store, now: datetime, later: timedelta, kept: int) -> None:
    calm = Verdict("calm", now, "waiting")
    many = [Verdict("flaps", now + timedelta(seconds=n), "waiting", str(n)) for n in range(150)]
    store.add_verdicts([calm, *many])
    newest = Verdict("flaps", now + later, "opened")
    store.add_verdicts([newest])
    found = store.verdicts(["flaps"])
    assert found == (*many, newest)[-kept:]
    assert store.verdicts(["calm"]) == (calm,)


def test_a_storm_of_verdicts_is_kept_in_one_go(store: Store, now: datetime, alert: MakeAlert) -> None:
    names = [f"a{n:05d}" for n in range(1500)]
    store.receive([alert(name) for name in names])
    store.add_verdicts([Verdict(name, now, "folded") for name in names])
    assert [one.fingerprint for one in store.verdicts()] == names
    assert len(store.verdicts(names)) == 1500


def test_verdicts_of_one_go_are_kept_all_or_none(store: Store, now: datetime, alert: MakeAlert) -> None:
    store.receive([alert("a")])
    with pytest.raises(PermanentError):
        store.add_verdicts([Verdict("a", now, "waiting"), Verdict("a", now, "opened", "", 9)])
    assert store.verdicts() == ()
