"""Connections that keep a wall deadline: urllib3's time limits start anew with each byte, these do not.

The one thing that they cannot cut short is a name server that is slow to answer; nothing is sent after it, though.
"""

from __future__ import annotations

import socket
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError

from opsbot.kube.deadline import HERE, Call


class _Kept:
    """Mixed into urllib3's connections: tells the call of its thread which socket it uses and when bytes go out.

    The socket is kept as a duplicate, because a TLS handshake takes the first one away while it runs.
    """

    sock: Any
    _double: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        found: socket.socket = super()._new_conn()  # type: ignore[misc]
        self._double = found.dup()
        try:
            self._tell(before_sending=True)
        except ConnectTimeoutError:
            found.close()
            raise
        return found

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        self._tell(before_sending=False)
        super().send(data)  # type: ignore[misc]

    def _tell(self, *, before_sending: bool) -> None:
        call: Call | None = getattr(HERE, "call", None)
        if call is None:
            return
        call.holds(self._double, fresh=before_sending)
        if call.late and not call.sent:
            raise ConnectTimeoutError(self, "the time was over before anything was sent")
        call.sent = call.sent or not before_sending

    def close(self) -> None:
        super().close()  # type: ignore[misc]
        if self._double is not None:
            self._double.close()
            self._double = None


class _Plain(_Kept, HTTPConnection):
    pass


class _Secure(_Kept, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure


POOLS = {"http": _PlainPool, "https": _SecurePool}
