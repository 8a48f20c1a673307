"""The server's side of a WebSocket (RFC 6455): a handshake's key in, an answer out; frames in, messages out.

Enough of it for text: masked frames of clients, fragments, ping, pong and close. No extensions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
MAX_MESSAGE = 1 << 20
MAX_CONTROL = 125


class Stream(Protocol):
    """What bytes are read from: `read` gives fewer than asked for only at the end."""

    def read(self, size: int, /) -> bytes:
        """So many bytes."""


class Broken(Exception):
    """The peer breaks the protocol; `code` is the reason that the closing frame gives."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, unmasked."""

    final: bool
    opcode: int
    payload: bytes


def accept(key: str) -> str | None:
    """The value of Sec-WebSocket-Accept; None for a key that is none (16 bytes in base64)."""
    try:
        good = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        good = False
    return base64.b64encode(hashlib.sha1(key.encode() + MAGIC).digest()).decode() if good else None  # noqa: S324 - RFC


def encode(opcode: int, payload: bytes) -> bytes:
    """A frame of a server: whole and without a mask."""
    if len(payload) < 126:
        length = bytes([len(payload)])
    elif len(payload) < 1 << 16:
        length = struct.pack("!BH", 126, len(payload))
    else:
        length = struct.pack("!BQ", 127, len(payload))
    return bytes([0x80 | opcode]) + length + payload


def read_frame(stream: Stream) -> Frame | None:
    """The next frame of a client; None where the stream ends. Broken where it is no frame of a client."""
    head = _exactly(stream, 2)
    if head is None:
        return None
    opcode, length = head[0] & 0x0F, head[1] & 0x7F
    if head[0] & 0x70 or not head[1] & 0x80:
        raise Broken(1002, "reserved bits are set, or the mask is missing")
    if opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
        raise Broken(1002, "unknown opcode")
    if opcode >= CLOSE and (length > MAX_CONTROL or not head[0] & 0x80):
        raise Broken(1002, "a control frame is short and whole")
    size = _length(stream, length)
    rest = None if size is None else _exactly(stream, 4 + size)
    if rest is None:
        return None
    return Frame(bool(head[0] & 0x80), opcode, unmask(rest[:4], rest[4:]))


def _length(stream: Stream, first: int) -> int | None:
    if first < 126:
        return first
    more = _exactly(stream, 2 if first == 126 else 8)
    if more is None:
        return None
    size = int.from_bytes(more, "big")
    if size > MAX_MESSAGE:
        raise Broken(1009, "the message is too long")
    return size


def unmask(mask: bytes, payload: bytes) -> bytes:
    """XOR with a mask of four bytes; its own inverse."""
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")


def _exactly(stream: Stream, count: int) -> bytes | None:
    found = stream.read(count)
    return found if len(found) == count else None


class WebSocket:
    """One open socket. `send` may be called from any thread; `run` belongs to the thread that reads."""

    def __init__(self, stream: Stream, write: Callable[[bytes], object], cut: Callable[[], None]) -> None:
        self._stream, self._write, self._cut = stream, write, cut
        self._lock = threading.Lock()
        self._closing = False

    def send(self, text: str) -> bool:
        """Send a text; False where the socket is closed already."""
        return self._frame(TEXT, text.encode())

    def ping(self) -> bool:
        """Ask for a sign of life."""
        return self._frame(PING, b"opsbot")

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Say goodbye."""
        self._frame(CLOSE, struct.pack("!H", code) + reason.encode()[: MAX_CONTROL - 2])
        self._closing = True

    def cut(self) -> None:
        """Break the connection without a word."""
        self._closing = True
        self._cut()

    def run(self, heard: Callable[[str], None]) -> None:
        """Read until the end, and give every text to `heard`."""
        try:
            self._read(heard)
        except Broken as error:
            self.close(error.code, str(error))
        except OSError:
            pass
        self._closing = True

    def _read(self, heard: Callable[[str], None]) -> None:
        parts: list[Frame] = []
        while (frame := read_frame(self._stream)) is not None:
            if frame.opcode == CLOSE:
                self.close(1000)
                return
            if frame.opcode == PING:
                self._frame(PONG, frame.payload)
            elif frame.opcode != PONG:
                parts = joined(parts, frame)
                if frame.final:
                    heard(spoken(parts))
                    parts = []

    def _frame(self, opcode: int, payload: bytes) -> bool:
        with self._lock:
            if self._closing:
                return False
            try:
                self._write(encode(opcode, payload))
            except (OSError, ValueError):
                self._closing = True
            return not self._closing


def joined(parts: list[Frame], frame: Frame) -> list[Frame]:
    """The fragments so far and one more; Broken where they do not belong together."""
    if bool(parts) != (frame.opcode == CONTINUATION):
        raise Broken(1002, "fragments are mixed up")
    if sum(len(part.payload) for part in (*parts, frame)) > MAX_MESSAGE:
        raise Broken(1009, "the message is too long")
    return [*parts, frame]


def spoken(parts: list[Frame]) -> str:
    """The text of a whole message."""
    if parts[0].opcode != TEXT:
        raise Broken(1003, "only text is understood")
    try:
        return b"".join(part.payload for part in parts).decode()
    except UnicodeDecodeError as error:
        raise Broken(1007, "the text is no UTF-8") from error
