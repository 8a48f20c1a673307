"""The thread that looks: soon after news, now and then without, never twice at once, and not beaten by an error."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from opsbot.app.looks import Looks
from opsbot.core.errors import OpsbotError, TemporaryError

PATIENCE = 10.0


class Counted:
    """A look that counts, and may fail the first time."""

    def __init__(self, fails: OpsbotError | None = None) -> None:
        self.count, self._fails = 0, fails
        self._done = threading.Condition()

    def __call__(self) -> None:
        with self._done:
            self.count += 1
            self._done.notify_all()
            fails, self._fails = self._fails, None
        if fails:
            raise fails

    def reached(self, count: int) -> bool:
        with self._done:
            return self._done.wait_for(lambda: self.count >= count, PATIENCE)


@pytest.fixture
def looks() -> Iterator[Callable[..., Looks]]:
    made: list[Looks] = []

    def start(look: Counted, every: float = 60, pause: float = 0.01) -> Looks:
        made.append(Looks(look, every, pause))
        made[0].start()
        return made[0]

    yield start
    made[0].stop()


def test_it_looks_at_once_and_soon_after_news(looks: Callable[..., Looks]) -> None:
    look = Counted()
    made = looks(look)
    assert look.reached(1)
    made.soon()
    assert look.reached(2)


def test_it_looks_without_news_too(looks: Callable[..., Looks]) -> None:
    look = Counted()
    looks(look, every=0.01)
    assert look.reached(5)


def test_much_news_is_looked_at_together(looks: Callable[..., Looks]) -> None:
    look = Counted()
    made = looks(look, pause=0.2)
    assert look.reached(1)
    for _ in range(100):
        made.soon()
    assert look.reached(2)
    made.stop()
    assert look.count == 2


def test_a_look_that_fails_is_not_the_last(
    looks: Callable[..., Looks], caplog: pytest.LogCaptureFixture
) -> None:  # fmt: skip
    look = Counted(TemporaryError("the store is held by another"))
    with caplog.at_level(logging.WARNING, "opsbot.app"):
        made = looks(look)
        assert look.reached(1)
        made.soon()
        assert look.reached(2)
    assert "alerts could not be looked at: the store is held by another" in caplog.text


def test_one_that_was_never_started_stops() -> None:
    look = Counted()
    Looks(look).stop()
    assert look.count == 0
