"""The intake: what waits together is kept together, and each sender hears of its own."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from opsbot.core.alert import Push
from opsbot.core.errors import TemporaryError
from opsbot.monitor.receiving.payloads import alertmanager
from opsbot.web import intake
from opsbot.web.intake import Intake
from tests.monitor.receiving.payloads.payload_samples import alertmanager as payload
from tests.monitor.receiving.payloads.payload_samples import entry
from tests.web.web_world import NOW


class Keeper:
    """Keeps alerts as a store would, once it is let: `gate` holds the first of them back."""

    def __init__(self, *errors: Exception) -> None:
        self.gate, self.entered = threading.Event(), threading.Event()
        self.batches: list[int] = []
        self.errors = list(errors)

    def keep(self, pushes: Sequence[Push], now: datetime) -> Mapping[tuple[str, str], int]:
        self.entered.set()
        assert self.gate.wait(10)
        if self.errors:
            raise self.errors.pop(0)
        self.batches.append(len(pushes))
        return Counter((push.source, "fired") for push in pushes)


def body(count: int = 1) -> bytes:
    return json.dumps(payload(*[entry(n=str(n)) for n in range(count)])).encode()


def started(keeper: Keeper) -> Intake:
    made = Intake({"alertmanager": alertmanager.read}, keeper.keep, lambda: NOW)
    made.start()
    return made


def test_what_waits_together_shares_a_transaction() -> None:
    keeper = Keeper()
    made = started(keeper)
    first = made.put("alertmanager", body())
    assert keeper.entered.wait(10)
    others = [made.put("alertmanager", body()) for _ in range(20)]
    keeper.gate.set()
    assert {answer.result(10).status for answer in [first, *others]} == {200}
    assert keeper.batches == [1, 20]
    made.stop()


def test_no_transaction_is_larger_than_what_can_be_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "TOGETHER", 10)
    keeper = Keeper()
    keeper.gate.set()
    made = started(keeper)
    assert made.put("alertmanager", body(25)).result(10).body["taken"] == 25
    assert keeper.batches == [10, 10, 5]
    made.stop()


def test_one_bad_body_among_many_is_its_senders_alone() -> None:
    keeper = Keeper()
    made = started(keeper)
    first = made.put("alertmanager", body())
    keeper.entered.wait(10)
    good, bad, other = (
        made.put("alertmanager", body()),
        made.put("alertmanager", b"{"),
        made.put("alertmanager", body()),
    )
    keeper.gate.set()
    assert [answer.result(10).status for answer in (first, good, bad, other)] == [200, 200, 400, 200]
    made.stop()


def test_where_the_store_fails_all_of_the_batch_are_told_and_the_next_are_kept() -> None:
    keeper = Keeper(TemporaryError("busy"))
    keeper.gate.set()
    made = started(keeper)
    assert made.put("alertmanager", body()).result(10).status == 503
    assert made.put("alertmanager", body()).result(10).status == 200
    made.stop()


def test_more_than_may_wait_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST", 3)
    keeper = Keeper()
    made = started(keeper)
    first = made.put("alertmanager", body())
    keeper.entered.wait(10)
    waiting = [made.put("alertmanager", body()) for _ in range(3)]
    assert made.put("alertmanager", body()).result(0).status == 503
    keeper.gate.set()
    assert {answer.result(10).status for answer in [first, *waiting]} == {200}
    made.stop()


def test_what_was_taken_before_the_end_is_kept() -> None:
    keeper = Keeper()
    made = started(keeper)
    first = made.put("alertmanager", body())
    keeper.entered.wait(10)
    second = made.put("alertmanager", body())
    keeper.gate.set()
    made.stop()
    assert (first.result(0).status, second.result(0).status, made.alive) == (200, 200, False)
    assert made.put("alertmanager", body()).result(0).status == 503


def test_a_sender_that_is_wrong_each_time_is_logged_once_a_minute(caplog: Any) -> None:
    keeper = Keeper()
    keeper.gate.set()
    made = started(keeper)
    for _ in range(20):
        assert made.put("alertmanager", b"{").result(10).status == 400
    made.stop()
    assert len(caplog.records) == 1
