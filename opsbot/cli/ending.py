"""What a signal does to a demo: it breaks off the setting up, once; after that it is noted, and all ends in order."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ending:
    """Whether somebody wants an end. Nothing that is taken down is ever broken off by a second signal."""

    def __init__(self) -> None:
        self._wanted, self._up = False, False

    def wanted(self) -> bool:
        """Whether a signal has come."""
        return self._wanted

    def up(self) -> None:
        """All is set up: from now on a signal is noted and nothing more."""
        self._up = True

    def on(self, _number: int, _frame: FrameType | None) -> None:
        """KeyboardInterrupt for the first signal, if it comes while things are being set up."""
        first, self._wanted = not self._wanted, True
        if first and not self._up:
            raise KeyboardInterrupt


@contextmanager
def ending() -> Iterator[Ending]:
    """Ctrl-C, SIGTERM and a closed terminal, all alike; what is ignored (nohup) stays so, and the rest comes back."""
    found = Ending()
    before = {number: signal.getsignal(number) for number in NUMBERS}
    caught = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    for number in caught:
        signal.signal(number, found.on)
    try:
        yield found
    finally:
        for number, handler in caught.items():
            signal.signal(number, handler)
