"""Wake-ups: at once when there are some, together when there are many, and none lost between two waits."""

from __future__ import annotations

import threading

from opsbot.tasks.queue import WakeUps


def test_nothing_comes_after_the_time() -> None:
    assert WakeUps().wait(0.0) == frozenset()


def test_what_was_woken_before_the_wait_comes_at_once_and_once() -> None:
    queue = WakeUps()
    for incident in (7, 8, 7):
        queue.wake(incident)
    assert queue.wait(60) == {7, 8}
    assert queue.wait(0.0) == frozenset()


def test_a_wait_ends_when_another_thread_wakes() -> None:
    queue = WakeUps()
    got: list[frozenset[int]] = []
    waiter = threading.Thread(target=lambda: got.append(queue.wait(60)))
    waiter.start()
    queue.wake(3)
    waiter.join(30)
    assert got == [{3}]


def test_no_wake_up_of_many_threads_is_lost() -> None:
    queue = WakeUps()
    threads = [threading.Thread(target=queue.wake, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    seen: set[int] = set()
    while len(seen) < 50:
        got = queue.wait(30)
        assert got
        seen |= got
    for thread in threads:
        thread.join()
