"""Samples in, the body of a Prometheus remote-write request out: protobuf in a snappy block, both written by hand.

The messages are WriteRequest, TimeSeries, Label and Sample of prometheus/prompb; the block is snappy's format with
literals alone, which every reader takes: nothing is compressed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

HEADERS = {
    "Content-Type": "application/x-protobuf", "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}  # fmt: skip

Point = tuple[int, float]
"""Milliseconds since 1970, and a value; NaN keeps its bits."""

Line = tuple[Mapping[str, str], Sequence[Point]]
"""A series and its points, oldest first."""

_CHUNK = 65_536


def body(lines: Iterable[Line]) -> bytes:
    """The whole request."""
    return _snappy(b"".join(_field(1, _series(labels, points)) for labels, points in lines))


def _series(labels: Mapping[str, str], points: Sequence[Point]) -> bytes:
    named = (_field(1, _text(1, name) + _text(2, labels[name])) for name in sorted(labels))
    samples = (_field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at)) for at, value in points)
    return b"".join((*named, *samples))


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())


def _field(number: int, inner: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(inner)) + inner


def _varint(number: int) -> bytes:
    number &= 2**64 - 1  # a time before 1970 is written as its two's complement
    made = bytearray()
    while number > 0x7F:
        made.append(number & 0x7F | 0x80)
        number >>= 7
    made.append(number)
    return bytes(made)


def _snappy(raw: bytes) -> bytes:
    made = [_varint(len(raw))]
    for at in range(0, len(raw), _CHUNK):
        piece = raw[at : at + _CHUNK]
        made += [b"\xf4" + struct.pack("<H", len(piece) - 1), piece]  # a literal whose length stands in two bytes
    return b"".join(made)
