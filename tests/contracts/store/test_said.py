"""What every store promises of what people say: kept before it is acknowledged, treated once, replays known."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from opsbot.core.errors import PermanentError
from opsbot.core.message import Said
from opsbot.core.ports import Store


@pytest.fixture
def said(now: datetime) -> Said:
    return Said("Ev1", {"verb": "approve", "args": ["42", "abcd1234"], "n": 1.5, "none": None}, now)


def test_what_is_taken_waits_to_be_treated(store: Store, now: datetime, said: Said) -> None:
    assert store.untreated() == ()
    assert store.take(said, now) is True
    assert store.untreated() == (said,)
    store.treated("Ev1", now)
    assert store.untreated() == ()
    store.treated("Ev1", now)


def test_the_same_id_is_taken_once_whatever_it_says(store: Store, now: datetime, said: Said) -> None:
    other = Said("Ev1", {"verb": "reject"}, now + timedelta(seconds=1))
    assert [store.take(one, now) for one in (said, said, other)] == [True, False, False]
    assert store.untreated() == (said,)
    store.treated("Ev1", now)
    assert store.take(said, now + timedelta(days=29)) is False
    assert store.untreated() == ()


def test_it_is_treated_in_the_order_in_which_it_was_taken(store: Store, now: datetime) -> None:
    for number in (3, 1, 2):
        store.take(Said(f"Ev{number}", {"n": number}, now - timedelta(seconds=number)), now)
    assert [said.id for said in store.untreated()] == ["Ev3", "Ev1", "Ev2"]
    store.treated("Ev1", now)
    assert [said.id for said in store.untreated()] == ["Ev3", "Ev2"]


def test_it_is_no_part_of_the_audit(store: Store, now: datetime, said: Said) -> None:
    store.take(said, now)
    store.treated(said.id, now)
    assert store.audit() == ()
    assert store.verify() == ()


def test_a_time_comes_back_as_the_same_moment(store: Store, now: datetime) -> None:
    store.take(Said("Ev1", {}, now.astimezone(timezone(timedelta(hours=-7)))), now)
    assert store.untreated()[0].at == now


DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ({"text": "x" * 65_536}, "too long: 65547 bytes, where 65536 are allowed"),
        ({"text": "\u20ac" * 30_000}, "too long"),
        ({"deep": DEEP}, "stored|read back"),
        ({"at": timedelta(1)}, "stored"),
        ({"x": float("inf")}, "stored"),
        ({"x": "\udfff"}, "stored"),
        ({"x": b"bytes"}, "stored"),
    ],
    ids=["long", "long in bytes", "deep", "a duration", "infinity", "half a surrogate", "bytes"],
)
def test_what_no_person_says_is_refused(store: Store, now: datetime, what: dict[str, Any], says: str) -> None:
    with pytest.raises(PermanentError, match=says):
        store.take(Said("Ev1", what, now), now)
    assert store.untreated() == ()
    assert store.take(Said("Ev1", {"text": "x" * 65_000}, now), now) is True


@pytest.mark.parametrize("key", ["", "x" * 201], ids=["empty", "long"])
def test_an_id_that_identifies_nothing_is_refused(store: Store, now: datetime, key: str) -> None:
    with pytest.raises(PermanentError, match="no usable id"):
        store.take(Said(key, {}, now), now)


@pytest.mark.parametrize("key", ["'; DROP TABLE said; --", "\x00", "x" * 200, "%s"], ids=range(4))
def test_any_other_id_is_only_an_id(store: Store, now: datetime, key: str) -> None:
    assert [store.take(Said(key, {"k": key}, now), now) for _ in range(2)] == [True, False]
    assert store.untreated() == (Said(key, {"k": key}, now),)
    store.treated(key, now)
    assert store.untreated() == ()


def test_what_was_never_said_cannot_be_treated(store: Store, now: datetime) -> None:
    with pytest.raises(PermanentError, match="nothing was said as 'Ev9'"):
        store.treated("Ev9", now)
