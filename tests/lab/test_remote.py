"""The body of a remote write, byte by byte."""

from __future__ import annotations

import struct

from opsbot.lab import remote, series


def unpacked(body: bytes) -> bytes:
    """A snappy block of literals alone, read back."""
    size, at = number(body, 0)
    raw = b""
    while at < len(body):
        assert body[at] == 0xF4
        length = struct.unpack_from("<H", body, at + 1)[0] + 1
        raw += body[at + 3 : at + 3 + length]
        at += 3 + length
    assert len(raw) == size
    return raw


def number(body: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        found |= (body[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if body[at - 1] < 0x80:
            return found, at


def test_one_series() -> None:
    raw = unpacked(remote.body([({"b": "ü", "__name__": "x"}, [(1000, 1.5)])]))
    labels = b"\x0a\x0d\x0a\x08__name__\x12\x01x" + b"\x0a\x07\x0a\x01b\x12\x02\xc3\xbc"
    sample = b"\x12\x0c\x09" + struct.pack("<d", 1.5) + b"\x10\xe8\x07"
    assert raw == b"\x0a" + bytes([len(labels) + len(sample)]) + labels + sample


def test_the_mark_of_the_end_keeps_its_bits() -> None:
    raw = unpacked(remote.body([({"a": "b"}, [(0, series.STALE)])]))
    assert struct.pack("<Q", 0x7FF0000000000002) in raw


def test_a_time_before_1970_is_ten_bytes() -> None:
    raw = unpacked(remote.body([({}, [(-1, 0.0)])]))
    assert raw.endswith(b"\x10" + b"\xff" * 9 + b"\x01")


def test_a_large_body_is_several_literals() -> None:
    points = [(at, float(at)) for at in range(20_000)]
    assert len(unpacked(remote.body([({"a": "b"}, points)]))) > 2 * 65_536
