"""A wall deadline for one call: a timer that shuts its socket, so that whoever waits for bytes of it wakes up."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

HERE = threading.local()
"""`call` is the call that this thread has under way; connections look here."""


class Call:
    """One call under way: when it must be over, whether it uses such a connection, and whether bytes went out."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self.used = False
        self.sent = False
        self.over = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def left(self) -> float:
        """Seconds left, never quite nothing: urllib3 wants a positive number."""
        return max(self.until - time.monotonic(), 0.001)

    @property
    def late(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.until

    def holds(self, line: socket.socket | None, *, fresh: bool) -> None:
        """Remember the socket to shut; one that comes too late is shut at once.

        It is a duplicate of its own, since a connection that is to be closed afterwards forgets its socket before the
        body has been read. With `fresh` it is another one than before.
        """
        with self._lock:
            self.used = True
            if line is not None and (fresh or self._socket is None):
                self._forget()
                self._socket = line.dup()
            if self.over and self._socket is not None:
                _shut(self._socket)

    def end(self) -> None:
        """Shut the socket: whoever waits for bytes of it wakes up."""
        with self._lock:
            self.over = True
            if self._socket is not None:
                _shut(self._socket)

    def done(self) -> None:
        """The socket goes back to its pool: it is no longer ours to shut."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def calling(seconds: float) -> Iterator[Call]:
    """A call of this thread with a deadline; a timer shuts its socket when that comes."""
    call = Call(seconds)
    HERE.call = call
    timer = threading.Timer(seconds, call.end)
    timer.daemon = True
    timer.start()
    try:
        yield call
    finally:
        call.done()
        timer.cancel()
        HERE.call = None


def _shut(line: socket.socket) -> None:
    with suppress(OSError):  # it is closed already, which is what was wanted
        line.shutdown(socket.SHUT_RDWR)
