"""The WebSocket's server side: the standard's examples, and peers that do not keep to it."""

from __future__ import annotations

import io
import struct

import pytest

from opsbot.testing.slack import websocket
from opsbot.testing.slack.websocket import Broken, Frame, WebSocket, accept, encode, read_frame, unmask

MASK = b"\x37\xfa\x21\x3d"


def client(opcode: int, payload: bytes, *, final: bool = True, mask: bytes = MASK) -> bytes:
    """A frame as clients send it."""
    if len(payload) < 126:
        length = bytes([0x80 | len(payload)])
    elif len(payload) < 1 << 16:
        length = struct.pack("!BH", 0xFE, len(payload))
    else:
        length = struct.pack("!BQ", 0xFF, len(payload))
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + unmask(mask, payload)


class Peer:
    """A socket of which both ends are seen."""

    def __init__(self, *frames: bytes) -> None:
        self.written: list[bytes] = []
        self.heard: list[str] = []
        self.was_cut = False
        self.socket = WebSocket(io.BytesIO(b"".join(frames)), self.written.append, self._cut)

    def _cut(self) -> None:
        self.was_cut = True

    def run(self) -> Peer:
        self.socket.run(self.heard.append)
        return self

    @property
    def closed_with(self) -> int:
        head, payload = self.written[-1][:2], self.written[-1][2:]
        assert head[0] == 0x88
        code: int = struct.unpack("!H", payload[:2])[0]
        return code


def test_the_handshake_of_the_standard() -> None:
    """RFC 6455, section 1.3."""
    assert accept("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("key", ["", "short", "AAAA", "????????????????????????", "ü" * 24])
def test_a_key_that_is_none_opens_nothing(key: str) -> None:
    assert accept(key) is None


def test_the_frames_of_the_standard() -> None:
    """RFC 6455, section 5.7."""
    assert encode(websocket.TEXT, b"Hello") == b"\x81\x05Hello"
    masked = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"
    assert read_frame(io.BytesIO(masked)) == Frame(True, websocket.TEXT, b"Hello")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 300_000])
def test_every_length_arrives_whole(size: int) -> None:
    text = "x" * size
    peer = Peer(client(websocket.TEXT, text.encode())).run()
    assert peer.heard == [text]
    sent = encode(websocket.TEXT, text.encode())
    assert sent.endswith(text.encode())
    assert len(sent) - size == (2 if size < 126 else 4 if size < 65536 else 10)


def test_fragments_are_one_message_and_a_ping_may_come_between() -> None:
    peer = Peer(
        client(websocket.TEXT, "grü".encode()[:3], final=False), client(websocket.PING, b"there?"),
        client(websocket.CONTINUATION, "grü".encode()[3:], final=False), client(websocket.CONTINUATION, b"n"),
    ).run()  # fmt: skip
    assert peer.heard == ["grün"]
    assert peer.written == [encode(websocket.PONG, b"there?")]


def test_a_goodbye_is_answered() -> None:
    peer = Peer(client(websocket.CLOSE, b"\x03\xe8"), client(websocket.TEXT, b"after")).run()
    assert peer.heard == []
    assert peer.closed_with == 1000


BROKEN: dict[str, tuple[bytes, int]] = {
    "no mask": (encode(websocket.TEXT, b"x"), 1002),
    "reserved bits": (b"\xc1\x80" + MASK, 1002),
    "unknown opcode": (client(0x3, b""), 1002),
    "long ping": (client(websocket.PING, b"x" * 126), 1002),
    "ping in pieces": (client(websocket.PING, b"", final=False), 1002),
    "continuation of nothing": (client(websocket.CONTINUATION, b"x"), 1002),
    "two beginnings": (client(websocket.TEXT, b"x", final=False) + client(websocket.TEXT, b"y"), 1002),
    "too long": (b"\x81\xff" + struct.pack("!Q", 1 << 40), 1009),
    "too long in pieces": (
        client(websocket.TEXT, b"x" * 600_000, final=False) + client(websocket.CONTINUATION, b"x" * 600_000), 1009,
    ),
    "no text": (client(websocket.BINARY, b"\x00"), 1003),
    "no UTF-8": (client(websocket.TEXT, b"\xff\xfe"), 1007),
}  # fmt: skip


@pytest.mark.parametrize(("sent", "code"), BROKEN.values(), ids=BROKEN)
def test_who_breaks_the_protocol_is_told_why(sent: bytes, code: int) -> None:
    peer = Peer(sent).run()
    assert peer.heard == []
    assert peer.closed_with == code


@pytest.mark.parametrize("cut", range(1, 12))
def test_an_end_in_the_middle_of_a_frame_is_an_end(cut: int) -> None:
    peer = Peer(client(websocket.TEXT, b"Hello!")[:cut]).run()
    assert peer.heard == []
    assert peer.written == []


def test_nothing_is_sent_after_the_end() -> None:
    peer = Peer().run()
    assert not peer.socket.send("late")
    assert not peer.socket.ping()
    assert peer.written == []


def test_a_socket_that_cannot_be_written_to_is_closed() -> None:
    def write(_frame: bytes) -> None:
        raise BrokenPipeError

    socket = WebSocket(io.BytesIO(), write, lambda: None)
    assert not socket.send("x")


def test_a_cut_says_nothing() -> None:
    peer = Peer()
    peer.socket.cut()
    assert peer.was_cut
    assert peer.written == []


def test_a_frame_is_no_exception() -> None:
    with pytest.raises(Broken) as caught:
        read_frame(io.BytesIO(b"\x81\x05Hello"))
    assert caught.value.code == 1002
