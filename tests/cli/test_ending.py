"""Signals to a demo: the first breaks off the setting up, all others are noted; and nothing stays behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from opsbot.cli.ending import NUMBERS, ending


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """As in a terminal, though the tests may run under nohup."""
    before = {number: signal.getsignal(number) for number in NUMBERS}
    for number, handler in before.items():
        signal.signal(number, signal.default_int_handler if handler == signal.SIG_IGN else handler)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_while_things_are_set_up_the_first_one_breaks_it_off(number: signal.Signals) -> None:
    with ending() as end:
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # in the middle of tidying up
        assert end.wanted()


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.name)
def test_later_it_is_noted(number: signal.Signals) -> None:
    with ending() as end:
        end.up()
        assert not end.wanted()
        os.kill(os.getpid(), number)
        assert end.wanted()


def test_the_handlers_of_before_come_back() -> None:
    before = [signal.getsignal(number) for number in NUMBERS]
    with ending():
        assert [signal.getsignal(number) for number in NUMBERS] != before
    assert [signal.getsignal(number) for number in NUMBERS] == before


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending() as end:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not end.wanted()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
