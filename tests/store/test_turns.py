"""The lock of writers: one at a time, in the order of asking, also after an error."""

from __future__ import annotations

import threading
import time

import pytest

from opsbot.store.turns import Turns

PATIENCE = 10.0


def test_one_at_a_time() -> None:
    turns, inside, most = Turns(), 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(200):
            with turns:
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (most, inside, any(thread.is_alive() for thread in threads)) == (1, 0, False)


def test_who_asked_first_comes_first_and_who_leaves_comes_last() -> None:
    turns, order = Turns(), list[str]()
    waits = list[threading.Thread]()

    def ask(name: str) -> None:
        with turns:
            order.append(name)

    with turns:
        for name in "abc":
            waits.append(threading.Thread(target=ask, args=(name,)))
            waits[-1].start()
            until = time.monotonic() + PATIENCE
            while turns.waiting < len(waits) and time.monotonic() < until:
                time.sleep(0.001)
    ask("me again")
    for thread in waits:
        thread.join(PATIENCE)
    assert order == ["a", "b", "c", "me again"]


def test_an_error_gives_it_back() -> None:
    turns = Turns()
    with pytest.raises(ValueError, match="spoilt"), turns:
        raise ValueError("spoilt")
    with turns:
        assert turns.waiting == 0
