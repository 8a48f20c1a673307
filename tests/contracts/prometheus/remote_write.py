"""Puts samples into a real Prometheus as its peers do: series in, the bytes of a remote write (version 1) out.

The form is that of prometheus/prompb/remote.proto, in the block form of snappy, of which literals alone are used.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping

import requests

Series = tuple[Mapping[str, str], Iterable[tuple[int, float | None]]]
"""Labels, and samples as (milliseconds since 1970, value); None is the mark of a series that has gone stale."""

_STALE = struct.pack("<Q", 0x7FF0000000000002)  # prometheus/model/value


def write(url: str, series: Iterable[Series]) -> None:
    """Send it; the server has it when this comes back."""
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
               "X-Prometheus-Remote-Write-Version": "0.1.0"}  # fmt: skip
    raw = b"".join(_part(1, _series(*one)) for one in series)
    answer = requests.post(f"{url}/api/v1/write", data=_packed(raw), headers=headers, timeout=10)
    assert answer.status_code == 204, answer.text


def _series(labels: Mapping[str, str], samples: Iterable[tuple[int, float | None]]) -> bytes:
    named = (_part(1, _part(1, name.encode()) + _part(2, text.encode())) for name, text in sorted(labels.items()))
    return b"".join(named) + b"".join(_part(2, _sample(*one)) for one in samples)


def _sample(at: int, value: float | None) -> bytes:
    raw = _STALE if value is None else struct.pack("<d", value)
    return _number(1 << 3 | 1) + raw + _number(2 << 3) + _number(at)


def _part(field: int, content: bytes) -> bytes:
    return _number(field << 3 | 2) + _number(len(content)) + content


def _number(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def _packed(raw: bytes) -> bytes:
    pieces = (raw[start : start + 60] for start in range(0, len(raw), 60))
    return _number(len(raw)) + b"".join(bytes([(len(piece) - 1) << 2]) + piece for piece in pieces)
